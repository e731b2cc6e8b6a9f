"""Tables of machine code on the pages of the documentation, and the kernels that their rows are of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import pytest
from page_blocks import ROOT

import vtac
from vtac.targets.cuda.gpu.compile import CompiledKernel, compile_kernel
from vtac.targets.cuda.gpu.sass import SassCounts, count_instructions, count_main_loop, disassemble

NVRTC = "NVRTC 13.5"
"""The compiler that the pages name."""


@dataclass(frozen=True)
class MachineCode:
    """A program's only kernel as NVRTC compiles it: the counts of its main loop, and of all of it."""

    program: vtac.CudaProgram
    compiled: CompiledKernel
    loop: SassCounts
    whole: SassCounts

    @property
    def shared_bytes(self) -> int:
        return self.compiled.static_shared_bytes + self.program.launch.shared_bytes


def machine_code(text: str, architecture: str, schedule: vtac.Schedule) -> MachineCode:
    """The machine code of a program; skips the test where the pages' compiler is not the one that is here."""
    program = vtac.compile(text, "cuda", architecture, schedule=schedule)
    assert isinstance(program, vtac.CudaProgram)
    compiled = compile_kernel(program.text, program.launch.kernel, architecture)
    if compiled.compiler != NVRTC:
        pytest.skip(f"the page is of {NVRTC}; {compiled.compiler} is here")
    listing = disassemble(compiled)
    return MachineCode(program, compiled, count_main_loop(listing), count_instructions(listing))


@cache
def table(page: str, heads: str) -> Mapping[str, tuple[str, ...]]:
    """The rows of the table of a page whose first line begins with these heads, by their first cells."""
    text = (ROOT / "docs" / page).read_text()
    assert text.count(f"\n{heads}") == 1, f"{page} has one table with the heads {heads}"
    lines = text[text.index(f"\n{heads}") + 1 :].partition("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    found = {first: tuple(rest) for first, *rest in cells}
    assert len(found) == len(cells), f"each row of the table on {page} has a name of its own"
    return found
