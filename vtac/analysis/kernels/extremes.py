"""The smallest and largest value of a quasi-affine expression where guards hold, exactly.

Guards are expressions that are 0 or more. A variable that stands linearly everywhere, and with no other such one in a
guard, need not be enumerated: once the others are fixed, guards leave it an interval, and the expression is extreme
at an end of it. The others are enumerated, all combinations at once.

`relaxed` problems take quotients and remainders as variables of their own. Their answers are never too narrow, and
cheap where exact ones are not: tests of h and w of a pixel p, h = p div 14 and w = p mod 14, enumerate no p.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import gcd, prod

import numpy as np
from numpy.typing import NDArray

from vtac.analysis.expressions.linear import Extents, Linear, Quotient, Remainder
from vtac.analysis.kernels.alignment import multiple_of

Integers = NDArray[np.int64]
MOST_POINTS = 1 << 20
"""Combinations that are enumerated at once."""


@dataclass(frozen=True, slots=True)
class Extreme:
    """A value, and values of variables where it is taken; those that are not named may have any."""

    value: int
    point: Mapping[Hashable, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """Where `guards` hold; each variable, or each atom of a relaxed problem, runs over an interval of `ranges`."""

    expression: Linear
    guards: tuple[Linear, ...]
    ranges: Mapping[Hashable, tuple[int, int]]
    relaxed: bool

    @staticmethod
    def exact(expression: Linear, guards: Sequence[Linear], extents: Extents) -> Problem:
        """The problem itself, of those guards that bear upon the expression."""
        bearing = _bearing_on(expression, guards)
        variables = set[Hashable]().union(*(one.variables() for one in (expression, *bearing)))
        return Problem(expression, tuple(bearing), {v: (0, extents[v] - 1) for v in variables}, relaxed=False)

    @staticmethod
    def relax(expression: Linear, guards: Sequence[Linear], extents: Extents) -> Problem:
        """The problem with an atom of the guards in place of what it is made of, wherever the expression has that."""
        bearing = _bearing_on(expression, guards)
        whole = expression
        for atom in dict.fromkeys(atom for guard in bearing for atom in _atoms_of(guard)):
            whole = _taken_apart(whole, atom)
        atoms = [atom for one in (whole, *bearing) for atom in one.terms]
        ranges = {atom: _values_of(atom, extents) for atom in atoms}
        return Problem(whole, tuple(bearing), ranges, relaxed=True)

    def points(self) -> int:
        """Combinations to enumerate."""
        return prod(high - low + 1 for low, high in map(self.ranges.__getitem__, self.enumerated()))

    def free(self) -> list[Hashable]:
        """What need not be enumerated: first what has most values."""
        everything = (self.expression, *self.guards)
        bound = set[Hashable]() if self.relaxed else set[Hashable]().union(*map(_within_atoms, everything))
        chosen: list[Hashable] = []
        for one in sorted(self.ranges, key=lambda variable: self.ranges[variable][0] - self.ranges[variable][1]):
            shared = any(one in guard.terms and any(other in guard.terms for other in chosen) for guard in self.guards)
            if one not in bound and not shared:
                chosen.append(one)
        return chosen

    def enumerated(self) -> list[Hashable]:
        """What is enumerated."""
        free = self.free()
        return [variable for variable in self.ranges if variable not in free]

    def extremes(self) -> tuple[Extreme, Extreme] | None:
        """The smallest and the largest value; None where guards never hold together."""
        return _Enumeration(self).extremes()


def shortened(guards: Sequence[Linear], extents: Extents) -> Extents:
    """Extents without what guards of one variable cut off at its end."""
    shorter: dict[Hashable, int] = {}
    for guard in guards:
        ((variable, factor), *others) = guard.terms.items() or [(None, 0)]
        if not others and factor < 0 and variable in extents and guard.constant >= 0:
            shorter[variable] = min(shorter.get(variable, extents[variable]), guard.constant // -factor + 1)
    return {**extents, **shorter}


def _values_of(atom: Hashable, extents: Extents) -> tuple[int, int]:
    """The interval of an atom's values, ends included; a remainder of multiples ends at a multiple."""
    low, high = Linear.variable(atom).bounds(extents)
    if isinstance(atom, Remainder):
        step = gcd(multiple_of(atom.numerator, extents), atom.divisor)
        return low, high // step * step
    return low, high


def _atoms_of(expression: Linear) -> Iterator[Quotient | Remainder]:
    """Quotients and remainders; those that others are made of first."""
    for atom in expression.terms:
        if isinstance(atom, Quotient | Remainder):
            yield from _atoms_of(atom.numerator)
            yield atom


def _within_atoms(expression: Linear) -> set[Hashable]:
    atoms = [atom for atom in expression.terms if isinstance(atom, Quotient | Remainder)]
    return set[Hashable]().union(*(atom.numerator.variables() for atom in atoms))


