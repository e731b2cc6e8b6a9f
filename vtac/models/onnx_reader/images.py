"""Convolutions, poolings and upsampling of ONNX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vtac.models.layer import Shape, shape_text
from vtac.models.layers.convolutions import Convolution, TransposedConvolution
from vtac.models.layers.pooling import AveragePool, GlobalAveragePool, MaxPool, Upsample
from vtac.models.onnx_reader.building import Builder, Converter, refuse_shape
from vtac.models.onnx_reader.messages import Node
from vtac.models.windows import Pads, Pair, Window


def _pair(node: Node, name: str, default: Pair = (1, 1)) -> Pair:
    found = node.integers(name, default)
    if len(found) != 2:
        raise node.refuse(f"its {name} is {found}", "a number for rows and one for columns")
    return found[0], found[1]


def window_of(builder: Builder, node: Node, size: Pair) -> Window:
    """The window of a node, with the padding that it gives or asks for."""
    shape = builder.shape(node, 0)
    if len(shape) != 4:
        raise refuse_shape(node, shape, "4 dimensions: batch, channels, rows, columns")
    window = Window(
        size, _pair(node, "strides"), (0, 0, 0, 0), _pair(node, "dilations"), bool(node.integer("ceil_mode", 0))
    )
    return Window(window.size, window.stride, _pads(node, window, shape), window.dilation, window.ceil)


def _pads(node: Node, window: Window, shape: Shape) -> Pads:
    how = node.text("auto_pad", "NOTSET")
    if how == "NOTSET":
        return _four(node, node.integers("pads", (0, 0, 0, 0)))
    if how == "VALID":
        return 0, 0, 0, 0
    needed = [
        max(0, (-(-extent // step) - 1) * step + reach - extent)
        for extent, step, reach in zip(shape[2:], window.stride, window.reach, strict=True)
    ]
    smaller = [number // 2 for number in needed]
    larger = [number - half for number, half in zip(needed, smaller, strict=True)]
    return _four(node, [*smaller, *larger] if how == "SAME_UPPER" else [*larger, *smaller])


def _four(node: Node, pads: Sequence[int]) -> Pads:
    if len(pads) != 4:
        raise node.refuse(f"its padding is {tuple(pads)}", "top, left, bottom, right")
    top, left, bottom, right = pads
    return top, left, bottom, right


def _kernel_size(node: Node, shape: Shape) -> Pair:
    """Rows and columns of weights."""
    if len(shape) != 4:
        raise node.refuse(f"its weights are {shape_text(shape)}", "4 dimensions")
    return shape[2], shape[3]


def _convolution(builder: Builder, node: Node) -> None:
    weights = builder.required(node, 1, "weights")
    window = window_of(builder, node, _kernel_size(node, weights.shape))
    layer = Convolution(
        builder.layer_name(node, 1),
        (builder.value(node, 0),),
        weights,
        builder.parameters(node, 2, "bias"),
        window.stride,
        window.pads,
        window.dilation,
        node.integer("group", 1),
    )
    builder.add(layer, node.outputs[0])


def _transposed(builder: Builder, node: Node) -> None:
    weights = builder.required(node, 1, "weights")
    for name in ("output_shape", "auto_pad"):
        if name in node.attributes and node.text(name, "NOTSET") != "NOTSET":
            raise node.refuse(f"it has the attribute {name}", "explicit pads")
    extra = node.integers("output_padding", (0, 0))
    window = window_of(builder, node, _kernel_size(node, weights.shape))
    layer = TransposedConvolution(
        builder.layer_name(node, 1),
        (builder.value(node, 0),),
        weights,
        builder.parameters(node, 2, "bias"),
        window.stride,
        window.pads,
        window.dilation,
        node.integer("group", 1),
        (extra[0], extra[1]),
    )
    builder.add(layer, node.outputs[0])


def _max_pool(builder: Builder, node: Node) -> None:
    builder.require_single(node)
    window = window_of(builder, node, _pair(node, "kernel_shape", (0, 0)))
    builder.add(MaxPool(builder.layer_name(node), (builder.value(node, 0),), window), node.outputs[0])


def _average_pool(builder: Builder, node: Node) -> None:
    window = window_of(builder, node, _pair(node, "kernel_shape", (0, 0)))
    counts = bool(node.integer("count_include_pad", 0))
    layer = AveragePool(builder.layer_name(node), (builder.value(node, 0),), window, counts)
    builder.add(layer, node.outputs[0])


def _global_average(builder: Builder, node: Node) -> None:
    builder.add(GlobalAveragePool(builder.layer_name(node), (builder.value(node, 0),)), node.outputs[0])


def _resize(builder: Builder, node: Node) -> None:
    """The nearest neighbour by whole factors, in the coordinates in which each element is repeated."""
    shape = builder.shape(node, 0)
    scales = builder.parameters(node, 2, "scales")
    sizes = builder.integers(node, 3, "sizes")
    factors = [float(number) for number in scales.ravel()] if scales is not None and scales.size else []
    if sizes is not None:
        factors = [size / extent for size, extent in zip(sizes, shape, strict=True)]
    mode, rounding = node.text("mode", "nearest"), node.text("nearest_mode", "round_prefer_floor")
    coordinates = node.text("coordinate_transformation_mode", "half_pixel")
    repeats = (coordinates, rounding) == ("asymmetric", "floor") or (
        coordinates in ("half_pixel", "pytorch_half_pixel") and rounding in ("round_prefer_floor", "round_prefer_ceil")
    )
    if mode != "nearest" or not repeats or node.integers("axes", ()):
        raise node.refuse(f"it is {mode}, {coordinates}, {rounding}", "nearest neighbours that repeat each element")
    if len(factors) != 4 or factors[:2] != [1, 1] or any(not factor.is_integer() for factor in factors):
        raise node.refuse(f"it enlarges {shape_text(shape)} by {factors}", "whole factors of rows and columns alone")
    layer = Upsample(builder.layer_name(node), (builder.value(node, 0),), (int(factors[2]), int(factors[3])))
    builder.add(layer, node.outputs[0])


CONVERTERS: Mapping[str, Converter] = {
    "AveragePool": _average_pool,
    "Conv": _convolution,
    "ConvTranspose": _transposed,
    "GlobalAveragePool": _global_average,
    "MaxPool": _max_pool,
    "Resize": _resize,
}
