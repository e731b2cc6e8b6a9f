"""Happens-before, as the tokens enforce it.

Each queue has one producer and one consumer, so its k-th pop always takes its k-th push, whatever
the timing. That and each unit's own order are all that orders instructions; the order is held as
vector clocks: how many instructions of each unit are complete whenever a given one starts.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import NamedTuple

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


class _Event(NamedTuple):
    """An instruction that takes tokens, or gives some: its place in its unit's program, and the queues."""

    position: int
    pops: tuple[int, ...]
    pushes: tuple[int, ...]


class _Machine:
    """Executes token bits only. What can run does not depend on when it runs, so any schedule will do.

    An instruction without tokens changes nothing but its unit's own count.
    """

    def __init__(self, stream: Stream, depth: int) -> None:
        self._depth = depth
        self._programs = stream.programs
        self._length = len(stream)
        self._events = [_events(stream, unit) for unit in UnitIndex]
        self._next_event = [0] * len(UnitIndex)
        self._tokens: list[list[Clock]] = [[] for _ in QUEUES]
        self._clocks: list[Clock] = [(0, 0, 0)] * len(UnitIndex)
        self._changes: list[list[tuple[int, Clock]]] = [[] for _ in UnitIndex]
        self._executed = [0] * len(UnitIndex)
        self._queued = [0] * len(UnitIndex)
        self._held = [0] * len(QUEUES)
        self.taken = [0] * len(QUEUES)
        self.fetched = 0

    def run(self) -> Order:
        progress = True
        while progress:
            progress = self._fetch()
            for unit in UnitIndex:
                progress = self._advance(unit) or progress
        clocks = tuple(map(self._before, UnitIndex))
        return Order(tuple(self._executed), clocks, tuple(self.taken), self.fetched)

    def _fetch(self) -> bool:
        """Hand over instructions in stream order until one meets a full queue."""
        start, end = self.fetched, self._length
        for program, executed in zip(self._programs, self._executed, strict=True):
            if executed + self._depth < len(program):
                end = min(end, program[executed + self._depth])
        self.fetched = max(start, end)
        self._queued = [bisect_left(program, self.fetched) for program in self._programs]
        return self.fetched > start

    def _advance(self, unit: int) -> bool:
        """Run one unit until it waits for a token or for fetch."""
        events, limit, start = self._events[unit], self._queued[unit], self._executed[unit]
        number = self._next_event[unit]
        while number < len(events) and events[number].position < limit and self._is_ready(events[number].pops):
            self._step(unit, events[number])
            number += 1
        self._next_event[unit] = number
        self._executed[unit] = limit if number == len(events) else min(limit, events[number].position)
        return self._executed[unit] > start

    def _is_ready(self, queues: tuple[int, ...]) -> bool:
        return all(map(self._held.__getitem__, queues))

    def _step(self, unit: int, event: _Event) -> None:
        position, taken, given = event
        if taken:
            clock = self._clocks[unit]
            for queue in taken:
                clock = _join(clock, self._tokens[queue][self.taken[queue]])
                self.taken[queue] += 1
                self._held[queue] -= 1
            self._clocks[unit] = clock
            self._changes[unit].append((position, clock))
        if given:
            own = _with_own(self._clocks[unit], unit, position + 1)
            for queue in given:
                self._tokens[queue].append(own)
                self._held[queue] += 1

    def _before(self, unit: int) -> Clocks:
        """The clock of each instruction that a unit executes: of its own it counts those before it."""
        clocks = np.zeros((self._executed[unit], len(UnitIndex)), np.int64)
        if self._changes[unit]:
            positions, changed = zip(*self._changes[unit], strict=True)
            clocks[list(positions)] = changed
        clocks = np.maximum.accumulate(clocks, axis=0)
        clocks[:, unit] = np.arange(len(clocks))
        return clocks


def _events(stream: Stream, unit: int) -> list[_Event]:
    kinds = [(pops(unit, bits), pushes(unit, bits)) for bits in range(16)]
    bits: list[int] = stream.bits_of(unit).tolist()
    return [_Event(at, *kinds[one]) for at, one in enumerate(bits) if one]


def _join(one: Clock, other: Clock) -> Clock:
    (a, b, c), (d, e, f) = one, other
    return a if a > d else d, b if b > e else e, c if c > f else f


def _with_own(clock: Clock, unit: int, count: int) -> Clock:
    return (
        count if unit == 0 else clock[0],
        count if unit == 1 else clock[1],
        count if unit == 2 else clock[2],
    )


def token_order(stream: Stream, depth: int | None = None) -> Order:
    """The order of a stream whose units' instruction queues hold `depth` instructions (None: any number)."""
    return _Machine(stream, len(stream) if depth is None else depth).run()
