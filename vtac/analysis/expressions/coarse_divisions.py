"""Quotients and remainders without what never carries into them.

(64 s + 8 l) div 256 is s div 4 where 8 l < 64, and (64 s + 8 l) mod 256 is 64 (s mod 4) + 8 l: with g a divisor of d,
    (g m + r) div d  =  m div (d / g)            for 0 <= r < g
    (g m + r) mod d  =  g (m mod (d / g)) + r
"""

from __future__ import annotations

from collections.abc import Hashable
from math import gcd

from vtac.analysis.expressions.linear import Extents, Linear, Quotient, Remainder


def coarse(expression: Linear, extents: Extents) -> Linear:
    """An expression whose quotients and remainders are of as few terms as these rules leave; of the same values."""
    found = Linear(expression.constant)
    for atom, factor in expression.terms.items():
        found += (_settled(atom, extents) if isinstance(atom, Quotient | Remainder) else Linear.variable(atom)) * factor
    return found


def _settled(atom: Quotient | Remainder, extents: Extents) -> Linear:
    numerator, divisor = coarse(atom.numerator, extents), atom.divisor
    grain = _grain(numerator, divisor, extents)
    if grain is None:
        whole = numerator.floor_divide if isinstance(atom, Quotient) else numerator.modulo
        return whole(divisor, extents)
    many: dict[Hashable, int] = {one: factor // grain for one, factor in numerator.terms.items() if factor % grain == 0}
    counted = Linear(numerator.constant // grain, many)
    if isinstance(atom, Quotient):
        return counted.floor_divide(divisor // grain, extents)
    return counted.modulo(divisor // grain, extents) * grain + (numerator - counted * grain)


def _grain(numerator: Linear, divisor: int, extents: Extents) -> int | None:
    """The largest divisor that some terms are multiples of, while all others together stay below it; None for none."""
    grains = sorted({gcd(factor, divisor) for factor in numerator.terms.values()} - {1, divisor}, reverse=True)
    for grain in grains:
        rest = {atom: factor for atom, factor in numerator.terms.items() if factor % grain}
        low, high = Linear(numerator.constant % grain, rest).bounds(extents)
        if rest and low >= 0 and high < grain:
            return grain
    return None
