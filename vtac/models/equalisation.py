"""Channels between two products brought to like ranges: what one is divided by, the other is multiplied by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.models.graph import Graph
from vtac.models.layer import Layer
from vtac.models.layers.activations import LeakyRelu, ParametricRelu, Relu
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.pooling import AveragePool, GlobalAveragePool, MaxPool, Upsample
from vtac.models.layers.products import Linear

Product: TypeAlias = Convolution | Linear
_THROUGH = (Relu, LeakyRelu, ParametricRelu, MaxPool, AveragePool, GlobalAveragePool, Upsample)
"""Layers of which a positive factor of a channel comes out as it goes in."""
_PASSES = 8
_MOST = 16.0
"""The largest factor of a channel, in one pass."""


def equalised(graph: Graph) -> Graph:
    """A graph that computes the same: of each pair of products that only such layers connect as commute with factors.

    Channel by channel, the weights that make it and those that read it get ranges of one geometric mean (Nagel et al.,
    2019). Relu6 and clamps do not commute, and what others read, too, stays as it is.
    """
    layers = {layer.name: layer for layer in graph.layers}
    pairs = _pairs(graph, layers)
    for _ in range(_PASSES):
        for first, second in pairs:
            layers[first], layers[second] = _balanced(layers[first], layers[second])
    return Graph(graph.name, graph.inputs, tuple(layers[layer.name] for layer in graph.layers), graph.outputs)


def _pairs(graph: Graph, layers: Mapping[str, Layer]) -> list[tuple[str, str]]:
    """Products by name, the one that makes channels first."""
    readers = Counter([*(name for layer in graph.layers for name in layer.inputs), *graph.outputs])
    found: list[tuple[str, str]] = []
    for layer in graph.layers:
        if not isinstance(layer, Product):
            continue
        source = layers.get(layer.inputs[0])
        while isinstance(source, _THROUGH) and readers[source.name] == 1:
            source = layers.get(source.inputs[0])
        if isinstance(source, Product) and readers[source.name] == 1 and _channels(layer) == source.weights.shape[0]:
            found.append((source.name, layer.name))
    return found


def _channels(layer: Product) -> int:
    return layer.weights.shape[1] * (layer.groups if isinstance(layer, Convolution) else 1)


def _balanced(first: Layer, second: Layer) -> tuple[Layer, Layer]:
    if not isinstance(first, Product) or not isinstance(second, Product):
        return first, second
    made = np.abs(first.weights).reshape(first.weights.shape[0], -1).max(1).astype(np.float64)
    read = _reach_by_channel(second)
    alive = (made > 0) & (read > 0)
    factor = np.ones_like(made)
    factor[alive] = np.clip(np.sqrt(made[alive] / read[alive]), 1 / _MOST, _MOST)
    divided = first.weights / factor.reshape(-1, *[1] * (first.weights.ndim - 1))
    bias = None if first.bias is None else (first.bias / factor).astype(np.float32)
    groups = second.groups if isinstance(second, Convolution) else 1
    rows = second.weights.reshape(groups, -1, *second.weights.shape[1:])
    spread = factor.reshape(groups, 1, -1, *[1] * (second.weights.ndim - 2))
    multiplied = (rows * spread).reshape(second.weights.shape).astype(np.float32)
    return replace(first, weights=divided.astype(np.float32), bias=bias), replace(second, weights=multiplied)


def _reach_by_channel(layer: Product) -> NDArray[np.float64]:
    """The largest weight that meets each channel."""
    groups = layer.groups if isinstance(layer, Convolution) else 1
    features, channels = layer.weights.shape[:2]
    parts = np.abs(layer.weights).reshape(groups, features // groups, channels, -1)
    return parts.max((1, 3)).reshape(-1).astype(np.float64)
