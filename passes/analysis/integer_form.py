"""From scalar expressions to ALU trees: integers of any width, and floats that are scaled integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import frexp, isfinite
from typing import TypeAlias

from xdsl.dialects.builtin import Float32Type, Float64Type, IntegerType, i8
from xdsl.ir import Attribute

from vtac.passes.analysis.alu_trees import (
    DeclineError,
    Number,
    add,
    extremum,
    low_bits,
    shift_right,
)
from vtac.passes.analysis.expressions import Apply, Element, Expression, Literal
from vtac.passes.analysis.products import multiply, scaled, shift_left, subtract
from vtac.passes.analysis.scaled_numbers import SINGLE_EXACT, Scaled, round_half_even

Value: TypeAlias = Number | Scaled
Bounds: TypeAlias = Callable[[Element], tuple[int, int]]
Stored: TypeAlias = Callable[[Apply], Element]

_GREATER = {"arith.cmpf": (2, 3, 9, 10), "arith.cmpi": (4, 5)}
"""Predicates of > and >=, ordered or not."""
_LESS = {"arith.cmpf": (4, 5, 11, 12), "arith.cmpi": (2, 3)}


def integer_form(expression: Expression, bounds: Bounds, stored: Stored | None = None) -> Number:
    """The ALU tree of an integer expression. Raises `DeclineError` with the reason when there is none.

    Only i8 elements can be subtracted, or multiplied by any number: `stored` gives the
    element of a computed i8 part that is stored for that.
    """
    value = _Lowering(bounds, stored).value(expression)
    if isinstance(value, Scaled):
        raise DeclineError("its result is floating point, which the VTA does not have")
    return value


def value_range(expression: Expression, bounds: Bounds) -> tuple[float, float]:
    """Between which numbers an expression lies, integer or floating point. Raises `DeclineError`."""
    value = _Lowering(bounds).value(expression)
    if isinstance(value, Number):
        return value.low, value.high
    scale = 2.0**value.exponent
    return value.number.low * scale, value.number.high * scale


def width_of(kind: Attribute) -> int:
    """Bits of an integer type. Raises `DeclineError` for another type."""
    if not isinstance(kind, IntegerType):
        raise DeclineError(f"it computes with {kind}; the VTA computes with integers")
    return kind.bitwidth


@dataclass
class _Lowering:
    bounds: Bounds
    stored: Stored | None = None

    def __post_init__(self) -> None:
        self.known: dict[Expression, Value] = {}

    def value(self, expression: Expression) -> Value:
        if expression not in self.known:
            self.known[expression] = self._value(expression)
        return self.known[expression]

    def _value(self, expression: Expression) -> Value:
        if isinstance(expression, Literal):
            if isinstance(expression.value, int):
                return Number.constant(expression.value)
            return _scaled_constant(expression.value)
        if isinstance(expression, Element):
            width = width_of(expression.kind)
            low, high = self.bounds(expression)
            limit = 1 << 31
            return Number(expression, low, high, width <= 32 or (-limit <= low and high < limit))
        return self._apply(expression)

    def _apply(self, op: Apply) -> Value:
        if op.name == "arith.select":
            return self._select(op)
        if op.name in ("arith.cmpi", "arith.cmpf"):
            raise DeclineError(f"it needs '{op.name}' for more than a maximum or minimum")
        values = [self.value(argument) for argument in op.arguments]
        if op.name in _FLOAT:
            _require_float(op)
            return _FLOAT[op.name](op, [_scaled(value) for value in values])
        if op.name == "arith.sitofp":
            return _from_integer(op, _integer(values[0]))
        if op.name == "arith.uitofp":
            return _from_integer(op, _extend_unsigned(op, [_integer(values[0])]))
        if op.name in ("arith.fptosi", "arith.fptoui"):
            return _to_integer(op, _scaled(values[0]))
        if op.name in _INTEGER:
            return self._integer_operation(op, [_integer(value) for value in values])
        raise DeclineError(f"'{op.name}' is none of the operations that the VTA's ALU has (add, max, min, shifts)")

    def _integer_operation(self, op: Apply, numbers: list[Number]) -> Number:
        try:
            return _INTEGER[op.name](op, numbers)
        except DeclineError:
            if op.name not in ("arith.subi", "arith.muli"):
                raise
            left, right = op.arguments
            changed = (
                left if op.name == "arith.subi" else self._with_stored_parts(left),
                self._with_stored_parts(right),
            )
            if changed == op.arguments:
                raise
            return _INTEGER[op.name](op, [_integer(self.value(argument)) for argument in changed])

    def _with_stored_parts(self, expression: Expression) -> Expression:
        """The expression with elements in place of its outermost computed i8 parts."""
        if self.stored is None or not isinstance(expression, Apply):
            return expression
        if expression.kind == i8:
            return self.stored(expression)
        return replace(expression, arguments=tuple(self._with_stored_parts(a) for a in expression.arguments))

    def _select(self, op: Apply) -> Value:
        """select(a > b, a, b) is a maximum; with the values exchanged, or with <, a minimum."""
        condition, chosen, otherwise = op.arguments
        if not isinstance(condition, Apply) or condition.name not in _GREATER:
            raise DeclineError("'arith.select' is a maximum or minimum only with a comparison")
        if {chosen, otherwise} != set(condition.arguments):
            raise DeclineError("'arith.select' of other values than those compared is no maximum or minimum")
        greater = condition.predicate in _GREATER[condition.name]
        if not greater and condition.predicate not in _LESS[condition.name]:
            raise DeclineError("'arith.select' is a maximum or minimum only with a signed > or <")
        takes_first = chosen == condition.arguments[0]
        name = "max" if greater == takes_first else "min"
        left, right = self.value(chosen), self.value(otherwise)
        if isinstance(left, Number) and isinstance(right, Number):
            return extremum(name, left, right)
        return _float_extremum(name, _scaled(left), _scaled(right))


def _integer(value: Value) -> Number:
    if isinstance(value, Scaled):
        raise DeclineError("it takes a floating-point number as an integer")
    return value


def _scaled(value: Value) -> Scaled:
    if isinstance(value, Number):
        raise DeclineError("it takes an integer as a floating-point number")
    return value


def _require_float(op: Apply) -> None:
    if not isinstance(op.kind, Float32Type | Float64Type):
        raise DeclineError(f"it computes with {op.kind}; the VTA computes with integers")


def _scaled_constant(value: float) -> Scaled:
    """A number as an odd integer times a power of two."""
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
    numbers = (shift_left(value.number, value.exponent - exponent) for value in (left, right))
    first, second = numbers
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


def _float_extremum(name: str, left: Scaled, right: Scaled) -> Scaled:
    if left.number.value is not None:
        left, right = right, left
    if right.number.value == 0:
        right = Scaled(right.number, left.exponent)
    first, second, exponent = _aligned(left, right)
    found = extremum("max" if name == "max" else "min", first, second)
    limit = None if left.limit is None else left.limit << max(0, left.exponent - exponent)
    return Scaled(found, exponent, limit)


def _round(op: Apply, values: Sequence[Scaled]) -> Scaled:
    value = values[0]
    rounded = round_half_even(value.number, -value.exponent)
    limit = None if value.limit is None else value.limit >> max(0, -value.exponent)
    return Scaled(rounded, 0, limit)


def _from_integer(op: Apply, number: Number) -> Scaled:
    _require_float(op)
    if not number.exact:
        raise DeclineError("it converts a 64-bit value that may not fit 32 bits to floating point")
    exact = isinstance(op.kind, Float64Type) or number.within(-SINGLE_EXACT, SINGLE_EXACT)
    return Scaled(number, 0, None if exact else SINGLE_EXACT)


def _to_integer(op: Apply, value: Scaled) -> Number:
    if value.exponent < 0:
        raise DeclineError(f"'{op.name}' of a fraction rounds toward zero, which a shift does not: round first")
    number = shift_left(value.number, value.exponent)
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


def _truncate(op: Apply, values: Sequence[Number]) -> Number:
    width = width_of(op.kind)
    if width > 32:
        raise DeclineError(f"it truncates to {op.kind}")
    return low_bits(values[0], width)


def _extend_unsigned(op: Apply, values: Sequence[Number]) -> Number:
    """The bits of a signed number as an unsigned one: with the top bit turned over, plus its weight."""
    number, bits = values[0], width_of(op.arguments[0].kind)
    if number.exact and number.low >= 0:
        return number
    if bits > 16 or not number.exact:
        raise DeclineError(
            f"'arith.extui' of {op.arguments[0].kind} that may be negative; the VTA's integers are signed"
        )
    half = Number.constant(1 << (bits - 1))
    return add(low_bits(add(number, half), bits), half)


_FLOAT: dict[str, Callable[[Apply, Sequence[Scaled]], Scaled]] = {
    "arith.mulf": _multiply,
    "arith.divf": _divide,
    "arith.addf": _float_add,
    "arith.subf": _float_subtract,
    "arith.maximumf": lambda op, values: _float_extremum("max", *values),
    "arith.minimumf": lambda op, values: _float_extremum("min", *values),
    "arith.maxnumf": lambda op, values: _float_extremum("max", *values),
    "arith.minnumf": lambda op, values: _float_extremum("min", *values),
    "math.roundeven": _round,
}
_INTEGER: dict[str, Callable[[Apply, Sequence[Number]], Number]] = {
    "arith.addi": lambda op, values: add(values[0], values[1], width_of(op.kind)),
    "arith.subi": lambda op, values: subtract(values[0], values[1], width_of(op.kind)),
    "arith.muli": lambda op, values: multiply(values[0], values[1], width_of(op.kind)),
    "arith.maxsi": lambda op, values: extremum("max", values[0], values[1]),
    "arith.minsi": lambda op, values: extremum("min", values[0], values[1]),
    "arith.shrsi": lambda op, values: shift_right(values[0], _amount(values[1], op)),
    "arith.shli": lambda op, values: shift_left(values[0], _amount(values[1], op), width_of(op.kind)),
    "arith.extsi": lambda op, values: values[0],
    "arith.extui": _extend_unsigned,
    "arith.trunci": _truncate,
}
