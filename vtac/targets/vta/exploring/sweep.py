"""The points of a sweep: what each machine takes for the networks, which no other beats, and as tables and files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import cast

from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.files.whole import write_output
from vtac.lazily import text_by
from vtac.store.records import Outcome
from vtac.targets.vta.exploring.energy import CostTable, area_of, energy_of
from vtac.targets.vta.exploring.machines import Machine

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


def figures_of(network: str, outcome: Outcome) -> Figures:
    """The figures that an outcome has."""
    if not outcome.is_ok:
        return Figures(network, error=outcome.message)
    more = cast("dict[str, object]", json.loads(outcome.more))
    counts, busy = (cast("dict[str, int]", more[name]) for name in ("counts", "busy"))
    return Figures(network, outcome.cycles, outcome.nbytes, counts, busy, str(more["limit"]), cast(int, more["macs"]))


@dataclass(frozen=True)
class Point:
    """A machine and what the networks take on it, one after the other; `error` says why one cannot run there.

    `energy` is in microjoules and `area` in square millimetres, by the sweep's table. `is_proven` says that cycles on
    such a machine were compared with its RTL; on others they follow from the same formulas. `tilings` tells which
    compiled program it is: points that differ in timing alone share it.
    """

    machine: Machine
    networks: tuple[Figures, ...]
    table: CostTable

    @property
    def config(self) -> VTAConfig:
        return self.machine.config

    @property
    def error(self) -> str:
        return next((f"{one.network}: {one.error}" for one in self.networks if one.error), "")

    @property
    def cycles(self) -> int:
        return sum(one.cycles for one in self.networks)

    @property
    def bytes(self) -> int:
        return sum(one.nbytes for one in self.networks)

    @property
    def sram_bytes(self) -> int:
        return self.machine.sram_bytes

    @property
    def multipliers(self) -> int:
        return self.machine.multipliers

    @property
    def energy(self) -> float:
        return sum(energy_of(one.counts, self.machine, self.table) for one in self.networks if one.counts is not None)

    @property
    def area(self) -> float:
        return area_of(self.machine, self.table)

    @property
    def utilisation(self) -> float:
        """Multiplications of the networks against those that the multipliers could do in these cycles."""
        return sum(one.macs for one in self.networks) / max(1, self.cycles * self.multipliers)

    @property
    def limit(self) -> str:
        """What limits the network that takes longest: compute, ALU, loads, stores, or tokens (units that wait)."""
        return max(self.networks, key=lambda one: one.cycles).limit

    @property
    def is_proven(self) -> bool:
        return self.machine.is_proven

    @property
    def name(self) -> str:
        """`1x16 uop 32 inp 32 wgt 256 acc 128 KiB`, and what of the bus is unlike the default.

        A tile is BATCHxBLOCK, or BATCHxBLOCK_INxBLOCK_OUT where the sides differ.
        """
        values = self._values
        rows, *sides = self.machine.tiles
        tile = "x".join(map(str, (rows, *dict.fromkeys(sides))))
        usual = {"bus_bits": 64, "burst_beats": 16, "bursts": 16, "latency": 16, "queue_depth": 512}
        other = [f"{name} {values[name]}" for name, value in usual.items() if values[name] != value]
        memories = " ".join(f"{name} {values[f'{name}_kib']:g}" for name in ("uop", "inp", "wgt", "acc"))
        return ", ".join([f"{tile} {memories} KiB", *other])

    @property
    def _values(self) -> dict[str, int | float]:
        """The machine's dimensions; each side of a tile by itself. Memories below 1 KiB are fractions."""
        values = {name: value for name, value in self.machine.values.items() if name != "BLOCK"}
        return {name: int(value) if value == int(value) else value for name, value in values.items()}

    def row(self) -> dict[str, str | int | float]:
        """The point as a row of a table."""
        return {
            **self._values,
            "cycles": self.cycles,
            "bytes": self.bytes,
            "sram_bytes": self.sram_bytes,
            "energy_uj": round(self.energy, 3),
            "area_mm2": round(self.area, 4),
            "utilisation": round(self.utilisation, 4),
            "limit": self.limit,
            "cycles_by": "rtl" if self.is_proven else "formula",
            "error": self.error,
        }


