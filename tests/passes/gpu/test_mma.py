"""Schedules for mma.sync: what they compute at each level, what tensorize refuses, banks, machine code."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.func import FuncOp

import vtac
from vtac.analysis.bank_conflicts import bank_accesses
from vtac.dialects.mma.layouts import SHAPES
from vtac.errors import CompileError, ScheduleError
from vtac.evaluate.bfloat16 import to_bfloat16
from vtac.evaluate.kernel import evaluate_kernel
from vtac.schedule import Schedule
from vtac.targets.cuda.pipeline import LowerToWmma
from vtac.targets.cuda.target import CUDA
from vtac.text.context import make_context
from vtac.workloads.mma_matmul import MmaMatmulScheduler, MmaTiling
from vtac.workloads.wmma_matmul import WmmaMatmul

CASES = {
    "two by two warps": (WmmaMatmul(64, 64, 128), MmaTiling(2, 2, 2, 4, 2, 2)),
    "epilogue": (WmmaMatmul(64, 64, 192, bias=True, relu=True), MmaTiling(2, 1, 2, 8, 4, 3)),
    "one stage, groups of rows": (WmmaMatmul(64, 32, 32, bias=True), MmaTiling(1, 1, 2, 4, 2, 1, group=2)),
    "a load for each tile of b": (WmmaMatmul(32, 48, 64), MmaTiling(1, 2, 2, 3, 2, 2, swizzle=False)),
    "bf16": (WmmaMatmul(32, 32, 64, element="bf16"), MmaTiling(1, 1, 2, 4, 2, 2)),
}


def kernel_of(layer: WmmaMatmul, tiling: MmaTiling) -> FuncOp:
    module = MmaMatmulScheduler(layer, tiling).schedule().module
    LowerToWmma().apply(make_context(), module)
    module.verify()
    (kernel,) = (op for op in module.ops if isinstance(op, FuncOp))
    return kernel


@pytest.mark.parametrize("name", CASES)
def test_products_are_those_of_numpy(name: str) -> None:
    layer, tiling = CASES[name]
    random = np.random.default_rng(1)
    wide = [random.integers(-4, 5, shape).astype(np.float32) for shape in ((layer.m, layer.k), (layer.k, layer.n))]
    bias = random.integers(-9, 10, layer.n).astype(np.float32)
    narrow = [to_bfloat16(one) if layer.element == "bf16" else one.astype(np.float16) for one in wide]
    wanted = wide[0] @ wide[1] + (bias if layer.bias else 0)
    arrays = [*narrow, bias] if layer.bias else narrow
    run = evaluate_kernel(kernel_of(layer, tiling), arrays)
    assert run.written[0].all()
    assert np.array_equal(run.outputs[0], np.maximum(wanted, 0) if layer.relu else wanted)


@pytest.mark.parametrize(("swizzle", "turns"), [(True, 1), (False, 8)])
def test_a_swizzle_leaves_no_bank_conflict(swizzle: bool, turns: int) -> None:
    kernel = kernel_of(WmmaMatmul(256, 128, 192), MmaTiling(4, 2, 4, 8, 4, 3, swizzle=swizzle))
    found = list(bank_accesses(kernel))
    assert [access.writes for access in found] == [True, True, True, True, False, False]
    assert max(access.turns for access in found) == turns


def test_intrinsics_are_those_of_the_records() -> None:
    names = {intrinsic.name for intrinsic in CUDA.intrinsics}
    assert {f"mma.{shape}" for shape in SHAPES} <= names


def test_a_load_from_global_memory_is_refused() -> None:
    script = Schedule(WmmaMatmul(64, 64, 64).text())
    a = script.cache_read(script.get_block("c"), 0, "wmma.matrix_a")
    rows, _ = script.get_loops(a)
    _, tile = script.split(rows, factor=16)
    with pytest.raises(ScheduleError, match=r"is not mma.ldmatrix: 'a' lies in global memory; ldmatrix reads shared"):
        script.tensorize(tile, "mma.ldmatrix")


def test_a_tile_of_another_shape_is_refused() -> None:
    script = Schedule(WmmaMatmul(64, 64, 64).text())
    block = script.get_block("c")
    script.cache_read(block, 0, "wmma.matrix_a")
    script.cache_read(block, 1, "wmma.matrix_b")
    store = script.cache_write(block, 0, "wmma.accumulator")
    rows, columns, _ = script.get_loops(block)
    rows, row = script.split(rows, factor=16)
    columns, column = script.split(columns, factor=16)
    script.reorder(rows, columns, row, column)
    with pytest.raises(ScheduleError, match=r"a product of 16 x 16 x 64 \(m x n x k\): split the loops"):
        script.tensorize(row, "mma.m16n8k16")
    row, column = script.get_loops(store)
    with pytest.raises(ScheduleError, match=r"a tile of 64 x 64; accumulators of mma.sync are 16 x 8; split the loops"):
        script.tensorize(row, "mma.store")


def test_a_reduction_is_no_result() -> None:
    script = Schedule(WmmaMatmul(64, 64, 64).text())
    row, _, _ = script.get_loops(script.get_block("c"))
    with pytest.raises(ScheduleError, match=r"is not mma.store: expected one input in wmma.accumulator, found 0"):
        script.tensorize(row, "mma.store")


def test_an_architecture_without_the_instruction_is_refused() -> None:
    layer, tiling = CASES["two by two warps"]
    with pytest.raises(CompileError, match=r"sm_75 has no mma.sync of m16n8k16; sm_80 and later have"):
        vtac.compile(MmaMatmulScheduler(layer, tiling).schedule().module, "cuda", "sm_75")


def test_sizes_that_a_tiling_does_not_divide() -> None:
    with pytest.raises(CompileError, match="n is 80, no multiple of the 64 that a block computes at a time"):
        MmaMatmulScheduler(WmmaMatmul(64, 80, 64), MmaTiling(1, 1, 2, 8, 2, 2))
    with pytest.raises(CompileError, match=r"c is 56 x 40, and padded: .* takes products of whole tiles"):
        MmaMatmulScheduler(WmmaMatmul(56, 40, 64), MmaTiling(1, 1, 2, 8, 2, 2))
    with pytest.raises(CompileError, match="a step copies 256 elements of a, no multiple of the 1024 that 128 threads"):
        MmaMatmulScheduler(WmmaMatmul(64, 64, 64), MmaTiling(1, 4, 1, 2, 1, 2))
