"""Operations on integers of any width as ALU trees. Each raises `DeclineError` where the VTA has none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects.builtin import Float64Type, IntegerType
from xdsl.ir import Attribute

from vtac.partition.alu_trees import DeclineError, Number, add, extremum, low_bits, shift_right, shift_right_each
from vtac.partition.expressions import Apply
from vtac.partition.products import multiply, scaled_up, shift_left, subtract
from vtac.partition.scaled_numbers import SINGLE_EXACT, Scaled
from vtac.partition.scaled_operations import require_float


def width_of(kind: Attribute) -> int:
    """Bits of an integer type. Raises `DeclineError` for another type."""
    if not isinstance(kind, IntegerType):
        raise DeclineError(f"it computes with {kind}; the VTA computes with integers")
    return kind.bitwidth


def from_integer(op: Apply, number: Number) -> Scaled:
    """An integer as a floating-point number. Raises `DeclineError` for one that may not fit 32 bits."""
    require_float(op)
    if not number.exact:
        raise DeclineError("it converts a 64-bit value that may not fit 32 bits to floating point")
    exact = isinstance(op.kind, Float64Type) or number.within(-SINGLE_EXACT, SINGLE_EXACT)
    return Scaled(number, 0, None if exact else SINGLE_EXACT)


def to_integer(op: Apply, value: Scaled) -> Number:
    """A whole floating-point number as an integer of at most 32 bits.

    Raises `DeclineError` for a fraction, and for what does not fit.
    """
    if value.exponent < 0:
        raise DeclineError(f"'{op.name}' of a fraction rounds toward zero, which a shift does not: round first")
    number = scaled_up(value.number, value.exponent)
    if value.limit is not None and not number.within(-value.limit, value.limit):
        raise DeclineError(
            f"f32 rounds integers above 2^24, and the result is not limited to {value.limit}, where that cannot show"
        )
    width = width_of(op.kind)
    least = 0 if op.name == "arith.fptoui" else -(1 << (width - 1))
    if not number.within(least, least + (1 << width) - 1):
        raise DeclineError(
            f"'{op.name}' of a value between {number.low} and {number.high} does not fit {op.kind}: clamp first"
        )
    return low_bits(number, min(width, 32))


def _amount(number: Number, op: Apply) -> int:
    amount = number.value
    if amount is None:
        raise DeclineError(f"'{op.name}' by an amount that is no constant")
    if not 0 <= amount < width_of(op.kind):
        raise DeclineError(f"'{op.name}' by {amount} is undefined for {op.kind}")
    return amount


def _shift_right(op: Apply, values: Sequence[Number]) -> Number:
    if values[1].tree is not None and width_of(op.kind) == 32:
        return shift_right_each(values[0], values[1])
    return shift_right(values[0], _amount(values[1], op))


def _truncate(op: Apply, values: Sequence[Number]) -> Number:
    width = width_of(op.kind)
    if width > 32:
        raise DeclineError(f"it truncates to {op.kind}")
    return low_bits(values[0], width)


def extend_unsigned(op: Apply, values: Sequence[Number]) -> Number:
    """The bits of a signed number as an unsigned one: with the top bit turned over, plus its weight.

    Raises `DeclineError` for what may be negative already.
    """
    number, bits = values[0], width_of(op.arguments[0].kind)
    if number.exact and number.low >= 0:
        return number
    if bits > 16 or not number.exact:
        raise DeclineError(
            f"'arith.extui' of {op.arguments[0].kind} that may be negative; the VTA's integers are signed"
        )
    half = Number.constant(1 << (bits - 1))
    return add(low_bits(add(number, half), bits), half)


INTEGER_OPERATIONS: dict[str, Callable[[Apply, Sequence[Number]], Number]] = {
    "arith.addi": lambda op, values: add(values[0], values[1], width_of(op.kind)),
    "arith.subi": lambda op, values: subtract(values[0], values[1], width_of(op.kind)),
    "arith.muli": lambda op, values: multiply(values[0], values[1], width_of(op.kind)),
    "arith.maxsi": lambda op, values: extremum("max", values[0], values[1]),
    "arith.minsi": lambda op, values: extremum("min", values[0], values[1]),
    "arith.shrsi": _shift_right,
    "arith.shli": lambda op, values: shift_left(values[0], _amount(values[1], op), width_of(op.kind)),
    "arith.extsi": lambda op, values: values[0],
    "arith.extui": extend_unsigned,
    "arith.trunci": _truncate,
}
