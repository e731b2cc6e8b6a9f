"""Schedules for mma.sync: what they compute at each level, what tensorize refuses, banks, architectures."""

from __future__ import annotations

import numpy as np
import pytest
from mma_kernels import banks_of, lowered
from mma_programs import CASES, Case, wanted_of

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.dialects.mma.layouts import SHAPES
from vtac.errors import CompileError, ScheduleError
from vtac.evaluate import evaluate
from vtac.schedule import Schedule
from vtac.targets.cuda.schedules.mma_products import mma_schedule
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.target import CUDA
from vtac.workloads.wmma_matmul import WmmaMatmul

F16 = (16, 8, 16)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_products_are_those_of_numpy(case: Case) -> None:
    arrays = case.arrays()
    found = evaluate(lowered(case.text, str(mma_schedule(case.text, None, case.tiling))), *arrays)
    assert isinstance(found, np.ndarray)
    assert np.array_equal(found, wanted_of(case, arrays))


def test_its_level_cuts_off_what_tf32_lacks() -> None:
    random = np.random.default_rng(5)
    a, b = (random.standard_normal((32, 32)).astype(np.float32) for _ in range(2))
    cut = [(one.view(np.uint32) & 0xFFFFE000).astype(np.uint32).view(np.float32) for one in (a, b)]
    text = CASES["tf32"].text.replace("wmma.allow_tf32", "wmma.allow_tf32, wmma.cut_tf32")
    module = lowered(text, str(mma_schedule(text)))
    assert str(module).count(" cut : ") == str(module).count("mma.ldmatrix ") > 0
    found = evaluate(module, a, b)
    assert isinstance(found, np.ndarray)
    assert np.allclose(found, cut[0].astype(np.float64) @ cut[1].astype(np.float64), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("swizzled", "turns"), [(True, 1), (False, 8)])
def test_a_swizzle_leaves_no_bank_conflict(swizzled: bool, turns: int) -> None:
    text = WmmaMatmul(256, 128, 192).text()
    script = str(mma_schedule(text, None, ProductTiling(F16, 4, 8, 4, 2, 4, 3)))
    if not swizzled:
        script = "\n".join(line for line in script.splitlines() if "swizzle" not in line)
    found = banks_of(lowered(text, script))
    assert [access.writes for access in found] == [True, True, False, False]
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
    text = WmmaMatmul(64, 64, 64).text()
    with pytest.raises(CompileError, match=r"sm_75 has no mma.sync of m16n8k16; sm_80 and later have"):
        vtac.compile(text, "cuda", "sm_75", schedule=mma_schedule(text))
    with pytest.raises(ScheduleError, match=r"mma_schedule: sm_75 has no mma.sync of 32 bytes of k"):
        mma_schedule(text, gpu_architecture("sm_75"))


def test_a_program_without_a_product() -> None:
    text = "func.func @f(%x: tensor<8xf32>) -> tensor<8xf32> {\n  func.return %x : tensor<8xf32>\n}\n"
    with pytest.raises(ScheduleError, match="mma_schedule: the program holds no product of tensor cores"):
        mma_schedule(text)
