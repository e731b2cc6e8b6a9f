"""The order of loads: one that must wait lets those behind it pass that need not wait as long.

No load passes a store that writes DRAM pages which it reads, nor a load that writes the same tile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.isa.instructions import Memory
from vtac.targets.vta.stream.durations import Durations
from vtac.targets.vta.stream.footprints import Footprints, Issued

LOAD, COMPUTE = 1, 2
WINDOW = 64
"""How many loads one load may pass."""
_NO_LOAD = (-1,)
_NEVER = 1 << 62
"""When what waits for loads that have no place yet is over."""


@dataclass(slots=True)
class _Load:
    """A load: which instruction it is, what it waits for, what it writes, and how many cycles it takes.

    `after` is the last compute instruction that reads what it overwrites, `floor` the last store before it of what
    it reads, `anchor` the instruction it stands before. Loads of a `group` have no computation between them.
    """

    number: int
    after: int
    floor: int
    memory: int
    start: int
    stop: int
    anchor: int
    cycles: int
    group: int

    def meets(self, other: _Load) -> bool:
        return self.memory == other.memory and self.start < other.stop and other.start < self.stop


def order_loads(footprints: Footprints, issued: Sequence[Issued]) -> list[int]:
    """Numbers of the instructions in their new order; all but loads keep theirs.

    The load unit takes the first load that need not wait when it is free, unless that would make one before it wait
    longer. Times are estimated: of each unit, one instruction after the other.
    """
    durations = list(map(Durations(footprints.config).of, issued))
    loads, needs = _waits(footprints, issued, durations)
    return _merged(issued, _Times(issued, durations, loads, needs).queue())


@dataclass
class _Times:
    """When the units are done with what; `needs` has for each instruction the loads that it reads, the last one last.

    A load that was passed is over behind those that passed it, so that the last one in the program says too little.
    """

    issued: Sequence[Issued]
    durations: Sequence[int]
    loads: Sequence[_Load]
    needs: Sequence[tuple[int, ...]]
    ends: list[int] = field(default_factory=list[int])
    """Of every instruction that is known to be over, when that is; loads apart."""
    done: dict[int, int] = field(default_factory=dict[int, int])
    """When each load that has its place is over."""
    busy: list[int] = field(default_factory=lambda: [0, 0, 0])

    def queue(self) -> list[_Load]:
        """The loads in their new order."""
        waiting = list(range(len(self.loads)))
        order: list[_Load] = []
        now = 0
        while waiting:
            self._advance(waiting[0])
            place, ready = self._next(waiting, now)
            number = waiting.pop(place)
            now = max(now, ready) + self.loads[number].cycles
            self.done[number] = now
            order.append(self.loads[number])
        for behind, before in zip(reversed(order[1:]), reversed(order[:-1]), strict=True):
            before.anchor = min(before.anchor, behind.anchor)
        return order

    def _advance(self, first: int) -> None:
        """Follow the instructions that need no load from `first` on."""
        ends, needs, busy, count = self.ends, self.needs, self.busy, len(self.issued)
        number = len(ends)
        while number < count and needs[number][-1] < first:
            unit = self.issued[number].stage - LOAD
            if unit:
                free = max(busy[unit], busy[COMPUTE - LOAD])
                for load in needs[number]:
                    free = max(free, self.done.get(load, 0))
                busy[unit] = free + self.durations[number]
            ends.append(busy[unit] if unit else 0)
            number += 1

    def _next(self, waiting: Sequence[int], now: int) -> tuple[int, int]:
        """Which of the waiting loads comes next, and when it can begin."""
        loads, ends, known = self.loads, self.ends, len(self.ends)
        first = loads[waiting[0]]
        best = 0
        soonest = limit = self._ready(first)
        if soonest <= now:
            return best, soonest
        window = waiting[:WINDOW]
        for place in range(1, len(window)):
            load = loads[window[place]]
            after, floor = load.after, load.floor
            if after >= known or floor >= known or first.anchor <= max(after, floor) or not load.cycles:
                continue
            ready = max(ends[after] if after >= 0 else 0, ends[floor] if floor >= 0 else 0)
            if ready >= soonest or (load.group != first.group and max(now, ready) + load.cycles > limit):
                continue
            if not any(load.meets(loads[one]) for one in window[:place]):
                best, soonest = place, ready
                if ready <= now:
                    break
        return best, soonest

    def _ready(self, load: _Load) -> int:
        """When what a load overwrites is read, and what it reads is stored."""
        after, floor, known = load.after, load.floor, len(self.ends)
        if not load.cycles:
            return 0
        if after >= known or floor >= known:
            return _NEVER
        return max(self.ends[after] if after >= 0 else 0, self.ends[floor] if floor >= 0 else 0)


def _merged(issued: Sequence[Issued], queue: Sequence[_Load]) -> list[int]:
    """Each load right before the instruction it is anchored at, everything else in order."""
    order: list[int] = []
    position = 0
    for number, item in enumerate(issued):
        while position < len(queue) and queue[position].anchor == number:
            order.append(queue[position].number)
            position += 1
        if item.stage != LOAD:
            order.append(number)
    return order


def _waits(
    footprints: Footprints, issued: Sequence[Issued], durations: Sequence[int]
) -> tuple[list[_Load], list[tuple[int, ...]]]:
    """Every load, with the last compute instruction before it that reads what it overwrites.

    And for each instruction, of the inputs and of the weights that it reads the last load, by their places among the
    loads; -1 stands for none.
    """
    read, filled = [-1] * len(footprints.sets), [-1] * len(footprints.sets)
    readers, writers = footprints.read, footprints.written
    held: list[tuple[int, ...] | None] = [None] * len(footprints.sets)
    kinds = footprints.kinds.items()
    operands = {key: [tiles for memory, tiles in one.reads if memory is not Memory.ACC] for key, one in kinds}
    stored: NDArray[np.int64] = np.full(footprints.page_count, -1, dtype=np.int64)
    loads: list[_Load] = []
    needs: list[tuple[int, ...]] = []
    group = 0
    for number, (item, touched, pages) in enumerate(zip(issued, footprints.touched, footprints.shared, strict=True)):
        needed = _NO_LOAD
        if item.stage == LOAD:
            ((memory, tiles),) = touched.writes
            after = max(map(read.__getitem__, readers[tiles]), default=-1)
            floor = -1 if pages is None else int(stored[pages].max())
            # What is there already is left out later, as no load passes one that it meets.
            is_there = held[tiles] == item.row and filled[tiles] == max(map(filled.__getitem__, writers[tiles]))
            if not is_there:
                filled[tiles], held[tiles] = len(loads), item.row
            start, stop = footprints.sets.hull(tiles)
            cycles = 0 if is_there else durations[number]
            loads.append(_Load(number, after, floor, memory, start, stop, number, cycles, group))
        elif item.stage == COMPUTE:
            group = number
            for tiles in operands[id(touched)]:
                read[tiles] = number
                last = max(map(filled.__getitem__, writers[tiles]), default=-1)
                needed = (needed[-1], last) if last > needed[-1] else (last, *needed)
        elif pages is not None:
            stored[pages] = number
        needs.append(needed)
    return loads, needs
