"""Products of few tiles and long sums: taken in parts where that pays, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from contraction_programs import convolution, matmul

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import CompileError
from vtac.evaluate import evaluate
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.schedules.tiling import ProductSize
from vtac.targets.cuda.splitting import best_parts

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))


@needs_compiler
def test_a_row_with_its_tail_is_two_kernels() -> None:
    layer = matmul(1, 24, 2048, bias=True, relu=True, narrow=True)
    program = vtac.compile(layer.text(), "cuda")
    assert isinstance(program, vtac.CudaNetwork)
    (product, total), (parts,) = program.plan.kernels, program.plan.of_role("scratch")
    assert product.grid[2] == parts.shape[0] > 2
    assert [p.name for p in total.outputs] == ["narrow"]
    inputs = layer.inputs()
    assert np.array_equal(program(*inputs), evaluate(vtac.parse(layer.text()), *inputs))


@needs_compiler
def test_a_program_may_say_how_many_parts() -> None:
    layer = matmul(24, 16, 48)
    text = layer.text().replace("linalg.matmul ins", "linalg.matmul {wmma.split = 3 : i64} ins")
    program = vtac.compile(text, "cuda")
    assert isinstance(program, vtac.CudaNetwork)
    assert program.plan.kernels[0].grid[2] == 3
    inputs = layer.inputs()
    assert np.array_equal(program(*inputs), evaluate(vtac.parse(layer.text()), *inputs))
    with pytest.raises(CompileError, match=r"cannot take the sums of 'linalg.matmul' in 5 parts: .* have 48 elements"):
        vtac.compile(text.replace("= 3", "= 5"), "cuda")


@pytest.mark.parametrize(
    ("sizes", "products", "is_split"),
    [
        ((1, 4096, 4096), 1, False),  # columns enough for all multiprocessors
        ((1, 512, 4096), 1, True),
        ((64, 64, 8192), 1, True),
        ((64, 64, 8192), 64, False),
        ((64, 64, 512), 1, False),
        ((4096, 4096, 4096), 1, False),
    ],
)
def test_parts_follow_tiles_and_depth(sizes: tuple[int, int, int], products: int, is_split: bool) -> None:
    size = ProductSize(sizes, (16, 16, 16), 2, (8, 8), products)
    assert (best_parts(size, gpu_architecture("sm_90")) > 1) == is_split


@needs_compiler
def test_padded_operands_are_split_where_they_are_read() -> None:
    """Two kernels, and nothing is stored but the parts of the sum."""
    layer = convolution("nchw_fchw", (1, 256, 4, 4), 16, (3, 3), pad=1)
    program = vtac.compile(layer.text(), "cuda")
    assert isinstance(program, vtac.CudaNetwork)
    (parts,) = program.plan.of_role("scratch")
    assert parts.shape == (4, 1, 16, 4, 4)
    inputs = layer.inputs()
    assert np.array_equal(program(*inputs), evaluate(vtac.parse(layer.text()), *inputs))


def test_padding_is_not_stored_to_split_a_sum() -> None:
    """Where the dimension that is split is the one that is padded, the sum is taken as it is."""
    text = """
func.func @f(%a: tensor<1x2000xf16>, %b: tensor<2048x512xf16>) -> tensor<1x512xf32> {
  %zero = arith.constant 0.0 : f16
  %padded = tensor.pad %a low[0, 0] high[0, 48] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f16
  } : tensor<1x2000xf16> to tensor<1x2048xf16>
  %wide = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x512xf32>
  %init = linalg.fill ins(%wide : f32) outs(%empty : tensor<1x512xf32>) -> tensor<1x512xf32>
  %c = linalg.matmul ins(%padded, %b : tensor<1x2048xf16>, tensor<2048x512xf16>)
    outs(%init : tensor<1x512xf32>) -> tensor<1x512xf32>
  func.return %c : tensor<1x512xf32>
}
"""
    assert isinstance(vtac.compile(text, "cuda", "sm_90"), vtac.CudaProgram)
