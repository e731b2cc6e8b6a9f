"""A report as one HTML page without scripts, light and dark, for screens and paper."""

from __future__ import annotations

from html import escape
from typing import cast

from vtac.models.report.charts import along_network, histogram
from vtac.models.report.report import LayerLine, Report

_STYLE = """.vtac-q { --paper: #fff; --ink: #1b2127; --soft: #55606c; --line: #dde1e6; --held: #f3e7d3; --step: #cdb892;
  --bars: #4a6f94; --alone: #2b6cb0; --whole: #b3341f; color-scheme: light dark; background: var(--paper);
  color: var(--ink); font: 14px/1.5 system-ui, "Noto Sans", "Liberation Sans", sans-serif }
@media (prefers-color-scheme: dark) { .vtac-q { --paper: #161b20; --ink: #e4e8ec; --soft: #9aa6b2; --line: #2d353e;
  --held: #3a3222; --step: #6b5c3c; --bars: #86aed6; --alone: #7fb4ea; --whole: #f08a74 } }
.vtac-q p { margin: 0 0 .5em; max-width: 90ch } .vtac-q h2 { font-size: 1.2em; margin: 1.6em 0 .5em }
.vtac-q .wide { overflow-x: auto } .vtac-q table { border-collapse: collapse; font-variant-numeric: tabular-nums }
.vtac-q :is(td, th) { padding: 3px 9px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap }
.vtac-q th small { color: var(--soft); font-weight: 400 }
.vtac-q thead th { color: var(--soft); font-weight: 600 } .vtac-q tbody th { font-weight: 600 }
.vtac-q th:first-child, .vtac-q :is(td, th):nth-child(2), .vtac-q :is(td, th):last-child { text-align: left }
.vtac-q td:last-child { white-space: normal; min-width: 14em }
.vtac-q svg text { fill: var(--soft); font-size: 11px } .vtac-q svg { background: none; display: block }
.vtac-q .alone { color: var(--alone) } .vtac-q .whole { color: var(--whole) }
.vtac-q tspan.alone { fill: var(--alone) } .vtac-q tspan.whole { fill: var(--whole) }
.vtac-q g.alone polyline { stroke: var(--alone); fill: none } .vtac-q g.alone circle { fill: var(--alone) }
.vtac-q g.whole polyline { stroke: var(--whole); fill: none; stroke-width: 2 }
.vtac-q g.whole circle { fill: var(--whole) }
.vtac-q .level { stroke: var(--line) } .vtac-q .base { stroke: var(--soft) } .vtac-q .held { fill: var(--held) }
.vtac-q .step { stroke: var(--step) } .vtac-q .bars { fill: var(--bars) }
.vtac-q figure { display: inline-block; vertical-align: top; margin: 0 22px 16px 0; width: 260px; break-inside: avoid }
.vtac-q figcaption { font-size: 12px; color: var(--soft); overflow-wrap: anywhere }
.vtac-q figcaption b { color: var(--ink) }
@media print { .vtac-q { --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --held: #f3e7d3; --step: #cdb892;
  --bars: #4a6f94; --alone: #2b6cb0; --whole: #b3341f; color-scheme: light; font-size: 8pt; print-color-adjust: exact }
  .vtac-q .wide { overflow: visible } .vtac-q td, .vtac-q th { padding: 2px 4px; white-space: normal }
  .vtac-q h2 { break-after: avoid } .vtac-q tr { break-inside: avoid } .vtac-q svg { max-width: 100% } }
@page { size: landscape; margin: 12mm }"""
_HEADS = (
    "layer", "operation", "exponents", "zero", "range", "clipped", "alone, dB", "all, dB", "bits lost",
    "accumulator", "cycles", "share", "bytes", "where",
)  # fmt: skip


def page(value: object) -> str:
    """The whole of a `Report`."""
    report = cast(Report, value)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(report.model)} in integers</title>
<style>html {{ background: #fff }} @media (prefers-color-scheme: dark) {{ html {{ background: #161b20 }} }}
body {{ margin: 2em }} @media print {{ html {{ background: #fff }} body {{ margin: 0 }} }}</style></head>
<body><h1>{escape(report.model)} in integers</h1>{part(report)}</body></html>
""".replace("<body>", '<body class="vtac-q">')


def part(value: object) -> str:
    """What the page shows, for a page of others, such as a notebook."""
    report = cast(Report, value)
    rows = "".join(_row(line, report.cycles) for line in report.lines)
    heads = "".join(f'<th scope="col">{head}</th>' for head in _HEADS)
    lines = "".join(f"<p>{escape(line)}</p>" for line in report.totals())
    advice = "".join(f"<li>{escape(line.strip())}</li>" for line in report.advice()[1:])
    return f"""<style>{_STYLE}</style><div class="vtac-q">{lines}
<h2>What loses most by itself, and what to try</h2><ul>{advice}</ul>
<h2>Signal over noise along the network</h2>{along_network(report)}
<h2>Layers</h2><div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>
<h2>Values that calibration saw, and the grid they are put on</h2>
<p>How often each value occurs, on a logarithmic axis. What eight bits hold is shaded, with a line every 32 steps; what
lies beside it is clipped.</p>
{"".join(map(histogram, report.lines))}</div>"""


def _row(line: LayerLine, cycles: int) -> str:
    cells = (
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
    shown = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    own = f" <small>{escape(line.value)}</small>" if line.value not in ("", line.name) else ""
    return f'<tr><th scope="row">{escape(line.name)}{own}</th>{shown}</tr>'
