"""Schedules of products for `mma.sync`: operands swizzled in shared memory, results finished in registers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtac.analysis.ir.gpu_architecture import architecture_for
from vtac.analysis.nests.nest import blocks_under
from vtac.analysis.operations.structured_view import block_view
from vtac.analysis.operations.tensor_products import is_tensor_product
from vtac.dialects.gpu_hardware import WARP_SIZE, GpuArchitecture
from vtac.dialects.mma.layouts import COLUMNS, FIRST_CAPABILITY, ROWS
from vtac.dialects.mma.shared_layouts import SWIZZLES, SharedLayout
from vtac.errors import ScheduleError
from vtac.schedule import BlockRef, LoopRef, Schedule
from vtac.targets.cuda.schedules.footprint import ASYNC_BYTES
from vtac.targets.cuda.schedules.lanes import walked_fastest
from vtac.targets.cuda.schedules.product_blocks import find_product_blocks
from vtac.targets.cuda.schedules.product_directives import ProductScheduler
from vtac.targets.cuda.schedules.product_matrices import as_matrices, payload_block
from vtac.targets.cuda.schedules.roof import choose_tiling
from vtac.targets.cuda.schedules.shape import gather_tail, product_shape
from vtac.targets.cuda.schedules.tiling import ProductTiling, is_swizzled
from vtac.targets.cuda.schedules.warp_loops import BANK_GROUPS, VECTOR_BYTES, spread_over_threads

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

_TURNED_ROWS = 8
"""Rows that a warp copies parts of at a time, where neighbours in memory are no neighbours in shared memory."""


class MmaProductScheduler(ProductScheduler):
    """Schedules one product with what stands around it for `mma.sync`.

    A block's threads copy tiles of both operands to shared memory, rows swizzled; its warps load them by ldmatrix, and
    compute what follows from the product where its sums are.
    """

    def schedule(self) -> None:
        script, blocks, tiling = self.script, self.blocks, self.tiling
        for name in blocks.pads:
            script.compute_inline(script.get_block(name))
        block = script.get_block(blocks.product)
        a, b, store = as_matrices(script, block, self.grid.tile)
        result = gather_tail(script, blocks, store)
        copies = ((a, int(not self.shape.a_by_rows)), (b, int(not self.shape.b_by_depth)))
        rows, columns, depth = tiling.block
        parts = ((rows, depth), (depth, columns))
        lanes = [self._lanes(copy, fastest, part) for (copy, fastest), part in zip(copies, parts, strict=True)]
        fragments = [script.cache_read(block, at, f"wmma.matrix_{role}") for at, role in enumerate("ab")]
        for copy, fastest in copies:
            script.set_scope(copy, 0, "shared")
            if fastest == 0:
                script.transform_layout(copy, [0, 2, 1] if self.shape.is_batch else [1, 0])
        script.set_scope(block, 0, "wmma.accumulator")
        script.compute_at(block, self._spread(result))
        step, inner = self._multiply(block, *fragments)
        for (copy, fastest), count, part in zip(copies, lanes, parts, strict=True):
            self._swizzle(copy, fastest, part)
            self._share_copy(copy, step, fastest, count)
        self._skip_padding(block, step)
        self._pipeline(step, inner)
        self.grid.order()

    @property
    def _in_turn(self) -> int:
        """Tiles of b that take turns at neighbouring columns."""
        return 2 if self.shape.sorts else 1

    def _spread(self, result: BlockRef) -> LoopRef:
        """Blocks and warps over the result, whose tiles each warp computes from its registers; the loop over warps."""
        script, tiling = self.script, self.tiling
        script.fuse_variables(result, self.shape.groups)
        *batch, rows, columns = script.get_loops(result)
        loops, rows, columns = self.grid.split(rows, columns, self.shape.sizes)
        row_warp, rows = script.split(rows, factor=ROWS * tiling.row_tiles)
        column_warp, columns = script.split(columns, factor=COLUMNS * tiling.column_tiles)
        rows, row = script.split(rows, factor=ROWS)
        columns, column = script.split(columns, factor=COLUMNS * self._in_turn)
        script.reorder(*batch, *loops, row_warp, column_warp, rows, columns, row, column)
        self.grid.bind(batch, loops)
        script.bind(row_warp, "threadIdx.y")
        script.bind(column_warp, "threadIdx.z")
        script.tensorize(row, "mma.store")
        return column_warp

    def _multiply(self, block: BlockRef, a: BlockRef, b: BlockRef) -> tuple[LoopRef, LoopRef]:
        """One instruction per pair of tiles, of b two tiles per load where there are two; loops over steps and k."""
        script, tiling, depth = self.script, self.tiling, self.tiling.fragment[2]
        *_, rows, columns, k = script.get_loops(block)
        rows, row = script.split(rows, factor=ROWS)
        columns, column = script.split(columns, factor=COLUMNS * self._in_turn)
        outer = [rows, columns]
        if self.shape.sorts:  # every second column is one tile's
            column, turn = script.split(column, factor=self._in_turn)
            outer.append(turn)
        step, k = script.split(k, factor=depth * tiling.chunk)
        k, lane = script.split(k, factor=depth)
        script.reorder(step, k, *outer, row, column, lane)
        script.compute_at(a, k)
        *_, outer, _ = script.get_loops(a)
        _, tile = script.split(outer, factor=ROWS)
        script.tensorize(tile, "mma.ldmatrix")
        script.compute_at(b, k)
        *_, outer, inner = script.get_loops(b)
        tiles, tile = script.split(inner, factor=COLUMNS * tiling.columns_loaded)
        script.reorder(tiles, outer, tile)
        script.tensorize(outer, "mma.ldmatrix")
        script.tensorize(row, f"mma.m{ROWS}n{COLUMNS}k{depth}")
        return step, k

    def _swizzle(self, copy: BlockRef, fastest: int, part: tuple[int, int]) -> None:
        """Let as many chunks of a row change places as it has, where rows allow it."""
        rows, row_bytes = part[1 - fastest], part[fastest] * self.blocks.element_bytes
        for swizzle in sorted(SWIZZLES, reverse=True):
            layout = SharedLayout(row_bytes, swizzle)
            if swizzle and not layout.problem() and rows * row_bytes % layout.period == 0:
                self.script.swizzle(copy, swizzle)
                return

    def _share_copy(self, copy: BlockRef, step: LoopRef, fastest: int, lanes: int) -> None:
        """Copy a step's tile of an operand with all threads, neighbours in memory by neighbouring threads."""
        script = self.script
        turned = walked_fastest(payload_block(script, copy), 0) != fastest
        script.compute_at(copy, step)
        *_, outer, inner = script.get_loops(copy)
        if fastest == 0:
            outer, inner = inner, outer
            script.reorder(outer, inner)
        if turned and lanes * self.blocks.element_bytes == ASYNC_BYTES:
            spread_over_threads(script, self.tiling, self._turn(outer, inner))
            return
        if lanes > 1:
            inner, vector = script.split(inner, factor=lanes)
            script.vectorize(vector)
        if self._copies_halves(outer, inner, lanes):
            spread_over_threads(script, self.tiling, self._halve(outer, inner))
            return
        spread_over_threads(script, self.tiling, script.fuse(outer, inner))

    def _copies_halves(self, rows: LoopRef, vectors: LoopRef, lanes: int) -> bool:
        """Whether each thread copies both halves of a row, as one address, and one test of padding, serve both.

        That is where a step has much else to do: bytes to sort, or taps to find.
        """
        is_busy = self.shape.sorts or not self.shape.fills
        whole = lanes * self.blocks.element_bytes == VECTOR_BYTES and vectors.extent in (BANK_GROUPS, 2 * BANK_GROUPS)
        return is_busy and whole and rows.extent % (self.tiling.threads * 2 // vectors.extent) == 0

    def _halve(self, rows: LoopRef, vectors: LoopRef) -> LoopRef:
        """A copy of rows of 128 or 256 bytes, halves of several rows by all threads, then the other halves of those.

        Eight threads write 128 bytes: of rows of 128 halves of two, 4 apart, whose chunks lie in different places.
        """
        script, half = self.script, vectors.extent // 2
        half_of, vectors = script.split(vectors, factor=half)
        groups, rows = script.split(rows, factor=self.tiling.threads // half)
        if half == BANK_GROUPS:
            script.reorder(groups, half_of, rows, vectors)
            script.unroll(half_of)
            return script.fuse(rows, vectors)
        eights, rows = script.split(rows, factor=BANK_GROUPS)
        far, near = script.split(rows, factor=half)
        script.reorder(groups, half_of, eights, near, far, vectors)
        script.unroll(half_of)
        return script.fuse(eights, near, far, vectors)

    def _turn(self, rows: LoopRef, depth: LoopRef) -> LoopRef:
        """A copy of single elements of 4 bytes that lie side by side along rows, and will along k: 4 x 8 by a warp.

        Eight neighbours in memory are 32 bytes, and rows one below the other have their chunks in other banks.
        """
        script = self.script
        rows, near = script.split(rows, factor=_TURNED_ROWS)
        depth, part = script.split(depth, factor=WARP_SIZE // _TURNED_ROWS)
        part, alone = script.split(part, factor=1)
        script.reorder(rows, depth, part, near, alone)
        script.vectorize(alone)  # an asynchronous copy
        return script.fuse(rows, depth, part, near)


def mma_schedule(
    module: ModuleOp | str, architecture: GpuArchitecture | str | None = None, tiling: ProductTiling | None = None
) -> Schedule:
    """A schedule of a product for `mma.sync`: of a matrix product, a batch of them, or a convolution, with its tail.

    Sizes are any: what a tile has beyond them is read as zeros, and not stored. The tiling is that of least estimated
    time on the architecture (the module's, without either sm_90). Raises `ScheduleError` for other programs,
    architectures without the instructions, and a tiling given that goes beyond the product by more than a tile.
    """
    schedule = Schedule(module)
    record = architecture_for(schedule.module, architecture, "sm_90")
    contraction = next((one for one in blocks_under(schedule.function) if is_tensor_product(block_view(one))), None)
    if contraction is None:
        raise ScheduleError("mma_schedule: the program holds no product of tensor cores")
    if record.compute_capability < FIRST_CAPABILITY:
        raise ScheduleError(f"mma_schedule: {record.name} has no mma.sync of 32 bytes of k; sm_80 and later have")
    blocks = find_product_blocks(schedule.function, contraction)
    shape = product_shape(Schedule(module), blocks).for_lanes(blocks.element_bytes)
    size = shape.size(blocks.element_bytes)
    if tiling is not None and not is_swizzled(tiling, size):
        m, n, k = size.sizes
        raise ScheduleError(
            f"mma_schedule: blocks of {tiling}, by {tiling.threads} threads, do not fit a product of {m} x {n} x {k}: "
            "they go no further beyond it than to whole tiles, and each thread copies as much as the next; choose "
            "fewer tiles or warps"
        )
    chosen = tiling or choose_tiling(size, record)
    MmaProductScheduler(schedule, blocks, shape, chosen).schedule()
    schedule.name = f"mma.sync, {chosen}"
    return schedule
