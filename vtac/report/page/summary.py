"""The section that says how a program does: cycles, bytes, utilisation, bound, memory, choices, configuration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vtac.dialects.hardware import MemoryName
from vtac.report.page.section import Section
from vtac.report.page.templating import grouped, percent, render, size
from vtac.report.runs import StreamRun, total_cycles
from vtac.targets.vta.isa import MICRO_OP_BYTES, WORD_BYTES
from vtac.targets.vta.programs.layer_report import LayerReport, least_cycles
from vtac.targets.vta.programs.vta_program import VtaProgram

_MEMORIES: tuple[tuple[MemoryName, str], ...] = (
    ("inp", "inputs"),
    ("wgt", "weights"),
    ("acc", "accumulators"),
    ("uop", "micro-ops"),
)


class Figure(NamedTuple):
    """A number that matters, what it is, and a remark on it."""

    name: str
    value: str
    remark: str


class Memory(NamedTuple):
    """An on-chip memory: elements, bytes of one and of all."""

    name: str
    holds: str
    elements: int
    element_bytes: int

    @property
    def nbytes(self) -> int:
        return self.elements * self.element_bytes


def summary_section(
    program: VtaProgram, reports: Sequence[LayerReport], runs: Sequence[StreamRun], reason: str
) -> Section:
    """The summary of a program; `reason` says why it has no runs, where it has none."""
    html = render(
        "summary.html",
        work_line=program.work_line,
        reason=reason,
        figures=[*_run_figures(reports, runs), *_size_figures(program)],
        arguments=program.arguments,
        results=program.results,
        choices=program.choices,
        config=program.config,
        fields=program.config.to_fields(),
        memories=memories(program),
        host_operations=_counts(program.summary["host_operations"]),
    )
    return Section("summary", "Summary", html)


def memories(program: VtaProgram) -> list[Memory]:
    """The on-chip memories of a program's hardware."""
    config = program.config
    return [Memory(name, holds, config.capacity(name), config.element_bytes(name)) for name, holds in _MEMORIES]


def _run_figures(reports: Sequence[LayerReport], runs: Sequence[StreamRun]) -> Iterator[Figure]:
    cycles = total_cycles(runs)
    if not cycles:
        return
    yield Figure("cycles", grouped(cycles), f"{runs[0].report.timing.board} timing model")
    bound = least_cycles(reports)
    if bound:
        yield Figure("cycles / bound", f"{cycles / bound:.2f}", f"of {bound:,} where layers load what they read")
    gemm = sum(report.counters["gemm_counter"] for report in reports)
    yield Figure("GEMM busy", percent(gemm / cycles), f"{gemm:,} products of tiles")
    moved = sum(report.dram_bytes for report in reports)
    yield Figure("DRAM traffic", size(moved), f"{moved:,} bytes, {moved / cycles:.2f} per cycle")
    bus = sum(sum(run.report.bus_busy.values()) for run in runs)
    yield Figure("read bus busy", percent(bus / cycles), f"{bus:,} beats")


def _size_figures(program: VtaProgram) -> Iterator[Figure]:
    devices = program.devices.values()
    if not devices:
        return
    instructions = sum(len(device.instructions) for device in devices) // WORD_BYTES
    micro_ops = sum(len(device.micro_ops) for device in devices) // MICRO_OP_BYTES
    streams = "one stream" if len(devices) == 1 else f"{len(devices)} streams"
    yield Figure("instructions", grouped(instructions), f"{streams}, {micro_ops:,} micro-ops")
    dram = sum(device.buffers[-1].address + device.buffers[-1].nbytes for device in devices)
    buffers = sum(len(device.buffers) for device in devices)
    yield Figure("DRAM", size(dram), f"{buffers:,} buffers")


def _counts(names: Sequence[str]) -> list[tuple[str, int]]:
    """Names with how often they occur, in order of their first occurrence."""
    return [(name, names.count(name)) for name in dict.fromkeys(names)]
