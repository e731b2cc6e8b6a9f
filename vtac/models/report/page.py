"""A report as one HTML page without scripts."""

from __future__ import annotations

from html import escape
from math import isfinite
from typing import cast

import numpy as np

from vtac.models.report.report import LayerLine, Report

_STYLE = """body { font: 14px/1.4 sans-serif; margin: 2em; color: #222 }
table { border-collapse: collapse } td, th { padding: 2px 8px; text-align: right; border-bottom: 1px solid #ddd }
td:first-child, th:first-child, td:nth-child(2), td:last-child { text-align: left } svg { background: #fafafa }
figure { display: inline-block; margin: 6px } figcaption { font-size: 12px }"""
_HEADS = (
    "layer", "operation", "exponents", "zero", "range", "clipped", "alone dB", "all dB", "bits lost",
    "accumulator", "cycles", "share", "bytes", "where",
)  # fmt: skip
_WIDTH, _HEIGHT, _BARS = 240, 90, 80


def page(value: object) -> str:
    """The whole of a `Report`."""
    report = cast(Report, value)
    rows = "".join(_row(line, report.cycles) for line in report.lines)
    heads = "".join(f"<th>{head}</th>" for head in _HEADS)
    lines = "".join(f"<p>{escape(line)}</p>" for line in report.totals())
    advice = "".join(f"<li>{escape(line.strip())}</li>" for line in report.advice()[1:])
    figures = "".join(map(_histogram, report.lines))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<title>{escape(report.model)} in integers</title><style>{_STYLE}</style></head>
<body><h1>{escape(report.model)} in integers</h1>{lines}
<h2>What loses most by itself, and what to try</h2><ul>{advice}</ul>
<h2>SQNR along the network</h2>{_along(report)}
<h2>Layers</h2><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>
<h2>Values that calibration saw, and the grid they are put on</h2>{figures}
</body></html>
"""


def _row(line: LayerLine, cycles: int) -> str:
    cells = (
        line.name,
        line.op,
        line.exponents,
        "" if line.scale is None else str(line.scale.zero),
        f"{line.low:.3g} to {line.high:.3g}",
        f"{line.clipped:.2%}",
        f"{line.alone_db:.1f}",
        f"{line.sqnr_db:.1f}",
        f"{line.bits_lost:.1f}",
        "" if line.bound is None else f"{line.bound:,}",
        f"{line.cycles:,}",
        f"{line.cycles / max(1, cycles):.1%}",
        f"{line.bytes:,}",
        line.where,
    )
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _along(report: Report) -> str:
    """Two lines: each layer alone, and with all before it."""
    lines = [line for line in report.lines if isfinite(line.sqnr_db)]
    if len(lines) < 2:
        return ""
    values = [value for line in lines for value in (line.alone_db, line.sqnr_db) if isfinite(value)]
    low, high = min(values), max(values)
    width, height = max(400, 24 * len(lines)), 200

    def points(numbers: list[float]) -> str:
        step = (width - 60) / (len(numbers) - 1)
        return " ".join(
            f"{40 + step * place:.1f},{10 + (height - 30) * (high - value) / max(high - low, 1e-9):.1f}"
            for place, value in enumerate(numbers)
            if isfinite(value)
        )

    alone, whole = points([line.alone_db for line in lines]), points([line.sqnr_db for line in lines])
    return f"""<svg width="{width}" height="{height}" role="img">
<polyline points="{alone}" fill="none" stroke="#8ab"/><polyline points="{whole}" fill="none" stroke="#b33"/>
<text x="2" y="14" font-size="11">{high:.0f} dB</text><text x="2" y="{height - 20}" font-size="11">{low:.0f} dB</text>
<text x="40" y="{height - 4}" font-size="11" fill="#8ab">each layer alone</text>
<text x="160" y="{height - 4}" font-size="11" fill="#b33">with all before it</text></svg>"""


def _histogram(line: LayerLine) -> str:
    """Bars on a logarithmic axis; the shaded part is what eight bits hold."""
    if line.seen is None or not line.seen.reach:
        return ""
    counts = line.seen.counts.reshape(_BARS // 5 * 4, -1).sum(1)
    heights = np.log1p(counts) / max(1e-9, float(np.log1p(counts).max())) * (_HEIGHT - 20)
    bar, floor = _WIDTH / len(counts), _HEIGHT - 15
    bars = "".join(
        f'<rect x="{bar * place:.1f}" y="{floor - height:.1f}" width="{bar:.1f}" height="{height:.1f}" fill="#579"/>'
        for place, height in enumerate(heights.tolist())
        if height
    )
    return f"""<figure><svg width="{_WIDTH}" height="{_HEIGHT}" role="img">{_grid(line)}{bars}
<text x="2" y="{_HEIGHT - 3}" font-size="10">{-line.seen.reach:g}</text>
<text x="{_WIDTH - 2}" y="{_HEIGHT - 3}" font-size="10" text-anchor="end">{line.seen.reach:g}</text></svg>
<figcaption>{escape(line.name)}</figcaption></figure>"""


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
        f'<line x1="{place(step):.1f}" x2="{place(step):.1f}" y1="5" y2="{_HEIGHT - 15}" stroke="#cba"/>'
        for step in range(-128, 129, 32)
    )
    shade = f'<rect x="{left:.1f}" y="5" width="{right - left:.1f}" height="{_HEIGHT - 20}" fill="#f0e6d8"/>'
    return shade + ticks
