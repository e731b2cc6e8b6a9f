"""The drawings of a quantisation report as SVG, in the colours of the page around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, isfinite

import numpy as np

from vtac.models.report.report import LayerLine, Report

_WIDTH, _HEIGHT, _BARS = 260, 118, 64
_TITLE, _LETTER, _NAME = "SQNR in dB", 6.6, 30
"""What stands over it, the width of a letter, and letters of a layer's name, which stands askew."""
_LEFT, _TOP, _PLOT, _STEP = 48, 22, 180, 34
"""Of the chart along the network: the place of its axes, its height, and the width of a layer, in pixels."""


def along_network(report: Report) -> str:
    """Two lines over the layers, with decibels at the left and names below: alone, and with all layers before."""
    lines = [line for line in report.lines if isfinite(line.sqnr_db)]
    if len(lines) < 2:
        return ""
    values = [value for line in lines for value in (line.alone_db, line.sqnr_db) if isfinite(value)]
    low, high = 5 * floor(min(values) / 5), 5 * ceil(max(values) / 5 + 0.01)
    names = min(_NAME, max(len(line.name) for line in lines))
    width = _LEFT + _STEP * len(lines) + max(110, round(0.82 * _LETTER * names))
    height = _TOP + _PLOT + 20 + min(110, 4 * names)
    series = (("alone", "each layer alone", [line.alone_db for line in lines]),
              ("whole", "with all layers before it", [line.sqnr_db for line in lines]))  # fmt: skip
    drawn = "".join(_series(kind, said, lines, numbers, (low, high)) for kind, said, numbers in series)
    width = max(width, _LEFT + round(_LETTER * (len(_TITLE) + sum(len(said) + 2 for _, said, _ in series))))
    legend = ", ".join(f'<tspan class="{kind}">{said}</tspan>' for kind, said, _ in series)
    return f"""<div class="wide">
<svg width="{width}" height="{height}" role="img" aria-label="SQNR in dB of each layer">
<text x="{_LEFT}" y="12">{_TITLE}: {legend}</text>
{"".join(_levels(low, high, _LEFT + _STEP * len(lines)))}{drawn}{"".join(_names(lines))}</svg></div>"""


def _place(number: float, bounds: tuple[int, int]) -> float:
    return _TOP + _PLOT * (bounds[1] - number) / (bounds[1] - bounds[0])


def _levels(low: int, high: int, right: int) -> Iterator[str]:
    step = 5 if high - low <= 40 else 10 if high - low <= 100 else 50
    for level in range(step * ceil(low / step), high + 1, step):
        y = _place(level, (low, high))
        yield f'<line class="level" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{level}</text>'


def _series(kind: str, said: str, lines: Sequence[LayerLine], numbers: Sequence[float], bounds: tuple[int, int]) -> str:
    """A line with a dot for each layer, which says its number; what is infinite has none."""
    dots = [
        (_LEFT + _STEP * (place + 0.5), _place(number, bounds), line.name, number)
        for place, (line, number) in enumerate(zip(lines, numbers, strict=True))
        if isfinite(number)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in dots)
    marks = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"><title>{escape(name)}, {said}: {number:.1f} dB</title></circle>'
        for x, y, name, number in dots
    )
    return f'<g class="{kind}"><polyline points="{path}"/>{marks}</g>'


def _names(lines: Sequence[LayerLine]) -> Iterator[str]:
    for place, line in enumerate(lines):
        x, y = _LEFT + _STEP * (place + 0.5), _TOP + _PLOT + 14
        name = line.name if len(line.name) <= _NAME else f"{line.name[: _NAME - 3]}..."
        yield f'<text x="{x:.1f}" y="{y}" transform="rotate(35 {x:.1f} {y})">{escape(name)}</text>'


def histogram(line: LayerLine) -> str:
    """How often values occur, on a logarithmic axis, over the values; the shaded part is what eight bits hold."""
    if line.seen is None or not line.seen.reach:
        return ""
    counts = line.seen.counts.reshape(_BARS, -1).sum(1)
    heights = np.log1p(counts) / max(1e-9, float(np.log1p(counts).max())) * (_HEIGHT - 34)
    bar, base = _WIDTH / len(counts), _HEIGHT - 18
    bars = "".join(
        f'<rect x="{bar * place:.1f}" y="{base - height:.1f}" width="{bar:.1f}" height="{height:.1f}"/>'
        for place, height in enumerate(heights.tolist())
        if height
    )
    reach = line.seen.reach
    held = "not stored as bytes" if line.scale is None else f"{line.clipped:.2%} clipped"
    ends = f"{line.low:.3g} to {line.high:.3g}"
    return f"""<figure><figcaption><b>{escape(line.name)}</b> {ends}, {held}</figcaption>
<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="values of {escape(line.name)}">
{_grid(line)}<g class="bars">{bars}</g>
<line class="base" x1="0" x2="{_WIDTH}" y1="{base}" y2="{base}"/>
<text x="0" y="{_HEIGHT - 4}">{-reach:.3g}</text><text x="{_WIDTH / 2}" y="{_HEIGHT - 4}" text-anchor="middle">0</text>
<text x="{_WIDTH}" y="{_HEIGHT - 4}" text-anchor="end">{reach:.3g}</text></svg></figure>"""


def _grid(line: LayerLine) -> str:
    """What eight bits hold, with a line every 32 steps."""
    if line.scale is None or line.seen is None:
        return ""

    def place(step: int) -> float:
        value = (step - zero) * size
        return min(_WIDTH, max(0.0, _WIDTH / 2 * (1 + value / reach)))

    zero, size, reach = line.scale.zero, line.scale.size, line.seen.reach
    left, right = place(-128), place(127)
    ticks = "".join(
        f'<line class="step" x1="{place(step):.1f}" x2="{place(step):.1f}" y1="6" y2="{_HEIGHT - 18}"/>'
        for step in range(-128, 129, 32)
    )
    shade = f'<rect class="held" x="{left:.1f}" y="6" width="{right - left:.1f}" height="{_HEIGHT - 24}"/>'
    return shade + ticks
