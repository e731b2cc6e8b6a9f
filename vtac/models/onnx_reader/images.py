"""Convolutions, poolings and upsampling of ONNX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vtac.models.layer import Array, Layer, Shape, shape_text
from vtac.models.layers.convolutions import Convolution, TransposedConvolution
from vtac.models.layers.pooling import AveragePool, GlobalAveragePool, MaxPool, Upsample
from vtac.models.layers.views import Pad, Reshape
from vtac.models.onnx_reader.building import Builder, Converter, refuse_shape
from vtac.models.onnx_reader.messages import Node
from vtac.models.windows import Pads, Pair, Window


def _pair(node: Node, name: str, default: Pair = (1, 1)) -> Pair:
    found = node.integers(name, default)
    if len(found) not in (1, 2):
        raise node.refuse(f"its {name} is {found}", "a number for rows and one for columns, or one for a line")
    return (1, found[0]) if len(found) == 1 else (found[0], found[1])


def window_of(builder: Builder, node: Node, size: Pair) -> Window:
    """The window of a node, with the padding that it gives or asks for.

    Raises `ModelError` for an input that is no image and no line.
    """
    shape = builder.shape(node, 0)
    if len(shape) not in (3, 4):
        raise refuse_shape(node, shape, "4 dimensions: batch, channels, rows, columns; or 3, without rows")
    shape = (*shape[:2], 1, shape[2]) if len(shape) == 3 else shape
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
    pads = (0, pads[0], 0, pads[1]) if len(pads) == 2 else pads
    if len(pads) != 4:
        raise node.refuse(f"its padding is {tuple(pads)}", "top, left, bottom, right; or left, right of a line")
    top, left, bottom, right = pads
    return top, left, bottom, right


def _kernel(builder: Builder, node: Node) -> tuple[Array, Pair]:
    """Weights with their rows and columns; those of lines get one row."""
    weights = builder.required(node, 1, "weights")
    if weights.ndim not in (3, 4):
        raise node.refuse(f"its weights are {shape_text(weights.shape)}", "4 dimensions; or 3, without rows")
    whole = weights[:, :, None] if weights.ndim == 3 else weights
    return whole, (whole.shape[2], whole.shape[3])


def _image(builder: Builder, node: Node) -> str:
    """What a node reads, as images: lines have one row."""
    value, shape = builder.value(node, 0), builder.shape(node, 0)
    if len(shape) != 3:
        return value
    name = builder.free(f"{node.name.strip('/')}.image")
    return builder.add(Reshape(name, (value,), (*shape[:2], 1, shape[2])))


def _add(builder: Builder, node: Node, layer: Layer) -> None:
    """A layer of images, whose value has as many dimensions as the node reads."""
    is_line = len(builder.shape(node, 0)) == 3
    value = builder.add(layer, "" if is_line else node.outputs[0])
    if is_line:
        batch, channels, _, columns = builder.shapes[value]
        name = builder.free(f"{layer.name}.line")
        builder.add(Reshape(name, (value,), (batch, channels, columns)), node.outputs[0])


def _convolution(builder: Builder, node: Node) -> None:
    weights, size = _kernel(builder, node)
    window = window_of(builder, node, size)
    layer = Convolution(
        builder.layer_name(node, 1),
        (_image(builder, node),),
        weights,
        builder.parameters(node, 2, "bias"),
        window.stride,
        window.pads,
        window.dilation,
        node.integer("group", 1),
    )
    _add(builder, node, layer)


def _transposed(builder: Builder, node: Node) -> None:
    weights, size = _kernel(builder, node)
    for name in ("output_shape", "auto_pad"):
        if name in node.attributes and node.text(name, "NOTSET") != "NOTSET":
            raise node.refuse(f"it has the attribute {name}", "explicit pads")
    extra = _pair(node, "output_padding", (0, 0))
    extra = (0, extra[1]) if len(builder.shape(node, 0)) == 3 else extra
    window = window_of(builder, node, size)
    layer = TransposedConvolution(
        builder.layer_name(node, 1),
        (_image(builder, node),),
        weights,
        builder.parameters(node, 2, "bias"),
        window.stride,
        window.pads,
        window.dilation,
        node.integer("group", 1),
        extra,
    )
    _add(builder, node, layer)


def _max_pool(builder: Builder, node: Node) -> None:
    builder.require_single(node)
    window = window_of(builder, node, _pair(node, "kernel_shape", (0, 0)))
    _add(builder, node, MaxPool(builder.layer_name(node), (_image(builder, node),), window))


def _average_pool(builder: Builder, node: Node) -> None:
    window = window_of(builder, node, _pair(node, "kernel_shape", (0, 0)))
    counts = bool(node.integer("count_include_pad", 0))
    layer = AveragePool(builder.layer_name(node), (_image(builder, node),), window, counts)
    _add(builder, node, layer)


def _global_average(builder: Builder, node: Node) -> None:
    _add(builder, node, GlobalAveragePool(builder.layer_name(node), (_image(builder, node),)))


def _global_maximum(builder: Builder, node: Node) -> None:
    """The maximum of one window, which is as large as the image."""
    source = _image(builder, node)
    shape = builder.shapes[source]
    if len(shape) != 4:
        raise refuse_shape(node, shape, "batch, channels, rows, columns")
    _add(builder, node, MaxPool(builder.layer_name(node), (source,), Window((shape[2], shape[3]))))


def _pad(builder: Builder, node: Node) -> None:
    """A constant around the data; lines are padded as images of one row."""
    shape = builder.shape(node, 0)
    mode = node.text("mode", "constant")
    axes = builder.integers(node, 3, "axes") or tuple(range(len(shape)))
    widths = builder.integers(node, 1, "pads") or ()
    value = builder.parameters(node, 2, "value")
    if mode != "constant" or len(widths) != 2 * len(axes):
        raise node.refuse(f"it pads {len(axes)} dimensions by {widths}, {mode}", "a constant, two widths for each")
    before, after = [0] * len(shape), [0] * len(shape)
    for place, axis in enumerate(axes):
        before[axis % len(shape)], after[axis % len(shape)] = widths[place], widths[place + len(axes)]
    if len(shape) == 3:
        before.insert(2, 0)
        after.insert(2, 0)
    number = 0.0 if value is None or not value.size else float(value.item())
    layer = Pad(builder.layer_name(node), (_image(builder, node),), tuple(before), tuple(after), number)
    _add(builder, node, layer)


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
    _add(builder, node, layer)


CONVERTERS: Mapping[str, Converter] = {
    "AveragePool": _average_pool,
    "Conv": _convolution,
    "ConvTranspose": _transposed,
    "GlobalAveragePool": _global_average,
    "GlobalMaxPool": _global_maximum,
    "MaxPool": _max_pool,
    "Pad": _pad,
    "Resize": _resize,
}
