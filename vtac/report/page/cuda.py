"""The sections of a CUDA program: its launch, what its steps copy and wait for, its levels and its schedule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from vtac.analysis.ir.gpu_architecture import architecture_of
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import CompileError, LaunchError, ToolMissingError
from vtac.report.page.ir_text import Lines
from vtac.report.page.levels import KERNEL, levels_section
from vtac.report.page.lowering import WHOLE, Level, Lowering, lowering_of
from vtac.report.page.section import Section
from vtac.report.page.steps import steps_section
from vtac.report.page.templating import render
from vtac.targets.cuda.gpu.compile import CompiledKernel, compile_kernel
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


class Resources(NamedTuple):
    """What the kernel takes of a multiprocessor, as a compiler says; how many blocks fit; or why that is not known."""

    architecture: str
    kernel: CompiledKernel | None
    blocks: int
    compiler: str
    reason: str


def cuda_sections(program: CudaProgram) -> list[Section]:
    """All sections of a CUDA program."""
    html = render(
        "launch.html",
        launch=program.launch,
        line=str(program),
        constants={name: array.nbytes for name, array in program.constants.items()},
        steps=list(_steps(program.text)),
        resources=_resources(program),
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


def _resources(program: CudaProgram) -> Resources:
    """What a compiler of CUDA makes of the text, for the architecture that it was compiled for, or the oldest one."""
    named = None if program.source is None else architecture_of(program.source)
    architecture = named or gpu_architecture("sm_80")
    try:
        made = compile_kernel(program.text, program.launch.kernel, architecture.name)
        blocks = made.resident_blocks(program.launch)
    except (ToolMissingError, CompileError, LaunchError) as error:
        return Resources(architecture.name, None, 0, "", error.message)
    return Resources(architecture.name, made, blocks, made.compiler, "")


def _steps(text: str) -> Iterator[Place]:
    lines = text.splitlines()
    for what, pattern in _STEPS:
        at = [number for number, line in enumerate(lines, 1) if re.search(pattern, line)]
        if at:
            more = f" and {len(at) - 12} more" if len(at) > 12 else ""
            yield Place(what, len(at), f"{', '.join(map(str, at[:12]))}{more}")
