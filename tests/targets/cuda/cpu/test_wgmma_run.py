"""Texts of wgmma on the CPU, every operand type: in several orders of threads, with races searched for."""

from __future__ import annotations

import numpy as np
import pytest
from mma_programs import product, wanted_of
from wgmma_programs import CASES, TILINGS, cut

import vtac
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.wgmma_products import wgmma_schedule

pytestmark = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))


def program_of(text: str, tiling: ProductTiling | None = None) -> CudaProgram:
    made = vtac.compile(text, "cuda", "sm_90a", schedule=wgmma_schedule(text, None, tiling))
    assert isinstance(made, CudaProgram)
    return made


@pytest.mark.parametrize("name", CASES)
def test_products_are_those_of_numpy(name: str) -> None:
    case = CASES[name]
    arrays = case.arrays()
    program = program_of(case.text)
    run = run_on_cpu(program.text, program.launch, arrays, workers=1)
    assert run.written[0].all()
    assert np.array_equal(run.outputs[0], wanted_of(case, arrays))


@pytest.mark.parametrize("name", TILINGS)
def test_tilings(name: str) -> None:
    case = product((256, 192, 512))
    arrays = case.arrays()
    program = program_of(case.text, TILINGS[name])
    run = run_on_cpu(program.text, program.launch, arrays, orders=2, blocks=(0,), workers=1)
    written = run.written[0]
    assert np.array_equal(run.outputs[0][written], wanted_of(case, arrays)[written])
    rows, columns, _ = TILINGS[name].block
    assert written.sum() == rows * columns


def test_tf32_takes_the_upper_bits_of_floats() -> None:
    random = np.random.default_rng(5)
    a, b = (random.standard_normal((64, 64)).astype(np.float32) for _ in range(2))
    program = program_of(cut(product((64, 64, 64), "f32")).text)
    run = run_on_cpu(program.text, program.launch, [a, b], orders=1, workers=1)
    upper = [(one.view(np.uint32) & 0xFFFFE000).astype(np.uint32).view(np.float32) for one in (a, b)]
    assert np.allclose(run.outputs[0], upper[0].astype(np.float64) @ upper[1], rtol=1e-5, atol=1e-5)
