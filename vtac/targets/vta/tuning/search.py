"""The search of one layer's space: best first, without what cannot be better, and the same whoever does the work.

Tilings are given out in batches. What is left out of batch n follows from the batches up to n - LOOKAHEAD alone, so
that it does not matter how many workers there are, which of them is faster, or what a store knew before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from vtac.store.records import Outcome
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.schedules.tilings import Column, Mask
from vtac.targets.vta.tuning.space import Member, Space

Objective = Literal["cycles", "bytes", "pareto"]
BATCH = 6
"""Tilings that a worker gets at once: a second or two of work, so that handing them out takes little of it."""
LOOKAHEAD = 8
"""Batches of one layer that may be at work at once."""

Point = tuple[int, int]
"""Cycles and bytes."""


@dataclass(frozen=True)
class Found:
    """A tiling that was built, proven and counted."""

    tiling: Tiling
    cycles: int
    nbytes: int

    @property
    def point(self) -> Point:
        return self.cycles, self.nbytes


@dataclass
class Best:
    """The best of what has come back, by an objective; the first of equals. `front` is where none is better in both."""

    objective: Objective
    found: Found | None = None
    front: list[Found] = field(default_factory=list[Found])

    def add(self, one: Found) -> None:
        """Compare with one more."""
        if self.found is None or self._rank(one.point) < self._rank(self.found.point):
            self.found = one
        if not any(dominates(other.point, one.point) for other in self.front):
            self.front = [other for other in self.front if not dominates(one.point, other.point)]
            self.front.append(one)
            self.front.sort(key=lambda other: other.point)

    def may_improve(self, cycles: Column, nbytes: Column) -> Mask:
        """Which tilings of a space could be better, by their bounds."""
        if self.found is None:
            return np.ones(len(cycles), np.bool_)
        if self.objective == "pareto":
            better = [(cycles < one.cycles) | (nbytes < one.nbytes) for one in self.front]
            return np.logical_and.reduce(better)
        first, second = (nbytes, cycles) if self.objective == "bytes" else (cycles, nbytes)
        best, tie = self._rank(self.found.point)
        return (first < best) | ((first == best) & (second < tie))

    def _rank(self, point: Point) -> Point:
        return point if self.objective != "bytes" else (point[1], point[0])


def dominates(one: Point, other: Point) -> bool:
    """As good in both."""
    return one[0] <= other[0] and one[1] <= other[1]


class LayerSearch:
    """Gives out batches of a space, and takes back what became of them.

    `most` bounds the tilings that are tried. `first` is tried before all others: what the default schedule takes.
    """

    def __init__(self, space: Space, objective: Objective, first: Member, most: int | None = None) -> None:
        self.space = space.sorted(_order(space, objective))
        self.objective: Objective = objective
        self.best = Best(objective)
        self.refused = 0
        self._first = first
        self._most = len(space) + 1 if most is None else most
        self._known = Best(objective)
        self._next = 0
        self._given = np.zeros(len(space), np.bool_)
        self._batches: list[Sequence[Member]] = []
        self._results: dict[int, Sequence[Outcome]] = {}
        self._folded = 0

    @property
    def tried(self) -> int:
        """Tilings that were given out."""
        return sum(map(len, self._batches))

    @property
    def is_waiting(self) -> bool:
        """Whether the next batch depends on one that has not come back."""
        return any(number not in self._results for number in range(self._folded, self._due))

    @property
    def is_done(self) -> bool:
        """Whether there is nothing more to give out, as far as is known."""
        return self.tried >= self._most or (not self.is_waiting and self.is_exhausted)

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing would be given out however many might be tried; everything must have come back."""
        return bool(self._batches) and not self._coming(1)

    def allow(self, more: int) -> None:
        """Let so many more be tried."""
        self._most += more

    def batch(self) -> tuple[int, Sequence[Member]]:
        """The number and the members of the next batch: none if the search is done. It must not be waiting."""
        chosen = [self._first]
        if self._batches:
            places = self._coming(min(BATCH, self._most - self.tried))
            self._given[places] = True
            self._next = places[-1] + 1 if places else self._next
            members = (self.space.member(place) for place in places)
            chosen = [member for member in members if member.tiling != self._first.tiling]
        self._batches.append(chosen)
        return len(self._batches) - 1, chosen

    def take(self, number: int, outcomes: Sequence[Outcome]) -> None:
        """What became of a batch."""
        self._results[number] = outcomes

    def finish(self) -> None:
        """Compare everything that came back, batch by batch in their order, so that the first of equals wins."""
        self.best = Best(self.objective)
        for one in self.found():
            self.best.add(one)
        self.refused = sum(not outcome.is_ok for _, outcome in self._tried())

    def found(self) -> Iterator[Found]:
        """The tilings that were tried and not refused, in the order in which they were given out."""
        for member, outcome in self._tried():
            if outcome.is_ok:
                yield Found(member.tiling, outcome.cycles, outcome.nbytes)

    def mishaps(self) -> list[tuple[Member, Outcome]]:
        """The tilings of which nothing is known though they were tried."""
        return [(member, outcome) for member, outcome in self._tried() if outcome.is_mishap]

    def _tried(self) -> Iterator[tuple[Member, Outcome]]:
        """What became of what came back, in the order in which it was given out."""
        for number in sorted(self._results):
            yield from zip(self._batches[number], self._results[number], strict=True)

    def outcome_of(self, tiling: Tiling) -> Found | None:
        """What a tiling took that was tried; None for one that was not, or was refused."""
        return next((one for one in self.found() if one.tiling == tiling), None)

    def least(self) -> Point:
        """The cycles, and the bytes, that no tiling of the space goes below: of what was tried, and by bounds."""
        cycles, nbytes = self._bounds_of_rest()
        ends = [min(one.point[at] for one in self.best.front) for at in (0, 1)]
        return int(cycles.min(initial=ends[0])), int(nbytes.min(initial=ends[1]))

    def front_gap(self) -> float:
        """How much better a tiling of the space may be than any of the front, in cycles and in bytes, as a share.

        Each takes as many cycles, and as many bytes, as one of the front, but for that share of these; 0.0: there is no
        other front.
        """
        cycles, nbytes = self._bounds_of_rest()
        above = [np.maximum(one.cycles / cycles, one.nbytes / nbytes) for one in self.best.front]
        return float(np.minimum.reduce(above).max(initial=1.0)) - 1

    def _bounds_of_rest(self) -> tuple[Column, Column]:
        """Cycles and bytes that tilings take at least of which no more is known: not tried, or with a mishap."""
        unknown = [member for member, _ in self.mishaps()]
        left = self.space.least_cycles[~self._given], self.space.least_bytes[~self._given]
        again = [one.least_cycles for one in unknown], [one.least_bytes for one in unknown]
        cycles, nbytes = (np.append(one, np.array(more, np.int64)) for one, more in zip(left, again, strict=True))
        return cycles, nbytes

    @property
    def _due(self) -> int:
        """Batches on which the next one depends."""
        return max(0, len(self._batches) + 1 - LOOKAHEAD)

    def _fold(self) -> None:
        while self._folded < self._due:
            for member, outcome in zip(self._batches[self._folded], self._results[self._folded], strict=True):
                if outcome.is_ok:
                    self._known.add(Found(member.tiling, outcome.cycles, outcome.nbytes))
            self._folded += 1

    def _coming(self, size: int) -> list[int]:
        """The places of the next few that may be better than what is known."""
        self._fold()
        left = slice(self._next, None)
        able = self._known.may_improve(self.space.least_cycles[left], self.space.least_bytes[left])
        return [self._next + int(place) for place in np.flatnonzero(able)[:size]]


def _order(space: Space, objective: Objective) -> Column:
    """Most promising first; ties as they are declared.

    For cycles by turns one that is thought to take the fewest, and one of the lowest bound: of those that are left the
    lowest bound says how far the best may be. For the front by turns one from its middle and one from each end.
    """
    by_cycles, by_bytes = np.lexsort((space.nbytes, space.cycles)), np.lexsort((space.cycles, space.nbytes))
    if objective == "bytes":
        return by_bytes
    if objective == "pareto":
        middle = np.lexsort((space.cycles, space.cycles.astype(np.float64) * space.nbytes))
        return _by_turns(middle, by_cycles, by_bytes)
    return _by_turns(by_cycles, np.lexsort((space.cycles, space.least_cycles)))


def _by_turns(*orders: Column) -> Column:
    """One order of several: the first of each, then the second, what was there before left out."""
    turns = np.empty((len(orders), len(orders[0])), np.int64)
    for ranks, order in zip(turns, orders, strict=True):
        ranks[order] = np.arange(len(order))
    first = turns.min(axis=0)
    return np.lexsort((turns.argmin(axis=0), first))
