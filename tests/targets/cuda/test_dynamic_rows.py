"""Large products of a dynamic size: rows of their blocks divide the number that stands for it."""

from __future__ import annotations

import numpy as np
import pytest
from dynamic_programs import EXTENT, dynamic
from mma_programs import product

import vtac
from vtac.dialects.wmma.declared import INSTRUCTIONS, Instructions
from vtac.evaluate import evaluate
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.dynamic import CudaDynamic

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
SIZES = (EXTENT, 1024, 1024)
"""For which blocks of 192 rows are estimated best on sm_90a, where the size is none that is found at run time."""


@needs_compiler
@pytest.mark.parametrize("instructions", ["wgmma", "tma", "estimated"])
def test_products_on_sm_90a(instructions: Instructions) -> None:
    case = product(SIZES)
    module = vtac.parse(dynamic(case.text))
    INSTRUCTIONS.set(module, instructions)
    made = vtac.compile(module, "cuda", "sm_90a")
    assert isinstance(made, CudaDynamic)
    a, b = case.arrays()
    found = made(a[:5], b)
    np.testing.assert_array_equal(found, evaluate(vtac.parse(product((5, *SIZES[1:])).text), a[:5], b))
