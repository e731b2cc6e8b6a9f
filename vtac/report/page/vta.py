"""The sections of a VTA program, each where it has something to show."""

from __future__ import annotations

from vtac.errors import VtacError
from vtac.report.page.layers import layers_section
from vtac.report.page.section import Section
from vtac.report.page.summary import summary_section
from vtac.report.runs import StreamRun, runs_of
from vtac.targets.vta.programs.layer_report import LayerReport, layer_reports
from vtac.targets.vta.programs.vta_program import VtaProgram


def vta_sections(program: VtaProgram) -> list[Section]:
    """All sections of a VTA program; where its streams cannot be run, as those that deadlock, the summary says why."""
    reports, runs, reason = _run(program)
    sections = [summary_section(program, reports, runs, reason)]
    if reports:
        sections.append(layers_section(program.config, reports))
    return sections


def _run(program: VtaProgram) -> tuple[list[LayerReport], list[StreamRun], str]:
    """Layers and runs, or why there are none."""
    if not program.devices:
        return [], [], "nothing of it runs on the VTA: there are no cycles to show"
    try:
        return layer_reports(program), runs_of(program), ""
    except VtacError as error:
        return [], [], f"its stream cannot be run: {error}"
