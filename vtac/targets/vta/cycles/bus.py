"""The read bus: five clients, one command accepted per cycle, one beat per cycle.

A burst's way, uncontended (de10):

    ready         accepted       begins                      last
      | arbitration |  latency     | beats on the bus ......  |
      q             a    ......  a+17   a+18 ............. a+17+beats
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from vtac.targets.vta.cycles.timing import Timing

CLIENTS: tuple[str, ...] = ("fetch", "uop", "inp", "wgt", "acc")
"""The clients of the read bus, highest priority first."""

COMMAND_DELAY = 2
"""Cycles from a client's decision to read until its command stands before the arbiter."""
_NEVER = 1 << 62


@dataclass(eq=False, slots=True)
class Transfer:
    """The bursts that one LOAD or one fetch reads, and what became of them.

    `ready` is the cycle in which the next command stands before the arbiter. `spans` are the cycles
    [first, end) in which its beats are on the bus, adjacent ones merged.
    """

    client: str
    priority: int
    index: int
    bursts: list[int]
    ready: int
    position: int = 0
    spans: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    @property
    def last_beat(self) -> int:
        return self.spans[-1][1] - 1


class ReadBus:
    """Accepts the commands of the waiting transfers in time order, the lower priority number first."""

    def __init__(self, timing: Timing) -> None:
        self.waiting: list[Transfer] = []
        self.done: list[Transfer] = []
        self._outstanding_limit = timing.outstanding_bursts
        # A command joins the memory's queue the cycle after it was accepted; the counter starts from there.
        self._latency = timing.memory_latency + 1
        self._last_beats: deque[int] = deque()
        self._accepted = -1
        self._begin: int = -1
        self._free: int = 0

    def request(self, transfer: Transfer) -> None:
        waiting = self.waiting
        place = len(waiting)
        while place and waiting[place - 1].priority > transfer.priority:
            place -= 1
        waiting.insert(place, transfer)

    def next_command(self) -> int | None:
        """The first cycle in which a command waits, or None when no client waits."""
        return min([transfer.ready for transfer in self.waiting], default=None)

    def serve(self) -> Transfer:
        """Accept commands until one of the waiting transfers has had its last one accepted: that transfer.

        The arbiter accepts no command in a cycle that carries the last beat of a burst, nor while the
        outstanding bursts are at their limit; a burst stops counting the cycle after its last beat.
        """
        last_beats, limit, latency = self._last_beats, self._outstanding_limit, self._latency
        accepted, begin, free = self._accepted, self._begin, self._free
        transfer = self.waiting[0]
        others = self._ready_beside(transfer)
        while True:
            cycle = min(transfer.ready, others)
            if cycle <= accepted:
                cycle = accepted + 1
            while last_beats and last_beats[0] < cycle:
                last_beats.popleft()
            while last_beats and (last_beats[0] == cycle or len(last_beats) >= limit):
                cycle = last_beats.popleft() + 1
            if others <= cycle:
                transfer = next(one for one in self.waiting if one.ready <= cycle)
                others = self._ready_beside(transfer)
            # The latency counter keeps its value while the memory's queue is not empty.
            begin = free if begin >= cycle or free > cycle + latency else cycle + latency
            free = begin + transfer.bursts[transfer.position]
            accepted = cycle
            last_beats.append(free)
            spans = transfer.spans
            if spans and spans[-1][1] == begin + 1:
                spans[-1] = (spans[-1][0], free + 1)
            else:
                spans.append((begin + 1, free + 1))
            transfer.ready = cycle + COMMAND_DELAY
            transfer.position += 1
            if transfer.position == len(transfer.bursts):
                break
        self._accepted, self._begin, self._free = accepted, begin, free
        self.waiting.remove(transfer)
        self.done.append(transfer)
        return transfer

    def _ready_beside(self, transfer: Transfer) -> int:
        """The first cycle in which a command of another transfer waits."""
        return min([other.ready for other in self.waiting if other is not transfer], default=_NEVER)
