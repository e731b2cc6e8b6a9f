"""Quasi-affine expressions with variables taken out of the quotients and remainders that they do not change."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from math import gcd

from vtac.analysis.expressions.linear import ZERO, Extents, Linear, Quotient, Remainder


def separated(index: Linear, variables: Collection[Hashable], extents: Extents) -> Linear:
    """The same expression, linear in some variables wherever ranges show that they pass no multiple of a divisor.

    (8 * tile + column) mod 16 is 8 * tile mod 16 + column, and its quotient that of 8 * tile, where column < 8.
    Quotients and remainders of these variables alone count as one of them.
    """
    total = Linear(index.constant)
    for atom, factor in index.terms.items():
        total = total + _outside(atom, variables, extents) * factor
    return total


def _outside(atom: Hashable, variables: Collection[Hashable], extents: Extents) -> Linear:
    if not isinstance(atom, Quotient | Remainder):
        return Linear.variable(atom)
    numerator = separated(atom.numerator, variables, extents)
    own = {one: factor for one, factor in numerator.terms.items() if Linear.variable(one).variables() <= {*variables}}
    inner = Linear(0, own)
    outer = numerator - inner
    multiple = gcd(atom.divisor, outer.constant, *outer.terms.values())
    low, high = inner.bounds(extents)
    if low < 0 or high >= multiple:
        inner, outer = ZERO, numerator
    if isinstance(atom, Quotient):
        return outer.floor_divide(atom.divisor, extents)
    return outer.modulo(atom.divisor, extents) + inner
