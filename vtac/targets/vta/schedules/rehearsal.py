"""How long a program takes, from its outline: three units side by side, and one transfer after the other on the bus.

The rules are those of `vtac.targets.vta.cycles`, chunk by chunk instead of burst by burst. A burst that is asked for
while a chunk arrives waits for those before it, 16 at most, of which the load unit asks for one in two cycles. Of the
beats in which instructions are fetched half are taken to delay the load unit, whose latency the others fall into.
"""

from __future__ import annotations

from collections.abc import Sequence

from vtac.dialects.memory_bus import BURST_BEATS, OUTSTANDING_BURSTS
from vtac.targets.vta.schedules.load_turns import Turn, load_turns
from vtac.targets.vta.schedules.steps import KernelStep, Outline
from vtac.targets.vta.schedules.transfers import LOAD_START

_NEVER = 1 << 60
_FIRST, _FETCH = 38, 45
"""When the first instructions are there, and how long the next eight take."""
_FETCHED = 1
"""Cycles that the load unit is later for each instruction that is fetched: half of its two beats."""
_LATENCY = 20
"""Cycles from the start of a LOAD to its first beat."""
_MICRO_OPS = 22
"""Cycles of a LOAD of micro-ops beside one for two of them."""
_QUEUE = OUTSTANDING_BURSTS * BURST_BEATS
"""Beats of int32 tiles that are asked for ahead."""
_LAST = 4
"""Cycles from the end of all units to that of the program."""


def rehearse(outline: Outline) -> int:
    """Cycles of a program."""
    return _Rehearsal(outline).run()


