"""What the page on CUDA text on the CPU says that a run prints."""

from __future__ import annotations

import re

import pytest
from cuda_kernels import pipelined_matmul
from page_blocks import ROOT, blocks
from page_shell import as_pattern

from vtac.errors import KernelFault
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason


@pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
def test_a_missing_barrier_is_told_as_the_page_shows() -> None:
    (shown,) = blocks(ROOT / "docs" / "cpu-execution.md", "text")
    sample = pipelined_matmul()
    text = sample.text.replace("__syncthreads();  // before the products", "")
    with pytest.raises(KernelFault) as caught:
        run_on_cpu(text, sample.launch, sample.arrays, workers=1)
    assert re.search(as_pattern(shown), str(caught.value))
