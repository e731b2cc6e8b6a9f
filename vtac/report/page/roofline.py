"""The roofline: multiplications per cycle over multiplications per byte, logarithmic axes, each layer a point."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vtac.report.page.labels import LETTER, LINE, Labels, Place, around, beside
from vtac.report.page.templating import render
from vtac.text.short import short_name

if TYPE_CHECKING:
    from vtac.report.page.layers import Row

WIDTH, HEIGHT = 960, 520
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 28, 52
_LABELS = 3
"""Numbers that an axis has at least, where it is long enough for them."""
_LABELLED = ((1,), (1, 2, 5))
"""Digits that have a number at an axis, from the fewest on."""


@dataclass(frozen=True, slots=True)
class Roofline:
    """Layers under two roofs: multiplications per cycle at most, and bytes per cycle of the read bus."""

    peak: int
    bandwidth: int
    rows: Sequence[Row]

    @property
    def ridge(self) -> float:
        """Multiplications per byte from which on the bus is no limit."""
        return self.peak / self.bandwidth


@dataclass(frozen=True, slots=True)
class Point:
    """A layer on the drawing, and where its label stands; one far off is led to by a line."""

    x: float
    y: float
    hint: str
    label: str
    label_x: float
    label_y: float
    anchor: str
    is_far: bool


class _Axes:
    """Ranges that hold all points and the ridge, and where numbers lie on the drawing."""

    def __init__(self, roofline: Roofline) -> None:
        xs = [row.intensity or 1 for row in roofline.rows] + [roofline.ridge]
        ys = [_rate(row) for row in roofline.rows] + [roofline.peak]
        self.peak = roofline.peak
        self.x = min(xs) / 2, max(xs) * 2.5
        self.y = min(ys) / 2, max(ys) * 1.6

    def at_x(self, value: float) -> float:
        return _LEFT + _part(value, self.x) * (WIDTH - _LEFT - _RIGHT)

    def at_y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - _part(value, self.y) * (HEIGHT - _TOP - _BOTTOM)


def _part(value: float, span: tuple[float, float]) -> float:
    """How far along a span a number lies, logarithmically: 0 at its begin, 1 at its end."""
    first, last = map(math.log10, span)
    return (math.log10(value) - first) / (last - first)


def draw_roofline(roofline: Roofline) -> str:
    """The drawing as SVG, empty where no layer multiplies."""
    if not roofline.rows:
        return ""
    axes = _Axes(roofline)
    entry = max(axes.x[0], axes.y[0] / roofline.bandwidth)
    slope = [(axes.at_x(x), axes.at_y(x * roofline.bandwidth)) for x in (entry, roofline.ridge)]
    return render(
        "roofline.html",
        width=WIDTH,
        height=HEIGHT,
        frame=(_LEFT, _TOP, WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM),
        roof=[*slope, (axes.at_x(axes.x[1]), axes.at_y(roofline.peak))],
        roofline=roofline,
        x_ticks=[(axes.at_x(value), label) for value, label in _ticks(axes.x)],
        y_ticks=[(axes.at_y(value), label) for value, label in _ticks(axes.y)],
        points=_points(roofline.rows, axes),
    )


def _rate(row: Row) -> float:
    """Multiplications per cycle."""
    return row.macs / max(1, row.cycles)


def _ticks(span: tuple[float, float]) -> Iterator[tuple[float, str]]:
    """One to nine times each power of ten in a span; labels stand at the fewest digits that give three of them."""
    decades = range(math.floor(math.log10(span[0])), math.floor(math.log10(span[1])) + 1)
    values = [(digit, digit * 10.0**decade) for decade in decades for digit in range(1, 10)]
    within = [(digit, value) for digit, value in values if span[0] <= value <= span[1]]
    labelled = next((some for some in _LABELLED if sum(digit in some for digit, _ in within) >= _LABELS), range(10))
    for digit, value in within:
        yield value, f"{value:,.6g}" if digit in labelled else ""


def _points(rows: Sequence[Row], axes: _Axes) -> list[Point]:
    spots = [(axes.at_x(row.intensity or 1), axes.at_y(_rate(row))) for row in rows]
    roof = axes.at_y(axes.peak)
    taken = [*around(spots), (WIDTH - _RIGHT - 160, roof - 22, WIDTH, roof + 2)]
    labels = Labels((_LEFT, _TOP, WIDTH - _RIGHT, HEIGHT - _BOTTOM), taken)
    return [_point(row, *spot, labels) for row, spot in zip(rows, spots, strict=True)]


def _point(row: Row, x: float, y: float, labels: Labels) -> Point:
    """A layer with its number and name beside it; where other labels stand, with its number somewhere below."""
    hint = f"{row.name}: {row.intensity:,.1f} MACs per byte, {_rate(row):,.1f} MACs per cycle, {row.cycles:,} cycles"
    full, short = f"{row.number} {short_name(row.name)}", str(row.number)
    near = [(label, place) for label in (full, short) for place in beside(x, y, label)]
    found = labels.place((*near, *((short, place) for place in _below(x, y, LETTER * len(short)))))
    if found is None:
        return Point(x, y, hint, "", x, y, "middle", False)
    number, label, place = found
    return Point(x, y, hint, label, *place[:3], number >= len(near))


def _below(x: float, y: float, width: float) -> Iterator[Place]:
    """Places ever farther below a point, and to its sides."""
    for down in range(34, HEIGHT, LINE + 2):
        for aside in (0, 12, -12, 24, -24, 40, -40):
            yield x + aside, y + down, "middle", x + aside - width / 2
