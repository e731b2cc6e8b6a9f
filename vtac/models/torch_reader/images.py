"""Convolutions, poolings and upsampling of PyTorch."""

from __future__ import annotations

from collections.abc import Mapping

from vtac.models.layer import Shape
from vtac.models.layers.convolutions import Convolution, TransposedConvolution
from vtac.models.layers.pooling import AveragePool, GlobalAveragePool, MaxPool, Upsample
from vtac.models.layers.views import Reshape
from vtac.models.torch_reader.building import Builder, Converter, integer, integers, pair
from vtac.models.torch_reader.exported import Node
from vtac.models.windows import Pads, Window

_ALL = (1, 1)


def _convolution(builder: Builder, node: Node) -> None:
    weights = builder.required(node, "weight")
    dilation = pair(node, "dilation", _ALL)
    layer = Convolution(
        builder.name(node),
        (builder.value(node),),
        weights,
        builder.parameters(node, "bias"),
        pair(node, "stride", _ALL),
        _pads(node, weights.shape[2:], dilation),
        dilation,
        integer(node, "groups", 1),
    )
    builder.add(layer, node)


def _pads(node: Node, kernel: Shape, dilation: tuple[int, int]) -> Pads:
    """Top, left, bottom, right; `same` puts the odd one behind."""
    given = node.arguments.get("padding", 0)
    if given == "valid":
        return 0, 0, 0, 0
    if given == "same":
        down, across = ((taps - 1) * gap for taps, gap in zip(kernel, dilation, strict=True))
        return down // 2, across // 2, down - down // 2, across - across // 2
    down, across = pair(node, "padding", (0, 0))
    return down, across, down, across


def _transposed(builder: Builder, node: Node) -> None:
    down, across = pair(node, "padding", (0, 0))
    layer = TransposedConvolution(
        builder.name(node),
        (builder.value(node),),
        builder.required(node, "weight"),
        builder.parameters(node, "bias"),
        pair(node, "stride", _ALL),
        (down, across, down, across),
        pair(node, "dilation", _ALL),
        integer(node, "groups", 1),
        pair(node, "output_padding", (0, 0)),
    )
    builder.add(layer, node)


def _window(node: Node) -> Window:
    size = pair(node, "kernel_size", (0, 0))
    down, across = pair(node, "padding", (0, 0))
    ceil = bool(node.arguments.get("ceil_mode", False))
    return Window(size, pair(node, "stride", size), (down, across, down, across), pair(node, "dilation", _ALL), ceil)


def _max_pool(builder: Builder, node: Node) -> None:
    builder.add(MaxPool(builder.name(node), (builder.value(node),), _window(node)), node)


def _average_pool(builder: Builder, node: Node) -> None:
    if node.arguments.get("divisor_override") is not None:
        raise node.refuse("it has a divisor of its own", "none")
    counts = bool(node.arguments.get("count_include_pad", True))
    builder.add(AveragePool(builder.name(node), (builder.value(node),), _window(node), counts), node)


def _adaptive_average(builder: Builder, node: Node) -> None:
    """The mean of everything, or of windows side by side where extents are multiples."""
    shape, wanted = builder.shape(node), pair(node, "output_size", _ALL)
    name, source = builder.name(node), (builder.value(node),)
    if wanted == _ALL:
        builder.add(GlobalAveragePool(name, source), node)
        return
    if len(shape) != 4 or shape[2] % wanted[0] or shape[3] % wanted[1]:
        raise node.refuse(f"it makes {wanted} of {shape}", "extents that are multiples of the result's")
    size = (shape[2] // wanted[0], shape[3] // wanted[1])
    builder.add(AveragePool(name, source, Window(size, size)), node)


def _mean(builder: Builder, node: Node) -> None:
    """The mean over rows and columns of images."""
    shape = builder.shape(node)
    axes = integers(node, "dim")
    if len(shape) != 4 or sorted(axis % 4 for axis in axes) != [2, 3]:
        raise node.refuse(f"it is a mean over {axes} of {shape}", "the last two of four dimensions")
    name = builder.name(node)
    if node.arguments.get("keepdim"):
        builder.add(GlobalAveragePool(name, (builder.value(node),)), node)
        return
    value = builder.add(GlobalAveragePool(name, (builder.value(node),)))
    builder.add(Reshape(f"{name}.flat", (value,), shape[:2]), node)


def _upsample(builder: Builder, node: Node) -> None:
    shape = builder.shape(node)
    if len(shape) != 4 or any(after % before for before, after in zip(shape[2:], node.shape[2:], strict=True)):
        raise node.refuse(f"it makes {node.shape} of {shape}", "whole factors, down and across")
    factors = (node.shape[2] // shape[2], node.shape[3] // shape[3])
    builder.add(Upsample(builder.name(node), (builder.value(node),), factors), node)


CONVERTERS: Mapping[str, Converter] = {
    "adaptive_avg_pool2d": _adaptive_average,
    "avg_pool2d": _average_pool,
    "conv2d": _convolution,
    "conv_transpose2d": _transposed,
    "max_pool2d": _max_pool,
    "mean": _mean,
    "upsample_nearest2d": _upsample,
}
