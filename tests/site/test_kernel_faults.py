"""What the pages on CUDA text on the CPU and on bulk copies say that a run prints."""

from __future__ import annotations

import re

import pytest
from cuda_kernels import pipelined_matmul
from mma_programs import product
from page_blocks import ROOT, blocks
from page_shell import as_pattern

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import KernelFault
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.tma_products import tma_schedule


@pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
def test_a_missing_barrier_is_told_as_the_page_shows() -> None:
    (shown,) = blocks(ROOT / "docs" / "cpu-execution.md", "text")
    sample = pipelined_matmul()
    text = sample.text.replace("__syncthreads();  // before the products", "")
    with pytest.raises(KernelFault) as caught:
        run_on_cpu(text, sample.launch, sample.arrays, workers=1)
    assert re.search(as_pattern(shown), str(caught.value))


@pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
def test_a_phase_that_nobody_completes_is_told_as_the_page_shows() -> None:
    *_, shown = blocks(ROOT / "docs" / "tma-dialect.md", "text")
    case = product((64, 64, 520))
    tiling = ProductTiling((16, 8, 16), 1, 2, 2, 2, 4, 3)
    schedule = tma_schedule(case.text, gpu_architecture("sm_90"), tiling, specialize=True)
    program = vtac.compile(case.text, "cuda", "sm_90", schedule=schedule)
    assert isinstance(program, CudaProgram)
    text, count = re.subn(r"(mbarrier_arrive_expect_tx\(full_address[^;]*), (\d+)\);", r"\1, \2 + 16);", program.text)
    assert count == 1
    with pytest.raises(KernelFault) as caught:
        run_on_cpu(text, program.launch, case.arrays(), blocks=(0,), workers=1)
    assert re.search(as_pattern(shown), str(caught.value))
