"""Floating-point operations on integers times powers of two, as recipes of integer arithmetic.

A rule takes what is known of the operands and adds the steps that compute the result's integer.
It raises `NotScaledError` where the result is no such number, or needs more than 32 bits. Integers
that f32 may round are followed: where that could show in a result, the recipe says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from struct import pack, unpack
from typing import Literal, TypeAlias

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import Float32Type, Float64Type, IntegerType
from xdsl.ir import Attribute, Operation

from vtac.analysis.values.recipes import Constant, Recipe
from vtac.analysis.values.scaled_integers import (
    INT32,
    Amount,
    Channels,
    Known,
    NotScaledError,
    Real,
    Scaled,
    at,
    both,
    each_real,
    finest,
    largest,
    odd_part,
    smallest,
)
from vtac.analysis.values.scaled_shifts import SINGLE_EXACT, Result, aligned, fitting, round_half_even, shifted_right


@dataclass(frozen=True, slots=True)
class Term:
    """An operand: its number in the recipe (none for constants), and what is known of it."""

    source: int
    fact: Scaled | Known


Rule: TypeAlias = Callable[[Operation, Sequence[Term], Recipe], "Result | Known"]


def require_float(kind: Attribute) -> None:
    """Raises for what is neither f32 nor f64."""
    if not isinstance(kind, Float32Type | Float64Type):
        raise NotScaledError(f"it computes with {kind}; the VTA computes with integers")


def from_integer(low: int, high: int, kind: Attribute) -> Scaled:
    """An integer as a floating-point number. Raises `NotScaledError` for one that may not fit 32 bits."""
    require_float(kind)
    if low < INT32[0] or high > INT32[1]:
        raise NotScaledError("it converts a 64-bit value that may not fit 32 bits to floating point")
    exact = isinstance(kind, Float64Type) or max(-low, high) <= SINGLE_EXACT
    return Scaled(low, high, 0, None if exact else SINGLE_EXACT)


def to_integer(op: Operation, term: Term, recipe: Recipe) -> Result:
    """A whole number as an integer of the operation's type.

    Raises `NotScaledError` for a fraction, and for what the type or f32 cannot hold exactly.
    """
    fact, kind = _scaled(term), op.results[0].type
    if not isinstance(kind, IntegerType):
        raise NotScaledError(f"it gives {kind}")
    if smallest(fact.exponent) < 0 and fact.low < 0:
        raise NotScaledError(f"'{op.name}' of a fraction rounds toward zero, which a shift does not: round first")
    if smallest(fact.exponent) < 0:
        source, fact = shifted_right(term.source, fact, recipe)
    else:
        source, fact = aligned(term.source, fact, 0, recipe)
    if fact.limit is not None and not fact.within(-fact.limit, fact.limit):
        raise NotScaledError(
            f"f32 rounds integers above 2^24, and the result is not limited to {fact.limit}, where that cannot show"
        )
    width = kind.bitwidth
    least = 0 if isinstance(op, arith.FPToUIOp) else -(1 << (width - 1))
    if not fact.within(least, least + (1 << width) - 1):
        raise NotScaledError(
            f"'{op.name}' of a value between {fact.low} and {fact.high} does not fit {kind}: clamp first"
        )
    return source, fact


def _scaled(term: Term) -> Scaled:
    if isinstance(term.fact, Known):
        raise NotScaledError("it is computed from constants alone")
    return term.fact


def _variable_first(terms: Sequence[Term]) -> tuple[Term, Term]:
    left, right = terms
    return (right, left) if isinstance(left.fact, Known) else (left, right)


def _multiply(op: Operation, terms: Sequence[Term], recipe: Recipe) -> Result | Known:
    left, right = _variable_first(terms)
    fact = _scaled(left)
    if not isinstance(right.fact, Known):
        raise NotScaledError(f"'{op.name}' of two tensors; the VTA's hardware has no multiplication")
    factors, exponents = _parts(right.fact.numbers)
    exponent = both(lambda e, more: e + more, fact.exponent, exponents)
    if factors == 1:
        return left.source, normal(op, Scaled(fact.low, fact.high, exponent, fact.limit))
    if factors == 0:
        return Known(0.0)
    if isinstance(factors, Channels) or not -128 <= factors <= 127 or not fact.within(-128, 127):
        raise _no_power_of_two(right.fact.numbers)
    low, high = sorted((fact.low * factors, fact.high * factors))
    product = normal(op, Scaled(low, high, exponent, fact.limit))
    return recipe.add("mul", left.source, Constant(factors)), product


def _divide(op: Operation, terms: Sequence[Term], recipe: Recipe) -> Result:
    left, right = terms
    fact = _scaled(left)
    if not isinstance(right.fact, Known):
        raise NotScaledError(f"'{op.name}' of two tensors; the VTA's hardware has no division")
    factors, exponents = _parts(right.fact.numbers)
    if factors != 1:
        raise _no_power_of_two(right.fact.numbers)
    exponent = both(lambda e, less: e - less, fact.exponent, exponents)
    return left.source, normal(op, Scaled(fact.low, fact.high, exponent, fact.limit))


def normal(op: Operation, fact: Scaled) -> Scaled:
    """A result, which its type must hold without underflow or overflow, whatever the integer is. Raises."""
    kind = op.results[0].type
    least, most = (-1022, 1023) if isinstance(kind, Float64Type) else (-126, 127)
    bits = max(abs(fact.low), abs(fact.high)).bit_length()
    low, high = smallest(fact.exponent), largest(fact.exponent)
    if bits and not (least <= low and high + bits <= most):
        raise NotScaledError(f"'{op.name}' scales by 2^{low}, where {kind} may lose small or large numbers")
    return fact


def _parts(numbers: Real) -> tuple[Amount, Amount]:
    return each_real(lambda v: odd_part(v)[0], numbers), each_real(lambda v: odd_part(v)[1], numbers)


def _no_power_of_two(numbers: Real) -> NotScaledError:
    values = numbers.values if isinstance(numbers, Channels) else (numbers,)
    scale = next(value for value in values if odd_part(value)[0] != 1)
    return NotScaledError(f"the scale {scale:.9g} is no power of two, and the VTA's only scaling is a shift")


def _together(left: Term, right: Term, recipe: Recipe) -> tuple[Result, tuple[int | Constant, Scaled]]:
    """Both operands at one exponent, the finer one."""
    fact = _scaled(left)
    if isinstance(right.fact, Known):
        target = finest(fact.exponent, right.fact.numbers)
        first = aligned(left.source, fact, target, recipe)
        whole = at(right.fact.numbers, target)
        fitting(smallest(whole), largest(whole))
        return first, (Constant(whole), Scaled(smallest(whole), largest(whole), target))
    target = both(min, fact.exponent, right.fact.exponent)
    return aligned(left.source, fact, target, recipe), aligned(right.source, right.fact, target, recipe)


def _add(op: Operation, terms: Sequence[Term], recipe: Recipe) -> Result:
    left, right = _variable_first(terms)
    if isinstance(right.fact, Known) and right.fact.numbers == 0:
        return left.source, _scaled(left)
    (first, one), (second, other) = _together(left, right, recipe)
    return recipe.add("add", first, second), _total(op, one, other, recipe)


def _subtract(op: Operation, terms: Sequence[Term], recipe: Recipe) -> Result:
    left, right = terms
    if isinstance(right.fact, Known) and right.fact.numbers == 0:
        return left.source, _scaled(left)
    if isinstance(left.fact, Known):
        (second, other), (first, one) = _together(right, left, recipe)
    else:
        (first, one), (second, other) = _together(left, right, recipe)
    negative = Scaled(-other.high, -other.low, other.exponent, other.limit)
    return recipe.add("sub", first, second), _total(op, one, negative, recipe)


def _total(op: Operation, one: Scaled, other: Scaled, recipe: Recipe) -> Scaled:
    low, high = one.low + other.low, one.high + other.high
    fitting(low, high)
    exact = isinstance(op.results[0].type, Float64Type) or max(-low, high) <= SINGLE_EXACT
    if not exact or one.limit is not None or other.limit is not None:
        recipe.choices.append(
            f"'{op.name}' of floating-point numbers that f32 may round: their integers, up to "
            f"{max(-low, high)}, exceed 2^24 and are added exactly"
        )
    return Scaled(low, high, one.exponent)


def _extremum(name: Literal["max", "min"], terms: Sequence[Term], recipe: Recipe) -> Result:
    left, right = _variable_first(terms)
    if isinstance(right.fact, Known) and _is_idle(name, _scaled(left), right.fact):
        return left.source, _scaled(left)
    (first, one), (second, other) = _together(left, right, recipe)
    choose = max if name == "max" else min
    limits = [limit for limit in (one.limit, other.limit) if limit is not None]
    fact = Scaled(choose(one.low, other.low), choose(one.high, other.high), one.exponent, min(limits, default=None))
    return recipe.add(name, first, second), fact


def _is_idle(name: Literal["max", "min"], fact: Scaled, constant: Known) -> bool:
    """Whether a bound never binds."""
    scales = [2.0**e for e in (smallest(fact.exponent), largest(fact.exponent))]
    values = constant.values
    if name == "max":
        return max(values) <= min(fact.low * scale for scale in scales)
    return min(values) >= max(fact.high * scale for scale in scales)


def _select(op: Operation, terms: Sequence[Term], recipe: Recipe) -> Result:
    """select(a > b, a, b) is a maximum; with the values exchanged, or with <, a minimum."""
    condition, chosen, otherwise = op.operands
    compared = condition.owner
    if not isinstance(compared, arith.CmpfOp):
        raise NotScaledError("'arith.select' is a maximum or minimum only with a comparison")
    if {chosen, otherwise} != set(compared.operands):
        raise NotScaledError("'arith.select' of other values than those compared is no maximum or minimum")
    predicate = compared.predicate.value.data
    if predicate not in _GREATER and predicate not in _LESS:
        raise NotScaledError("'arith.select' is a maximum or minimum only with a > or <")
    takes_first = chosen is compared.operands[0]
    return _extremum("max" if (predicate in _GREATER) == takes_first else "min", terms[1:], recipe)


_GREATER, _LESS = (2, 3, 9, 10), (4, 5, 11, 12)
"""Predicates of arith.cmpf: > and >=, < and <=, ordered or not."""


def _round(op: Operation, terms: Sequence[Term], recipe: Recipe) -> Result:
    return round_half_even(terms[0].source, _scaled(terms[0]), recipe)


def _floor(op: Operation, terms: Sequence[Term], recipe: Recipe) -> Result:
    fact = _scaled(terms[0])
    if smallest(fact.exponent) >= 0:
        return terms[0].source, fact
    return shifted_right(terms[0].source, fact, recipe)


def _negate(op: Operation, terms: Sequence[Term], recipe: Recipe) -> Result:
    fact = _scaled(terms[0])
    fitting(-fact.high, -fact.low)
    return recipe.add("sub", Constant(0), terms[0].source), Scaled(-fact.high, -fact.low, fact.exponent, fact.limit)


def _resize(op: Operation, terms: Sequence[Term], recipe: Recipe) -> Result | Known:
    """extf and truncf."""
    fact, kind = terms[0].fact, op.results[0].type
    require_float(kind)
    if isinstance(fact, Known):
        return Known(rounded(fact.numbers, kind))
    if isinstance(kind, Float32Type) and not fact.within(-SINGLE_EXACT, SINGLE_EXACT):
        limit = min(SINGLE_EXACT, inf if fact.limit is None else fact.limit)
        return terms[0].source, Scaled(fact.low, fact.high, fact.exponent, int(limit))
    return terms[0].source, fact


def rounded(numbers: Real, kind: Attribute) -> Real:
    """Constants as their type holds them."""
    if not isinstance(kind, Float32Type):
        return numbers
    if isinstance(numbers, Channels):
        return Channels(numbers.axis, tuple(map(_single, numbers.values)))
    return _single(numbers)


def _single(value: float) -> float:
    return float(unpack("f", pack("f", value))[0])


FLOAT_RULES: dict[type[Operation], Rule] = {
    arith.MulfOp: _multiply,
    arith.DivfOp: _divide,
    arith.AddfOp: _add,
    arith.SubfOp: _subtract,
    arith.NegfOp: _negate,
    arith.MaximumfOp: lambda op, terms, recipe: _extremum("max", terms, recipe),
    arith.MinimumfOp: lambda op, terms, recipe: _extremum("min", terms, recipe),
    arith.MaxnumfOp: lambda op, terms, recipe: _extremum("max", terms, recipe),
    arith.MinnumfOp: lambda op, terms, recipe: _extremum("min", terms, recipe),
    arith.SelectOp: _select,
    arith.ExtFOp: _resize,
    arith.TruncFOp: _resize,
    math.RoundEvenOp: _round,
    math.FloorOp: _floor,
}
