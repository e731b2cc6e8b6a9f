"""Schedules for wgmma: what they compute at each level, what tensorize refuses, banks, architectures."""

from __future__ import annotations

import numpy as np
import pytest
from mma_programs import Case, product, wanted_of
from wgmma_programs import CASES, TILINGS
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

import vtac
from vtac.analysis.kernels.bank_conflicts import bank_accesses
from vtac.dialects.gpu_hardware import WARPGROUP_SHAPES, gpu_architecture
from vtac.dialects.wgmma import CommitGroupOp, FenceOp, FenceProxyAsyncOp, MmaAsyncOp, WaitGroupOp
from vtac.errors import CompileError, ScheduleError
from vtac.evaluate import evaluate
from vtac.pipelines import Runner
from vtac.preparation import prepare
from vtac.schedule import Schedule
from vtac.targets.cuda.pipeline import WMMA_PIPELINE
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.wgmma_products import group_tiling, wgmma_schedule
from vtac.targets.cuda.target import CUDA
from vtac.text.context import make_context
from vtac.workloads.wmma_matmul import WmmaMatmul


def lowered(text: str, script: str) -> ModuleOp:
    """A program as a kernel, by a script."""
    module = prepare(text, CUDA, "sm_90a", script)
    Runner(make_context()).run_phases(WMMA_PIPELINE.phases, module)
    return module


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_products_are_those_of_numpy(case: Case) -> None:
    arrays = case.arrays()
    found = evaluate(lowered(case.text, str(wgmma_schedule(case.text))), *arrays)
    assert isinstance(found, np.ndarray)
    assert np.array_equal(found, wanted_of(case, arrays))


@pytest.mark.parametrize("tiling", TILINGS.values(), ids=TILINGS)
@pytest.mark.parametrize("transposed", [False, True])
def test_tilings(tiling: ProductTiling, transposed: bool) -> None:
    case = product((256, 192, 512), transposed=transposed)
    arrays = case.arrays()
    found = evaluate(lowered(case.text, str(wgmma_schedule(case.text, None, tiling))), *arrays)
    assert isinstance(found, np.ndarray)
    assert np.array_equal(found, wanted_of(case, arrays))


@pytest.mark.parametrize("rows", [1, 9, 16])
def test_rows_of_the_first_warp_alone(rows: int) -> None:
    """Each warp keeps the rows after those of the one before it, whether the product has them or not."""
    case = product((rows, 64, 128))
    arrays = case.arrays()
    module = lowered(case.text, str(wgmma_schedule(case.text)))
    assert any(isinstance(op, MmaAsyncOp) for op in module.walk())
    found = evaluate(module, *arrays)
    assert isinstance(found, np.ndarray)
    assert np.array_equal(found, wanted_of(case, arrays))


@pytest.mark.parametrize(("stages", "pending"), [(1, [0]), (2, [0]), (3, [1, 0]), (4, [1, 0])])
def test_products_are_under_way_where_stages_are_to_spare(stages: int, pending: list[int]) -> None:
    text = WmmaMatmul(128, 64, 512).text()
    module = lowered(text, str(wgmma_schedule(text, None, group_tiling(2, 64, 2, 128, stages))))
    ops = list(module.walk())
    assert [op.pending.value.data for op in ops if isinstance(op, WaitGroupOp)] == pending
    for kind in (FenceOp, CommitGroupOp, FenceProxyAsyncOp, MmaAsyncOp):
        assert len([op for op in ops if isinstance(op, kind)]) == 1
    waits = [op for op in ops if isinstance(op, WaitGroupOp)]
    assert [len(op.accumulators) for op in waits] == [int(number == 0) for number in pending]


@pytest.mark.parametrize("transposed", [False, True])
def test_writes_meet_no_bank_twice(transposed: bool) -> None:
    text = product((128, 256, 256), transposed=transposed).text
    (kernel,) = (op for op in lowered(text, str(wgmma_schedule(text))).ops if isinstance(op, FuncOp))
    found = [access for access in bank_accesses(kernel) if access.writes]
    assert [access.turns for access in found] == [1, 1]


def test_intrinsics_are_those_of_the_records() -> None:
    names = {name for intrinsic in CUDA.intrinsics for name in intrinsic.members}
    assert {f"wgmma.{shape}" for shape in WARPGROUP_SHAPES} == names


def _split(rows: int, columns: int, depth: int, *, bound: int | None = 4) -> tuple[Schedule, object]:
    """A product of 64 x 64 x 64 with operands in shared memory; the loop over the rows of a tile."""
    script = Schedule(WmmaMatmul(64, 64, 64).text())
    block = script.get_block("c")
    for position in (0, 1):
        script.cache_read(block, position, "shared")
    script.cache_write(block, 0, "wmma.accumulator")
    i, j, k = script.get_loops(block)
    warp, row = script.split(i, factor=rows)
    j, column = script.split(j, factor=columns)
    k, lane = script.split(k, factor=depth)
    script.reorder(warp, j, k, row, column, lane)
    if bound is not None:
        script.bind(warp, "threadIdx.y")
    return script, row


