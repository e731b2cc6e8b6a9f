"""Rows that end within a vector: pipelined through registers, exact, and wrong where a guard is off by one."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest
from contraction_programs import Contraction, convolution, matmul

import vtac
from vtac.errors import KernelFault
from vtac.evaluate import evaluate
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason
from vtac.targets.cuda.program import CudaProgram

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
PRODUCT = matmul(70, 75, 99)


@cache
def compiled(layer: Contraction) -> CudaProgram:
    program = vtac.compile(layer.text(), "cuda", "sm_80")
    assert isinstance(program, CudaProgram)
    return program


@needs_compiler
@pytest.mark.parametrize(
    "layer",
    [
        PRODUCT,
        matmul(33, 40, 130, bias=True, relu=True),
        matmul(40, 37, 96, "i8"),
        convolution("nhwc_hwcf", (1, 9, 5, 6), 11, (3, 3), pad=1, bias=True),
        convolution("nchw_fchw", (2, 21, 5, 4), 10, (2, 2)),
    ],
    ids=["elements", "pairs", "bytes", "odd-channels", "channels-first"],
)
def test_odd_rows_are_pipelined_and_exact(layer: Contraction) -> None:
    program, inputs = compiled(layer), layer.inputs()
    assert "carried" in program.text or "__pipeline_memcpy_async" in program.text
    run = program.run_on_cpu(inputs)
    assert np.array_equal(run.outputs[0], evaluate(vtac.parse(layer.text()), *inputs))


@needs_compiler
@pytest.mark.parametrize(
    ("line", "replacement"),
    [
        (r"\+ lane \+ step \* 64 < 35", "+ lane + step * 64 < 36"),
        (r"warp_column < 70", "warp_column < 71"),
        (r"block_y \* 32 \+ lane < 75", "block_y * 32 + lane < 76"),
        (r"_to \+ slot \* (\d+)", r"_to + step % 2 * \1"),
        (r"__syncthreads\(\);\n    if \(step", "if (step"),
    ],
    ids=["columns-of-a", "rows", "columns", "slot", "barrier"],
)
def test_planted_faults_are_found(line: str, replacement: str) -> None:
    program, inputs = compiled(PRODUCT), PRODUCT.inputs()
    text, count = re.subn(line, replacement, program.text)
    assert count
    try:
        result = CudaProgram(text, program.launch).run_on_cpu(inputs).outputs[0]
    except KernelFault as fault:
        assert fault.kind in ("out-of-bounds", "race", "order-dependent", "uninitialised")
    else:
        assert not np.array_equal(result, evaluate(vtac.parse(PRODUCT.text()), *inputs))


@pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))
@pytest.mark.parametrize("architecture", ["sm_75", "sm_80", "sm_90", "sm_120"])
@pytest.mark.parametrize("sizes", [(2047, 2049, 1023), (4096, 4096, 4095)])
def test_large_odd_products_do_not_spill(sizes: tuple[int, int, int], architecture: str) -> None:
    program = vtac.compile(matmul(*sizes).text(), "cuda", architecture)
    assert isinstance(program, CudaProgram)
    assert not compile_kernel(program.text, program.launch.kernel, architecture).spills
