"""Fetch: reads a burst of instructions, hands them over one per cycle, then reads on."""

from __future__ import annotations

from dataclasses import dataclass, field

from vtac.targets.vta.cycles.bus import COMMAND_DELAY, ReadBus, Transfer
from vtac.targets.vta.cycles.plan import Plan
from vtac.targets.vta.cycles.timing import Timing
from vtac.targets.vta.cycles.units import Unit
from vtac.targets.vta.isa import WORD_BYTES


@dataclass(eq=False, slots=True)
class Fetch:
    """`dispatched` instructions are in the units' queues; `fetched` have been read.

    `cycle` is the first cycle in which the next can be handed over. `spans` holds, for each burst
    read, the cycles from its command to its last hand-over.
    """

    units: list[Unit]
    plan: Plan
    timing: Timing
    fetched: int = 0
    dispatched: int = 0
    cycle: int = 0
    requested: int = 0
    spans: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def launch(self, bus: ReadBus) -> None:
        """The launch is cycle 0."""
        self._request(0, bus)

    def _request(self, decided: int, bus: ReadBus) -> None:
        count = min(self.timing.fetch_instructions, len(self.plan.units) - self.fetched)
        nbytes = count * WORD_BYTES
        beats = -(-nbytes // self.timing.bus_bytes)
        self.requested = decided
        bus.request(Transfer("fetch", 0, self.fetched, [beats], decided + COMMAND_DELAY))

    def loaded(self, transfer: Transfer) -> None:
        """A whole burst has been read; hand-over begins two cycles after its last beat."""
        remaining = len(self.plan.units) - self.fetched
        self.fetched += min(self.timing.fetch_instructions, remaining)
        self.cycle = transfer.last_beat + 2

    def blocker(self) -> Unit | None:
        """The unit whose full queue keeps the next instruction from being handed over."""
        if self.dispatched == self.fetched:
            return None
        unit = self.units[self.plan.units[self.dispatched]]
        return unit if len(unit.instructions) - len(unit.ends) >= self.timing.queue_depth else None

    def dispatch(self, bus: ReadBus) -> bool:
        """Hand over what the queues have room for; after the last of a burst read on. Whether any was."""
        if self.dispatched == self.fetched:
            return False
        before, depth = self.dispatched, self.timing.queue_depth
        while self.dispatched < self.fetched:
            unit = self.units[self.plan.units[self.dispatched]]
            place = len(unit.instructions) - depth
            cycle = self.cycle
            if place >= 0:
                if place >= len(unit.ends):
                    return self.dispatched != before
                # The place that the instruction takes is free once its predecessor there has ended.
                cycle = max(cycle, unit.ends[place])
            unit.instructions.append(self.dispatched)
            unit.visible.append(cycle + 1)
            self.dispatched += 1
            self.cycle = cycle + 1
        self.spans.append((self.requested, self.cycle))
        if self.fetched < len(self.plan.units):
            self._request(self.cycle, bus)
        return True
