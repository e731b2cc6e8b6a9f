"""Integer networks under construction: layers with given parameters, as linalg text and as numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.models.quantiser.options import Rounding
from vtac.models.quantiser.products import IntegerProduct
from vtac.models.windows import Pads, Window
from vtac.workloads.networks.core import Array, Values
from vtac.workloads.networks.network import Network
from vtac.workloads.tensor_text import Tensor, filled, operand_list, window_attributes

Bounds: TypeAlias = tuple[int, int | NDArray[np.int32]]
"""The least and the largest result; the largest may differ by feature."""
_EXACT = 1 << 24
"""Integers below it, and their sums, are exact in float32."""


@dataclass(frozen=True)
class Residual:
    """A tensor of i8 that is added to shifted sums, times `factor`; the sum is shifted again, by `shift`."""

    tensor: Tensor
    factor: int
    shift: int


@dataclass(frozen=True)
class Finish:
    """What becomes of sums: shifts by feature, a residual, a clip; without bounds they stay sums."""

    product: IntegerProduct
    bounds: Bounds | None
    residual: Residual | None = None
    rounding: Rounding = "half-up"


class IntegerNetwork(Network):
    """A network of i8 whose results are shifted by an amount per feature, rounded, and clipped."""

    def __init__(self, name: str, shape: tuple[int, ...], input_name: str) -> None:
        super().__init__(name, shape, 0, input_name)

    def convolution_of(self, source: Tensor, name: str, window: Window, groups: int, zero: int, end: Finish) -> Tensor:
        """A convolution of data less `zero`; in groups it has no form with a zero point."""
        product = end.product
        weights = self._given(f"{name}_w", product.weights)
        stride, dilation = window.stride[0], window.dilation[0]
        size = tuple(
            (source.shape[axis + 2] + window.pads[axis] + window.pads[axis + 2] - window.reach[axis]) // stride + 1
            for axis in (0, 1)
        )
        shape = (source.shape[0], product.weights.shape[0], *size)
        data = self._pad(source, f"{name}_padded", window.pads, zero)
        if zero:
            total = self._less_zero(data, weights, Tensor(f"{name}_t_sum", shape, "i32"), zero, stride, dilation)
        else:
            total = self._sums(data, weights, f"{name}_t", shape, stride, dilation, groups)
        result = self._finish(total, name, end)

        def compute(values: Values) -> Array:
            sums = _convolved(values[source.name], product.weights, window, (size[0], size[1]), groups, zero)
            return _finished(sums, end, values)

        macs = prod(shape) * prod(product.weights.shape[1:])
        return self._record(result, f"conv {source.shape[1]}->{shape[1]}", macs, compute)

    def linear_of(self, source: Tensor, name: str, zero: int, end: Finish) -> Tensor:
        """A matrix product of data less `zero`."""
        product = end.product
        weights = self._given(f"{name}_w", np.ascontiguousarray(product.weights.T))
        total = Tensor(f"{name}_sum", (source.shape[0], product.weights.shape[0]), "i32")
        if zero:
            self._less_zero(source, weights, total, zero)
        else:
            self._structured(total, "linalg.matmul", [source, weights], 0)
        result = self._finish(total, name, end)

        def compute(values: Values) -> Array:
            kind = _exact_type(product.weights, zero)
            data = values[source.name].astype(kind) - kind(zero)
            return _finished((data @ product.weights.T.astype(kind)).astype(np.int64), end, values)

        macs = source.shape[0] * product.weights.size
        return self._record(result, f"linear {source.shape[1]}->{total.shape[1]}", macs, compute)

    def sum_of(
        self,
        left: Tensor,
        right: Tensor,
        name: str,
        factors: tuple[int, int],
        offset: int,
        shift: int,
        bounds: Bounds,
    ) -> Tensor:
        """(left * factors[0] + right * factors[1] + offset) >> shift, clipped; the offset holds what rounds."""
        total, result = Tensor(f"{name}_sum", left.shape, "i32"), Tensor(name, left.shape)
        body = [f"%x{place} = arith.extsi %a{place} : i8 to i32" for place in (0, 1)]
        for place, factor in enumerate(factors):
            body.append(f"%f{place} = arith.constant {factor} : i32")
            body.append(f"%s{place} = arith.muli %x{place}, %f{place} : i32")
        body.append("%y = arith.addi %s0, %s1 : i32")
        self._elementwise(total, [left, right], "\n    ".join(body))
        self._clipping(result, total, offset, shift, bounds)

        def compute(values: Values) -> Array:
            sums = values[left.name].astype(np.int64) * factors[0] + values[right.name].astype(np.int64) * factors[1]
            return _clip(sums + offset >> shift, bounds)

        return self._record(result, "add", 0, compute)

    def mean_of(self, source: Tensor, name: str, offset: int, shift: int) -> Tensor:
        """(The sum over rows and columns + offset) >> shift; the offset holds what rounds."""
        result = Tensor(name, (*source.shape[:2], 1, 1))
        window = self._empty(f"{name}_window", source.shape[2:])
        total = Tensor(f"{name}_sum", result.shape, "i32")
        attributes = "{dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}"
        self._structured(total, f"linalg.pooling_nchw_sum {attributes}", [source, window], 0)
        self._clipping(result, total, offset, shift, (-128, 127))

        def compute(values: Values) -> Array:
            sums = values[source.name].sum(axis=(2, 3), keepdims=True, dtype=np.int64)
            return np.clip(sums + offset >> shift, -128, 127).astype(np.int8)

        return self._record(result, f"mean {source.shape[2]}x{source.shape[3]}", 0, compute)

    def maximum_of(self, source: Tensor, name: str, kernel: int, stride: int, pads: Pads) -> Tensor:
        """The largest of each window."""
        result = self.max_pool(source, name, kernel, stride, pads=pads)
        window = Window((kernel, kernel), (stride, stride), pads)
        positions = (result.shape[2], result.shape[3])

        def compute(values: Values) -> Array:
            padded = window.padded(values[source.name], positions, -128)
            found = np.full((*padded.shape[:2], *positions), -128, np.int8)
            for _, seen in window.taps(padded, positions):
                np.maximum(found, seen, out=found)
            return found

        self.layers.pop()
        return self._record(result, f"max pool {kernel}x{kernel}", 0, compute)

    def clipped(self, source: Tensor, name: str, bounds: Bounds) -> Tensor:
        """What lies beyond `bounds` as the nearer one."""
        wide, result = Tensor(f"{name}_wide", source.shape, "i32"), Tensor(name, source.shape)
        self._elementwise(wide, [source], "%y = arith.extsi %a0 : i8 to i32")
        self._clipping(result, wide, 0, 0, bounds)
        return self._record(result, "clip", 0, lambda values: _clip(values[source.name].astype(np.int64), bounds))

    def rows_of(self, source: Tensor, name: str) -> Tensor:
        """Images as rows."""
        result = self.collapse(source, name, [[0], [1, 2, 3]])
        self.layers.pop()

        def compute(values: Values) -> Array:
            images = values[source.name]
            return images.reshape(images.shape[0], -1)

        return self._record(result, "rows", 0, compute, is_view=True)

    def _less_zero(
        self, data: Tensor, weights: Tensor, total: Tensor, zero: int, stride: int = 1, dilation: int = 1
    ) -> Tensor:
        """Sums of weights times (data - zero), by the quantised forms of operations."""
        scalars = [Tensor(f"{total.name}_zero", (), "i32"), Tensor(f"{total.name}_none", (), "i32")]
        start = Tensor(f"{total.name}_start", total.shape, "i32")
        image = f"linalg.conv_2d_nchw_fchw_q {window_attributes(stride, dilation)}"
        op = image if len(data.shape) == 4 else "linalg.quantized_matmul"
        self._lines += [
            f"  %{one.name} = arith.constant {value} : i32" for one, value in zip(scalars, (zero, 0), strict=True)
        ]
        self._lines.append(filled(start, 0))
        outputs = f"outs(%{start.name} : {start.kind}) -> {total.kind}"
        self._lines.append(f"  %{total.name} = {op}\n    {operand_list([data, weights], scalars)} {outputs}")
        return total

    def _given(self, name: str, array: NDArray[np.int8] | NDArray[np.int32]) -> Tensor:
        self.parameters[name] = array
        return Tensor(name, array.shape, "i8" if array.dtype == np.int8 else "i32")

    def _finish(self, total: Tensor, name: str, end: Finish) -> Tensor:
        """Bias, shifts and clip of sums; the bias alone without bounds."""
        bias = self._given(f"{name}_b", end.product.bias)
        result = Tensor(name, total.shape, "i32" if end.bounds is None else "i8")
        if end.bounds is None:
            self._elementwise(result, [total, bias], "%y = arith.addi %a0, %a1 : i32")
            return result
        shifts = self._given(f"{name}_shift", end.product.shifts)
        body = _Body([total, bias, shifts])
        value = body.add("arith.addi", "%a0", "%a1")
        if end.rounding == "half-even":
            one = body.operand(self._given(f"{name}_shift1", (end.product.shifts + 1).astype(np.int32)))
            below = np.left_shift(1, end.product.shifts) - 1
            most = body.operand(self._given(f"{name}_below", below.astype(np.int32)))
            first = body.add("arith.shrsi", value, one)
            second = body.add("arith.shrsi", body.add("arith.addi", value, most), one)
            value = body.add("arith.addi", first, second)
        else:
            value = body.add("arith.shrsi", value, "%a2")
        if end.residual is not None:
            value = body.with_residual(value, end.residual)
        limit = self._limit(name, end.bounds)
        body.clip(value, end.bounds, None if limit is None else body.operand(limit))
        self._elementwise(result, body.operands, "\n    ".join(body.lines))
        return result

    def _clipping(self, result: Tensor, source: Tensor, offset: int, shift: int, bounds: Bounds) -> None:
        """(source + offset) >> shift, clipped."""
        body = _Body([source])
        value = body.add("arith.addi", "%a0", body.constant(offset)) if offset else "%a0"
        value = body.add("arith.shrsi", value, body.constant(shift)) if shift else value
        limit = self._limit(result.name, bounds)
        body.clip(value, bounds, None if limit is None else body.operand(limit))
        self._elementwise(result, body.operands, "\n    ".join(body.lines))

    def _limit(self, name: str, bounds: Bounds) -> Tensor | None:
        high = bounds[1]
        return None if isinstance(high, int) else self._given(f"{name}_limit", high)


class _Body:
    """The body of an elementwise operation under construction: operands, lines, fresh names."""

    def __init__(self, operands: Sequence[Tensor]) -> None:
        self.operands = list(operands)
        self.lines: list[str] = []

    def operand(self, tensor: Tensor) -> str:
        self.operands.append(tensor)
        return f"%a{len(self.operands) - 1}"

    def constant(self, value: int) -> str:
        return self._line(f"arith.constant {value}")

    def add(self, op: str, left: str, right: str) -> str:
        return self._line(f"{op} {left}, {right}")

    def with_residual(self, value: str, residual: Residual) -> str:
        wide = self.operand(residual.tensor)
        extra = f"%v{len(self.lines)}"
        self.lines.append(f"{extra} = arith.extsi {wide} : i8 to i32")
        if residual.factor != 1:
            extra = self.add("arith.muli", extra, self.constant(residual.factor))
        total = self.add("arith.addi", value, extra)
        return self.add("arith.shrsi", total, self.constant(residual.shift)) if residual.shift else total

    def clip(self, value: str, bounds: Bounds, limit: str | None) -> None:
        """`%y`, an i8: the value within bounds; `limit` are upper bounds by feature."""
        low, high = bounds
        above = self.add("arith.maxsi", value, self.constant(low))
        most = limit if limit is not None or not isinstance(high, int) else self.constant(high)
        within = self.add("arith.minsi", above, str(most))
        self.lines.append(f"%y = arith.trunci {within} : i32 to i8")

    def _line(self, text: str) -> str:
        name = f"%v{len(self.lines)}"
        self.lines.append(f"{name} = {text} : i32")
        return name


def _exact_type(weights: NDArray[np.int8], zero: int) -> type[np.float32] | type[np.float64]:
    """The narrower float type in which all sums are exact."""
    rows = weights.reshape(weights.shape[0], -1)
    largest = int(np.abs(rows.astype(np.int64)).sum(1).max()) * (128 + abs(zero))
    return np.float32 if largest < _EXACT else np.float64


def _convolved(
    data: Array, weights: NDArray[np.int8], window: Window, positions: tuple[int, int], groups: int, zero: int
) -> NDArray[np.int64]:
    kind = _exact_type(weights, zero)
    padded = window.padded(data.astype(kind) - kind(zero), positions, 0)
    return window.convolved(padded, weights.astype(kind), positions, groups).astype(np.int64)


def _finished(sums: NDArray[np.int64], end: Finish, values: Values) -> Array:
    features = (-1, *[1] * (sums.ndim - 2))
    biased = sums + end.product.bias.reshape(features)
    if end.bounds is None:
        return biased.astype(np.int32)
    shifts = end.product.shifts.astype(np.int64).reshape(features)
    if end.rounding == "half-even":
        found = (biased >> shifts + 1) + (biased + (1 << shifts) - 1 >> shifts + 1)
    else:
        found = biased >> shifts
    if end.residual is not None:
        other = values[end.residual.tensor.name].astype(np.int64) * end.residual.factor
        found = found + other >> end.residual.shift
    return _clip(found, end.bounds)


def _clip(numbers: NDArray[np.int64], bounds: Bounds) -> Array:
    low, high = bounds
    most = high if isinstance(high, int) else high.reshape(-1, *[1] * (numbers.ndim - 2))
    return np.minimum(np.maximum(numbers, low), most).astype(np.int8)
