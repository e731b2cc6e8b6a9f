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


def test_padding_is_not_stored_to_split_a_sum() -> None:
    layer = convolution("nchw_fchw", (1, 256, 4, 4), 16, (3, 3), pad=1)
    assert isinstance(vtac.compile(layer.text(), "cuda"), vtac.CudaProgram)