@dataclass(frozen=True)
class Sweep:
    """The points of a sweep, in the order in which they were enumerated; those with an `error` at their places.

    `compiled` counts programs that were compiled, `counted` points whose cycles were counted anew, rather than read.
    """

    networks: tuple[str, ...]
    points: tuple[Point, ...]
    table: CostTable
    compiled: int = 0
    counted: int = 0

    def __iter__(self) -> Iterator[Point]:
        return iter(self.points)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def good(self) -> list[Point]:
        """The points on which every network runs."""
        return [point for point in self.points if not point.error]

    def pareto(self, x: str = "cycles", y: str = "sram_bytes") -> list[Point]:
        """The points that no other is as good as in both measures and better in one, by `x`. Raises `VtacError`."""
        found: list[Point] = []
        for point in sorted(self.good, key=lambda one: (measure(one, x), measure(one, y))):
            if not found or measure(point, y) < measure(found[-1], y):
                found.append(point)
        return found

    def __str__(self) -> str:
        """A table of the front of cycles and memory, then how many points there are and what is wrong with some."""
        head = (
            f"{'BATCHxBLOCK, memories':<52}{'cycles':>14}{'bytes':>14}{'SRAM KiB':>9}{'mult.':>7}{'uJ':>10}{'mm2':>7}"
        )
        lines = [f"{head}{'util.':>7}  limit    cycles by"]
        front = self.pareto()
        lines += [_line(point) for point in front]
        failed = [point for point in self.points if point.error]
        lines.append(
            f"{len(front)} of {len(self.points):,} points: no other has fewer cycles and less SRAM; "
            f"{len(failed):,} cannot run {' and '.join(self.networks)}"
        )
        lines += [f"  {point.name}: {point.error[:200]}" for point in failed[:3]]
        lines.append(f"energy and area: {self.table.source}")
        return "\n".join(lines) + "\n"

    def to_json(self) -> dict[str, object]:
        """All points as plain values; equal for equal sweeps."""
        front = {id(point) for point in self.pareto()}
        points = [{"name": point.name, **point.row(), "pareto": id(point) in front} for point in self.points]
        return {"networks": list(self.networks), "energy_source": self.table.source, "points": points}

    def to_csv(self, path: str | Path) -> None:
        """Write all points as a table of comma-separated values. Raises `VtacError`."""
        text = StringIO()
        rows = [point.row() for point in self.points]
        writer = csv.DictWriter(text, list(rows[0]) if rows else ["cycles"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        try:
            write_output(Path(path), text.getvalue().encode())
        except OSError as error:
            raise VtacError(f"cannot write the table to {path}: {error.strerror or error}") from None

    def plot(self, path: str | Path, x: str = "cycles", y: str = "sram_bytes") -> None:
        """Draw the points and the front of two measures (extra `plot`). Raises `VtacError`."""
        for name in (x, y):
            require_measure(name)
        spots = [(point.name, shown(point, x), shown(point, y)) for point in self.good]
        title = f"{' and '.join(self.networks)} on {len(spots):,} machines"
        import_module("vtac.report.front_plot").plot_spots(spots, AXES[x][0], AXES[y][0], title, path)

    to_html = text_by("vtac.report.page.exploration", "exploration_page")


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


def _line(point: Point) -> str:
    return (
        f"{point.name[:51]:<52}{point.cycles:>14,}{point.bytes:>14,}{point.sram_bytes / 1024:>9,.0f}"
        f"{point.multipliers:>7,}{point.energy:>10,.0f}{point.area:>7.2f}{point.utilisation:>7.1%}  "
        f"{point.limit:<8} {'RTL' if point.is_proven else 'formula'}"
    )
