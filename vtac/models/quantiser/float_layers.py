"""Layers in f32, as text that the host executes: functions of elements, normalisations, moves."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, prod, sqrt
from typing import cast

import numpy as np

from vtac.models.layer import Array, Layer, Shape
from vtac.models.layers import activations, elementwise, normalisation, views
from vtac.models.layers.convolutions import Convolution, TransposedConvolution
from vtac.models.layers.pooling import AveragePool, GlobalAveragePool, MaxPool, Upsample
from vtac.models.layers.products import Linear, MatMul
from vtac.models.quantiser.float_text import FloatText, number
from vtac.models.quantiser.float_windows import convolution, pooling, product, transposed
from vtac.workloads.tensor_text import Tensor


def float_layer(text: FloatText, layer: Layer, operands: Sequence[Tensor], shape: Shape) -> Tensor:
    """The value of a layer of any kind; its shape is known."""
    source = operands[0]
    match layer:
        case Convolution():
            return convolution(text, layer, source, shape)
        case TransposedConvolution():
            return transposed(text, layer, source, shape)
        case Linear():
            weights = text.parameter(np.ascontiguousarray(layer.weights.T))
            return _biased(text, product(text, source, weights, shape), layer.bias)
        case MatMul():
            return product(text, source, operands[1], shape)
        case MaxPool() | AveragePool():
            return pooling(text, layer, source, shape)
        case GlobalAveragePool():
            share = 1 / prod(source.shape[2:])
            return text.elementwise([text.reduced(source, (2, 3), "addf")], shape, _scaled("%a0", share))
        case normalisation.Softmax():
            return _softmax(text, source, layer.axis % len(shape))
        case normalisation.LayerNorm():
            return _layer_norm(text, layer, source)
        case (
            views.Reshape()
            | views.Flatten()
            | views.Transpose()
            | views.Slice()
            | views.Concat()
            | views.Pad()
            | Upsample()
        ):
            return moved(text, layer, operands, shape)
        case _:
            return _elementwise(text, layer, operands, shape)


def _elementwise(text: FloatText, layer: Layer, operands: Sequence[Tensor], shape: Shape) -> Tensor:
    match layer:
        case elementwise.Add():
            return text.elementwise(operands, shape, "%y = arith.addf %a0, %a1 : f32")
        case elementwise.Multiply():
            return text.elementwise(operands, shape, "%y = arith.mulf %a0, %a1 : f32")
        case elementwise.Affine():
            constants = [text.parameter(np.atleast_1d(one)) for one in (layer.factor, layer.offset)]
            return text.elementwise([operands[0], *constants], shape, _AFFINE)
        case normalisation.BatchNorm():
            around = (-1, *[1] * (len(shape) - 2))
            constants = [text.parameter(one.reshape(around)) for one in layer.factors()]
            return text.elementwise([operands[0], *constants], shape, _AFFINE)
        case activations.ParametricRelu():
            slopes = text.parameter(layer.slopes.reshape(-1, *[1] * max(0, len(shape) - 2)))
            return text.elementwise([operands[0], slopes], shape, _LEAKY)
        case _:
            return text.elementwise(operands, shape, _function(cast(activations.Activation, layer)))


_AFFINE = "%f = arith.mulf %a0, %a1 : f32\n    %y = arith.addf %f, %a2 : f32"
_LEAKY = """%zero = arith.constant 0.0 : f32
    %above = arith.maximumf %a0, %zero : f32
    %below = arith.minimumf %a0, %zero : f32
    %part = arith.mulf %below, %a1 : f32
    %y = arith.addf %above, %part : f32"""


def _function(layer: activations.Activation) -> str:
    """The body of a function of each element `%a0`."""
    match layer:
        case activations.Relu():
            return _between("%a0", 0.0, np.inf)
        case activations.Relu6():
            return _between("%a0", 0.0, 6.0)
        case activations.Clamp():
            return _between("%a0", layer.low, layer.high)
        case activations.LeakyRelu():
            return f"%a1 = arith.constant {number(layer.slope)} : f32\n    {_LEAKY}"
        case activations.HardSigmoid():
            line = _scaled("%a0", layer.slope, layer.offset, "%line")
            return f"{line}\n    {_between('%line', 0.0, 1.0)}"
        case activations.HardSwish():
            gate = f"{_scaled('%a0', 1 / 6, 0.5, '%line')}\n    {_between('%line', 0.0, 1.0, '%gate')}"
            return f"{gate}\n    %y = arith.mulf %a0, %gate : f32"
        case activations.Tanh():
            return "%y = math.tanh %a0 : f32"
        case activations.Erf():
            return "%y = math.erf %a0 : f32"
        case activations.Sigmoid():
            half = _scaled("%a0", 0.5, 0.0, "%half")
            return f"{half}\n    %turn = math.tanh %half : f32\n    {_scaled('%turn', 0.5, 0.5)}"
        case activations.Gelu():
            return _gelu(layer)
        case _:
            raise layer.refuse("it has no form that the host executes", "another kind of layer")


def _gelu(layer: activations.Gelu) -> str:
    if layer.approximate:
        inner = f"""%square = arith.mulf %a0, %a0 : f32
    {_scaled("%square", 0.044715 * sqrt(2 / pi), sqrt(2 / pi), "%slope")}
    %line = arith.mulf %a0, %slope : f32
    %share = math.tanh %line : f32"""
    else:
        inner = f"{_scaled('%a0', 1 / sqrt(2), 0.0, '%line')}\n    %share = math.erf %line : f32"
    return f"{inner}\n    {_scaled('%share', 0.5, 0.5, '%weight')}\n    %y = arith.mulf %a0, %weight : f32"


def _scaled(value: str, factor: float, offset: float = 0.0, result: str = "%y") -> str:
    """value * factor + offset."""
    stem = result.removeprefix("%")
    made = f"%{stem}_m" if offset else result
    lines = f"%{stem}_c = arith.constant {number(factor)} : f32\n    {made} = arith.mulf {value}, %{stem}_c : f32"
    if not offset:
        return lines
    end = f"%{stem}_o = arith.constant {number(offset)} : f32\n    {result} = arith.addf {made}, %{stem}_o : f32"
    return f"{lines}\n    {end}"


def _between(value: str, low: float, high: float, result: str = "%y") -> str:
    """min(max(value, low), high)."""
    stem = result.removeprefix("%")
    return f"""%{stem}_low = arith.constant {number(low)} : f32
    %{stem}_high = arith.constant {number(high)} : f32
    %{stem}_above = arith.maximumf {value}, %{stem}_low : f32
    {result} = arith.minimumf %{stem}_above, %{stem}_high : f32"""


def _biased(text: FloatText, total: Tensor, bias: Array | None) -> Tensor:
    """Numbers for the last dimension added."""
    if bias is None:
        return total
    return text.elementwise([total, text.parameter(bias)], total.shape, "%y = arith.addf %a0, %a1 : f32")


def _softmax(text: FloatText, source: Tensor, axis: int) -> Tensor:
    most = text.reduced(source, (axis,), "maximumf")
    body = "%less = arith.subf %a0, %a1 : f32\n    %y = math.exp %less : f32"
    powers = text.elementwise([source, most], source.shape, body)
    total = text.reduced(powers, (axis,), "addf")
    return text.elementwise([powers, total], source.shape, "%y = arith.divf %a0, %a1 : f32")


def _layer_norm(text: FloatText, layer: normalisation.LayerNorm, source: Tensor) -> Tensor:
    rank = len(source.shape)
    axes = tuple(range(rank - layer.scale.ndim, rank))
    share = 1 / layer.scale.size
    total = text.reduced(source, axes, "addf")
    mean = text.elementwise([total], total.shape, _scaled("%a0", share))
    centred = text.elementwise([source, mean], source.shape, "%y = arith.subf %a0, %a1 : f32")
    squares = text.elementwise([centred], source.shape, "%y = arith.mulf %a0, %a0 : f32")
    spread = text.reduced(squares, axes, "addf")
    body = f"{_scaled('%a0', share, layer.epsilon, '%v')}\n    %y = math.sqrt %v : f32"
    deviation = text.elementwise([spread], spread.shape, body)
    scale = text.parameter(layer.scale)
    body = "%n = arith.divf %a0, %a1 : f32\n    %y = arith.mulf %n, %a2 : f32"
    result = text.elementwise([centred, deviation, scale], source.shape, body)
    if layer.shift is None:
        return result
    return text.elementwise([result, text.parameter(layer.shift)], source.shape, "%y = arith.addf %a0, %a1 : f32")


def moved(text: FloatText, layer: Layer, operands: Sequence[Tensor], shape: Shape) -> Tensor:
    """Layers that move elements, of any element type."""
    source = operands[0]
    element = source.element
    match layer:
        case views.Transpose():
            return _transposed(text, source, layer.order, shape)
        case Upsample():
            return _upsampled(text, layer, source, shape)
        case views.Slice():
            result = text.fresh(shape, element)
            axis = layer.axis % len(shape)
            starts, steps = [0] * len(shape), [1] * len(shape)
            starts[axis], steps[axis] = layer.start, layer.step
            text.lines.append(
                f"  %{result.name} = tensor.extract_slice %{source.name}{starts} {list(shape)} {steps} : "
                f"{source.kind} to {result.kind}"
            )
            return result
        case views.Pad():
            return padding(text, layer, source, shape, number(layer.value))
        case views.Concat():
            result = text.fresh(shape, element)
            names, kinds = ", ".join(f"%{one.name}" for one in operands), ", ".join(one.kind for one in operands)
            text.lines.append(
                f"  %{result.name} = tensor.concat dim({layer.axis % len(shape)}) {names} : ({kinds}) -> {result.kind}"
            )
            return result
        case _:
            return text.reshape(source, shape)


def padding(text: FloatText, layer: views.Pad, source: Tensor, shape: Shape, value: int | str) -> Tensor:
    """A number around the elements."""
    result = text.fresh(shape, source.element)
    indices = ", ".join(f"%p{dim}: index" for dim in range(len(shape)))
    text.lines.append(f"""\
  %{result.name}_value = arith.constant {value} : {source.element}
  %{result.name} = tensor.pad %{source.name} low{list(layer.before)} high{list(layer.after)} {{
  ^bb0({indices}):
    tensor.yield %{result.name}_value : {source.element}
  }} : {source.kind} to {result.kind}""")
    return result


def _upsampled(text: FloatText, layer: Upsample, source: Tensor, shape: Shape) -> Tensor:
    batch, channels, rows, columns = source.shape
    spread = (batch, channels, rows, layer.factors[0], columns, layer.factors[1])
    wide = text.generic([source], ["d0, d1, d2, d4"], text.fresh(spread, source.element), 6, "", value="%a0")
    return text.reshape(wide, shape)


def _transposed(text: FloatText, source: Tensor, order: Sequence[int], shape: Shape) -> Tensor:
    result = text.fresh(shape, source.element)
    text.lines.append(f"""\
  %{result.name}_empty = tensor.empty() : {result.kind}
  %{result.name} = linalg.transpose ins(%{source.name} : {source.kind}) outs(%{result.name}_empty : {result.kind})
    permutation = {list(order)}""")
    return result
