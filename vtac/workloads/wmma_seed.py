"""The tutorial's schedule of the fp16 convolution, on packed tensors and on plain images."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from vtac.dialects.gpu_hardware import WARP_SIZE
from vtac.dialects.schedule.spellings import ThreadName
from vtac.schedule import BlockRef, LoopRef, Schedule
from vtac.workloads.wmma_tiles import VECTOR

if TYPE_CHECKING:
    from vtac.workloads.wmma_conv2d import CopiedBy, SeedTiling, WmmaConv2D


def seed_schedule(layer: WmmaConv2D, tiling: SeedTiling) -> Schedule:
    """One pixel per block, shared tiles for one kernel row, fragments per warp as the tiling says."""
    schedule = Schedule(layer.text())
    schedule.name = "seed"
    conv = schedule.get_block(layer.product)
    if layer.padding:
        schedule.compute_inline(schedule.get_block("data_pad"))
    data_shared = schedule.cache_read(conv, 0, "shared")
    kernel_shared = schedule.cache_read(conv, 1, "shared")
    for name in layer.packs:
        schedule.compute_inline(schedule.get_block(name))
    a = schedule.cache_read(conv, 0, "wmma.matrix_a")
    b = schedule.cache_read(conv, 1, "wmma.matrix_b")
    warp, tile = _store(schedule, layer, conv, tiling)
    schedule.compute_at(conv, warp)
    *_, n, _, _, o, row, column, ic, kh, kw, k = schedule.get_loops(conv)
    ic_outer, ic_inner = schedule.split(ic, factor=tiling.chunk)
    schedule.reorder(ic_outer, kh, ic_inner, kw, n, o, row, column, k)
    for block in (a, b):
        schedule.compute_at(block, kw)
        schedule.tensorize(schedule.get_loops(block)[-2], "wmma.load_matrix_sync")
    for copy in (data_shared, kernel_shared):
        schedule.compute_at(copy, kh)
    for copy, axis in ((data_shared, -6), (kernel_shared, -3)):
        _share_copy(schedule, copy, tiling, axis, layer.copied_by(kernel=copy is kernel_shared))
    schedule.tensorize(tile, "wmma.store_matrix_sync")
    schedule.tensorize(row, "wmma.mma_sync")
    return schedule


def _store(schedule: Schedule, layer: WmmaConv2D, conv: BlockRef, tiling: SeedTiling) -> tuple[LoopRef, LoopRef]:
    """Blocks over pixels and tiles, warps over a block's tiles; the warps' inner loop and the loop over a tile."""
    if layer.staged:
        return _store_staged(schedule, conv, tiling)
    if layer.packs:
        schedule.set_scope(conv, 0, "wmma.accumulator")
        store = schedule.get_block("output")
    else:
        store = schedule.cache_write(conv, 0, "wmma.accumulator")
    n, h, w, o, row, column = schedule.get_loops(store)
    pixel = schedule.fuse(h, w)
    n, n_inner = schedule.split(n, factor=tiling.row_tiles)
    n_block, n = schedule.split(n, factor=tiling.row_warps)
    o, o_inner = schedule.split(o, factor=tiling.column_tiles)
    o_block, o = schedule.split(o, factor=tiling.column_warps)
    schedule.reorder(pixel, n_block, o_block, n, o, n_inner, o_inner, row, column)
    indices = ("blockIdx.z", "blockIdx.x", "blockIdx.y", "threadIdx.y", "threadIdx.z")
    for loop, index in zip((pixel, n_block, o_block, n, o), indices, strict=True):
        schedule.bind(loop, index)
    return o, row


def _store_staged(schedule: Schedule, conv: BlockRef, tiling: SeedTiling) -> tuple[LoopRef, LoopRef]:
    """As `_store`; a block's tiles are stored in shared memory, and its threads take them to the output."""
    store = schedule.cache_write(conv, 0, "wmma.accumulator")
    schedule.set_scope(store, 0, "shared")
    n, h, w, o, row, column = schedule.get_loops(schedule.get_block("output"))
    pixel = schedule.fuse(h, w)
    n_block, n = schedule.split(n, factor=tiling.row_tiles * tiling.row_warps)
    o_block, o = schedule.split(o, factor=tiling.column_tiles * tiling.column_warps)
    schedule.reorder(pixel, n_block, o_block, n, o, row, column)
    for loop, index in zip((pixel, n_block, o_block), ("blockIdx.z", "blockIdx.x", "blockIdx.y"), strict=True):
        schedule.bind(loop, index)
    schedule.compute_at(store, o_block)
    warps: Warps = (("threadIdx.y", tiling.row_warps), ("threadIdx.z", tiling.column_warps))
    spread(schedule, schedule.fuse(n, o, row, column), warps)
    *_, n, _, _, o, row, column = schedule.get_loops(store)
    n, n_inner = schedule.split(n, factor=tiling.row_tiles)
    o, o_inner = schedule.split(o, factor=tiling.column_tiles)
    schedule.reorder(n, o, n_inner, o_inner, row, column)
    schedule.bind(n, "threadIdx.y")
    schedule.bind(o, "threadIdx.z")
    return o, row


Warps: TypeAlias = tuple[tuple[ThreadName, int], tuple[ThreadName, int]]
"""Two indices of threads, and the extent of each."""


def spread(schedule: Schedule, loop: LoopRef, warps: Warps) -> None:
    """Let all threads of a block take turns at a loop's iterations; `warps` is (index, extent) twice."""
    (first, first_extent), (second, second_extent) = warps
    _, rest = schedule.split(loop, factor=first_extent * second_extent * WARP_SIZE)
    outer, rest = schedule.split(rest, nparts=first_extent)
    inner, lane = schedule.split(rest, nparts=second_extent)
    schedule.bind(outer, first)
    schedule.bind(inner, second)
    schedule.bind(lane, "threadIdx.x")


def _share_copy(schedule: Schedule, copy: BlockRef, tiling: SeedTiling, axis: int, lanes: CopiedBy) -> None:
    """Spread a copy to shared memory over the block's threads.

    Warps take parts of dimension `axis`; the lanes of a warp take a tile's scalars one by
    one, or as vectors of 16 bytes.
    """
    loops = schedule.get_loops(copy)
    outer, rest = schedule.split(loops[axis], nparts=tiling.row_warps)
    inner, _ = schedule.split(rest, nparts=tiling.column_warps)
    vector: LoopRef | None = None
    if lanes == "rows":
        half, vector = schedule.split(loops[-1], factor=VECTOR)
        lane = schedule.fuse(loops[-2], half)
    else:
        lane = schedule.fuse(loops[-2], loops[-1])
    schedule.bind(outer, "threadIdx.y")
    schedule.bind(inner, "threadIdx.z")
    if lanes == "packed":
        lane, vector = schedule.split(lane, nparts=WARP_SIZE)
    elif lanes == "scalars":
        _, lane = schedule.split(lane, factor=WARP_SIZE)
    if vector is not None:
        schedule.vectorize(vector)
    schedule.bind(lane, "threadIdx.x")
