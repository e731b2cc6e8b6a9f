"""The table of attention kernels of a page is what the compiler makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest
from page_blocks import ROOT

import vtac
from vtac.dialects.wmma.declared import INSTRUCTIONS, Instructions
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.sass import count_main_loop, disassemble
from vtac.targets.cuda.gpu.toolkit import disassembler_unavailable_reason
from vtac.workloads.attention import Attention

NVRTC = "NVRTC 13.5"
pytestmark = pytest.mark.skipif(
    disassembler_unavailable_reason() is not None, reason=str(disassembler_unavailable_reason())
)
KERNELS: tuple[tuple[int, str, str, Instructions], ...] = (
    (64, "f16", "sm_90", "wmma"),
    (64, "f16", "sm_90", "mma.sync"),
    (128, "f16", "sm_90", "wmma"),
    (128, "f16", "sm_90", "mma.sync"),
    (128, "bf16", "sm_90", "wmma"),
    (128, "bf16", "sm_90", "mma.sync"),
    (128, "f16", "sm_80", "mma.sync"),
    (256, "f16", "sm_90", "wmma"),
    (256, "f16", "sm_90", "mma.sync"),
    (256, "f16", "sm_80", "mma.sync"),
)


@cache
def table() -> Mapping[str, list[str]]:
    """The rows of the page's table, by heads and instructions."""
    found: dict[str, list[str]] = {}
    heads = ""
    for line in (ROOT / "docs" / "mma-dialect.md").read_text().partition("## Attention")[2].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 9:
            heads = cells[0] or heads
            found[f"{heads} {cells[1]}"] = cells[2:]
        elif found and not line.startswith("|"):
            break
    return found


def measured(features: int, element: str, architecture: str, instructions: Instructions) -> list[str]:
    """Registers, shared bytes, blocks, spilled bytes; tensor instructions, LDSM and all of the loop."""
    module = vtac.parse(Attention(2, 512, 512, features, features, element).text())
    INSTRUCTIONS.set(module, instructions)
    program = vtac.compile(module, "cuda", architecture)
    assert isinstance(program, vtac.CudaNetwork)
    (launch,) = program.plan.kernels
    kernel = compile_kernel(program.text, launch.kernel, architecture)
    if kernel.compiler != NVRTC:
        pytest.skip(f"the page is of {NVRTC}; {kernel.compiler} is here")
    loop = dict(count_main_loop(disassemble(kernel)).counts)
    spilled = kernel.spill_load_bytes + kernel.spill_store_bytes
    shared, blocks = kernel.static_shared_bytes + launch.shared_bytes, kernel.resident_blocks(launch)
    counts = (loop.get("HMMA", 0), loop.get("LDSM", 0), sum(loop.values()))
    return [f"{number:,}" for number in (kernel.registers, shared, blocks, spilled, *counts)]


@pytest.mark.parametrize(("features", "element", "architecture", "instructions"), KERNELS)
def test_figures_are_those_of_the_page(
    features: int, element: str, architecture: str, instructions: Instructions
) -> None:
    said = table()[f"heads of {features}, {element}, {architecture} {instructions.replace('wmma', 'WMMA')}"]
    assert said == measured(features, element, architecture, instructions)
