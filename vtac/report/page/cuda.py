"""The sections of a CUDA program: its launch, what its steps copy and wait for, its levels and its schedule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from vtac.report.page.ir_text import Lines
from vtac.report.page.levels import KERNEL, levels_section
from vtac.report.page.lowering import WHOLE, Level, Lowering, lowering_of
from vtac.report.page.section import Section
from vtac.report.page.steps import steps_section
from vtac.report.page.templating import render
from vtac.targets.cuda.program import CudaProgram

_STEPS = (
    ("barriers", r"__syncthreads\(\)"),
    ("asynchronous copies", r"__pipeline_memcpy_async\("),
    ("waits for copies", r"__pipeline_wait_prior\("),
    ("loads of fragments", r"load_matrix_sync\("),
    ("products of fragments", r"\bmma_sync\("),
    ("stores of fragments", r"store_matrix_sync\("),
)
"""What a kernel's text does in its steps, and how that is written."""
_SHARED = re.compile(r"__shared__[^;]*;")


class Place(NamedTuple):
    """What stands in the text, how often, and in which lines."""

    what: str
    times: int
    lines: str


def cuda_sections(program: CudaProgram) -> list[Section]:
    """All sections of a CUDA program."""
    html = render(
        "launch.html",
        launch=program.launch,
        line=str(program),
        constants={name: array.nbytes for name, array in program.constants.items()},
        steps=list(_steps(program.text)),
        shared=[found[0].strip() for found in _SHARED.finditer(program.text)],
    )
    lowering = Lowering() if program.source is None else lowering_of(program.source, "cuda")
    text = program.text.splitlines()
    last = [Level(WHOLE, KERNEL, Lines(text, [()] * len(text)))]
    sections = [
        Section("summary", "Launch", html),
        levels_section(lowering, program.source, last, program.launch.kernel),
    ]
    if lowering.steps:
        sections.append(steps_section(lowering.steps, lowering.layers))
    return sections


def _steps(text: str) -> Iterator[Place]:
    lines = text.splitlines()
    for what, pattern in _STEPS:
        at = [number for number, line in enumerate(lines, 1) if re.search(pattern, line)]
        if at:
            more = f" and {len(at) - 12} more" if len(at) > 12 else ""
            yield Place(what, len(at), f"{', '.join(map(str, at[:12]))}{more}")
