"""What tuning has found, and how far it may be from the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from vtac.errors import VtacError
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.tuning.gaps import FrontGap, percent_up
from vtac.targets.vta.tuning.search import Objective, Point, dominates
from vtac.text.short import counted

PLANNED_FOR = "// for "
"""How a schedule begins that was found by search: with its configuration behind."""
_NOTHING = "nothing of it runs on the VTA; vtac run FILE says why"
_REASONS = 3
_MOST_POINTS = 200
_SHOWN_POINTS = 20
"""Points of a front that a table has."""

Unit = Literal["seconds", "cycles", "exact cycles"]


@dataclass(frozen=True)
class LayerValues:
    """What runs of a layer took a device: with the fastest tiling, and with that of the default schedule, if it runs.

    `runs` is how many tilings were tried there.
    """

    tuned: float
    default: float | None
    runs: int


@dataclass(frozen=True)
class Whole:
    """What a run of the whole program takes on devices of one kind, whose URLs are those that were left at the end."""

    machine: str
    unit: Unit
    urls: tuple[str, ...]
    default: float
    tuned: float

    def shown(self, value: float | None) -> str:
        """A value with its unit: milliseconds, or cycles."""
        if value is None:
            return "-"
        return f"{value * 1e3:,.3f} ms" if self.unit == "seconds" else f"{value:,.0f}"

    def __str__(self) -> str:
        change = _change(self.default, self.tuned)
        ends = f"{self.shown(self.default)} by the default schedule, {self.shown(self.tuned)} ({change})"
        named = {"seconds": "time", "cycles": "cycles that it counts", "exact cycles": "exact cycles"}[self.unit]
        return f"measured on {self.machine}, {named}: {ends} by this one"


@dataclass(frozen=True)
class LayerResult:
    """One kind of layer: alone, by the default schedule and by the best tiling that was found.

    `functions` are the device functions that are this layer, `least` is what no tiling of the space goes below in the
    measure of the objective. `front` are cycles and bytes of tilings that no other is as good as in both.
    """

    name: str
    functions: tuple[str, ...]
    calls: int
    tiling: Tiling
    cycles: int
    nbytes: int
    default_cycles: int
    default_nbytes: int
    least: int
    evaluated: int
    refused: int
    members: int
    front: tuple[Point, ...]
    measured: LayerValues | None = None


@dataclass(frozen=True)
class TuneResult:
    """A schedule that was found by search.

    `schedule` is a text that `vtac.compile` takes, one script for each device function. `cycles` and `bytes` are
    those of the whole program under it, `default_cycles` and `default_bytes` under the default schedule. `gap` is how
    much more the layers take than the bounds leave for any tiling, as a share of that: 0.0 is proven to be the best.
    `front` has cycles and bytes of the layers together, taken alone. `untuned` are functions that keep their
    schedule, and why.
    `measured` is what the schedules take on devices, where some were named; cycles and bytes are the model's then, too.
    `front_gap` is what is proven of the front, where that is the objective.
    """

    objective: Objective
    budget: str
    schedule: str
    cycles: int
    bytes: int
    default_cycles: int
    default_bytes: int
    gap: float
    evaluated: int
    refused: int
    front: tuple[Point, ...]
    layers: tuple[LayerResult, ...]
    untuned: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    measured: Whole | None = None
    front_gap: FrontGap | None = None

    @property
    def statement(self) -> str:
        """What is proven, in a sentence."""
        measure = "bytes" if self.objective == "bytes" else "cycles"
        if not self.layers:
            return "nothing to tune"
        spent = self.budget if self.budget.endswith(" s") else counted(self.evaluated, "tiling")
        if self.front_gap is not None:
            return self.front_gap.statement(spent)
        if self.gap == 0.0:
            return f"best of this space in {measure}"
        return f"within {percent_up(self.gap):.1f} % of any tiling in this space in {measure}, after {spent}"

    @property
    def failure(self) -> VtacError | None:
        """Where there was nothing to tune, an error with the reason."""
        if self.layers:
            return None
        if not self.default_cycles:
            return VtacError(f"{self.statement}: {_NOTHING}")
        reasons = "; ".join(self.untuned[:_REASONS]) or "no function of it has a layer"
        more = f"; and {len(self.untuned) - _REASONS} more functions" if len(self.untuned) > _REASONS else ""
        return VtacError(f"{self.statement}, all of it keeps its schedule: {reasons}{more}")

    def to_json(self) -> dict[str, object]:
        """Everything as plain values; equal for equal searches, as it holds no times but those of devices."""
        layers = [
            {
                "name": one.name,
                "functions": list(one.functions),
                "calls": one.calls,
                "tiling": dict(vars(one.tiling)),
                "cycles": one.cycles,
                "bytes": one.nbytes,
                "default_cycles": one.default_cycles,
                "default_bytes": one.default_nbytes,
                "least": one.least,
                "evaluated": one.evaluated,
                "refused": one.refused,
                "space": one.members,
                "front": [list(point) for point in one.front],
                **({} if one.measured is None else {"measured": asdict(one.measured)}),
            }
            for one in self.layers
        ]
        names = (
            "objective",
            "budget",
            "cycles",
            "bytes",
            "default_cycles",
            "default_bytes",
            "gap",
            "evaluated",
            "refused",
        )
        return {
            "statement": self.statement,
            **{name: getattr(self, name) for name in names},
            "front": [list(point) for point in self.front],
            "layers": layers,
            "untuned": list(self.untuned),
            "notes": list(self.notes),
            **({} if self.measured is None else {"measured": asdict(self.measured)}),
            **({} if self.front_gap is None else {"front_gap": asdict(self.front_gap)}),
            "schedule": self.schedule,
        }

    def __str__(self) -> str:
        lines = self._layer_lines()
        lines += [f"left as it is: {text}" for text in self.untuned]
        lines += [f"note: {text}" for text in self.notes]
        if not self.default_cycles:
            lines.append(_NOTHING)
            return "\n".join([*lines, self.statement]) + "\n"
        cycles, nbytes = _change(self.default_cycles, self.cycles), _change(self.default_bytes, self.bytes)
        lines.append(
            f"{self.default_cycles:,} cycles and {self.default_bytes:,} bytes by the default schedule; "
            f"{self.cycles:,} ({cycles}) and {self.bytes:,} ({nbytes}) by this one"
        )
        return "\n".join([*lines, *self._front_lines(), self.statement, *self._measured_lines()]) + "\n"

    def _layer_lines(self) -> list[str]:
        """A row of each layer: default, tuned, gain and least in the measure of the objective, and the other one."""
        by_bytes = self.objective == "bytes"
        other = "cycles" if by_bytes else "bytes"
        lines = [
            f"{'layer':<28}{'calls':>6}{'default':>12}{'tuned':>12}{'gain':>9}{other:>12}{'least':>12}{'tried':>7}"
        ]
        for one in self.layers:
            cycles, nbytes = (one.default_cycles, one.cycles), (one.default_nbytes, one.nbytes)
            (default, tuned), (_, beside) = (nbytes, cycles) if by_bytes else (cycles, nbytes)
            gain = 1 - tuned / max(1, default)
            lines.append(
                f"{one.name[:27]:<28}{one.calls:>6}{default:>12,}{tuned:>12,}{gain:>9.2%}"
                f"{beside:>12,}{one.least:>12,}{one.evaluated:>7,}"
            )
        return lines

    def _front_lines(self) -> list[str]:
        """The front of cycles and bytes, where that is the objective: all points, or some evenly between its ends."""
        if self.objective != "pareto" or len(self.front) < 2:
            return []
        shown = min(len(self.front), _SHOWN_POINTS)
        places = [round(number * (len(self.front) - 1) / (shown - 1)) for number in range(shown)]
        which = f"{len(self.front):,} points" if shown == len(self.front) else f"{shown} of {len(self.front):,} points"
        rows = [f"{cycles:>15,}{nbytes:>15,}" for cycles, nbytes in (self.front[place] for place in places)]
        return [f"{'cycles':>15}{'bytes':>15}  front of the layers taken alone: {which}", *rows]

    def _measured_lines(self) -> list[str]:
        """What devices said, of layers and of the whole."""
        whole = self.measured
        if whole is None:
            return []
        lines = [f"{'layer':<28}{'calls':>6}{'default':>16}{'fastest':>16}{'run':>7}"]
        for one in self.layers:
            if one.measured is not None:
                default, tuned = (whole.shown(value) for value in (one.measured.default, one.measured.tuned))
                lines.append(f"{one.name[:27]:<28}{one.calls:>6}{default:>16}{tuned:>16}{one.measured.runs:>7,}")
        return ["", *lines, str(whole)]


def _change(default: float, tuned: float) -> str:
    """What a schedule saves against the default one, or takes more, in percent of that."""
    if default <= 0 or tuned == default:
        return "as much"
    return f"{abs(1 - tuned / default):.2%} {'less' if tuned < default else 'more'}"


def sum_of_fronts(fronts: Sequence[tuple[Sequence[Point], int]]) -> tuple[Point, ...]:
    """The front of all choices of one point from each, points times the number that stands with their front."""
    found: list[Point] = [(0, 0)]
    for front, times in fronts:
        sums = sorted({(a[0] + times * b[0], a[1] + times * b[1]) for a in found for b in front})
        found = []
        for point in sums:
            if not found or not dominates(found[-1], point):
                found.append(point)
        if len(found) > _MOST_POINTS:
            step = (len(found) - 1) / (_MOST_POINTS - 1)
            found = [found[round(number * step)] for number in range(_MOST_POINTS)]
    return tuple(found)
