"""Graphs in which batch norms, and factors and offsets by constants, are part of the product before them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from vtac.models.graph import Graph
from vtac.models.layer import Array, Layer, Shape
from vtac.models.layers.convolutions import Convolution, TransposedConvolution
from vtac.models.layers.elementwise import Affine
from vtac.models.layers.normalisation import BatchNorm
from vtac.models.layers.products import Linear


def fold_batch_norms(graph: Graph, kept: Collection[str] = ()) -> Graph:
    """A graph that computes the same, with each batch norm or affine layer folded that alone reads a product.

    The product keeps its own name; what read the folded layer reads it, and so does an output. Layers named in `kept`
    stay what they are.
    """
    readers = Counter([*(name for layer in graph.layers for name in layer.inputs), *graph.outputs])
    made: dict[str, Layer] = {}
    renamed: dict[str, str] = {}
    for layer in graph.layers:
        source = made.get(renamed.get(layer.inputs[0], layer.inputs[0]))
        alone = readers[layer.inputs[0]] == 1 and not {layer.name, layer.inputs[0]} & set(kept)
        folded = _folded(source, layer, graph.shapes[layer.inputs[0]]) if alone else None
        if folded is not None:
            made[folded.name] = folded
            renamed[layer.name] = folded.name
        else:
            made[layer.name] = replace(layer, inputs=tuple(renamed.get(name, name) for name in layer.inputs))
    outputs = tuple(renamed.get(name, name) for name in graph.outputs)
    return Graph(graph.name, graph.inputs, tuple(made.values()), outputs)


def _folded(source: Layer | None, after: Layer, shape: Shape) -> Layer | None:
    """A product with a batch norm or an affine layer in its weights, taken in float64; None for anything else."""
    if not isinstance(source, Convolution | TransposedConvolution | Linear):
        return None
    axis = len(shape) - 1 if isinstance(source, Linear) else 1
    numbers = _by_feature(after, shape, axis)
    if numbers is None:
        return None
    factor, offset = numbers
    bias = offset if source.bias is None else np.asarray(source.bias * factor + offset, np.float32)
    if isinstance(source, TransposedConvolution):
        spread = np.repeat(factor.reshape(source.groups, 1, -1), source.weights.shape[0] // source.groups, axis=1)
        weights = source.weights * spread.reshape(*source.weights.shape[:2], 1, 1)
        return replace(source, weights=weights, bias=bias)
    weights = source.weights * factor.reshape(-1, *[1] * (source.weights.ndim - 1))
    return replace(source, weights=weights, bias=bias)


def _by_feature(after: Layer, shape: Shape, axis: int) -> tuple[Array, Array] | None:
    """A factor and an offset for each feature, which lie along an axis; None where they differ otherwise."""
    features = shape[axis]
    if isinstance(after, BatchNorm):
        return after.factors() if axis == 1 else None
    if not isinstance(after, Affine) or after.output_shape(shape) != shape:
        return None
    found: list[Array] = []
    for numbers in (after.factor, after.offset):
        aligned = (1,) * (len(shape) - numbers.ndim) + numbers.shape
        if numbers.size != 1 and not (numbers.size == aligned[axis] == features):
            return None
        found.append(np.broadcast_to(numbers.ravel(), (features,)).copy())
    return found[0], found[1]
