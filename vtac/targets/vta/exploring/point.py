"""A point of a sweep: a machine and what networks take on it, by several measures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.store.records import Outcome
from vtac.targets.vta.exploring.energy import CostTable, area_of, energy_of
from vtac.targets.vta.exploring.machines import Machine
from vtac.targets.vta.exploring.naming import full_name

MEASURES = ("cycles", "bytes", "sram_bytes", "multipliers", "energy", "area")
"""What points may be compared by; less is better."""
AXES: Mapping[str, tuple[str, int]] = {
    "cycles": ("cycles", 1),
    "bytes": ("bytes of DRAM", 1),
    "sram_bytes": ("SRAM in KiB", 1024),
    "multipliers": ("multipliers", 1),
    "energy": ("energy in uJ", 1),
    "area": ("area in mm2", 1),
}
"""What an axis calls a measure, and in which unit of it."""


_OF_MACHINES = ("sram_bytes", "area_mm2")
"""Figures that do not depend on networks."""


@dataclass(frozen=True)
class Figures:
    """What one network takes on one machine, or why it cannot be compiled for it."""

    network: str
    cycles: int = 0
    nbytes: int = 0
    counts: Mapping[str, int] | None = None
    busy: Mapping[str, int] | None = None
    limit: str = ""
    macs: int = 0
    error: str = ""

    def to_json(self) -> dict[str, str | int | None]:
        """As plain values; without figures where the network cannot run."""
        found = {"cycles": self.cycles, "bytes": self.nbytes, "limit": self.limit}
        shown = {name: None if self.error else value for name, value in found.items()}
        return {"network": self.network, **shown, "error": self.error}


def figures_of(network: str, outcome: Outcome) -> Figures:
    """The figures that an outcome has."""
    if not outcome.is_ok:
        again = "; with a store, --retry-crashed tries again" if outcome.is_mishap else ""
        return Figures(network, error=f"{outcome.message}{again}")
    more = cast("dict[str, object]", json.loads(outcome.more))
    counts, busy = (cast("dict[str, int]", more[name]) for name in ("counts", "busy"))
    return Figures(network, outcome.cycles, outcome.nbytes, counts, busy, str(more["limit"]), cast(int, more["macs"]))


@dataclass(frozen=True)
class Point:
    """A machine and what the networks take on it, one after the other; `error` says which cannot run there, and why.

    Where one cannot, cycles, bytes, energy and utilisation are 0 and `limit` is empty, as they would be those of the
    others alone; `networks` has these. `energy` is in microjoules and `area` in square millimetres, by the sweep's
    table. `is_proven` says that cycles on such a machine were compared with its RTL; on others they follow from the
    same formulas. `tilings` tells which compiled program it is: points that differ in timing alone share it.
    """

    machine: Machine
    networks: tuple[Figures, ...]
    table: CostTable

    @property
    def config(self) -> VTAConfig:
        return self.machine.config

    @property
    def failed(self) -> tuple[Figures, ...]:
        """The networks that cannot run, with their errors."""
        return tuple(one for one in self.networks if one.error)

    @property
    def error(self) -> str:
        return "; ".join(f"{one.network}: {one.error}" for one in self.failed)

    @property
    def cycles(self) -> int:
        return sum(one.cycles for one in self._counted)

    @property
    def bytes(self) -> int:
        return sum(one.nbytes for one in self._counted)

    @property
    def _counted(self) -> tuple[Figures, ...]:
        """What figures are sums of: all networks, or none."""
        return () if self.failed else self.networks

    @property
    def sram_bytes(self) -> int:
        return self.machine.sram_bytes

    @property
    def multipliers(self) -> int:
        return self.machine.multipliers

    @property
    def energy(self) -> float:
        return sum(energy_of(one.counts, self.machine, self.table) for one in self._counted if one.counts is not None)

    @property
    def area(self) -> float:
        return area_of(self.machine, self.table)

    @property
    def utilisation(self) -> float:
        """Multiplications of the networks against those that the multipliers could do in these cycles."""
        return sum(one.macs for one in self._counted) / max(1, self.cycles * self.multipliers)

    @property
    def limit(self) -> str:
        """What limits the network that takes longest: compute, ALU, loads, stores, or tokens (units that wait)."""
        return max(self._counted, key=lambda one: one.cycles).limit if self._counted else ""

    @property
    def is_proven(self) -> bool:
        return self.machine.is_proven

    @property
    def name(self) -> str:
        """All parts of the machine, as `full_name` has them."""
        return full_name(self.machine)

    def row(self) -> dict[str, str | int | float | None]:
        """The point as a row of a table; without figures where a network cannot run."""
        figures: dict[str, str | int | float] = {
            "cycles": self.cycles,
            "bytes": self.bytes,
            "sram_bytes": self.sram_bytes,
            "energy_uj": round(self.energy, 3),
            "area_mm2": round(self.area, 4),
            "utilisation": round(self.utilisation, 4),
            "limit": self.limit,
            "cycles_by": "rtl" if self.is_proven else "formula",
        }
        shown = {name: None if self.failed and name not in _OF_MACHINES else value for name, value in figures.items()}
        return {**values_of(self.machine), **shown, "error": self.error}


@dataclass(frozen=True)
class Pruned:
    """A machine that was not compiled for: its cycles at least, and a point that has no more of them, nor of SRAM."""

    machine: Machine
    least: int
    by: Point

    @property
    def name(self) -> str:
        """As `Point.name`."""
        return full_name(self.machine)

    @property
    def reason(self) -> str:
        """Why it need not be compiled for, in a line."""
        return (
            f"pruned: takes {self.least:,} cycles at least; {self.by.name} takes {self.by.cycles:,} and has "
            f"{self.by.sram_bytes / 1024:,.0f} KiB of SRAM"
        )


def values_of(machine: Machine) -> dict[str, str | int | float]:
    """A machine's dimensions; each side of a tile by itself. Memories below 1 KiB are fractions."""
    values = {name: value for name, value in machine.values.items() if name != "BLOCK"}
    return {name: int(value) if value == int(value) else value for name, value in values.items()}


def measure(point: Point, name: str) -> float:
    """A measure of a point by its name. Raises `VtacError` for one that there is not."""
    require_measure(name)
    return float(getattr(point, name))


def require_measure(name: str) -> None:
    """Raises `VtacError` for what is no measure of a point."""
    if name not in MEASURES:
        raise VtacError(f"'{name}' is no measure of a point; the measures are {', '.join(MEASURES)}")


def shown(point: Point, name: str) -> float:
    """A measure as an axis shows it. Raises as `measure` does."""
    return measure(point, name) / AXES[name][1]