def _bearing_on(expression: Linear, guards: Sequence[Linear]) -> list[Linear]:
    """The guards that share variables with an expression, by way of others too."""
    known, left, found = expression.variables(), list(dict.fromkeys(guards)), list[Linear]()
    while True:
        more = [guard for guard in left if guard.variables() & known or guard.is_constant]
        if not more:
            return found
        found += more
        left = [guard for guard in left if guard not in more]
        known |= set[Hashable]().union(*(guard.variables() for guard in more))


def _taken_apart(expression: Linear, atom: Quotient | Remainder) -> Linear:
    """With c * d * (n div d) + c * (n mod d) for c * n, where the expression holds that, n and d being the atom's."""
    numerator, divisor = atom.numerator, atom.divisor
    (first, own), *_ = numerator.terms.items()
    factor = expression.terms.get(first, 0) // own
    if factor == 0 or any(expression.terms.get(term) != factor * each for term, each in numerator.terms.items()):
        return expression
    terms = {term: each for term, each in expression.terms.items() if term not in numerator.terms}
    for part, size in ((_whole(numerator, divisor), divisor), (Remainder(numerator, divisor), 1)):
        terms[part] = terms.get(part, 0) + factor * size
    return Linear(expression.constant - factor * numerator.constant, terms)


def _whole(numerator: Linear, divisor: int) -> Quotient:
    """The quotient as expressions hold it: one of a quotient has the first one's numerator."""
    (atom, factor), *others = numerator.terms.items()
    if not others and factor == 1 and numerator.constant == 0 and isinstance(atom, Quotient):
        return Quotient(atom.numerator, atom.divisor * divisor)
    return Quotient(numerator, divisor)


class _Enumeration:
    """All combinations of what is enumerated, one axis each."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.free = problem.free()
        self.axes = problem.enumerated()
        self.shape = tuple(problem.ranges[v][1] - problem.ranges[v][0] + 1 for v in self.axes)
        self.known: dict[Hashable, Integers] = {}
        for axis, (variable, size) in enumerate(zip(self.axes, self.shape, strict=True)):
            low = problem.ranges[variable][0]
            line = np.arange(low, low + size, dtype=np.int64)
            self.known[variable] = line.reshape(tuple(size if at == axis else 1 for at in range(len(self.axes))))

    def value(self, expression: Linear, without: Iterable[Hashable] = ()) -> Integers:
        """An expression at every combination, without some of its terms."""
        total = np.full((1,) * len(self.axes), expression.constant, np.int64)
        for atom, factor in expression.terms.items():
            if atom not in without:
                total = total + self._atom(atom) * factor
        return total

    def _atom(self, atom: Hashable) -> Integers:
        if atom not in self.known:
            if isinstance(atom, Quotient):
                self.known[atom] = self.value(atom.numerator) // atom.divisor
            elif isinstance(atom, Remainder):
                self.known[atom] = self.value(atom.numerator) % atom.divisor
            else:
                raise KeyError(atom)
        return self.known[atom]

    def intervals(self) -> tuple[dict[Hashable, tuple[Integers, Integers]], NDArray[np.bool_]]:
        """What guards leave of each free variable, and where they hold at all."""
        ones = (1,) * len(self.axes)
        left = {v: tuple(np.full(ones, end, np.int64) for end in self.problem.ranges[v]) for v in self.free}
        holds = np.ones(ones, np.bool_)
        for guard in self.problem.guards:
            variable = next((v for v in self.free if v in guard.terms), None)
            if variable is None:
                holds = holds & (self.value(guard) >= 0)
                continue
            factor, rest = guard.terms[variable], self.value(guard, [variable])
            low, high = left[variable]
            # factor * v + rest >= 0
            if factor > 0:
                left[variable] = (np.maximum(low, -(rest // factor)), high)
            else:
                left[variable] = (low, np.minimum(high, rest // -factor))
        for low, high in left.values():
            holds = holds & (low <= high)
        return {v: (low, high) for v, (low, high) in left.items()}, holds

    def extremes(self) -> tuple[Extreme, Extreme] | None:
        intervals, holds = self.intervals()
        if not holds.any():
            return None
        expression = self.problem.expression
        base = self.value(expression, self.free)
        return self._extreme(base, intervals, holds, -1), self._extreme(base, intervals, holds, 1)

    def _extreme(
        self,
        base: Integers,
        intervals: Mapping[Hashable, tuple[Integers, Integers]],
        holds: NDArray[np.bool_],
        sign: int,
    ) -> Extreme:
        terms, total = self.problem.expression.terms, base
        chosen: dict[Hashable, Integers] = {}
        for variable, (low, high) in intervals.items():
            factor = terms.get(variable, 0)
            chosen[variable] = high if factor * sign > 0 else low
            total = total + chosen[variable] * factor if factor else total
        worst = np.iinfo(np.int64).min
        ranked = np.where(holds, total * sign, worst)
        place = np.unravel_index(int(np.argmax(ranked)), ranked.shape)
        point = {v: _at(values, place) for v, values in (*chosen.items(), *((v, self.known[v]) for v in self.axes))}
        return Extreme(int(ranked[place]) * sign, point)


def _at(values: Integers, place: tuple[np.intp, ...]) -> int:
    return int(values[tuple(at if size > 1 else 0 for at, size in zip(place, values.shape, strict=True))])
