"""How long a program takes, from its outline: three units side by side, and one transfer after the other on the bus.

The rules are those of `vtac.targets.vta.cycles`, chunk by chunk instead of burst by burst; what fetch and the compute
unit's own loads wait for the load unit, and it for fetch, is in `fetching`.
"""

from __future__ import annotations

from collections.abc import Sequence

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.memory_bus import BURST_BEATS
from vtac.targets.vta.cycles.timing import Timing
from vtac.targets.vta.schedules.fetching import COMMAND, Fetch, Traffic, traffic_of
from vtac.targets.vta.schedules.instruction_places import places_of
from vtac.targets.vta.schedules.load_turns import load_turns
from vtac.targets.vta.schedules.steps import KernelStep, Outline
from vtac.targets.vta.schedules.transfers import LOAD_START, NOTHING, Chunk

_DE10, _USUAL = Timing.de10(), VTAConfig()
_NEVER = 1 << 60
_LATENCY = 20
"""Cycles from the start of a LOAD to its first beat."""
_MICRO_OPS = 22
"""Cycles of a LOAD of micro-ops beside one for two of them."""
_LAST = 4
"""Cycles from the end of all units to that of the program."""


def rehearse(outline: Outline, config: VTAConfig = _USUAL) -> int:
    """Cycles of a program on the DE10, with the queues and the bursts under way of a configuration."""
    return _Rehearsal(outline, _DE10.within(config)).run()


