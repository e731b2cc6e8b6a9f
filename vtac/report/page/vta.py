"""The sections of a VTA program, each where it has something to show."""

from __future__ import annotations

from vtac.errors import VtacError
from vtac.report.page.findings import findings_section
from vtac.report.page.layers import layers_section
from vtac.report.page.levels import instruction_levels, levels_section
from vtac.report.page.lowering import Lowering, lowering_of
from vtac.report.page.memory import memory_section
from vtac.report.page.section import Section
from vtac.report.page.steps import steps_section
from vtac.report.page.summary import summary_section
from vtac.report.page.timeline import timeline_section
from vtac.report.runs import StreamRun, runs_of, total_cycles
from vtac.targets.vta.compilation import CompilationContext
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.layer_report import LayerReport, layer_reports, simulate_streams
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.text.context import dialect_factories


def vta_sections(program: VtaProgram) -> list[Section]:
    """All sections of a VTA program; where its streams cannot be run, as those that deadlock, the summary says why."""
    reports, runs, reason = _run(program)
    sections = [summary_section(program, reports, runs, reason)]
    if reports:
        sections.append(layers_section(program.config, reports))
    if runs and total_cycles(runs):
        sections.append(timeline_section(runs, reports))
        sections.append(memory_section(program, runs))
    source = program.source
    lowering = Lowering() if source is None else lowering_of(source, "vta", _context(program))
    _note_held_layers(lowering, program)
    last = list(instruction_levels(program, lowering))
    if lowering.levels or last:
        sections.append(levels_section(lowering, source, last, "the whole program"))
    if lowering.steps:
        sections.append(steps_section(lowering.steps, lowering.layers))
    if program.devices:
        sections.append(findings_section(program))
    return sections


def _note_held_layers(lowering: Lowering, program: VtaProgram) -> None:
    """Beside the layers that calls of a device function are named after stand those that they hold besides."""
    held = {kernel.name: kernel.layers for stream in program.devices.values() for kernel in stream.kernels}
    for names in lowering.layers.values():
        names += [layer for name in list(names) for layer in held.get(name, ()) if layer not in names]


def _context(program: VtaProgram) -> CompilationContext:
    """What the compilation of a program has found already: the schedules of its device functions."""
    scripts = program.scripts if isinstance(program, HostProgram) else ()
    return CompilationContext.of(dialect_factories(), scripts=scripts)


def _run(program: VtaProgram) -> tuple[list[LayerReport], list[StreamRun], str]:
    """Layers and runs, or why there are none."""
    if not program.devices:
        return [], [], "nothing of it runs on the VTA: there are no cycles to show"
    try:
        simulated = simulate_streams(program)
        return layer_reports(program, simulated), runs_of(program, simulated), ""
    except VtacError as error:
        return [], [], f"its stream cannot be run: {error}"
