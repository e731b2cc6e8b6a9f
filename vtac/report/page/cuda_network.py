"""The sections of a CUDA program of several kernels: its plan, and its text."""

from __future__ import annotations

from vtac.report.page.ir_text import Lines
from vtac.report.page.levels import KERNEL, levels_section
from vtac.report.page.lowering import WHOLE, Level, Lowering, lowering_of
from vtac.report.page.section import Section
from vtac.report.page.steps import steps_section
from vtac.report.page.templating import render
from vtac.targets.cuda.network import CudaNetwork


def cuda_network_sections(program: CudaNetwork) -> list[Section]:
    """All sections of a CUDA program of several kernels."""
    plan = program.plan
    steps = [
        (plan.kernels[step.kernel], ", ".join(plan.buffers[at].name for at in step.buffers)) for step in plan.steps
    ]
    html = render("plan.html", line=str(program), plan=plan, steps=steps)
    lowering = Lowering() if program.source is None else lowering_of(program.source, "cuda")
    text = program.text.splitlines()
    last = [Level(WHOLE, KERNEL, Lines(text, [()] * len(text)))]
    sections = [
        Section("summary", "Launch plan", html),
        levels_section(lowering, program.source, last, plan.name),
    ]
    if lowering.steps:
        sections.append(steps_section(lowering.steps, lowering.layers))
    return sections
