"""The result of a cycle simulation, as plain records. All times are cycles; spans are [begin, end)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.cycles.bus import CLIENTS
from vtac.targets.vta.cycles.timing import Timing
from vtac.targets.vta.isa import Instruction, decode, format_instruction


class Span(NamedTuple):
    """One instruction in its unit, from the cycle that takes its tokens to the unit's next possible start."""

    instruction: int
    begin: int
    end: int


class Wait(NamedTuple):
    """A gap between a unit's instructions, and what the unit waited for."""

    cause: str
    begin: int
    end: int


class BusSpan(NamedTuple):
    """Beats on the read bus without a gap, for one client (`fetch`, `uop`, `inp`, `wgt`, `acc`).

    `instruction` is the LOAD's position, or that of the first which fetch reads.
    """

    client: str
    instruction: int
    begin: int
    end: int


class TokenFlow(NamedTuple):
    """A token in queue `queue`, there from cycle `posted` on, taken in cycle `taken`."""

    queue: str
    producer: int
    posted: int
    consumer: int
    taken: int


@dataclass(frozen=True)
class UnitReport:
    """Where a unit's cycles go: `busy` and all of `waiting` add up to the run's cycles.

    `waiting` by cause: `fetch` (no instruction yet), a token queue (`l2g`, `g2l`, `s2g`, `g2s`), `bus`
    (cycles that a LOAD takes beyond what it needs with the memory to itself) and `done` (nothing left).
    A wait for two tokens counts for the first queue until its token is there. `spans` and `waits`
    together cover the run without overlap.
    """

    name: str
    busy: int
    waiting: Mapping[str, int]
    spans: tuple[Span, ...]
    waits: tuple[Wait, ...]

    def __repr__(self) -> str:
        return f"<UnitReport {self}>"

    def __str__(self) -> str:
        """One line: `load: busy 1,200, waiting 30 for fetch`."""
        waiting = "".join(f", waiting {cycles:,} for {cause}" for cause, cycles in self.waiting.items() if cycles)
        return f"{self.name}: busy {self.busy:,}{waiting}"


@dataclass(frozen=True)
class Roof:
    """An amount of work, and how near the run comes to the rate that the hardware cannot exceed."""

    amount: int
    what: str
    per_cycle: int
    cycles: int

    @property
    def utilisation(self) -> float:
        """The share of the roof that the run reaches, 0 to 1."""
        return self.amount / (self.per_cycle * self.cycles)


@dataclass(frozen=True)
class CycleReport:
    """A run of `instructions`: its `cycles`, its `units`, the read `bus`, `fetch` and the `flows` of tokens.

    `units` has `load`, `compute` and `store`; `roofs` has `compute` (tile operations, one per cycle),
    `load` and `store` (bytes of tiles and micro-ops, the bus's width per cycle). `fetch` spans a burst
    of instructions each, from the read command to the last hand-over.
    """

    cycles: int
    units: Mapping[str, UnitReport]
    bus: tuple[BusSpan, ...]
    fetch: tuple[Span, ...]
    flows: tuple[TokenFlow, ...]
    roofs: Mapping[str, Roof]
    instructions: bytes
    config: VTAConfig
    timing: Timing

    def __repr__(self) -> str:
        return f"<CycleReport {self}>"

    def __str__(self) -> str:
        """One line: the cycles, and how much of them each unit is busy."""
        busy = ", ".join(f"{unit.name} {unit.busy / max(1, self.cycles):.1%}" for unit in self.units.values())
        return f"{self.cycles:,} cycles on {self.timing.board}, busy: {busy}"

    @cached_property
    def decoded(self) -> list[Instruction]:
        """The stream's instructions, by position."""
        return decode(self.instructions, self.config)

    def text(self, index: int) -> str:
        """Instruction `index` as assembly."""
        return format_instruction(self.decoded[index])

    @cached_property
    def bus_busy(self) -> dict[str, int]:
        """Cycles with a beat on the read bus, by client."""
        busy = dict.fromkeys(CLIENTS, 0)
        for span in self.bus:
            busy[span.client] += span.end - span.begin
        return busy
