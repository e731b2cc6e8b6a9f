"""Products and poolings in f32, as text that the host executes: each is one loop nest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vtac.models.layer import Shape
from vtac.models.layers.convolutions import Convolution, Spread, TransposedConvolution
from vtac.models.layers.pooling import AveragePool, MaxPool
from vtac.models.quantiser.float_text import FloatText
from vtac.workloads.tensor_text import Tensor, filled

_MULTIPLIED = "%m = arith.mulf %a0, %a1 : f32\n    %y = arith.addf %o, %m : f32"


def product(text: FloatText, left: Tensor, right: Tensor, shape: Shape) -> Tensor:
    """(..., M, K) times (..., K, N); dimensions before these are broadcast."""
    rank = len(shape)
    inner = f"d{rank}"

    def places(operand: Tensor, last: str, before: str) -> str:
        first = rank - len(operand.shape)
        leading = [
            "0" if extent == 1 and shape[first + dim] != 1 else f"d{first + dim}"
            for dim, extent in enumerate(operand.shape[:-2])
        ]
        return ", ".join([*leading, before, last])

    maps = [places(left, inner, f"d{rank - 2}"), places(right, f"d{rank - 1}", inner)]
    return text.generic([left, right], maps, text.fresh(shape), rank, _MULTIPLIED, 1, 0.0)


def convolution(text: FloatText, layer: Convolution, source: Tensor, shape: Shape) -> Tensor:
    """Group by group, window by window."""
    groups, window = layer.groups, layer.window
    batch, features, rows, columns = shape
    data = text.pad(source, window.pads, 0.0)
    channels, *image = data.shape[1:]
    split = text.reshape(data, (batch, groups, channels // groups, *image))
    weights = layer.weights.reshape(groups, features // groups, *layer.weights.shape[1:])
    (down, across), (apart, beside) = window.stride, window.dilation
    taps = f"d3 * {down} + d6 * {apart}, d4 * {across} + d7 * {beside}"
    grouped = text.fresh((batch, groups, features // groups, rows, columns))
    text.generic(
        [split, text.parameter(weights)],
        [f"d0, d1, d5, {taps}", "d1, d2, d5, d6, d7"],
        grouped,
        5,
        _MULTIPLIED,
        3,
        0.0,
    )
    total = text.reshape(grouped, shape)
    if layer.bias is None:
        return total
    bias = text.parameter(layer.bias.reshape(-1, 1, 1))
    return text.elementwise([total, bias], shape, "%y = arith.addf %a0, %a1 : f32")


def transposed(text: FloatText, layer: TransposedConvolution, source: Tensor, shape: Shape) -> Tensor:
    """Zeros between neighbours, then a convolution with the kernel turned."""
    spread, plain = layer.as_convolution()
    wide = spread.output_shape(source.shape)
    return convolution(text, plain, spread_out(text, spread, source, wide, "0.0"), shape)


def spread_out(text: FloatText, layer: Spread, source: Tensor, shape: Shape, zero: int | str) -> Tensor:
    """Elements some steps apart, what is between them filled; then a part of that."""
    batch, channels, rows, columns = source.shape
    apart = Tensor(
        text.fresh(()).name,
        (batch, channels, (rows - 1) * layer.steps[0] + 1, (columns - 1) * layer.steps[1] + 1),
        source.element,
    )
    zeros = Tensor(f"{apart.name}_zeros", apart.shape, apart.element)
    text.lines += [filled(zeros, zero), _inserted(source, zeros, apart, layer.steps)]
    if apart.shape == shape:
        return apart
    result = text.fresh(shape, source.element)
    text.lines.append(
        f"  %{result.name} = tensor.extract_slice %{apart.name}[0, 0, {layer.crop[0]}, {layer.crop[1]}] "
        f"{list(shape)} [1, 1, 1, 1] : {apart.kind} to {result.kind}"
    )
    return result


def _inserted(source: Tensor, zeros: Tensor, result: Tensor, steps: Sequence[int]) -> str:
    """Elements of an image some steps apart."""
    return (
        f"  %{result.name} = tensor.insert_slice %{source.name} into %{zeros.name}[0, 0, 0, 0] "
        f"{list(source.shape)} [1, 1, {steps[0]}, {steps[1]}] : {source.kind} into {result.kind}"
    )


def pooling(text: FloatText, layer: MaxPool | AveragePool, source: Tensor, shape: Shape) -> Tensor:
    """The largest of each window, or the mean of what counts in it."""
    window = layer.window
    pads = window.reaching((shape[2], shape[3]), source.shape)
    data = text.pad(source, pads, -np.inf if isinstance(layer, MaxPool) else 0.0)
    (down, across), (apart, beside) = window.stride, window.dilation
    place = f"d0, d1, d2 * {down} + d4 * {apart}, d3 * {across} + d5 * {beside}"
    taps = text.fresh(window.size)
    text.lines.append(f"  %{taps.name} = tensor.empty() : {taps.kind}")
    how, start = ("maximumf", -np.inf) if isinstance(layer, MaxPool) else ("addf", 0.0)
    body = f"%y = arith.{how} %o, %a0 : f32"
    total = text.generic([data, taps], [place, "d4, d5"], text.fresh(shape), 4, body, 2, start)
    if isinstance(layer, MaxPool):
        return total
    shares = text.parameter((1 / layer.counts(source.shape)).astype(np.float32))
    return text.elementwise([total, shares], shape, "%y = arith.mulf %a0, %a1 : f32")