class _Rehearsal:
    def __init__(self, outline: Outline, timing: Timing) -> None:
        self.outline, self.timing = outline, timing
        self.bursts, self.depth = timing.outstanding_bursts, timing.queue_depth
        self.loads = outline.loads
        self.turns = load_turns(outline)
        self.turn = 0
        self.places = places_of(outline, self.turns)
        self.done = [-1 if load.chunk.loads else 0 for load in self.loads]
        self.left = [load.chunk.loads for load in self.loads]
        """Of each chunk, the LOADs that are still to come."""
        self.ends: list[int] = []
        self.now = self.began = 0
        """When what the load unit loaded last is over, and when that began."""
        self.wide = 0
        """When the int32 tiles are there that were loaded last."""
        self.loaded = -1
        """The number of that chunk."""
        self.fetch = Fetch(timing, self.places.length, self.places.ahead(timing.queue_depth))
        self.stored: list[int] = []
        """When each STORE is over, of programs that have more of them than a queue holds."""
        self.is_crowded = self.places.stores[-1] > self.depth
        self._known: dict[Chunk, Traffic] = {}

    def run(self) -> int:
        free = behind = 0
        stored: list[int] = []
        behinds: list[int] = []
        """After each kernel, when the last store before it is over."""
        done, ends, shift, seen = self.done, self.ends, self.fetch.shift, 0
        for step, place in zip(self.outline.kernels, self.places.kernels, strict=True):
            start = visible = free
            if place >= seen:
                # Those behind it in its burst follow sooner than it is over.
                start = visible = max(free, self._visible(place))
                if self.is_crowded:
                    start = visible = max(start, self._room(len(ends)))
                seen = ((place >> shift) + 1) << shift
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
                first, behind = max(behind, free), max(behind, free) + step.stored[0]
                stored.append(behind)
                if self.is_crowded:
                    self._stored(first, *step.stored)
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
        fetch = self.fetch
        burst = place >> fetch.shift
        if burst >= len(fetch.arrived):
            fetch.wait(burst, self._waited(fetch.asked))
        return fetch.arrived[burst] + (place & fetch.number - 1)

    def _stored(self, start: int, cycles: int, number: int) -> None:
        """So many STOREs follow one another from then on, in so many cycles."""
        self.stored.extend(start + cycles * (one + 1) // number for one in range(number))

    def _room(self, kernel: int) -> int:
        """When the queue of the store unit has room for the STOREs before a kernel, behind which fetch waits."""
        place = self.places.stores[kernel] - self.depth
        return self.stored[place - 1] if 0 < place <= len(self.stored) else 0

    def _own_loads(self, free: int, start: int, step: KernelStep) -> int:
        """When kernels begin, less their cycles, behind loads of the compute unit itself.

        Micro-ops of the first can be there before its operands; those of the next are loaded between the two.
        """
        at = free
        for _ in range(step.wide.loads):
            beats = step.wide.beats // step.wide.loads
            end = at + LOAD_START + beats + self._contend(at, beats, first=False)
            at = self.wide = self._passed(at, end, beats)
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
        if not self.began <= at < self.now:
            return 0
        traffic = self._traffic()
        since, late = self._since(at, traffic)
        if not first and since - late < traffic.beats and beats > self.bursts // 2 * (self.bursts - since // 2):
            return max(0, int(traffic.beats + late - since))
        if not first and self.loaded >= 0:
            return self._interleaved(traffic, since, beats) + traffic.waited(since, late)
        if first and self.loaded >= 0 and since - late < traffic.asked:
            self._delay(beats)
        return traffic.waited(since, late)

    def _interleaved(self, traffic: Traffic, since: float, beats: int) -> int:
        """What int32 tiles wait that are asked for so long after a LOAD began: they take turns, burst by burst."""
        asked = -(-beats // BURST_BEATS)
        left = int(max(0.0, traffic.beats / traffic.burst - since / COMMAND))
        passed = min(asked, left)
        self._delay(passed * beats // asked)
        return int(passed * traffic.burst)

    def _delay(self, beats: int) -> None:
        """What the load unit loads is there so much later."""
        self.now += beats
        if self.done[self.loaded] >= 0:
            self.done[self.loaded] += beats

    def _passed(self, start: int, end: int, beats: int) -> int:
        """When int32 tiles are there whose LOAD begins at `start` and would be over at `end`: chunks that the load unit
        begins while bursts of them are still to be asked for pass these, behind those that are asked for. Both ask in
        turn until no more may."""
        queue = self.bursts * BURST_BEATS
        if beats <= queue // 2:
            return end
        asked = start + LOAD_START - _LATENCY + beats // BURST_BEATS * COMMAND
        while self._bring(max(asked, end - queue)):
            self._delay(max(0, min(queue, end - self.began - _LATENCY)))
            chunk, count = self.loads[self.loaded].chunk, self.turns[self.turn - 1][1]
            end += chunk.beats * count // max(1, chunk.loads)
        return end

    def _traffic(self) -> Traffic:
        """That of the chunk that is loaded last."""
        chunk = self.loads[self.loaded].chunk if self.loaded >= 0 else NOTHING
        found = self._known.get(chunk)
        if found is None:
            found = self._known[chunk] = traffic_of(chunk, self.timing)
        return found

    def _waited(self, at: int) -> int:
        """Cycles that a burst waits which is asked for then."""
        if not self.began <= at < self.now:
            return 0
        traffic = self._traffic()
        return traffic.waited(*self._since(at, traffic))

    def _since(self, at: int, traffic: Traffic) -> tuple[float, float]:
        """Cycles since the LOAD began that is under way, one of those that the load unit took last; and how much later
        than by itself it is over."""
        count = self.turns[self.turn - 1][1]
        cycles = max(traffic.cycles, (self.now - self.began) / count)
        since = at - self.began
        return since - min(since // cycles, count - 1) * cycles, cycles - traffic.cycles

    def _bring(self, until: int) -> bool:
        """The load unit takes the next chunk, or a part of one, unless it begins later than that; whether it did."""
        turn = self.turn
        if turn == len(self.turns):
            return False
        number, count, before = self.turns[turn]
        load, ends = self.loads[number], self.ends
        if load.after >= len(ends):
            return False
        ready = ends[load.after] if load.after >= 0 else 0
        start = max(self.now, ready, self._visible(self.places.turns[turn]))
        if self.is_crowded:
            if self.places.stores[before] - self.depth > len(self.stored):
                return False
            start = max(start, self._room(before))
        if start > until:
            return False
        self.turn = turn + 1
        chunk, left = load.chunk, self.left[number]
        self.left[number] = left - count
        self.loaded = number
        end = start + (chunk.starts + chunk.beats) * count // max(1, chunk.loads) + max(0, self.wide - start - _LATENCY)
        if not self.fetch.is_over:
            end += self.fetch.beside(
                start, end, self._traffic(), self.places.weights[before], self.places.done[len(ends)]
            )
        if count == left:
            self.done[number] = end
        self.began, self.now = start, end
        return True
