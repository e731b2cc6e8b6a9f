"""What integer layers compute of each element: as text, and in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.models.quantiser.options import Rounding
from vtac.models.quantiser.products import IntegerProduct
from vtac.models.windows import Window
from vtac.workloads.networks.core import Array, Values
from vtac.workloads.tensor_text import Tensor

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
    """What becomes of sums: shifts by feature, a residual, a clip; without bounds they stay sums.

    `inner` are bounds by feature of what has been shifted, before the residual is added.
    """

    product: IntegerProduct
    bounds: Bounds | None
    residual: Residual | None = None
    rounding: Rounding = "half-up"
    inner: tuple[NDArray[np.int32], NDArray[np.int32]] | None = None


class IntegerBody:
    """The body of an elementwise operation under construction: operands, lines, fresh names."""

    def __init__(self, operands: Sequence[Tensor]) -> None:
        self.operands = list(operands)
        self.lines: list[str] = []

    def operand(self, tensor: Tensor) -> str:
        """One more operand; the name of its element in the body, of the tensor's element type."""
        self.operands.append(tensor)
        return f"%a{len(self.operands) - 1}"

    def constant(self, value: int) -> str:
        """A number of i32."""
        return self._line(f"arith.constant {value}")

    def add(self, op: str, left: str, right: str) -> str:
        """One operation of `arith` on two values of i32; the name of its result."""
        return self._line(f"{op} {left}, {right}")

    def with_residual(self, value: str, residual: Residual) -> str:
        """A value of i32 plus the residual's element times its factor, shifted right by its shift."""
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


def window_attributes(window: Window) -> str:
    """The attributes of a convolution or a pooling."""
    dilation, stride = (list(one) if one[0] != one[1] else one[0] for one in (window.dilation, window.stride))
    return f"{{dilations = dense<{dilation}> : tensor<2xi64>, strides = dense<{stride}> : tensor<2xi64>}}"


def exact_type(weights: NDArray[np.int8], zero: int) -> type[np.float32] | type[np.float64]:
    """The narrower float type in which all sums are exact."""
    rows = weights.reshape(weights.shape[0], -1)
    largest = int(np.abs(rows.astype(np.int64)).sum(1).max()) * (128 + abs(zero))
    return np.float32 if largest < _EXACT else np.float64


def convolved(
    data: Array, weights: NDArray[np.int8], window: Window, positions: tuple[int, int], groups: int, zero: int
) -> NDArray[np.int64]:
    """The sums of the products of a convolution, (samples, features, *positions).

    `data` is i8 of (samples, channels, rows, columns), `weights` of (features, channels of a group, *window);
    `zero`, which stands for the padding, is taken off the data first. All sums are exact in floats.
    """
    kind = exact_type(weights, zero)
    padded = window.padded(data.astype(kind) - kind(zero), positions, 0)
    return window.convolved(padded, weights.astype(kind), positions, groups).astype(np.int64)


def finished_sums(sums: NDArray[np.int64], end: Finish, values: Values) -> Array:
    """What an operation makes of sums of (samples, features, ...), as `end` says: i8, or i32 without bounds."""
    features = (-1, *[1] * (sums.ndim - 2))
    biased = sums + end.product.bias.reshape(features)
    if end.bounds is None:
        return biased.astype(np.int32)
    shifts = end.product.shifts.astype(np.int64).reshape(features)
    if end.rounding == "half-even":
        found = (biased >> shifts + 1) + (biased + (1 << shifts) - 1 >> shifts + 1)
    else:
        found = biased >> shifts
    if end.inner is not None:
        least, most = (one.astype(np.int64).reshape(features) for one in end.inner)
        found = np.clip(found, least, most)
    if end.residual is not None:
        other = values[end.residual.tensor.name].astype(np.int64) * end.residual.factor
        found = found + other >> end.residual.shift
    return clipped_numbers(found, end.bounds)


def clipped_numbers(numbers: NDArray[np.int64], bounds: Bounds) -> Array:
    """Numbers within bounds, the upper ones by feature or one for all, as i8."""
    low, high = bounds
    most = high if isinstance(high, int) else high.reshape(-1, *[1] * (numbers.ndim - 2))
    return np.minimum(np.maximum(numbers, low), most).astype(np.int8)
