"""Graphs that compute the same with fewer kinds of layers: batch norms as part of products, reshapes as flattening."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from vtac.models.graph import Graph
from vtac.models.layer import Array, Layer, Shape
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.elementwise import Affine
from vtac.models.layers.normalisation import BatchNorm
from vtac.models.layers.pooling import AveragePool
from vtac.models.layers.products import Linear
from vtac.models.layers.views import Flatten, Reshape


def fold_batch_norms(graph: Graph) -> Graph:
    """A graph that computes the same, with each batch norm folded that alone reads a convolution or a linear layer.

    The product keeps its own name; what read the batch norm reads it, and so does an output.
    """
    readers = Counter([*(name for layer in graph.layers for name in layer.inputs), *graph.outputs])
    made: dict[str, Layer] = {}
    renamed: dict[str, str] = {}
    for layer in graph.layers:
        source = made.get(renamed.get(layer.inputs[0], layer.inputs[0]))
        alone = readers[layer.inputs[0]] == 1
        if isinstance(layer, BatchNorm) and alone and (folded := _folded(source, layer)):
            made[folded.name] = folded
            renamed[layer.name] = folded.name
        else:
            made[layer.name] = replace(layer, inputs=tuple(renamed.get(name, name) for name in layer.inputs))
    outputs = tuple(renamed.get(name, name) for name in graph.outputs)
    return Graph(graph.name, graph.inputs, tuple(made.values()), outputs)


def rows_flattened(graph: Graph) -> Graph:
    """The same graph, with each reshape to a row for each sample as a `Flatten`, which fits any number of samples."""
    layers: list[Layer] = []
    for layer in graph.layers:
        before, after = graph.shapes[layer.inputs[0]], graph.shapes[layer.name]
        is_row = isinstance(layer, Reshape) and len(after) == 2 and after[0] == before[0]
        layers.append(Flatten(layer.name, layer.inputs) if is_row else layer)
    return Graph(graph.name, graph.inputs, tuple(layers), graph.outputs)


def as_convolutions(graph: Graph) -> Graph:
    """The same graph, with means of windows, batch norms and affine layers on images as convolutions by channel."""
    layers = [_by_channel(layer, graph.shapes[layer.inputs[0]]) or layer for layer in graph.layers]
    return Graph(graph.name, graph.inputs, tuple(layers), graph.outputs)


def _by_channel(layer: Layer, shape: Shape) -> Convolution | None:
    """A layer as a convolution by channel; None for one that is none."""
    if len(shape) != 4:
        return None
    channels = shape[1]
    if isinstance(layer, AveragePool):
        window = layer.window
        if window.ceil or window.dilation != (1, 1) or (any(window.pads) and not layer.counts_padding):
            return None
        share = np.float32(1 / (window.size[0] * window.size[1]))
        weights = np.full((channels, 1, *window.size), share, np.float32)
        return Convolution(layer.name, layer.inputs, weights, None, window.stride, window.pads, groups=channels)
    if isinstance(layer, BatchNorm):
        factor, offset = layer.factors()
    elif isinstance(layer, Affine) and all(_is_by_channel(one, channels) for one in (layer.factor, layer.offset)):
        factor, offset = (np.broadcast_to(one.ravel(), (channels,)).copy() for one in (layer.factor, layer.offset))
    else:
        return None
    return Convolution(layer.name, layer.inputs, factor.reshape(-1, 1, 1, 1), offset, groups=channels)


def _is_by_channel(numbers: Array, channels: int) -> bool:
    """Whether numbers differ at most by the channels of images."""
    return numbers.size == 1 or (numbers.size == channels and numbers.shape[-3:] == (channels, 1, 1))


def _folded(source: Layer | None, norm: BatchNorm) -> Layer | None:
    """A product with a batch norm in its weights, taken in float64; None for anything else."""
    factor, offset = norm.factors()
    if isinstance(source, Convolution):
        weights = source.weights * factor.reshape(-1, 1, 1, 1)
        return replace(source, weights=weights, bias=_bias(source.bias, factor, offset))
    if isinstance(source, Linear) and source.weights.shape[0] == factor.size:
        return replace(source, weights=source.weights * factor[:, None], bias=_bias(source.bias, factor, offset))
    return None


def _bias(bias: Array | None, factor: Array, offset: Array) -> Array:
    return offset if bias is None else np.asarray(bias * factor + offset, np.float32)
