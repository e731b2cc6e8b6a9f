"""Operations on floating-point numbers that are scaled integers. Each raises `DeclineError` where it may round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import frexp, isfinite
from typing import Literal

from xdsl.dialects.builtin import Float32Type, Float64Type

from vtac.partition.alu_trees import DeclineError, Number, add, extremum
from vtac.partition.expressions import Apply
from vtac.partition.products import scaled, scaled_up, subtract
from vtac.partition.scaled_numbers import SINGLE_EXACT, Scaled, round_half_even


def require_float(op: Apply) -> None:
    """Decline what does not compute in f32 or f64."""
    if not isinstance(op.kind, Float32Type | Float64Type):
        raise DeclineError(f"it computes with {op.kind}; the VTA computes with integers")


def require_normal(op: Apply, value: Scaled) -> Scaled:
    """A result, which its type must hold without underflow or overflow, whatever the integer is.

    Raises `DeclineError` for one that may be lost.
    """
    least, most = (-1022, 1023) if isinstance(op.kind, Float64Type) else (-126, 127)
    bits = max(abs(value.number.low), abs(value.number.high)).bit_length()
    if bits and not (least <= value.exponent and value.exponent + bits <= most):
        raise DeclineError(f"'{op.name}' scales by 2^{value.exponent}, where {op.kind} may lose small or large numbers")
    return value


def scaled_constant(value: float) -> Scaled:
    """A number as an odd integer times a power of two. Raises `DeclineError` for infinities and no numbers."""
    if not isfinite(value):
        raise DeclineError(f"it takes the constant {value}")
    mantissa, exponent = frexp(value)
    whole = int(mantissa * (1 << 53))
    exponent -= 53
    while whole and whole % 2 == 0:
        whole, exponent = whole >> 1, exponent + 1
    return Scaled(Number.constant(whole), exponent if whole else 0)


def _power(value: Scaled, op: Apply) -> int:
    """The exponent of a constant power of two."""
    if value.number.value == 1:
        return value.exponent
    constant = value.number.value
    if constant is None:
        raise DeclineError(f"'{op.name}' of two tensors; the VTA's hardware has no multiplication")
    scale = constant * 2.0**value.exponent
    raise DeclineError(f"the scale {scale:.9g} is no power of two, and the VTA's only scaling is a shift")


def _multiply(op: Apply, values: Sequence[Scaled]) -> Scaled:
    left, right = values
    if left.number.value is not None:
        left, right = right, left
    factor = right.number.value
    if factor == 0:
        return right
    times = scaled(left.number, factor) if factor is not None else None
    if times is not None:
        return Scaled(times, left.exponent + right.exponent, left.limit)
    return left.times(_power(right, op))


def _divide(op: Apply, values: Sequence[Scaled]) -> Scaled:
    return values[0].times(-_power(values[1], op))


def _aligned(left: Scaled, right: Scaled) -> tuple[Number, Number, int]:
    exponent = min(left.exponent, right.exponent)
    first, second = (scaled_up(value.number, value.exponent - exponent) for value in (left, right))
    return first, second, exponent


def _float_add(op: Apply, values: Sequence[Scaled]) -> Scaled:
    left, right = values
    if left.number.value is not None:
        left, right = right, left
    if right.number.value == 0:
        return left
    first, second, exponent = _aligned(left, right)
    return _exact_total(add(first, second), left, right, exponent)


def _float_subtract(op: Apply, values: Sequence[Scaled]) -> Scaled:
    left, right = values
    if right.number.value == 0:
        return left
    first, second, exponent = _aligned(left, right)
    return _exact_total(subtract(first, second), left, right, exponent)


def _exact_total(total: Number, left: Scaled, right: Scaled, exponent: int) -> Scaled:
    if left.limit is not None or right.limit is not None or not total.within(-SINGLE_EXACT, SINGLE_EXACT):
        raise DeclineError("it adds floating-point numbers that f32 may round: their integers exceed 2^24")
    return Scaled(total, exponent)


def float_extremum(name: Literal["max", "min"], left: Scaled, right: Scaled) -> Scaled:
    """The larger (`max`) or smaller (`min`) of two numbers."""
    if left.number.value is not None:
        left, right = right, left
    if right.number.value == 0:
        right = Scaled(right.number, left.exponent)
    first, second, exponent = _aligned(left, right)
    found = extremum(name, first, second)
    limits = [one.limit << (one.exponent - exponent) for one in (left, right) if one.limit is not None]
    return Scaled(found, exponent, min(limits, default=None))


def _round(op: Apply, values: Sequence[Scaled]) -> Scaled:
    value = values[0]
    rounded = round_half_even(value.number, -value.exponent)
    limit = None if value.limit is None else value.limit >> max(0, -value.exponent)
    return Scaled(rounded, 0, limit)


SCALED_OPERATIONS: dict[str, Callable[[Apply, Sequence[Scaled]], Scaled]] = {
    "arith.mulf": _multiply,
    "arith.divf": _divide,
    "arith.addf": _float_add,
    "arith.subf": _float_subtract,
    "arith.maximumf": lambda op, values: float_extremum("max", *values),
    "arith.minimumf": lambda op, values: float_extremum("min", *values),
    "arith.maxnumf": lambda op, values: float_extremum("max", *values),
    "arith.minnumf": lambda op, values: float_extremum("min", *values),
    "math.roundeven": _round,
}
