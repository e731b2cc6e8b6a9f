"""Do loops write each element of a block's output once?"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from math import gcd

from vtac.analysis.expressions.linear import Extents, Linear, Quotient, Remainder
from vtac.analysis.nests.accesses import guards_of, indices_of
from vtac.analysis.nests.nest import extents_around
from vtac.dialects.schedule.payload import BlockOp, ForOp


def writes_once(block: BlockOp, loops: Collection[ForOp]) -> bool:
    """True when no two iterations of the loops provably write the same element, all others at rest.

    Each output index is read as a number in mixed radix; what it determines helps with the
    next one, and quotient and remainder of a fused loop determine that.
    """
    extents = extents_around(block)
    moving: set[Hashable] = {loop.induction_variable for loop in loops if loop.trip_count > 1}
    guards = guards_of(block, extents)
    equations = [_moving_part(index, moving) for index in indices_of(block, len(block.inputs), extents)]
    known: set[Hashable] = set()
    while not moving <= known:
        found = {atom for equation in equations for atom in _digits(equation, known, guards, extents)} - known
        if not found:
            return False
        known |= found
        equations += [_moving_part(numerator, moving) for atom in found for numerator in _settled(atom, known)]
    return True


def _moving_part(expression: Linear, moving: set[Hashable]) -> Linear:
    terms = {a: c for a, c in expression.terms.items() if Linear.variable(a).variables() & moving}
    return Linear(0, terms)


def _settled(atom: Hashable, known: set[Hashable]) -> list[Linear]:
    """The numerator of a quotient or remainder whose other half is known too."""
    if not isinstance(atom, Quotient | Remainder):
        return []
    halves = (Quotient(atom.numerator, atom.divisor), Remainder(atom.numerator, atom.divisor))
    return [atom.numerator] if all(half in known for half in halves) else []


def _digits(equation: Linear, known: set[Hashable], guards: Sequence[Linear], extents: Extents) -> list[Hashable]:
    """The atoms that the equation's value determines: all unknown ones, or none."""
    unknown = sorted(((abs(c), c, a) for a, c in equation.terms.items() if a not in known), key=lambda term: term[0])
    below, reach = Linear(0), 0
    for size, coefficient, atom in unknown:
        if size <= min([reach, *_bounds_by_guard(below, guards)]):
            return []
        low, high = Linear.variable(atom).bounds(extents)
        reach += size * (high - low)
        below = below + Linear(0, {atom: coefficient})
    return [atom for _, _, atom in unknown]


def _bounds_by_guard(below: Linear, guards: Sequence[Linear]) -> list[int]:
    """Upper bounds of an expression from guards `limit - expression / unit >= 0`."""
    unit = gcd(*below.terms.values())
    if unit == 0:
        return []
    scaled = Linear(0, {atom: c // unit for atom, c in below.terms.items()})
    limits = [guard + scaled for guard in guards]
    return [limit.constant * unit for limit in limits if limit.is_constant]
