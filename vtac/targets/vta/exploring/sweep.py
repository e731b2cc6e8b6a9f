"""The points of a sweep, which of them no other beats, and as tables and files."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from io import StringIO
from pathlib import Path

from vtac.errors import VtacError
from vtac.files.whole import write_output
from vtac.lazily import text_by
from vtac.targets.vta.exploring.energy import CostTable
from vtac.targets.vta.exploring.enumeration import NoMachine, said_of_illegal
from vtac.targets.vta.exploring.naming import short_names
from vtac.targets.vta.exploring.overtaken import overtaken, said_of_overtaken
from vtac.targets.vta.exploring.point import AXES, Point, Pruned, measure, require_measure, shown, values_of
from vtac.text.short import counted, short_name

_NAMES = "BATCHxBLOCK, memories"
_SOURCE_CHARACTERS = 400
_ERROR_CHARACTERS = 400


@dataclass(frozen=True)
class Sweep:
    """The points of a sweep, in the order in which they were enumerated; those with an `error` at their places.

    `compiled` counts programs that were compiled, `counted` points whose cycles were counted anew, rather than read.
    `illegal` are combinations of values that were asked for and are no machines, counted by the reason.
    `pruned` are machines that are none of the points, as a point is proven to be as good in cycles and in SRAM; with
    such, there is a front of these two measures alone.
    """

    networks: tuple[str, ...]
    points: tuple[Point, ...]
    table: CostTable
    compiled: int = 0
    counted: int = 0
    pruned: tuple[Pruned, ...] = ()
    illegal: Mapping[NoMachine, int] = field(default_factory=dict[NoMachine, int])

    def __iter__(self) -> Iterator[Point]:
        return iter(self.points)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def title(self) -> str:
        """The networks in words: `a`, `a and b`, `a, b and c`."""
        *most, last = self.networks
        return f"{', '.join(most)} and {last}" if most else last

    @property
    def good(self) -> list[Point]:
        """The points on which every network runs."""
        return [point for point in self.points if not point.error]

    def pareto(self, x: str = "cycles", y: str = "sram_bytes") -> list[Point]:
        """The points that no other is as good as in both measures and better in one, by `x`.

        Raises `VtacError` for what is no measure, and of a pruned sweep for others than cycles and SRAM.
        """
        self._require_front(x, y)
        found: list[Point] = []
        for point in sorted(self.good, key=lambda one: (measure(one, x), measure(one, y))):
            if not found or measure(point, y) < measure(found[-1], y):
                found.append(point)
        return found

    def __str__(self) -> str:
        """A table of the front of cycles and memory, then how many points there are and what is wrong with some."""
        front = self.pareto()
        if not front:
            return "\n".join([self._summary(front), *self._failures(), *self._illegal(), self._source()]) + "\n"
        names, common = short_names([point.machine for point in front])
        width = 2 + max(map(len, (_NAMES, *names)))
        lines = [
            f"{_NAMES:<{width}}{'cycles':>14}{'bytes':>14}{'SRAM KiB':>9}{'mult.':>9}{'uJ':>11}{'mm2':>7}"
            f"{'util.':>7}  limit    cycles by"
        ]
        lines += [f"{name:<{width}}{_figures(point)}" for name, point in zip(names, front, strict=True)]
        lines += [f"all of these: {common}"] if common else []
        lines += [self._summary(front), *self._failures(), *self._pruned(), *self._illegal()]
        lines += [*map(said_of_overtaken, filter(None, [overtaken(self.good)])), self._source()]
        return "\n".join(lines) + "\n"

    def _summary(self, front: Sequence[Point]) -> str:
        """How many points there are, and how many of them run."""
        networks = self.title
        failed = len(self.points) - len(self.good)
        if not front:
            return f"{self._none()} run {networks}"
        if len(self.points) == 1:
            return f"one point, which can run {networks}"
        return (
            f"{len(front)} of {len(self.points):,} points: any other takes no fewer cycles than one of these, and has "
            f"no less SRAM; {failed:,} cannot run {networks}{self._by_network()}"
        )

    def _by_network(self) -> str:
        """On how many machines each of several networks cannot run, those that fail most often first."""
        fails = Counter(one.network for point in self.points for one in point.failed)
        if len(self.networks) == 1 or not fails:
            return ""
        (first, most), *others = fails.most_common()
        return f" ({', '.join([f'{first} fails on {most:,}', *(f'{name} on {count:,}' for name, count in others)])})"

    def _none(self) -> str:
        return "the one point cannot" if len(self.points) == 1 else f"none of {len(self.points):,} points can"

    def _failures(self) -> list[str]:
        """What is wrong with the first points that cannot run."""
        failed = [point for point in self.points if point.error]
        return [f"  {point.name}: {short_name(point.error, _ERROR_CHARACTERS)}" for point in failed[:3]]

    @property
    def failure(self) -> VtacError | None:
        """Where no machine can run the networks, an error with the reason, or the first of several."""
        if self.good or not self.points:
            return None
        prefix = f"{self.networks[0]}: " if len(self.networks) == 1 else ""
        reasons = list(dict.fromkeys(point.error.removeprefix(prefix) for point in self.points))
        others = f"; {self.points[0].name} is the first; --csv and --json have all" if len(reasons) > 1 else ""
        return VtacError(f"{self._summary([])}: {reasons[0]}{others}")

    def _pruned(self) -> list[str]:
        if not self.pruned:
            return []
        return [
            f"{len(self.pruned):,} more {'machine was' if len(self.pruned) == 1 else 'machines were'} pruned, not "
            "compiled: one of these points has no more SRAM than each, and no more cycles than it takes at least",
            *(f"  {one.name}: {one.reason}" for one in self.pruned[:3]),
        ]

    def _illegal(self) -> list[str]:
        return [said_of_illegal(self.illegal)] if self.illegal else []

    def _source(self) -> str:
        return f"energy and area: {short_name(self.table.source, _SOURCE_CHARACTERS)}"

    def to_json(self) -> dict[str, object]:
        """All points as plain values; equal for equal sweeps."""
        front = {id(point) for point in self.pareto()}
        points = [
            {
                "name": point.name,
                **point.row(),
                "pareto": id(point) in front,
                "networks": [one.to_json() for one in point.networks],
            }
            for point in self.points
        ]
        pruned = [{"name": one.name, "least_cycles": one.least, "by": one.by.name} for one in self.pruned]
        return {
            "networks": list(self.networks),
            "energy_source": self.table.source,
            "points": points,
            **({"pruned": pruned} if pruned else {}),
            "illegal": dict(self.illegal),
        }

    def to_csv(self, path: str | Path) -> None:
        """Write all points as a table of comma-separated values. Raises `VtacError`.

        Those on which a network cannot run have no figures but those of the machine; their `error` says which and why.
        Behind them stand machines that were pruned, without figures; their `error` says so. The `error` of the last row
        says how many combinations of values are no machines, where there are such.
        """
        text = StringIO()
        rows = [point.row() for point in self.points]
        rows += [{**values_of(one.machine), "error": one.reason} for one in self.pruned]
        rows += [{"error": text} for text in self._illegal()]
        writer = csv.DictWriter(text, list(rows[0]) if rows else ["cycles"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        try:
            write_output(Path(path), text.getvalue().encode())
        except OSError as error:
            raise VtacError(f"cannot write the table to {path}: {error.strerror or error}") from None

    def plot(self, path: str | Path, x: str = "cycles", y: str = "sram_bytes") -> None:
        """Draw the points and the front of two measures (extra `plot`). Raises `VtacError` as `pareto` does."""
        self._require_front(x, y)
        names, common = short_names([point.machine for point in self.good])
        spots = [(name, shown(one, x), shown(one, y)) for name, one in zip(names, self.good, strict=True)]
        title = f"{self.title} on {counted(len(spots), 'machine')}{common and f': {common}'}"
        import_module("vtac.report.front_plot").plot_spots(spots, AXES[x][0], AXES[y][0], title, path)

    def _require_front(self, x: str, y: str) -> None:
        for name in (x, y):
            require_measure(name)
        if self.pruned and {x, y} != {"cycles", "sram_bytes"}:
            raise VtacError(
                f"the sweep was pruned by cycles and SRAM, so that it may lack points of the front of {x} and {y}: "
                "sweep without prune"
            )

    to_html = text_by("vtac.report.page.exploration", "exploration_page")


def _figures(point: Point) -> str:
    return (
        f"{point.cycles:>14,}{point.bytes:>14,}{point.sram_bytes / 1024:>9,.0f}"
        f"{point.multipliers:>9,}{point.energy:>11,.0f}{point.area:>7.2f}{point.utilisation:>7.1%}  "
        f"{point.limit:<8} {'RTL' if point.is_proven else 'formula'}"
    )
