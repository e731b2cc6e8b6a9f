"""What is known about a value: an integer times a power of two, known numbers, or why it is neither.

Powers of two, shifts and constants are one number for all elements, or one per index of a
dimension: per channel. Of a tensor that is one of its dimensions, of a scalar in the body of an
operation one of its loops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import frexp, isfinite
from typing import Generic, TypeAlias, TypeVar, cast

N_co = TypeVar("N_co", bound=float, covariant=True)

INT32 = (-(1 << 31), (1 << 31) - 1)
INT8 = (-128, 127)


class NotScaledError(Exception):
    """A value that is no integer times a power of two; the text says why."""


@dataclass(frozen=True, slots=True)
class Channels(Generic[N_co]):
    """A number for each index of dimension (or loop) `axis`."""

    axis: int
    values: tuple[N_co, ...]


Amount: TypeAlias = int | Channels[int]
Real: TypeAlias = float | Channels[float]


@dataclass(frozen=True, slots=True)
class Known:
    """Constants: a number, or one per channel."""

    numbers: Real

    @property
    def values(self) -> tuple[float, ...]:
        """The different places' numbers."""
        return self.numbers.values if isinstance(self.numbers, Channels) else (self.numbers,)


@dataclass(frozen=True, slots=True)
class Scaled:
    """An integer from `low` to `high` times 2^`exponent`.

    Beyond `limit`, where there is one, the rounding of f32 may have changed the integer, in a way
    that keeps order: it stays beyond.
    """

    low: int
    high: int
    exponent: Amount = 0
    limit: int | None = None

    def within(self, low: int, high: int) -> bool:
        """Whether the integer lies between two others."""
        return low <= self.low and self.high <= high


Fact: TypeAlias = Scaled | Known | str
"""What is known of a value; a text says why nothing is."""


def each(function: Callable[[int], int], amount: Amount) -> Amount:
    """A function of an amount, channel by channel."""
    if isinstance(amount, Channels):
        return _simplified(Channels(amount.axis, tuple(map(function, amount.values))))
    return function(amount)


def each_real(function: Callable[[float], int], numbers: Real) -> Amount:
    """An integer for each of some constants."""
    if isinstance(numbers, Channels):
        return _simplified(Channels(numbers.axis, tuple(map(function, numbers.values))))
    return function(numbers)


def both(function: Callable[[int, int], int], left: Amount, right: Amount) -> Amount:
    """A function of two amounts, channel by channel. Raises `NotScaledError` for channels of two dimensions."""
    axis, pairs = _pairs(left, right)
    values = tuple(function(int(a), int(b)) for a, b in pairs)
    return values[0] if axis is None else _simplified(Channels(axis, values))


def at(numbers: Real, exponent: Amount) -> Amount:
    """Constants divided by 2^exponent. Raises `NotScaledError` where those are no integers."""
    axis, pairs = _pairs(numbers, exponent)
    values = tuple(at_exponent(value, int(e)) for value, e in pairs)
    return values[0] if axis is None else _simplified(Channels(axis, values))


def finest(exponent: Amount, numbers: Real) -> Amount:
    """The largest exponents up to some at which constants are integers, too."""
    axis, pairs = _pairs(exponent, numbers)
    values = tuple(min(int(e), odd_part(value)[1]) if value else int(e) for e, value in pairs)
    return values[0] if axis is None else _simplified(Channels(axis, values))


def _simplified(found: Channels[int]) -> Amount:
    """One number where all channels have the same."""
    return found.values[0] if len(set(found.values)) == 1 else found


def _pairs(left: Real, right: Real) -> tuple[int | None, list[tuple[float, float]]]:
    """The axis of two amounts, and their numbers side by side."""
    several = [amount for amount in (left, right) if isinstance(amount, Channels)]
    if not several:
        return None, [(cast(float, left), cast(float, right))]
    axis, count = several[0].axis, len(several[0].values)
    if any((found.axis, len(found.values)) != (axis, count) for found in several):
        raise NotScaledError("its scales lie along different dimensions")
    columns = [found.values if isinstance(found, Channels) else (found,) * count for found in (left, right)]
    return axis, list(zip(*columns, strict=True))


def smallest(amount: Amount) -> int:
    """The least of an amount's numbers."""
    return min(amount.values) if isinstance(amount, Channels) else amount


def largest(amount: Amount) -> int:
    """The greatest of an amount's numbers."""
    return max(amount.values) if isinstance(amount, Channels) else amount


def moved(fact: Fact, places: Callable[[int], int | None], why: str) -> Fact:
    """The fact with channels along another dimension; `places` gives it, None where there is none."""
    amount = fact.exponent if isinstance(fact, Scaled) else fact.numbers if isinstance(fact, Known) else 0
    if isinstance(fact, str) or not isinstance(amount, Channels):
        return fact
    axis = places(amount.axis)
    if axis is None:
        return f"its scales lie along dimension {amount.axis}, {why}"
    if isinstance(fact, Known):
        return Known(Channels(axis, tuple(float(value) for value in amount.values)))
    return replace(fact, exponent=Channels(axis, tuple(int(value) for value in amount.values)))


def whole_numbers(fact: Known) -> tuple[int, ...] | None:
    """The numbers of a constant, when all of them are integers."""
    return tuple(map(int, fact.values)) if all(isfinite(v) and v == int(v) for v in fact.values) else None


def odd_part(value: float) -> tuple[int, int]:
    """(m, e) of a finite number m * 2^e, with m odd, or (0, 0). Raises `NotScaledError`."""
    if not isfinite(value):
        raise NotScaledError(f"it takes the constant {value}")
    if isinstance(value, int):
        return (value >> (shift := (value & -value).bit_length() - 1), shift) if value else (0, 0)
    mantissa, exponent = frexp(value)
    whole = int(mantissa * (1 << 53))
    if not whole:
        return 0, 0
    shift = (whole & -whole).bit_length() - 1
    return whole >> shift, exponent - 53 + shift


def at_exponent(value: float, exponent: int) -> int:
    """The integer that is a number divided by 2^exponent. Raises `NotScaledError` where it is none."""
    quotient = Fraction(value) / Fraction(2) ** exponent if isfinite(value) else None
    if quotient is None or quotient.denominator != 1:
        raise NotScaledError(f"the constant {value:.9g} is no multiple of 2^{exponent}")
    return quotient.numerator


def joined(facts: Sequence[Fact]) -> Fact:
    """What is known of a tensor made of several."""
    reason = next((fact for fact in facts if isinstance(fact, str)), None)
    if reason is not None:
        return reason
    scaled = [fact for fact in facts if isinstance(fact, Scaled)]
    if not scaled:
        same = all(fact == facts[0] for fact in facts)
        return facts[0] if same else "it joins different constants"
    try:
        lows, highs = list[int](), list[int]()
        for fact in facts:
            low, high = _bounds_at(fact, scaled[0].exponent)
            lows.append(low)
            highs.append(high)
    except NotScaledError as reason:
        return str(reason)
    limits = [fact.limit for fact in scaled if fact.limit is not None]
    return Scaled(min(lows), max(highs), scaled[0].exponent, min(limits, default=None))


def _bounds_at(fact: Fact, exponent: Amount) -> tuple[int, int]:
    if isinstance(fact, Known):
        found = at(fact.numbers, exponent)
        return smallest(found), largest(found)
    if not isinstance(fact, Scaled) or fact.exponent != exponent:
        raise NotScaledError("it joins tensors of different scales")
    return fact.low, fact.high
