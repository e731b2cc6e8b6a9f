"""Programs as a notebook shows them: HTML without scripts, every name escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import islice
from typing import cast

from vtac.errors import VtacError
from vtac.models.quantiser.program import QuantisedProgram
from vtac.report.drawing import svg
from vtac.report.heading import subject_of
from vtac.report.runs import runs_of
from vtac.report.timeline import draw_runs
from vtac.targets.cuda.network import CudaNetwork
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.vta.cycles import CycleReport
from vtac.targets.vta.programs.layer_report import LayerReport, layer_reports, least_cycles, simulate_streams
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.text.short import counted, short_name

MOST_ROWS = 200
"""Layers and choices that are shown; the rest is counted."""

_HEADS = ("layer", "cycles", "share", "bound", "cycles / bound", "DRAM bytes", "GEMM busy")


def program_html(program: object) -> str:
    """A VTA program: its line, layers with cycles against their bounds, choices, and the timeline of a run.

    Where the stream cannot be run, as one that deadlocks, the reason stands instead of cycles.
    """
    shown = cast(VtaProgram, program)
    parts = [f"<p><code>{'<br/>'.join(map(escape, str(program).splitlines()))}</code></p>"]
    try:
        simulated = simulate_streams(shown)
        reports = layer_reports(shown, simulated)
        parts += [_layers(reports), _choices(shown.choices), _timeline(shown, simulated, reports)]
    except VtacError as error:
        parts.append(f"<p>no cycles: {escape(str(error))}</p>")
    return f"<div>{''.join(parts)}</div>"


def quantised_html(value: object) -> str:
    """The program of a quantised model."""
    return program_html(cast(QuantisedProgram, value).program)


def cuda_html(program: object) -> str:
    """A CUDA program: its line, its parameters, and the kernel's text."""
    shown = cast(CudaProgram, program)
    rows = ((p.name, p.role, p.dtype, "x".join(map(str, p.shape)), f"{p.nbytes:,}") for p in shown.launch.parameters)
    table = _table(("parameter", "role", "dtype", "shape", "bytes"), rows)
    text = _details("kernel text", f"<pre>{escape(shown.text)}</pre>")
    return f"<div><p><code>{escape(str(program))}</code></p>{table}{text}</div>"


def cuda_network_html(program: object) -> str:
    """A CUDA program of several kernels: its line, its launches, and the text of all kernels."""
    shown = cast(CudaNetwork, program)
    plan = shown.plan
    rows = (
        (
            record.kernel,
            "x".join(map(str, record.grid)),
            "x".join(map(str, record.block)),
            ", ".join(plan.buffers[at].name for at in step.buffers),
        )
        for step in plan.steps
        for record in (plan.kernels[step.kernel],)
    )
    table = _table(("kernel", "grid", "block", "buffers"), rows)
    text = _details("text of the kernels", f"<pre>{escape(shown.text)}</pre>")
    return f"<div><p><code>{escape(str(program))}</code></p>{table}{text}</div>"


def _layers(reports: Sequence[LayerReport]) -> str:
    if not reports:
        return "<p>no layer runs on the VTA</p>"
    cycles = sum(report.cycles for report in reports)
    bound = least_cycles(reports)
    gemm = sum(report.counters["gemm_counter"] for report in reports)
    moved = sum(report.dram_bytes for report in reports)
    rows = [
        _row(one.name, one.cycles, cycles, one.bound, one.dram_bytes, one.utilisation) for one in reports[:MOST_ROWS]
    ]
    total = _row("all", cycles, cycles, bound, moved, gemm / max(1, cycles))
    return _table(_HEADS, [*rows, total]) + _left_out(len(reports), "layer")


def _row(name: str, cycles: int, total: int, bound: int | None, moved: int, utilisation: float) -> tuple[str, ...]:
    against = (f"{bound:,}", f"{cycles / bound:.2f}") if bound else ("-", "-")
    return (
        short_name(name),
        f"{cycles:,}",
        f"{cycles / max(1, total):.1%}",
        *against,
        f"{moved:,}",
        f"{utilisation:.1%}",
    )


def _choices(choices: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(choice)}</li>" for choice in islice(choices, MOST_ROWS))
    if not items:
        return ""
    return _details(counted(len(choices), "choice"), f"<ul>{items}</ul>{_left_out(len(choices), 'choice')}")


def _timeline(program: VtaProgram, simulated: Mapping[str, CycleReport], reports: Sequence[LayerReport]) -> str:
    if not any(report.cycles for report in reports):
        return ""
    drawing = draw_runs(runs_of(program, simulated), subject=subject_of(program, reports))
    return _details("timeline", svg(drawing))


def _left_out(count: int, what: str) -> str:
    return f"<p>and {counted(count - MOST_ROWS, f'more {what}')}</p>" if count > MOST_ROWS else ""


def _details(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