class _Rehearsal:
    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self.loads = outline.loads
        self.turns = load_turns(outline)
        self.turn = 0
        self.turn_places, self.kernel_places = _places(outline, self.turns)
        self.done = [-1 if load.chunk.loads else 0 for load in self.loads]
        self.left = [load.chunk.loads for load in self.loads]
        """Of each chunk, the LOADs that are still to come."""
        self.ends: list[int] = []
        self.now = 0
        self.flight: tuple[int, int, int, int] = (0, 0, -1, OUTSTANDING_BURSTS)
        """When the last chunk began to arrive and when it is there, its number, and the beats of its bursts."""
        self.fetched, self.fetch_time = 0, _FIRST

    def run(self) -> int:
        free = behind = 0
        stored: list[int] = []
        behinds: list[int] = []
        """After each kernel, when the last store before it is over."""
        done, ends = self.done, self.ends
        for step, place in zip(self.outline.kernels, self.kernel_places, strict=True):
            start = visible = free if place >> 3 < self.fetched else max(free, self._visible(place))
            for chunk in step.chunks:
                while done[chunk] < 0:
                    self._bring(_NEVER)
                start = max(start, done[chunk])
            if step.store >= 0:
                start = max(start, stored[step.store])
            if step.micro_ops or step.wide.loads:
                start = self._own_loads(visible, start, step)
            free = start + step.cycles
            ends.append(free)
            if step.stored[0]:
                behind = max(behind, free) + step.stored[0]
                stored.append(behind)
            behinds.append(behind)
        return max(self._weighted(ends), self._weighted(behinds)) + _LAST

    def _weighted(self, ends: Sequence[int]) -> int:
        """When a unit is done with all tiles, from when it is with each kernel: the cycles of each tile that was
        followed, times those that it stands for. Where stores take longer than kernels, those of tiles that are
        followed fall behind, and no kernel may wait for them yet that has to later."""
        total, counted = 0.0, 0
        for tile in self.outline.tiles:
            end = ends[tile.kernel - 1]
            total, counted = total + tile.weight * (end - counted), end
        return round(total)

    def _visible(self, place: int) -> int:
        """When fetch has brought the instruction at that place of the stream."""
        block = place >> 3
        while self.fetched < block:
            self.fetch_time += _FETCH + self._queued(self.fetch_time)
            self.fetched += 1
        return self.fetch_time + (place & 7) if block == self.fetched else 0

    def _own_loads(self, free: int, start: int, step: KernelStep) -> int:
        """When kernels begin, less their cycles, behind loads of the compute unit itself.

        Micro-ops of the first can be there before its operands; those of the next are loaded between the two.
        """
        at = free
        for _ in range(step.wide.loads):
            beats = step.wide.beats // step.wide.loads
            at = self._passed(at + LOAD_START + beats + self._contend(at, beats, first=False), beats)
        if not step.micro_ops:
            return max(start, at)
        words, part = 1 + step.micro_ops // 2, step.cycles // step.number
        at = max(start, at + _MICRO_OPS + words + self._contend(at, words, first=True))
        for _ in range(step.number - 1):
            at += part
            at += _MICRO_OPS + words + self._contend(at, words, first=True)
        return at - part * (step.number - 1)

    def _contend(self, at: int, beats: int, *, first: bool) -> int:
        """Cycles that the compute unit's load waits for the load unit's; micro-ops come first, int32 tiles last."""
        while self._bring(at):
            pass
        begin, end, number, burst = self.flight
        if not begin <= at + _LATENCY < end:
            return 0
        if not first and beats > OUTSTANDING_BURSTS // 2 * (OUTSTANDING_BURSTS - (at - begin + _LATENCY) // 2):
            return end - at - _LATENCY
        if number >= 0 and first:
            self.flight = begin, end + beats, number, burst
            self.done[number] += beats
            self.now += beats
        return self._queued(at)

    def _passed(self, end: int, beats: int) -> int:
        """When int32 tiles are there that would be at `end`: chunks that the load unit begins while bursts of them are
        still to be asked for pass these, behind those that are asked for. Both ask in turn until no more may."""
        if beats <= _QUEUE // 2:
            return end
        asked = end - beats - _LATENCY + beats // BURST_BEATS * 2
        while self._bring(max(asked, end - _QUEUE)):
            begin, there, number, burst = self.flight
            wait = max(0, min(_QUEUE, end - begin))
            self.flight = begin, there + wait, number, burst
            self.now += wait
            if self.done[number] >= 0:
                self.done[number] += wait
            chunk, count = self.loads[number].chunk, self.turns[self.turn - 1][1]
            end += chunk.beats * count // max(1, chunk.loads)
        return end

    def _queued(self, at: int) -> int:
        """Cycles that a burst waits which is asked for then."""
        begin, end, _, burst = self.flight
        if burst <= 2 or not begin - _LATENCY < at < end - _LATENCY:
            return 0
        asked = (at - begin + _LATENCY) // 2 * burst
        return min(OUTSTANDING_BURSTS * burst, asked, end - at - _LATENCY)

    def _bring(self, until: int) -> bool:
        """The load unit takes the next chunk, or a part of one, unless it begins later than that; whether it did."""
        turn = self.turn
        if turn == len(self.turns):
            return False
        number, count, _ = self.turns[turn]
        load, place = self.loads[number], self.turn_places[turn]
        if load.after >= len(self.ends):
            return False
        ready = self.ends[load.after] if load.after >= 0 else 0
        start = max(self.now, ready, self._visible(place))
        if start > until:
            return False
        self.turn = turn + 1
        chunk, left = load.chunk, self.left[number]
        self.left[number] = left - count
        fetched = (self.turn_places[turn + 1] - place) * _FETCHED
        self.now = start + (chunk.starts + chunk.beats) * count // max(1, chunk.loads) + fetched
        if count == left:
            self.done[number] = self.now
        self.flight = start + _LATENCY, self.now, number, chunk.burst
        return True


def _places(outline: Outline, turns: Sequence[Turn]) -> tuple[list[int], list[int]]:
    """The places of the first instruction of each turn and each kernel in the stream; that of its end behind turns."""
    loads, kernels = [0] * len(turns), [0] * len(outline.kernels)
    place = at = 0
    for number, step in enumerate(outline.kernels):
        while at < len(turns) and turns[at][2] <= number:
            loads[at] = place
            place += turns[at][1]
            at += 1
        kernels[number] = place
        place += step.wide.loads + step.number * (2 if step.micro_ops else 1) + step.stored[1]
    return [*loads, place], kernels
