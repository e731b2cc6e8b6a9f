"""Graphs that compute the same of layers that have an integer form, or take part in one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from vtac.models.graph import Graph
from vtac.models.layer import Array, Layer, Shape
from vtac.models.layers.activations import Clamp, HardSigmoid, LeakyRelu, ParametricRelu, Relu, Relu6
from vtac.models.layers.convolutions import Convolution, TransposedConvolution
from vtac.models.layers.elementwise import Add, Affine
from vtac.models.layers.normalisation import BatchNorm
from vtac.models.layers.pooling import AveragePool
from vtac.models.layers.products import Linear
from vtac.models.layers.views import Flatten, Pad, Reshape

_MOVING = (Relu, Relu6, Clamp, LeakyRelu, Add)
"""Layers that compute the same of values in another shape."""


def without_batch_extents(graph: Graph) -> Graph:
    """The same graph, with reshapes that keep the batch for any number of samples; those to rows flatten."""
    layers: list[Layer] = []
    for layer in graph.layers:
        before, after = graph.shapes[layer.inputs[0]], graph.shapes[layer.name]
        if isinstance(layer, Reshape) and after[:1] == before[:1]:
            is_row = len(after) == 2 and len(before) > 2
            fresh = Flatten(layer.name, layer.inputs) if is_row else replace(layer, shape=(-1, *after[1:]))
            layers.append(fresh)
        else:
            layers.append(layer)
    return Graph(graph.name, graph.inputs, tuple(layers), graph.outputs)


def as_lines(graph: Graph, kept: Collection[str] = ()) -> Graph:
    """The same graph, with hard sigmoids as clamped lines."""
    layers: list[Layer] = []
    for layer in graph.layers:
        if isinstance(layer, HardSigmoid) and layer.name not in kept:
            factor, offset = (np.full(1, one, np.float32) for one in (layer.slope, layer.offset))
            line = Affine(f"{layer.name}.line", layer.inputs, factor, offset)
            layers += [line, Clamp(layer.name, (line.name,), 0.0, 1.0)]
        else:
            layers.append(layer)
    return Graph(graph.name, graph.inputs, tuple(layers), graph.outputs)


def as_products(graph: Graph, kept: Collection[str] = ()) -> Graph:
    """The same graph of convolutions of images and products of matrices, with views around them.

    Means of windows, batch norms and affine layers become convolutions by channel, transposed convolutions ordinary
    ones of elements that lie apart. Layers named in `kept` stay what they are.
    """
    layers: list[Layer] = []
    for layer in graph.layers:
        shapes = [graph.shapes[name] for name in layer.inputs]
        layers += [layer] if layer.name in kept else _as_product(layer, shapes[0], graph.shapes[layer.name])
    return Graph(graph.name, graph.inputs, tuple(layers), graph.outputs)


def with_few_views(graph: Graph, kept: Collection[str] = ()) -> Graph:
    """The same graph, in which no reshape reads another, and activations stand before the reshapes that they read.

    Layers named in `kept` stay where they are.
    """
    return _without_double_views(_activations_first(graph, kept))


def with_padding_inside(graph: Graph, kept: Collection[str] = ()) -> Graph:
    """The same graph, with zeros around images as the padding of the convolutions that read them."""
    pads = {layer.name: layer for layer in graph.layers if isinstance(layer, Pad) and _is_around(layer)}
    layers: list[Layer] = []
    for layer in graph.layers:
        around = pads.get(layer.inputs[0])
        if around is not None and isinstance(layer, Convolution) and not {layer.name, around.name} & set(kept):
            more = (*around.before[2:], *around.after[2:])
            top, left, bottom, right = map(sum, zip(layer.pads, more, strict=True))
            layers.append(replace(layer, inputs=around.inputs, pads=(top, left, bottom, right)))
        else:
            layers.append(layer)
    read = {*(name for layer in layers for name in layer.inputs), *graph.outputs}
    left_over = tuple(layer for layer in layers if layer.name in read or layer.name not in pads)
    return Graph(graph.name, graph.inputs, left_over, graph.outputs)


def _is_around(layer: Pad) -> bool:
    """Whether it puts zeros around rows and columns, and nothing else."""
    return layer.value == 0 and len(layer.before) == 4 and not any((*layer.before[:2], *layer.after[:2]))


def _activations_first(graph: Graph, kept: Collection[str]) -> Graph:
    """Elementwise layers that read nothing but reshapes of equal values read these values; one reshape follows."""
    shapes = dict(graph.shapes)
    made: dict[str, Layer] = {}
    for layer in graph.layers:
        views = [view for name in layer.inputs if isinstance(view := made.get(name), Reshape)]
        sources = {shapes[view.inputs[0]] for view in views}
        is_free = not {layer.name, *layer.inputs} & set(kept)
        if isinstance(layer, _MOVING) and is_free and len(views) == len(layer.inputs) and len(sources) == 1:
            inner = replace(layer, name=f"{layer.name}.inner", inputs=tuple(view.inputs[0] for view in views))
            shapes[inner.name] = sources.pop()
            made[inner.name] = inner
            made[layer.name] = replace(views[0], name=layer.name, inputs=(inner.name,))
        else:
            made[layer.name] = layer
    return Graph(graph.name, graph.inputs, tuple(made.values()), graph.outputs)


def _without_double_views(graph: Graph) -> Graph:
    made: dict[str, Layer] = {}
    same: dict[str, str] = {}
    for layer in graph.layers:
        inputs = tuple(same.get(name, name) for name in layer.inputs)
        view = made.get(inputs[0])
        if isinstance(layer, Reshape) and isinstance(view, Reshape):
            inputs = view.inputs
        if isinstance(layer, Reshape) and graph.shapes[layer.name] == graph.shapes[inputs[0]]:
            same[layer.name] = inputs[0]
        if layer.name not in same or layer.name in graph.outputs:
            made[layer.name] = replace(layer, inputs=inputs)
    layers: list[Layer] = []
    read = set(graph.outputs)
    for layer in reversed(made.values()):
        if layer.name in read or not isinstance(layer, Reshape):
            layers.append(layer)
            read.update(layer.inputs)
    return Graph(graph.name, graph.inputs, tuple(reversed(layers)), graph.outputs)


def _as_product(layer: Layer, shape: Shape, result: Shape) -> list[Layer]:
    match layer:
        case TransposedConvolution():
            whole = _with_all_taps(layer)
            return [layer] if whole is None else list(whole.as_convolution())
        case Linear() if len(shape) != 2:
            return _between_views(layer, (-1, shape[-1]), layer, result)
        case AveragePool():
            mean = _mean(layer, shape)
            return [layer if mean is None else mean]
        case BatchNorm() | Affine():
            return _by_channel(layer, shape, result) or [layer]
        case LeakyRelu() if len(shape) not in (2, 4):
            return _between_views(layer, _as_image(shape), layer, result)
        case ParametricRelu() if len(shape) != 4:
            return _between_views(layer, _as_image(shape), layer, result)
        case _:
            return [layer]


def _with_all_taps(layer: TransposedConvolution) -> TransposedConvolution | None:
    """The same layer, with taps of zero where its stride leaves out results; None where its taps lie apart."""
    size = layer.window.size
    missing = [max(0, step - taps) for step, taps in zip(layer.stride, size, strict=True)]
    if not any(missing):
        covered = [
            len({tap * gap % step for tap in range(taps)}) == step
            for taps, gap, step in zip(size, layer.dilation, layer.stride, strict=True)
        ]
        return layer if all(covered) else None
    if layer.dilation != (1, 1):
        return None
    weights = np.pad(layer.weights, [(0, 0), (0, 0), (0, missing[0]), (0, missing[1])])
    top, left, bottom, right = layer.pads
    return replace(layer, weights=weights, pads=(top, left, bottom + missing[0], right + missing[1]))


def _mean(layer: AveragePool, shape: Shape) -> Convolution | None:
    """A mean of windows as a convolution by channel, where windows hold equally many elements."""
    if (layer.counts(shape) != layer.counts(shape).flat[0]).any() or layer.window.ceil:
        return None
    window, channels = layer.window, shape[1]
    share = np.float32(1 / layer.counts(shape).flat[0])
    weights = np.full((channels, 1, *window.size), share, np.float32)
    return Convolution(
        layer.name, layer.inputs, weights, None, window.stride, window.pads, window.dilation, groups=channels
    )


def _by_channel(layer: BatchNorm | Affine, shape: Shape, result: Shape) -> list[Layer] | None:
    """Numbers for each channel, or for each element of the last dimension, as a convolution by channel."""
    if len(shape) < 2 or shape != result:
        return None
    factors = layer.factors() if isinstance(layer, BatchNorm) else (layer.factor, layer.offset)
    if isinstance(layer, BatchNorm) or all(_is_by_channel(one, shape) for one in factors):
        channels, image = shape[1], _as_image(shape)
    elif all(one.size == 1 or one.shape == (*[1] * (one.ndim - 1), shape[-1]) for one in factors):
        channels, image = shape[-1], (-1, shape[-1], 1, 1)
    else:
        return None
    factor, offset = (np.broadcast_to(one.ravel(), (channels,)).copy() for one in factors)
    product = Convolution(layer.name, layer.inputs, factor.reshape(-1, 1, 1, 1), offset, groups=channels)
    return [product] if len(shape) == 4 and image[1] == shape[1] else _between_views(layer, image, product, result)


def _is_by_channel(numbers: Array, shape: Shape) -> bool:
    """Whether numbers differ at most by dimension 1."""
    aligned = (1,) * (len(shape) - numbers.ndim) + numbers.shape
    return numbers.size == 1 or (len(aligned) == len(shape) and numbers.size == aligned[1] == shape[1])


def _as_image(shape: Shape) -> tuple[int, ...]:
    """A value as images: channels stay, what is behind them becomes rows and columns."""
    rest = shape[2:]
    last = rest[-1] if rest else 1
    return (-1, shape[1] if len(shape) > 1 else 1, prod(rest) // last, last)


def _between_views(layer: Layer, before: Sequence[int], inner: Layer, result: Shape) -> list[Layer]:
    """A layer that reads a value in another shape; its own value has the shape that the graph says."""
    given = Reshape(f"{layer.name}.given", layer.inputs, tuple(before))
    made = replace(inner, name=f"{layer.name}.inner", inputs=(given.name,))
    return [given, made, Reshape(layer.name, (made.name,), (-1, *result[1:]))]
