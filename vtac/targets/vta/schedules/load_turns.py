"""The order that a stream has the loads of an outline in: that of `stream/load_order.py`, chunk by chunk.

The clock is that one's, too: each unit does one instruction after the other, nothing waits for stores or for the bus.
"""

from __future__ import annotations

from bisect import insort
from typing import TypeAlias

from vtac.targets.vta.schedules.steps import Outline
from vtac.targets.vta.schedules.transfers import LOAD_START
from vtac.targets.vta.stream.load_order import WINDOW

Turn: TypeAlias = tuple[int, int, int]
"""The number of a chunk, how many of its LOADs come, and before which kernel these stand."""


def load_turns(outline: Outline) -> list[Turn]:
    """The chunks of a program in the order in which its stream loads them, some of them in parts.

    A chunk whose place is still read is passed by those behind it whose places are not, or by as many of their LOADs as
    there is time for.
    """
    order = _Order(outline).found
    turns: list[Turn] = []
    before = len(outline.kernels)
    for number, loads in reversed(order):
        before = min(before, outline.loads[number].before)
        turns.append((number, loads, before))
    turns.reverse()
    return turns


class _Order:
    def __init__(self, outline: Outline) -> None:
        loads, self.kernels = outline.loads, outline.kernels
        self.afters = [load.after for load in loads]
        self.groups = [load.before for load in loads]
        self.counts = [load.chunk.loads for load in loads]
        self.cycles = [load.chunk.loads * LOAD_START + load.chunk.beats for load in loads]
        self.left = self.counts.copy()
        """Of each chunk, the LOADs that have no place yet."""
        self.done = [0] * len(loads)
        self.ends: list[int] = []
        """When each kernel that is followed is over."""
        self.needed = -1
        """The last chunk that the first kernel reads which is not followed."""
        self.free = 0
        self.waiting: dict[int, list[int]] = {}
        """By kernel, the chunks that overwrite what it is the last to read."""
        for number in [number for number, count in enumerate(self.counts) if count]:
            after = self.afters[number]
            self.waiting.setdefault(after, []).append(number)
        self.released = self.waiting.pop(-1, [])
        """The chunks that are to come and overwrite what no kernel reads, or one that is followed."""
        self.found: list[tuple[int, int]] = []
        self._run()

    def _run(self) -> None:
        """Take the first chunk that is to come, or another, or a part of that, until there is none."""
        afters, counts, cycles, left, ends, now = self.afters, self.counts, self.cycles, self.left, self.ends, 0
        for first, after in enumerate(afters):
            while left[first]:
                if self.needed < first:
                    self._follow(first)
                number, loads, ready = first, left[first], ends[after] if after >= 0 else 0
                if ready > now:
                    number, loads, ready = self._passing(first, now, ready)
                now = max(now, ready) + cycles[number] * loads // counts[number]
                left[number] -= loads
                if not left[number]:
                    self.done[number] = now
                    self.released.remove(number)
                self.found.append((number, loads))

    def _follow(self, first: int) -> None:
        """Follow the kernels that need no chunk from the first on that is to come."""
        kernels, ends, done, free = self.kernels, self.ends, self.done, self.free
        waiting, released = self.waiting, self.released
        self.needed = len(done)
        for number in range(len(ends), len(kernels)):
            step = kernels[number]
            if step.chunks and max(step.chunks) >= first:
                self.needed = max(step.chunks)
                break
            if step.micro_ops:
                free += step.number * (LOAD_START + step.micro_ops // 2)
            if step.wide.loads:
                free += step.wide.loads * LOAD_START + step.wide.beats
            for chunk in step.chunks:
                free = max(free, done[chunk])
            free += step.cycles
            ends.append(free)
            for chunk in waiting.get(number, ()):
                insort(released, chunk)
        self.free = free

    def _passing(self, first: int, now: int, limit: int) -> tuple[int, int, int]:
        """The chunk that comes next where the first has to wait until `limit`, how many LOADs of it, and from when on
        it can."""
        best = first, self.left[first], limit
        for number in self.released:
            after = self.afters[number]
            ready = self.ends[after] if after >= 0 else 0
            if ready >= best[2]:
                continue
            room = WINDOW - sum(self.left[first:number])
            if room <= 0:
                break
            time, cycles = (limit - max(now, ready)) * self.counts[number], self.cycles[number]
            # Those that the same kernel needs come until the first can.
            fitting = -(-time // cycles) if self.groups[number] == self.groups[first] else time // cycles
            if fitting > 0:
                best = number, min(room, self.left[number], fitting), ready
                if ready <= now:
                    break
        return best
