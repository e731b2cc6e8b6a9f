"""Products of f32 on tensor cores: where the module allows it, rounded alike at every level, and nowhere else."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pytest

import vtac
from vtac.compiler import lower
from vtac.errors import CompileError
from vtac.evaluate import evaluate
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_toolkit = pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))

PRODUCT = """
module attributes {wmma.allow_tf32} {
  func.func @f(%a: tensor<20x40xf32>, %b: tensor<40x24xf32>) -> tensor<20x24xf32> {
    %zero = arith.constant 0.0 : f32
    %empty = tensor.empty() : tensor<20x24xf32>
    %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<20x24xf32>) -> tensor<20x24xf32>
    %p = linalg.matmul ins(%a, %b : tensor<20x40xf32>, tensor<40x24xf32>) outs(%init : tensor<20x24xf32>)
      -> tensor<20x24xf32>
    func.return %p : tensor<20x24xf32>
  }
}
"""
FORBIDDEN = PRODUCT.replace("module attributes {wmma.allow_tf32}", "module")


Floats: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def inputs() -> tuple[Floats, Floats]:
    random = np.random.default_rng(0)
    a, b = (random.standard_normal(shape).astype(np.float32) for shape in ((20, 40), (40, 24)))
    return a, b


def rounded(array: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """To the nearest of 10 bits of mantissa, by arithmetic."""
    mantissa, exponent = np.frexp(array.astype(np.float64))
    return np.ldexp(np.copysign(np.floor(np.abs(mantissa) * 2**11 + 0.5), mantissa) / 2**11, exponent)


@needs_compiler
def test_operands_are_rounded_alike_at_every_level() -> None:
    a, b = inputs()
    expected = rounded(a) @ rounded(b)
    program = vtac.compile(PRODUCT, "cuda", "sm_90")
    assert "wmma::__float_to_tf32" in program.text
    for found in (program(a, b), evaluate(lower(PRODUCT, "cuda", "sm_90", phase="wmma"), a, b)):
        np.testing.assert_allclose(np.asarray(found, np.float64), expected, rtol=0, atol=2e-5)
    assert np.abs(expected - a.astype(np.float64) @ b).max() > 1e-3


@needs_toolkit
@pytest.mark.parametrize("architecture", ["sm_80", "sm_120"])
def test_the_text_compiles(architecture: str) -> None:
    program = vtac.compile(PRODUCT, "cuda", architecture)
    assert isinstance(program, vtac.CudaProgram)
    assert not compile_kernel(program.text, program.launch.kernel, architecture).spills


@needs_compiler
@pytest.mark.parametrize(("text", "architecture"), [(FORBIDDEN, "sm_90"), (PRODUCT, "sm_75")])
def test_nothing_is_rounded_unasked_or_where_there_is_no_tf32(text: str, architecture: str) -> None:
    a, b = inputs()
    program = vtac.compile(text, "cuda", architecture)
    assert "tf32" not in program.text
    found = np.asarray(program(a, b), np.float64)
    np.testing.assert_allclose(found, a.astype(np.float64) @ b, rtol=0, atol=2e-5)


def test_the_permission_stands_on_the_module() -> None:
    text = FORBIDDEN.replace("tensor<20x24xf32> {", "tensor<20x24xf32> attributes {wmma.allow_tf32} {", 1)
    with pytest.raises(CompileError, match=r"wmma\.allow_tf32.*builtin\.module"):
        vtac.compile(text, "cuda")
