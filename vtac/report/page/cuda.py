"""The sections of a CUDA program: how it is launched, its parameters, and the kernel's text."""

from __future__ import annotations

from vtac.report.page.section import Section
from vtac.report.page.templating import render
from vtac.targets.cuda.program import CudaProgram


def cuda_sections(program: CudaProgram) -> list[Section]:
    """All sections of a CUDA program."""
    launch = program.launch
    html = render(
        "launch.html",
        launch=launch,
        line=str(program),
        constants={name: array.nbytes for name, array in program.constants.items()},
    )
    return [Section("summary", "Launch", html), Section("kernel", "Kernel", render("kernel.html", text=program.text))]
