"""The schedules of matrix products on tensor cores: staged in turn, or pipelined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtac.schedule import BlockRef, LoopRef, Schedule
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.warp_loops import (
    VECTOR_BYTES,
    bind_warps,
    multiply_fragments,
    order_rows,
    spread_over_threads,
)

if TYPE_CHECKING:
    from vtac.workloads.wmma_matmul import MatmulTiling, WmmaMatmul


class MatmulScheduler:
    """Schedules one product with one tiling."""

    def __init__(self, layer: WmmaMatmul, tiling: MatmulTiling) -> None:
        self.layer = layer
        self.tiling = tiling
        self.script = Schedule(layer.text())
        self.outer = 2 if layer.cropped else 0

    def schedule(self) -> Schedule:
        """Shared tiles of a and b per step; the epilogue reads the product from shared memory."""
        script, layer = self.script, self.layer
        script.name = f"{'fast' if self.tiling.stages > 1 else 'seed'}, {self._tiles()}"
        for name in layer.pads:
            script.compute_inline(script.get_block(name))
        product = script.get_block("product" if layer.staged else "c")
        shared = [script.cache_read(product, index, "shared") for index in (0, 1)]
        a = script.cache_read(product, 0, "wmma.matrix_a")
        b = script.cache_read(product, 1, "wmma.matrix_b")
        store = script.cache_write(product, 0, "wmma.accumulator")
        if layer.staged:
            rows, columns = self._share_product(store)
        else:
            rows, columns = self._block_loops(*script.get_loops(store))
        script.compute_at(product, bind_warps(script, self.tiling, layer.fragment, rows, columns))
        step, inner = multiply_fragments(script, self.tiling, layer.fragment, product, a, b)
        if self.tiling.stages > 1:
            script.unroll(inner)
        for copy, most, row in zip(shared, layer.copied, (layer.k, layer.n), strict=True):
            # Where a row ends within a vector, every element decides for itself whether it is a zero.
            lanes = most if self.tiling.stages > 1 or row % layer.lanes == 0 else 1
            if self.tiling.stages > 1 and layer.element != "s8":
                # Rows an odd multiple of 16 bytes apart: a fragment's rows meet no bank twice.
                script.storage_align(copy, 0, 2 * layer.lanes, layer.lanes)
            script.compute_at(copy, step)
            self._share_copy(copy, lanes)
        if self.tiling.stages > 1:
            script.pipeline(step, self.tiling.stages)
        for fragments in (a, b) if self.tiling.double_buffer else ():
            script.double_buffer(fragments)
        if self.tiling.group > 1:
            row_block, column_block = script.get_loops(store)[self.outer : self.outer + 2]
            script.rasterize(row_block, column_block, self.tiling.group)
        return script

    def _tiles(self) -> ProductTiling:
        one = self.tiling
        warps, tiles = (one.row_warps, one.column_warps), (one.row_tiles, one.column_tiles)
        return ProductTiling(self.layer.fragment, *tiles, *warps, one.chunk, one.stages)

    def _block_loops(self, rows: LoopRef, columns: LoopRef) -> tuple[LoopRef, LoopRef]:
        """Give blocks their part of c; the loops over one block's rows and columns."""
        script, tiling = self.script, self.tiling
        m, n, _ = self.layer.fragment
        row_block, rows = script.split(rows, factor=m * tiling.row_warps * tiling.row_tiles)
        column_block, columns = script.split(columns, factor=n * tiling.column_warps * tiling.column_tiles)
        script.reorder(row_block, column_block, rows, columns)
        script.bind(row_block, "blockIdx.y")
        script.bind(column_block, "blockIdx.x")
        return rows, columns

    def _share_product(self, store: BlockRef) -> tuple[LoopRef, LoopRef]:
        """Stage a block's product in shared memory for the epilogue's threads."""
        script = self.script
        epilogue = script.get_block("c")
        script.set_scope(store, "shared")
        if self.layer.cropped and self.layer.bias and self.layer.n != self.layer.padded[1]:
            script.compute_inline(script.get_block("bias_pad"))
        if self.layer.cropped and self.layer.has_epilogue:
            script.compute_inline(script.get_block("epilogue"))
        *_, rows, columns = script.get_loops(epilogue)
        rows, columns = self._block_loops(rows, columns)
        column_block = script.get_loops(epilogue)[self.outer + 1]
        script.compute_at(store, column_block)
        spread_over_threads(script, self.tiling, script.fuse(rows, columns))
        *_, rows, columns = script.get_loops(store)
        return rows, columns

    def _share_copy(self, copy: BlockRef, lanes: int) -> None:
        """Spread a copy to shared memory over the block's threads, `lanes` elements each at a time."""
        script = self.script
        *_, rows, columns = script.get_loops(copy)
        while lanes > 1 and rows.extent * columns.extent % (lanes * self.tiling.threads):
            lanes //= 2
        ordered = [rows]
        if self.tiling.stages > 1 and self.layer.element != "s8":
            ordered = order_rows(script, rows, columns.extent * VECTOR_BYTES // self.layer.lanes)
        if lanes > 1:
            columns, vector = script.split(columns, factor=lanes)
            script.vectorize(vector)
        spread_over_threads(script, self.tiling, script.fuse(*ordered, columns))
