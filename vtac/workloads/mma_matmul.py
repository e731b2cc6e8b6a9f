"""Matrix products for `mma.sync`: operands swizzled in shared memory, results finished in registers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vtac.dialects.gpu_hardware import ELEMENT_BYTES, WARP_SIZE
from vtac.errors import CompileError
from vtac.workloads.wmma_matmul import VECTOR_BYTES, WmmaMatmul

if TYPE_CHECKING:
    from vtac.schedule import BlockRef, LoopRef, Schedule

ROWS, COLUMNS = 16, 8
"""m and n of every instruction."""
_MOST_SWIZZLED = 128


@dataclass(frozen=True)
class MmaTiling:
    """Warps per block, tiles of 16 x 8 per warp, instructions along k per step, and steps whose copies are under way.

    Blocks take their tiles in groups of `group` rows of blocks.
    """

    row_warps: int = 4
    column_warps: int = 2
    row_tiles: int = 4
    column_tiles: int = 8
    chunk: int = 4
    stages: int = 3
    group: int = 1
    swizzle: bool = True

    @property
    def threads(self) -> int:
        """Threads per block."""
        return self.row_warps * self.column_warps * WARP_SIZE

    def parts(self, depth: int) -> tuple[int, int, int]:
        """What a block computes at a time: rows, columns, and elements of k, where an instruction has `depth`."""
        return (
            ROWS * self.row_warps * self.row_tiles,
            COLUMNS * self.column_warps * self.column_tiles,
            depth * self.chunk,
        )


class MmaMatmulScheduler:
    """Schedules one product, whose sizes a tiling divides, for `mma.sync`."""

    def __init__(self, layer: WmmaMatmul, tiling: MmaTiling) -> None:
        from vtac.schedule import Schedule

        self.layer = layer
        self.tiling = tiling
        self.depth = 32 // ELEMENT_BYTES[layer.element]
        _check(layer, tiling, self.depth)
        self.script = Schedule(layer.text())

    def schedule(self) -> Schedule:
        """Shared tiles of a and b per step, and the product in registers, as far as the result."""
        script, layer, tiling = self.script, self.layer, self.tiling
        product = script.get_block("product" if layer.has_epilogue else "c")
        shared = [script.cache_read(product, index, "shared") for index in (0, 1)]
        a = script.cache_read(product, 0, "wmma.matrix_a")
        b = script.cache_read(product, 1, "wmma.matrix_b")
        if layer.has_epilogue:
            script.set_scope(product, 0, "wmma.accumulator")
            result = script.get_block("c")
        else:
            result = script.cache_write(product, 0, "wmma.accumulator")
        row_block, column_block, warp = self._spread(result)
        script.compute_at(product, warp)
        step = self._multiply(product, a, b)
        for copy, columns in zip(shared, (self.depth * tiling.chunk, tiling.parts(self.depth)[1]), strict=True):
            script.compute_at(copy, step)
            if tiling.swizzle:
                script.swizzle(copy, min(columns * ELEMENT_BYTES[layer.element], _MOST_SWIZZLED))
            self._share(copy)
        if tiling.stages > 1:
            script.pipeline(step, tiling.stages)
        if tiling.group > 1:
            script.rasterize(row_block, column_block, tiling.group)
        return script

    def _spread(self, result: BlockRef) -> tuple[LoopRef, LoopRef, LoopRef]:
        """Blocks and warps over the result, whose tiles each warp computes from its registers."""
        script, tiling = self.script, self.tiling
        block_rows, block_columns, _ = tiling.parts(self.depth)
        rows, columns = script.get_loops(result)
        row_block, rows = script.split(rows, factor=block_rows)
        column_block, columns = script.split(columns, factor=block_columns)
        row_warp, rows = script.split(rows, factor=ROWS * tiling.row_tiles)
        column_warp, columns = script.split(columns, factor=COLUMNS * tiling.column_tiles)
        rows, row = script.split(rows, factor=ROWS)
        columns, column = script.split(columns, factor=COLUMNS)
        script.reorder(row_block, column_block, row_warp, column_warp, rows, columns, row, column)
        script.bind(row_block, "blockIdx.y")
        script.bind(column_block, "blockIdx.x")
        script.bind(row_warp, "threadIdx.y")
        script.bind(column_warp, "threadIdx.z")
        script.tensorize(row, "mma.store")
        return row_block, column_block, column_warp

    def _multiply(self, product: BlockRef, a: BlockRef, b: BlockRef) -> LoopRef:
        """One instruction per pair of tiles, of b two tiles per load where there are two; the loop over steps of k."""
        script, tiling, depth = self.script, self.tiling, self.depth
        *_, rows, columns, k = script.get_loops(product)
        rows, row = script.split(rows, factor=ROWS)
        columns, column = script.split(columns, factor=COLUMNS)
        step, k = script.split(k, factor=depth * tiling.chunk)
        k, lane = script.split(k, factor=depth)
        script.reorder(step, k, rows, columns, row, column, lane)
        script.compute_at(a, k)
        *_, outer, _ = script.get_loops(a)
        _, tile = script.split(outer, factor=ROWS)
        script.tensorize(tile, "mma.ldmatrix")
        script.compute_at(b, k)
        *_, outer, inner = script.get_loops(b)
        tiles, tile = script.split(inner, factor=COLUMNS * (2 if tiling.column_tiles % 2 == 0 else 1))
        script.reorder(tiles, outer, tile)
        script.tensorize(outer, "mma.ldmatrix")
        script.tensorize(row, f"mma.m{ROWS}n{COLUMNS}k{depth}")
        script.unroll(k)
        return step

    def _share(self, copy: BlockRef) -> None:
        """Spread a copy to shared memory over the block's threads, 16 bytes each at a time."""
        script, tiling = self.script, self.tiling
        *_, rows, columns = script.get_loops(copy)
        columns, vector = script.split(columns, factor=VECTOR_BYTES // ELEMENT_BYTES[self.layer.element])
        script.vectorize(vector)
        _, rest = script.split(script.fuse(rows, columns), factor=tiling.threads)
        row_warp, rest = script.split(rest, nparts=tiling.row_warps)
        column_warp, lane = script.split(rest, factor=WARP_SIZE)
        script.bind(row_warp, "threadIdx.y")
        script.bind(column_warp, "threadIdx.z")
        script.bind(lane, "threadIdx.x")


def _check(layer: WmmaMatmul, tiling: MmaTiling, depth: int) -> None:
    if layer.cropped or layer.pads:
        raise CompileError(
            f"c is {layer.m} x {layer.n}, and padded: the schedule for mma.sync takes products of whole tiles; use the "
            "seed schedule"
        )
    for name, size, part in zip("mnk", (layer.m, layer.n, layer.k), tiling.parts(depth), strict=True):
        if size % part:
            raise CompileError(
                f"{name} is {size}, no multiple of the {part} that a block computes at a time: choose fewer warps or "
                "tiles, or a shape that divides"
            )
    rows, columns, deep = tiling.parts(depth)
    copied = tiling.threads * VECTOR_BYTES // ELEMENT_BYTES[layer.element]
    for name, elements in (("a", rows * deep), ("b", deep * columns)):
        if elements % copied:
            raise CompileError(
                f"a step copies {elements} elements of {name}, no multiple of the {copied} that {tiling.threads} "
                "threads copy at a time: choose fewer warps, or more of k per step"
            )
