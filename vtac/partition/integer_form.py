"""From scalar expressions to ALU trees: integers of any width, and floats that are scaled integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from xdsl.dialects.builtin import i8

from vtac.partition.alu_trees import DeclineError, Number, extremum
from vtac.partition.expressions import Apply, Element, Expression, Literal, substituted
from vtac.partition.integer_operations import (
    INTEGER_OPERATIONS,
    extend_unsigned,
    from_integer,
    to_integer,
    width_of,
)
from vtac.partition.scaled_numbers import Scaled
from vtac.partition.scaled_operations import (
    SCALED_OPERATIONS,
    float_extremum,
    require_float,
    require_normal,
    scaled_constant,
)

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


@dataclass
class _Lowering:
    bounds: Bounds
    stored: Stored | None = None

    def __post_init__(self) -> None:
        self.known: dict[Expression, Value] = {}

    def value(self, expression: Expression) -> Value:
        waiting = [expression]
        while waiting:
            part = waiting[-1]
            missing = [argument for argument in _inputs(part) if argument not in self.known]
            if part not in self.known and missing:
                waiting.extend(reversed(missing))
                continue
            if part not in self.known:
                self.known[part] = self._value(part)
            waiting.pop()
        return self.known[expression]

    def _value(self, expression: Expression) -> Value:
        if isinstance(expression, Literal):
            if isinstance(expression.value, int):
                return Number.constant(expression.value)
            return scaled_constant(expression.value)
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
        if op.name in SCALED_OPERATIONS:
            require_float(op)
            return require_normal(op, SCALED_OPERATIONS[op.name](op, [_scaled(value) for value in values]))
        if op.name == "arith.sitofp":
            return from_integer(op, _integer(values[0]))
        if op.name == "arith.uitofp":
            return from_integer(op, extend_unsigned(op, [_integer(values[0])]))
        if op.name in ("arith.fptosi", "arith.fptoui"):
            return to_integer(op, _scaled(values[0]))
        if op.name in INTEGER_OPERATIONS:
            return self._integer_operation(op, [_integer(value) for value in values])
        raise DeclineError(f"'{op.name}' is none of the operations that the VTA's ALU has (add, max, min, shifts)")

    def _integer_operation(self, op: Apply, numbers: list[Number]) -> Number:
        try:
            return INTEGER_OPERATIONS[op.name](op, numbers)
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
            return INTEGER_OPERATIONS[op.name](op, [_integer(self.value(argument)) for argument in changed])

    def _with_stored_parts(self, expression: Expression) -> Expression:
        """The expression with elements in place of its outermost computed i8 parts."""
        store = self.stored
        if store is None:
            return expression
        return substituted(
            expression, lambda part: store(part) if isinstance(part, Apply) and part.kind == i8 else None
        )

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
        return float_extremum(name, _scaled(left), _scaled(right))


def _inputs(part: Expression) -> tuple[Expression, ...]:
    """What the value of a part is computed from: of a selection not the condition, which has no value of its own."""
    if not isinstance(part, Apply) or part.name in ("arith.cmpi", "arith.cmpf"):
        return ()
    return part.arguments[1:] if part.name == "arith.select" else part.arguments


def _integer(value: Value) -> Number:
    if isinstance(value, Scaled):
        raise DeclineError("it takes a floating-point number as an integer")
    return value


def _scaled(value: Value) -> Scaled:
    if isinstance(value, Number):
        raise DeclineError("it takes an integer as a floating-point number")
    return value
