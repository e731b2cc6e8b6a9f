"""The section of a sweep: points of two measures, those that no other beats in both joined by a line, and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from vtac.report.page.labels import Labels, Place, along, around, beside
from vtac.report.page.section import Section
from vtac.report.page.templating import measure, render
from vtac.report.ticks import tick_labels
from vtac.text.short import short_name

WIDTH, HEIGHT = 960, 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 24, 28, 52


@dataclass(frozen=True)
class Point:
    """One configuration or tiling: its name, two measures of which less is better, and further columns of the table."""

    label: str
    x: float
    y: float
    columns: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Sweep:
    """Points under a title, and what their two measures are, such as cycles and bytes of SRAM.

    `common` is what all points have in common, and their labels do not say.
    """

    title: str
    x_name: str
    y_name: str
    points: Sequence[Point]
    common: str = ""

    @property
    def front(self) -> list[Point]:
        """The points that no other is as good as in both measures and better in one, by `x`."""
        found: list[Point] = []
        for point in sorted(self.points, key=lambda one: (one.x, one.y)):
            if not found or point.y < found[-1].y:
                found.append(point)
        return found


def sweep_section(sweep: Sweep, number: int = 1) -> Section:
    """A sweep as plot and table."""
    front = sweep.front
    columns = list(dict.fromkeys(name for point in sweep.points for name in point.columns))
    html = render(
        "sweep.html",
        sweep=sweep,
        columns=columns,
        numeric={name for name in columns if all(_is_number(point.columns.get(name, "0")) for point in sweep.points)},
        points=sorted(sweep.points, key=lambda point: (point.x, point.y)),
        on_front={id(point): number for number, point in enumerate(front, 1)},
        plot=Markup(_plot(sweep, front) if sweep.points else ""),
        identity=id,
    )
    return Section(f"sweep-{number}", sweep.title, html)


def _plot(sweep: Sweep, front: Sequence[Point]) -> str:
    x_span, y_span = _span([point.x for point in sweep.points]), _span([point.y for point in sweep.points])

    def at_x(value: float) -> float:
        return _LEFT + (value - x_span[0]) / (x_span[1] - x_span[0]) * (WIDTH - _LEFT - _RIGHT)

    def at_y(value: float) -> float:
        return HEIGHT - _BOTTOM - (value - y_span[0]) / (y_span[1] - y_span[0]) * (HEIGHT - _TOP - _BOTTOM)

    def place(point: Point) -> tuple[float, float]:
        return at_x(point.x), at_y(point.y)

    best = {id(point) for point in front}
    names = _names(front, [place(point) for point in front], [place(point) for point in sweep.points])
    dots = [
        {
            "x": at_x(point.x),
            "y": at_y(point.y),
            "name": names.get(id(point)),
            "hint": _hint(point, sweep),
            "best": id(point) in best,
        }
        for point in sweep.points
    ]
    x_ticks, y_ticks = _ticks(*x_span), _ticks(*y_span)
    return render(
        "pareto.html",
        sweep=sweep,
        dots=dots,
        line=[place(point) for point in front],
        x_ticks=list(zip(map(at_x, x_ticks), tick_labels(x_ticks), strict=True)),
        y_ticks=list(zip(map(at_y, y_ticks), tick_labels(y_ticks), strict=True)),
        width=WIDTH,
        height=HEIGHT,
        frame=(_LEFT, _TOP, WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM),
    )


def _hint(point: Point, sweep: Sweep) -> str:
    name = short_name(point.label, 200)
    return f"{name}: {measure(point.x)} {sweep.x_name}, {measure(point.y)} {sweep.y_name}"


def _is_number(text: str) -> bool:
    try:
        return bool(text) and float(text.replace(",", "")) == float(text.replace(",", ""))
    except ValueError:
        return False


def _names(
    front: Sequence[Point], spots: Sequence[tuple[float, float]], others: Sequence[tuple[float, float]]
) -> dict[int, tuple[str, Place]]:
    """Labels of the points of the front with their places: the number and the name, or the number alone.

    A point that has no room for either is left to the hint and the table.
    """
    labels = Labels((_LEFT, _TOP - 10, WIDTH, HEIGHT - _BOTTOM), [*around(others), *along(spots)])
    found: dict[int, tuple[str, Place]] = {}
    for number, (point, spot) in enumerate(zip(front, spots, strict=True), 1):
        texts = (f"{number}: {short_name(point.label)}", f"{number}")
        # The front falls to the right: what is above it is free of its line.
        choices = [(text, place) for text in texts for place in (beside(*spot, text)[4], *beside(*spot, text))]
        placed = labels.place(choices)
        if placed is not None:
            found[id(point)] = placed[1], placed[2]
    return found


def _span(values: Sequence[float]) -> tuple[float, float]:
    """From somewhat less than the least to somewhat more than the largest."""
    low, high = min(values), max(values)
    edge = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    return low - edge, high + edge


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers in a span, at most eight."""
    step = 10.0**-9
    steps = (2, 2.5, 2)
    at = 0
    while (high - low) / step > 8:
        step *= steps[at % 3]
        at += 1
    first = -(-low // step)
    return [(first + number) * step for number in range(9) if (first + number) * step <= high]
