"""Happens-before, as the tokens enforce it.

Each queue has one producer and one consumer, so its k-th pop always takes its k-th push, whatever
the timing. That and each unit's own order are all that orders instructions; the order is held as
vector clocks: how many instructions of each unit are complete whenever a given one starts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.machine.stream import UnitIndex
from vtac.targets.vta.machine.tokens import QUEUES
from vtac.targets.vta.proof.stream import Stream, pops, pushes

Clock = tuple[int, int, int]
Clocks = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Order:
    """How far execution gets and what is ordered before what.

    `executed[u]` instructions of unit u start in every interleaving, none of its others in any.
    `before[u]` has shape (executed[u], 3): row p counts the instructions of each unit that are
    complete when the p-th of unit u starts. `taken[q]` is the number of tokens popped from queue q,
    `fetched` the number of instructions that fetch handed to the units.
    """

    executed: tuple[int, ...]
    before: tuple[Clocks, ...]
    taken: tuple[int, ...]
    fetched: int

    def unordered(self, reader: int, positions: NDArray[np.int64], writer: int) -> tuple[Clocks, Clocks]:
        """For each position of `reader`, the half-open range of `writer` positions that nothing orders with it."""
        start = self.before[reader][positions, writer]
        end = np.searchsorted(self.before[writer][:, reader], positions + 1, side="left")
        return start, end.astype(np.int64)


class _Machine:
    """Executes token bits only. What can run does not depend on when it runs, so any schedule will do."""

    def __init__(self, stream: Stream, depth: int) -> None:
        self._depth = depth
        self._unit = stream.unit
        self._pops = [[pops(unit, stream.bits[i]) for i in stream.programs[unit]] for unit in UnitIndex]
        self._pushes = [[pushes(unit, stream.bits[i]) for i in stream.programs[unit]] for unit in UnitIndex]
        self._tokens: list[list[Clock]] = [[] for _ in QUEUES]
        self._queued = [0] * len(UnitIndex)
        self._clocks: list[Clock] = [(0, 0, 0)] * len(UnitIndex)
        self.before: list[list[Clock]] = [[] for _ in UnitIndex]
        self.taken = [0] * len(QUEUES)
        self.fetched = 0

    def run(self) -> Order:
        progress = True
        while progress:
            progress = self._fetch()
            for unit in UnitIndex:
                progress = self._advance(unit) or progress
        clocks = tuple(np.array(clocks, np.int64).reshape(-1, len(UnitIndex)) for clocks in self.before)
        return Order(tuple(map(len, self.before)), clocks, tuple(self.taken), self.fetched)

    def _fetch(self) -> bool:
        """Hand over instructions in stream order until one meets a full queue."""
        start = self.fetched
        queued, before, units = self._queued, self.before, self._unit
        while self.fetched < len(units):
            unit = units[self.fetched]
            if queued[unit] - len(before[unit]) >= self._depth:
                break
            queued[unit] += 1
            self.fetched += 1
        return self.fetched > start

    def _advance(self, unit: int) -> bool:
        """Run one unit until it waits for a token or for fetch."""
        before, pops_here = self.before[unit], self._pops[unit]
        start = position = len(before)
        while position < self._queued[unit] and self._ready(pops_here[position]):
            for queue in pops_here[position]:
                token = self._tokens[queue][self.taken[queue]]
                self._clocks[unit] = _join(self._clocks[unit], token)
                self.taken[queue] += 1
            before.append(self._clocks[unit])
            position += 1
            self._clocks[unit] = _with_own(self._clocks[unit], unit, position)
            for queue in self._pushes[unit][position - 1]:
                self._tokens[queue].append(self._clocks[unit])
        return position > start

    def _ready(self, queues: tuple[int, ...]) -> bool:
        return all(self.taken[queue] < len(self._tokens[queue]) for queue in queues)


def _join(one: Clock, other: Clock) -> Clock:
    return max(one[0], other[0]), max(one[1], other[1]), max(one[2], other[2])


def _with_own(clock: Clock, unit: int, count: int) -> Clock:
    return (
        count if unit == 0 else clock[0],
        count if unit == 1 else clock[1],
        count if unit == 2 else clock[2],
    )


def token_order(stream: Stream, depth: int | None = None) -> Order:
    """The order of a stream whose units' instruction queues hold `depth` instructions (None: any number)."""
    return _Machine(stream, len(stream.instructions) if depth is None else depth).run()