@pytest.mark.parametrize(
    ("sizes", "bound", "intrinsic", "message"),
    [
        (
            (16, 64, 16),
            4,
            "wgmma.m64n64k8",
            r"a product of 16 x 64 x 16 \(m x n x k\) of each of 4 warps",
        ),
        ((16, 64, 32), 4, "wgmma.m64n64k32", r"wgmma has no m64n64k32 of f16 added up in f32"),
        (
            (16, 64, 16),
            None,
            "wgmma.m64n64k16",
            r"threadIdx.y has 1 iterations around it: four warps",
        ),
        ((32, 64, 16), 2, "wgmma.m128n64k16", r"no intrinsic 'wgmma.m128n64k16'"),
        ((8, 64, 16), 8, "wgmma.m64n64k16", r"a product of 8 x 64 x 16"),
    ],
)
def test_what_tensorize_refuses(sizes: tuple[int, int, int], bound: int | None, intrinsic: str, message: str) -> None:
    script, row = _split(*sizes, bound=bound)
    with pytest.raises(ScheduleError, match=message):
        script.tensorize(row, intrinsic)  # pyright: ignore[reportArgumentType]


def test_operands_in_fragments_are_refused() -> None:
    script = Schedule(WmmaMatmul(64, 64, 64).text())
    block = script.get_block("c")
    script.cache_read(block, 0, "wmma.matrix_a")
    script.cache_read(block, 1, "shared")
    script.cache_write(block, 0, "wmma.accumulator")
    row, *_ = script.get_loops(block)
    wanted = (
        r"expected both inputs in shared and the output in wmma.accumulator, found wmma.matrix_a, shared, "
        r"wmma.accumulator; cache_read both operands into shared memory, and none into fragments"
    )
    with pytest.raises(ScheduleError, match=wanted):
        script.tensorize(row, "wgmma.m64n64k16")


def test_operands_in_plain_rows_are_refused() -> None:
    text = WmmaMatmul(64, 64, 64).text()
    script = str(wgmma_schedule(text))
    plain = "\n".join(line for line in script.splitlines() if "swizzle" not in line)
    with pytest.raises(CompileError, match=r"lies in plain rows: let their chunks change places with swizzle\(block"):
        lowered(text, plain)
    text = WmmaMatmul(64, 128, 64).text()
    script = str(wgmma_schedule(text, None, group_tiling(1, 128, 2, 128, 1)))
    whole = "\n".join(line.replace(" panels", "") if "swizzle" in line else line for line in script.splitlines())
    with pytest.raises(CompileError, match=r"rows of '.*' lie 256 bytes apart, and chunks change places within 128"):
        lowered(text, whole)


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90", "sm_100a", "sm_120a"])
def test_other_architectures_are_refused(architecture: str) -> None:
    text = WmmaMatmul(64, 64, 64).text()
    with pytest.raises(CompileError, match=f"{architecture} has no wgmma; sm_90a has, and no other architecture"):
        vtac.compile(text, "cuda", architecture, schedule=wgmma_schedule(text))
    with pytest.raises(ScheduleError, match=f"wgmma_schedule: {architecture} has no wgmma, which only sm_90a has"):
        wgmma_schedule(text, gpu_architecture(architecture))


def test_a_kernel_for_no_architecture_is_refused() -> None:
    text = WmmaMatmul(64, 64, 64).text()
    with pytest.raises(CompileError, match="any architecture has no wgmma; sm_90a has, and no other"):
        vtac.compile(text, "cuda", schedule=wgmma_schedule(text))


@pytest.mark.parametrize("sizes", [(60, 60, 64), (129, 40, 96), (200, 264, 100), (70, 16, 200)])
@pytest.mark.parametrize("tail", [False, True])
def test_sizes_that_tiles_do_not_divide(sizes: tuple[int, int, int], tail: bool) -> None:
    case = product(sizes, tail=tail)
    arrays = case.arrays()
    found = evaluate(lowered(case.text, str(wgmma_schedule(case.text))), *arrays)
    assert isinstance(found, np.ndarray)
    assert np.array_equal(found, wanted_of(case, arrays))


def test_rows_that_cannot_change_places_are_refused() -> None:
    message = r"wgmma reads rows of 32, 64 or 128 bytes, or panels of them; a tile of an operand has rows of 80: choose"
    with pytest.raises(ScheduleError, match=message):
        wgmma_schedule(product((64, 40, 128)).text, None, group_tiling(1, 40, 2, 128, 2))
    case = product((64, 40, 128), transposed=True)
    arrays = case.arrays()
    found = evaluate(lowered(case.text, str(wgmma_schedule(case.text, None, group_tiling(1, 40, 2, 128, 2)))), *arrays)
    assert isinstance(found, np.ndarray)
    assert np.array_equal(found, wanted_of(case, arrays))


def test_floats_are_not_cut_silently() -> None:
    text = product((64, 64, 64), "f32").text
    with pytest.raises(CompileError, match=r"wgmma cuts floats to tf32 where other instructions round them: allow it"):
        lowered(text, str(wgmma_schedule(text)))


def test_products_that_no_tiling_fits() -> None:
    with pytest.raises(
        ScheduleError, match=r"wgmma_schedule: no blocks fit a product of 64 x 8 x 64: they have 64 rows"
    ):
        wgmma_schedule(product((64, 8, 64)).text)
    with pytest.raises(ScheduleError, match=r"no blocks of 256 x 64 in steps of 64 fit a product of 64 x 64 x 64"):
        wgmma_schedule(product((64, 64, 64)).text, None, group_tiling(4, 64, 2, 128, 1))
    with pytest.raises(ScheduleError, match=r"no blocks of 64 x 64 in steps of 16 fit a product of 64 x 64 x 64"):
        wgmma_schedule(product((64, 64, 64)).text, None, ProductTiling((16, 8, 16), 2, 4, 2, 2, 1))
    text = "func.func @f(%x: tensor<8xf32>) -> tensor<8xf32> {\n  func.return %x : tensor<8xf32>\n}\n"
    with pytest.raises(ScheduleError, match="wgmma_schedule: the program holds no product of tensor cores"):
        wgmma_schedule(text)
