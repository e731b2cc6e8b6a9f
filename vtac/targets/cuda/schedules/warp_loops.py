"""The loops of a product that every schedule has alike: warps, their fragments, and copies by all threads."""

from __future__ import annotations

from typing import Protocol

from vtac.dialects.gpu_hardware import WARP_SIZE
from vtac.schedule import BlockRef, LoopRef, Schedule

VECTOR_BYTES = 16
"""The most that one thread copies at a time."""
BANK_GROUPS = 8
"""Vectors of 16 bytes that all banks of shared memory hold side by side."""
Fragment = tuple[int, int, int]


class WarpTiling(Protocol):
    """Tiles per warp, warps along the rows of a block, its threads, and fragments of k per step."""

    @property
    def row_tiles(self) -> int: ...
    @property
    def column_tiles(self) -> int: ...
    @property
    def row_warps(self) -> int: ...
    @property
    def threads(self) -> int: ...
    @property
    def chunk(self) -> int: ...


def bind_warps(script: Schedule, tiling: WarpTiling, fragment: Fragment, rows: LoopRef, columns: LoopRef) -> LoopRef:
    """Give warps their fragments and store those; the innermost loop over warps."""
    m, n, _ = fragment
    row_warp, rows = script.split(rows, factor=m * tiling.row_tiles)
    column_warp, columns = script.split(columns, factor=n * tiling.column_tiles)
    rows, row = script.split(rows, factor=m)
    columns, column = script.split(columns, factor=n)
    script.reorder(row_warp, column_warp, rows, columns, row, column)
    script.bind(row_warp, "threadIdx.y")
    script.bind(column_warp, "threadIdx.z")
    script.tensorize(row, "wmma.store_matrix_sync")
    return column_warp


def multiply_fragments(
    script: Schedule, tiling: WarpTiling, fragment: Fragment, product: BlockRef, a: BlockRef, b: BlockRef
) -> tuple[LoopRef, LoopRef]:
    """One mma_sync per pair of fragments; the loop over steps of k, and that over the fragments of a step."""
    m, n, depth = fragment
    *_, rows, columns, k = script.get_loops(product)
    rows, row = script.split(rows, factor=m)
    columns, column = script.split(columns, factor=n)
    step, k = script.split(k, factor=depth * tiling.chunk)
    k, lane = script.split(k, factor=depth)
    script.reorder(step, k, rows, columns, row, column, lane)
    script.compute_at(a, k)
    *_, outer, _ = script.get_loops(a)
    _, tile = script.split(outer, factor=m)
    script.tensorize(tile, "wmma.load_matrix_sync")
    script.compute_at(b, k)
    *_, outer, inner = script.get_loops(b)
    tiles, tile = script.split(inner, factor=n)
    script.reorder(tiles, outer, tile)
    script.tensorize(outer, "wmma.load_matrix_sync")
    script.tensorize(row, "wmma.mma_sync")
    return step, k


def order_rows(script: Schedule, rows: LoopRef, row_bytes: int) -> list[LoopRef]:
    """The loop over the rows of a shared tile as loops in whose order neighbouring threads meet no bank twice.

    Rows lie an odd multiple of 16 bytes apart, so that eight of them start in eight different groups of four banks:
    fragments are read without conflicts. Eight threads write 128 bytes at a time, of several rows where these are
    shorter; rows 4 apart then fill the banks where they have 64 bytes, and 2 apart where they have 32.
    """
    apart = row_bytes // VECTOR_BYTES
    if rows.extent % BANK_GROUPS or not 1 < apart < BANK_GROUPS or BANK_GROUPS % apart:
        return [rows]
    eights, rows = script.split(rows, factor=BANK_GROUPS)
    far, near = script.split(rows, factor=apart)
    script.reorder(near, far)
    return [eights, near, far]


def spread_over_threads(script: Schedule, tiling: WarpTiling, loop: LoopRef) -> None:
    """Let all threads of a block take turns at a loop's iterations."""
    _, rest = script.split(loop, factor=tiling.threads)
    row_warp, rest = script.split(rest, nparts=tiling.row_warps)
    column_warp, lane = script.split(rest, factor=WARP_SIZE)
    script.bind(row_warp, "threadIdx.y")
    script.bind(column_warp, "threadIdx.z")
    script.bind(lane, "threadIdx.x")
