"""Integers times powers of two, brought to another power: shifted, and rounded to the nearest, half to even."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from vtac.analysis.values.recipes import Constant, Recipe
from vtac.analysis.values.scaled_integers import (
    INT32,
    Amount,
    NotScaledError,
    Scaled,
    both,
    each,
    largest,
    smallest,
)

SINGLE_EXACT = 1 << 24
"""Integers up to here are exact in f32."""


Result: TypeAlias = tuple[int, Scaled]
"""The number of a value in a recipe, and what is known of it: bounds, and by which powers of two it is scaled."""


def fitting(low: int, high: int) -> None:
    """Raises `NotScaledError` for integers that 32 bits do not hold."""
    if low < INT32[0] or high > INT32[1]:
        raise NotScaledError(f"its integers lie between {low} and {high}, which 32 bits do not hold")


def aligned(source: int, fact: Scaled, exponent: Amount, recipe: Recipe) -> Result:
    """The same number with a smaller exponent: shifted left.

    Raises `NotScaledError` where the exponent is smaller already, and where it is too far away.
    """
    amount = both(lambda e, to: e - to, fact.exponent, exponent)
    low, high = _shift(fact.low, amount, min), _shift(fact.high, amount, max)
    if amount == 0:
        return source, fact
    if smallest(amount) < 0:
        raise NotScaledError("its scale is finer than what it is brought to")
    if largest(amount) > 31:
        raise NotScaledError(f"it is {largest(amount)} bits away from the scale of what it meets")
    fitting(low, high)
    limit = None if fact.limit is None else fact.limit << smallest(amount)
    return recipe.shift_left(source, amount), Scaled(low, high, exponent, limit)


def _shift(number: int, amount: Amount, choose: Callable[[int, int], int]) -> int:
    return choose(number << max(smallest(amount), 0), number << max(largest(amount), 0))


def shifted_right(source: int, fact: Scaled, recipe: Recipe) -> Result:
    """The number rounded down to a whole one. Raises `NotScaledError` as `aligned` does."""
    source, fact, amount = _whole_shift(source, fact, recipe)
    if amount == 0:
        return source, fact
    few, many = smallest(amount), largest(amount)
    limit = None if fact.limit is None else fact.limit >> many
    bounds = min(fact.low >> few, fact.low >> many), max(fact.high >> few, fact.high >> many)
    return recipe.add("shr", source, Constant(_capped(amount))), Scaled(*bounds, 0, limit)


def _capped(amount: Amount) -> Amount:
    return each(lambda n: min(n, 31), amount)


def _whole_shift(source: int, fact: Scaled, recipe: Recipe) -> tuple[int, Scaled, Amount]:
    """The number with exponents of at most 0, and by how much it is shifted right to be a whole one."""
    source, fact = aligned(source, fact, each(lambda e: min(e, 0), fact.exponent), recipe)
    return source, fact, each(lambda e: -e, fact.exponent)


def round_half_even(source: int, fact: Scaled, recipe: Recipe) -> Result:
    """The number rounded to the nearest whole one, half to even; no step may wrap.

    With a = x + 2^(n-1), a quotient's half up is a >> n. Its even part is twice a >> (n+1); what is left is 1 from
    2^n + 1 on, counted from there: that is (a + 2^n - 1) >> (n+1) less the first. Both shifts together are the
    quotient, and at a half the even one. Raises `NotScaledError` where a step may wrap.
    """
    if smallest(fact.exponent) >= 0:
        return aligned(source, fact, 0, recipe)
    target = each(lambda e: min(e, -1), fact.exponent) if _has_whole_channels(fact) else fact.exponent
    source, fact = aligned(source, fact, target, recipe)
    amount = each(lambda e: -e, fact.exponent)
    few, many = smallest(amount), largest(amount)
    half = 1 << (many - 1)
    if many > 30 or fact.low < INT32[0] or fact.high + half + 2 * half - 1 > INT32[1]:
        raise NotScaledError(
            f"it rounds half to even by {many} bits a value between {fact.low} and {fact.high}; with additions "
            "and shifts that is exact only while they stay within 32 bits: bound the bias, or clamp first"
        )
    up = recipe.add("add", source, Constant(each(lambda n: 1 << (n - 1), amount)))
    past = each(lambda n: n + 1, amount)
    even = recipe.add("shr", up, Constant(past))
    odd = recipe.add("add", up, Constant(each(lambda n: (1 << n) - 1, amount)))
    odd = recipe.add("shr", odd, Constant(past))
    low = min(_nearest_even(fact.low, few), _nearest_even(fact.low, many))
    high = max(_nearest_even(fact.high, few), _nearest_even(fact.high, many))
    limit = None if fact.limit is None else fact.limit >> many
    return recipe.add("add", even, odd), Scaled(low, high, 0, limit)


def _has_whole_channels(fact: Scaled) -> bool:
    return largest(fact.exponent) >= 0


def _nearest_even(value: int, amount: int) -> int:
    whole, rest = divmod(value, 1 << amount)
    twice = 2 * rest - (1 << amount)
    return whole + (twice > 0 or (twice == 0 and whole % 2 == 1))
