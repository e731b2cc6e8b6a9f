"""Quantised ONNX: QDQ and QLinear become float layers, and what their integers stand for is noted beside them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vtac.models.given import Given
from vtac.models.layer import Array
from vtac.models.layers.activations import Relu
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.elementwise import Add
from vtac.models.layers.pooling import GlobalAveragePool
from vtac.models.layers.products import Linear
from vtac.models.onnx_reader.building import Builder, Converter
from vtac.models.onnx_reader.images import window_of
from vtac.models.onnx_reader.messages import Constant, Node

_ROUNDED = (Convolution, Linear, Add)
"""Layers of which the results are made integers together with what follows."""


def _scale(builder: Builder, node: Node, place: int) -> Given:
    """A scale and, behind it, the zero point of data; unsigned bytes are 128 lower as signed ones."""
    scale = builder.required(node, place, "scale")
    zero = builder.constant(node, place + 1, "zero point")
    if scale.size != 1 or (zero is not None and zero.size != 1):
        raise node.refuse(f"its scale is {scale.shape}", "one scale for all data")
    kind = "uint8" if zero is None else zero.dtype.name
    if kind not in ("int8", "uint8"):
        raise node.refuse(f"its integers are {kind}", "int8 or uint8")
    first = 0 if zero is None else int(zero.item())
    return Given(float(scale.item()), first - (128 if kind == "uint8" else 0))


def _quantize(builder: Builder, node: Node) -> None:
    builder.alias(node)
    _note(builder, node.outputs[0], _scale(builder, node, 1))


def _dequantize(builder: Builder, node: Node) -> None:
    builder.given.setdefault(builder.value(node, 0), _scale(builder, node, 1))
    builder.alias(node)


def _weights(builder: Builder, node: Node, place: int, axis: int) -> Array:
    """Integers, less their zero point, times their scale, which may differ along an axis."""
    found = builder.constant(node, place, "weights")
    scale, zero = builder.required(node, place + 1, "scale of weights"), builder.constant(node, place + 2, "zero point")
    if found is None:
        raise node.refuse("its weights are missing", "a constant")
    along = [1] * found.ndim
    along[axis] = -1
    offset = np.zeros(1) if zero is None else zero.reshape(along if zero.size > 1 else 1)
    factor = scale.astype(np.float64).reshape(along if scale.size > 1 else 1)
    return ((found.astype(np.float64) - offset) * factor).astype(np.float32)


def _bias(builder: Builder, node: Node, place: int, source: Given, scale_place: int) -> Array | None:
    """A bias of i32, at the scale of sums."""
    found = builder.constant(node, place, "bias")
    if found is None:
        return None
    scale = builder.required(node, scale_place, "scale of weights").astype(np.float64).ravel()
    return (found.astype(np.float64).ravel() * scale * source.size).astype(np.float32)


def _note(builder: Builder, output: str, one: Given) -> None:
    """Note what the integers of a value stand for; those with zero at -128 have no form for what is negative."""
    name = builder.value_of(output)
    made = next((layer for layer in reversed(builder.layers) if layer.name == name), None)
    if one.zero == -128 and isinstance(made, _ROUNDED):
        name = builder.add(Relu(builder.free(f"{name}.relu"), (name,)), output)
    builder.given[name] = one


def _noted(builder: Builder, node: Node, source_place: int, result_place: int) -> Given:
    """Note what a node reads and makes; the first of them."""
    source = _scale(builder, node, source_place + 1)
    builder.given.setdefault(builder.value(node, source_place), source)
    _note(builder, node.outputs[0], _scale(builder, node, result_place))
    return source


def fold_constant(node: Node, inputs: Mapping[str, Constant]) -> Constant:
    """What (de)quantising a constant gives, of which ONNX's reference lacks early versions.

    Raises `ModelError` for scales of another shape than one axis.
    """
    data, scale = inputs[node.inputs[0]], inputs[node.inputs[1]].astype(np.float64)
    zero = inputs[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] else np.zeros(1, np.uint8)
    if scale.ndim > 1 or node.integer("block_size", 0):
        raise node.refuse(f"its scale is {scale.shape}", "one scale, or one for each extent of an axis")
    along = [1] * data.ndim
    if scale.size > 1:
        along[node.integer("axis", 1)] = -1
    factor, offset = scale.reshape(along), zero.astype(np.float64).reshape(along if zero.size > 1 else [1] * data.ndim)
    if node.op == "DequantizeLinear":
        return ((data.astype(np.float64) - offset) * factor).astype(np.float32)
    limits = np.iinfo(zero.dtype)
    return np.clip(np.rint(data.astype(np.float64) / factor) + offset, limits.min, limits.max).astype(zero.dtype)


def _convolution(builder: Builder, node: Node) -> None:
    weights = _weights(builder, node, 3, 0)
    window = window_of(builder, node, (weights.shape[2], weights.shape[3]))
    bias = _bias(builder, node, 8, _scale(builder, node, 1), 4)
    layer = Convolution(
        builder.layer_name(node, 3),
        (builder.value(node, 0),),
        weights,
        bias,
        window.stride,
        window.pads,
        window.dilation,
        node.integer("group", 1),
    )
    builder.add(layer, node.outputs[0])
    _noted(builder, node, 0, 6)


def _matmul(builder: Builder, node: Node) -> None:
    weights = np.ascontiguousarray(_weights(builder, node, 3, 1).T)
    builder.add(Linear(builder.layer_name(node, 3), (builder.value(node, 0),), weights), node.outputs[0])
    _noted(builder, node, 0, 6)


def _gemm(builder: Builder, node: Node) -> None:
    """Microsoft's QGemm: its result is of floats where it has no scale."""
    if node.integer("transA", 0) or node.number("alpha", 1) != 1:
        raise node.refuse("it transposes its first input or scales", "transA = 0, alpha = 1")
    turned = bool(node.integer("transB", 0))
    weights = _weights(builder, node, 3, 0 if turned else 1)
    source = _scale(builder, node, 1)
    bias = _bias(builder, node, 6, source, 4)
    matrix = weights if turned else np.ascontiguousarray(weights.T)
    builder.add(Linear(builder.layer_name(node, 3), (builder.value(node, 0),), matrix, bias), node.outputs[0])
    if len(node.inputs) > 7 and node.inputs[7]:
        _noted(builder, node, 0, 7)
    else:
        builder.given.setdefault(builder.value(node, 0), source)


def _add(builder: Builder, node: Node) -> None:
    inputs = (builder.value(node, 0), builder.value(node, 3))
    builder.given.setdefault(inputs[1], _scale(builder, node, 4))
    builder.add(Add(builder.layer_name(node), inputs), node.outputs[0])
    _noted(builder, node, 0, 6)


def _mean(builder: Builder, node: Node) -> None:
    builder.add(GlobalAveragePool(builder.layer_name(node), (builder.value(node, 0),)), node.outputs[0])
    _noted(builder, node, 0, 3)


CONVERTERS: Mapping[str, Converter] = {
    "DequantizeLinear": _dequantize,
    "QLinearConv": _convolution,
    "QLinearMatMul": _matmul,
    "QuantizeLinear": _quantize,
    "com.microsoft::DequantizeLinear": _dequantize,
    "com.microsoft::QGemm": _gemm,
    "com.microsoft::QLinearAdd": _add,
    "com.microsoft::QLinearGlobalAveragePool": _mean,
    "com.microsoft::QuantizeLinear": _quantize,
}
