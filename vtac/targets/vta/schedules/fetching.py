"""Fetch beside the load unit: what its bursts wait for those of LOADs, and how much later they make these.

The rules are those of `vtac.targets.vta.cycles`: commands are served in their order, fetch's first among those that
wait. The load unit asks for a burst in two cycles, until so many are under way; what is asked for behind them waits,
and what is asked for before its last makes a LOAD later. Of chunks the mean over all moments counts.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from vtac.targets.vta.cycles.timing import Timing
from vtac.targets.vta.schedules.transfers import Chunk

COMMAND = 2
"""Cycles from a unit's decision to read until its command can be accepted, and between two of its commands."""


class Traffic(NamedTuple):
    """LOADs that follow one another: cycles of each, beats of its data and of a burst, when its last burst is asked
    for; what a burst of another client waits meanwhile, in the mean; the most that one waits; how much later a burst of
    instructions makes LOADs, in the mean."""

    cycles: float
    beats: float
    burst: float
    asked: float
    wait: float
    most: int
    delay: float

    def waited(self, since: float, late: float = 0.0) -> int:
        """What a burst waits that is asked for so long after a LOAD began, which is over so much later than alone."""
        return int(max(0, min(self.most, (self.burst / COMMAND - 1) * since, self.beats + late - since)))


@lru_cache(maxsize=4096)
def traffic_of(chunk: Chunk, timing: Timing) -> Traffic:
    """What the LOADs of a chunk do to others, and others to them."""
    loads = max(1, chunk.loads)
    beats, cycles = chunk.beats / loads, max(1.0, (chunk.beats + chunk.starts) / loads)
    burst, limit, latency = chunk.burst, timing.outstanding_bursts, timing.memory_latency
    commands = beats / burst
    asked = min(cycles, max(COMMAND * commands, latency + 4 + beats - limit * burst))
    most = max(0, int((limit - 0.5) * burst) - latency - 1)
    filling = COMMAND * min(commands, limit)
    waits = max(0.0, burst / COMMAND - 1) * filling**2 / 2 + most * max(0.0, asked - filling)
    waits += max(0.0, beats - max(asked, filling)) ** 2 / 2
    fetched = timing.burst_bytes // timing.bus_bytes
    delay = fetched * min(1.0, (asked + fetched / 2) / cycles)
    return Traffic(cycles, beats, burst, asked, waits / cycles, most, delay)


class Fetch:
    """Reads instructions burst by burst, as fast as the bus and the queues let it.

    `length` instructions are to be read of the whole program, no more than `ahead` of them beyond those that are done.
    Of tiles that are followed once for several, each stands for as many: `arrived` has, for each burst of what is
    followed, when its first instruction can be a queue's head.
    """

    def __init__(self, timing: Timing, length: float, ahead: float) -> None:
        self.number = timing.fetch_instructions
        self.shift = self.number.bit_length() - 1
        self.beats = timing.burst_bytes // timing.bus_bytes
        self.period = timing.memory_latency + 5 + self.number + self.beats
        self.length, self.ahead = length, ahead
        self.fetched = float(self.number)
        self.arrived = [timing.memory_latency + 6 + self.beats]
        self.last = self.arrived[0]
        self.is_over = self.fetched >= length

    @property
    def asked(self) -> int:
        """When the burst behind the last one is asked for."""
        return self.last + self.number - 1

    def beside(self, start: int, end: int, traffic: Traffic, weight: float, done: float) -> int:
        """How much later LOADs are that would be over at `end`, each of which stands for `weight`, where `done`
        instructions are behind: by the bursts that are asked for until then."""
        asked = self.last + self.number - 1
        if asked < start:
            self._take(-(-(start - asked) // self.period), self.period, 1.0, done)
            asked = self.last + self.number - 1
        if asked >= end:
            return 0
        period = self.period + round(traffic.wait)
        taken = self._take(-(-(end - asked) // period), period, weight, done)
        return round(taken * traffic.delay)

    def _take(self, bursts: int, period: int, weight: float, done: float) -> float:
        """Bursts, one a period, that are read while a tile is done which stands for so many; how many each reads."""
        first, self.last = self.last, self.last + bursts * period
        self.arrived.extend(range(first + period, self.last + 1, period))
        room = max(0.0, min(self.length, done + self.ahead) - self.fetched)
        taken = min(float(bursts), room / (self.number * weight))
        self.fetched += taken * self.number * weight
        self.is_over = self.fetched >= self.length
        return taken

    def wait(self, burst: int, waited: int) -> None:
        """Nothing is done until that burst is there; the next one waits so long."""
        while len(self.arrived) <= burst:
            self._take(1, self.period + waited, 1.0, self.fetched)
            waited = 0
