"""What the page on clusters says of machine code and of estimates is what compilers and roofs say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

import pytest
from page_blocks import ROOT

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.sass import count_main_loop, disassemble
from vtac.targets.cuda.gpu.toolkit import disassembler_unavailable_reason
from vtac.targets.cuda.schedules.roof import estimate
from vtac.targets.cuda.schedules.tiling import ProductSize, ProductTiling
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.targets.cuda.schedules.wgmma_products import group_tiling
from vtac.workloads.wmma_matmul import WmmaMatmul

NVRTC = "NVRTC 13.5"
SIZES = (1, 2, 4)
MEGAHERTZ = 1755
"""Of the H200 that estimates are of."""
LANES, GROUPS = ProductTiling((16, 8, 16), 4, 8, 4, 2, 4, 4, 8), group_tiling(2, 256, 2, 128, 4, 8)
KERNELS: Mapping[str, tuple[str, ProductTiling, bool]] = MappingProxyType(
    {
        "`mma.sync`": ("sm_90", LANES, False),
        "`mma.sync`, roles": ("sm_90", replace(LANES, row_warps=2), True),
        "`wgmma`": ("sm_90a", GROUPS, False),
        "`wgmma`, roles": ("sm_90a", GROUPS, True),
    }
)
ESTIMATED: Mapping[str, ProductTiling] = MappingProxyType(
    {
        "`mma.sync`, 256 x 128": replace(LANES, boxes=True, shares_columns=False),
        "`wgmma`, roles, 128 x 256": replace(GROUPS, boxes=True, producers=4),
    }
)


@cache
def table(number: int) -> Mapping[str, tuple[str, ...]]:
    """The rows of a table of the page's part on machine code and estimates, by their first cell."""
    page = (ROOT / "docs" / "clusters.md").read_text().partition("## Machine code")[2]
    parts = [part for part in page.split("\n\n") if part.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in parts[number].splitlines()]
    return {first: tuple(rest) for first, *rest in rows}


@pytest.mark.skipif(disassembler_unavailable_reason() is not None, reason=str(disassembler_unavailable_reason()))
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", KERNELS)
def test_machine_code(name: str, size: int) -> None:
    architecture, tiling, specialize = KERNELS[name]
    text = WmmaMatmul(4096, 4096, 4096).text()
    script = tma_schedule(text, gpu_architecture(architecture), tiling, specialize=specialize, cluster=size)
    program = vtac.compile(text, "cuda", architecture, schedule=script)
    assert isinstance(program, vtac.CudaProgram)
    found = compile_kernel(program.text, program.launch.kernel, architecture)
    if found.compiler != NVRTC:
        pytest.skip(f"the page is of {NVRTC}; {found.compiler} is here")
    assert not found.spills
    assert found.serialised == ""
    said = table(0)[name]
    assert (said[0], said[1]) == (architecture, str(tiling).partition(" in ")[0])
    registers = said[2].split(", ")
    assert registers[-1 if size > 1 else 0].removesuffix(" in clusters") == str(found.registers)
    others = count_main_loop(disassemble(found)).others_per_tensor_operation
    assert float(said[3 + SIZES.index(size)]) == pytest.approx(others, abs=0.006)


@pytest.mark.parametrize("name", ESTIMATED)
def test_estimates(name: str) -> None:
    tiling = ESTIMATED[name]
    found: list[str] = []
    for extent in (4096, 8192):
        size = ProductSize((extent, extent, extent), tiling.fragment, 2, (8, 8), staged=False, boxes=True)
        for blocks in SIZES:
            one = estimate(replace(tiling, cluster=blocks), size, gpu_architecture("sm_90a"))
            found.append(f"{one.cycles / MEGAHERTZ / 1000:.2f}, {one.bound}")
    assert [cell.replace(" ms", "") for cell in table(1)[name]] == found
