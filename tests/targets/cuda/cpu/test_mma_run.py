"""Texts of mma.sync on the CPU, every operand type: in several orders of threads, with races searched for."""

from __future__ import annotations

import numpy as np
import pytest
from mma_programs import CASES, product, wanted_of

import vtac
from vtac.targets.cuda.compiling import joined
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.emit.kernel import kernel_parts
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.mma_products import mma_schedule
from vtac.targets.cuda.schedules.tiling import ProductTiling

pytestmark = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))

NAMES = (
    "batch",
    "bias, residual, relu, cast",
    "bf16",
    "sums of halves",
    "tf32",
    "s8",
    "u8, b transposed",
    "convolution",
)


def program_of(text: str, tiling: ProductTiling | None = None) -> CudaProgram:
    made = vtac.compile(text, "cuda", "sm_90", schedule=mma_schedule(text, None, tiling))
    assert isinstance(made, CudaProgram)
    return made


@pytest.mark.parametrize("name", NAMES)
def test_products_are_those_of_numpy(name: str) -> None:
    case = CASES[name]
    arrays = case.arrays()
    program = program_of(case.text)
    run = run_on_cpu(program.text, program.launch, arrays, workers=1)
    assert run.written[0].all()
    assert np.array_equal(run.outputs[0], wanted_of(case, arrays))


def test_floats_are_rounded_to_tf32() -> None:
    random = np.random.default_rng(5)
    a, b = (random.standard_normal((32, 32)).astype(np.float32) for _ in range(2))
    rounded = [((one.view(np.uint32) + 0x1000) & 0xFFFFE000).astype(np.uint32).view(np.float32) for one in (a, b)]
    program = program_of(CASES["tf32"].text)
    run = run_on_cpu(program.text, program.launch, [a, b], orders=1, workers=1)
    exact = rounded[0].astype(np.float64) @ rounded[1].astype(np.float64)
    assert np.allclose(run.outputs[0], exact, rtol=1e-5, atol=1e-5)
    assert not np.allclose(run.outputs[0], a @ b, rtol=1e-5, atol=1e-5)


def test_floats_lose_the_bits_that_tf32_lacks_where_the_module_says_so() -> None:
    random = np.random.default_rng(5)
    a, b = (random.standard_normal((32, 32)).astype(np.float32) for _ in range(2))
    cut = [(one.view(np.uint32) & 0xFFFFE000).astype(np.uint32).view(np.float32) for one in (a, b)]
    program = program_of(CASES["tf32"].text.replace("wmma.allow_tf32", "wmma.allow_tf32, wmma.cut_tf32"))
    assert "cvt.rna" not in program.text
    run = run_on_cpu(program.text, program.launch, [a, b], orders=1, workers=1)
    assert np.allclose(run.outputs[0], cut[0].astype(np.float64) @ cut[1].astype(np.float64), rtol=1e-5, atol=1e-5)


def test_functions_that_two_kernels_call_stand_in_their_text_once() -> None:
    tiling = ProductTiling((16, 8, 16), 1, 2, 2, 2, 2, 2)
    first, second = (program_of(product((32, 32, depth)).text, tiling).text for depth in (64, 128))
    parts, _ = kernel_parts(first)
    assert [part.split("(")[0].split()[-1] for part in parts if part.startswith("__device__")] == [
        "ldmatrix_x4",
        "ldmatrix_x4_trans",
        "mma_m16n8k16_f16_f32",
    ]
    both = joined({"first": first, "second": second})
    assert both.count("asm volatile") == first.count("asm volatile") == 3
