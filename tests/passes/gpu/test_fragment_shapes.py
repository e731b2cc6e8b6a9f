"""Loops are tensorized in tiles of whole fragments; all else is refused where `tensorize` is written."""

from __future__ import annotations

import re

import pytest
from contraction_programs import matmul

import vtac
from vtac.errors import ScheduleError
from vtac.schedule import BlockRef, Schedule
from vtac.targets.cuda.schedules import default_schedule
from vtac.workloads.wmma_matmul import WmmaMatmul


def refusal(text: str, script: str) -> str:
    with pytest.raises(ScheduleError) as caught:
        vtac.compile(text, "cuda", schedule=script)
    return str(caught.value)


def with_tile(script: str, intrinsic: str, part: int) -> str:
    """The script with the last split before an intrinsic's first use making loops of a part of their extent."""
    before, use, after = script.partition(f'"{intrinsic}"')
    head, word, tail = before.rpartition("factor ")
    return head + word + re.sub(r"^\d+", lambda size: str(int(size[0]) // part), tail) + use + after


def staged() -> tuple[Schedule, BlockRef, BlockRef, BlockRef, BlockRef]:
    """A product of 32 x 32 x 32, its operands and its result in fragments: product, a, b and store."""
    schedule = Schedule(WmmaMatmul(32, 32, 32).text())
    product = schedule.get_block("c")
    a = schedule.cache_read(product, 0, "wmma.matrix_a")
    b = schedule.cache_read(product, 1, "wmma.matrix_b")
    return schedule, product, a, b, schedule.cache_write(product, 0, "wmma.accumulator")


def tile(schedule: Schedule, block: BlockRef, intrinsic: str, *sizes: int) -> None:
    """Split a block's last loops into tiles of those sizes, and tensorize them."""
    parts = [schedule.split(loop, factor=size) for loop, size in zip(schedule.get_loops(block), sizes, strict=True)]
    schedule.reorder(*(outer for outer, _ in parts), *(inner for _, inner in parts))
    schedule.tensorize(parts[0][1], intrinsic)


@pytest.mark.parametrize("element", ["f16", "i8"])
@pytest.mark.parametrize("part", [2, 4, 8])
@pytest.mark.parametrize("intrinsic", ["wmma.load_matrix_sync", "wmma.store_matrix_sync"])
def test_edited_scripts_are_refused_at_their_tensorize(element: str, part: int, intrinsic: str) -> None:
    text = matmul(64, 64, 64, element).text()
    script = str(default_schedule(vtac.parse(text)))
    message = refusal(text, with_tile(script, intrinsic, part) + "\n")
    assert re.match(r"<string>:\d+:\d+: tensorize: loop '[^']*' \(extent \d+\) is not wmma\.", message)
    assert "split the loops so that the tile is one fragment" in message or "no multiple of the tile's" in message


def test_a_load_that_no_fragment_is_as_small_as() -> None:
    schedule, _, a, _, _ = staged()
    with pytest.raises(ScheduleError) as caught:
        tile(schedule, a, "wmma.load_matrix_sync", 4, 16)
    assert str(caught.value).endswith(
        "tensorize: loop 'i0_inner' (extent 4) is not wmma.load_matrix_sync: a tile of 4 x 16 (loops 'i0_inner', "
        "'i1_inner') of 'a_wmma_matrix_a'; CUDA's matrix_a fragments of f16 are 16 x 16, 32 x 16, 8 x 16, 16 x 32, "
        "16 x 8; split the loops so that the tile is one fragment, and tensorize the loop around it"
    )


def test_a_product_that_cuda_lacks() -> None:
    schedule, product, *_ = staged()
    with pytest.raises(ScheduleError) as caught:
        tile(schedule, product, "wmma.mma_sync", 16, 16, 8)
    assert (
        "loop 'i0_inner' (extent 16) is not wmma.mma_sync: a product of 16 x 16 x 8 (loops 'i0_inner', 'i1_inner', "
        "'r2_inner'); CUDA's fragments of f16 are 16 x 16 x 16, 32 x 8 x 16, 8 x 32 x 16 (m x n x k)"
    ) in str(caught.value)


def test_a_load_of_other_fragments_than_the_product_takes() -> None:
    schedule, product, a, _, _ = staged()
    tile(schedule, product, "wmma.mma_sync", 16, 16, 16)
    with pytest.raises(ScheduleError) as caught:
        tile(schedule, a, "wmma.load_matrix_sync", 8, 16)
    assert (
        "is not wmma.load_matrix_sync: a tile of 8 x 16 (loops 'i0_inner', 'i1_inner') of 'a_wmma_matrix_a', whose "
        "product in loop 'i0_inner'"
    ) in str(caught.value)
    assert "takes fragments of 16 x 16; split the loops" in str(caught.value)


@pytest.mark.parametrize("block", [1, 2, 3])
def test_a_product_of_other_fragments_than_are_moved(block: int) -> None:
    schedule, *blocks = staged()
    intrinsic = "wmma.store_matrix_sync" if block == 3 else "wmma.load_matrix_sync"
    sizes = (16, 8) if block == 2 else (8, 16) if block == 1 else (8, 32)
    tile(schedule, blocks[block], intrinsic, *sizes)
    with pytest.raises(ScheduleError) as caught:
        tile(schedule, blocks[0], "wmma.mma_sync", 16, 16, 16)
    assert "is not wmma.mma_sync: it takes fragments of 16 x 16 of '" in str(caught.value)
    assert f"and {intrinsic} of loop 'i0_inner'" in str(caught.value)
    assert f"moves a tile of {sizes[0]} x {sizes[1]}" in str(caught.value)


def test_a_fill_of_a_part_of_a_fragment() -> None:
    schedule, product, _, _, _ = staged()
    i, j, k = schedule.get_loops(product)
    schedule.reorder(k, i, j)
    start = schedule.decompose_reduction(product, k)
    _, rows = schedule.split(schedule.get_loops(start)[0], factor=16)
    message = r"a tile of 16 x 32 .*; CUDA's accumulator fragments of f32 are 16 x 16, 32 x 8, 8 x 32; split"
    with pytest.raises(ScheduleError, match=message):
        schedule.tensorize(rows, "wmma.fill_fragment")


def test_fragments_that_are_not_square() -> None:
    schedule, product, a, b, store = staged()
    tile(schedule, a, "wmma.load_matrix_sync", 8, 16)
    tile(schedule, product, "wmma.mma_sync", 8, 32, 16)
    tile(schedule, b, "wmma.load_matrix_sync", 16, 32)
    tile(schedule, store, "wmma.store_matrix_sync", 8, 32)


def test_a_refusal_changes_nothing() -> None:
    schedule, product, a, _, _ = staged()
    tile(schedule, product, "wmma.mma_sync", 16, 16, 16)
    for loop in schedule.get_loops(a):
        before = str(schedule.function)
        with pytest.raises(ScheduleError):
            schedule.tensorize(loop, "wmma.load_matrix_sync")
        assert str(schedule.function) == before
