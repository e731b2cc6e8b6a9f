"""Schedules of products for `mma.sync`: operands swizzled in shared memory, results finished in registers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from vtac.analysis.gpu_architecture import architecture_of
from vtac.analysis.nest import blocks_under
from vtac.analysis.structured_view import block_view
from vtac.analysis.tensor_products import is_tensor_product
from vtac.dialects.gpu_hardware import GpuArchitecture, gpu_architectures
from vtac.dialects.mma.layouts import CORE_BYTES, FIRST_CAPABILITY
from vtac.dialects.mma.shared_layouts import SWIZZLES, SharedLayout
from vtac.errors import ScheduleError
from vtac.schedule import BlockRef, LoopRef, Schedule
from vtac.targets.cuda.schedules.product_blocks import ProductBlocks, find_product_blocks
from vtac.targets.cuda.schedules.product_directives import ProductScheduler
from vtac.targets.cuda.schedules.shape import ProductShape, gather_tail, product_shape
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.warp_loops import spread_over_threads

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

ROWS, COLUMNS = 16, 8
"""m and n of every instruction."""
_WARPS = ((4, 2), (2, 2), (2, 1), (1, 1))
_TILES = ((4, 8), (4, 4), (2, 4), (2, 2), (1, 2), (1, 1))
"""Tiles of a warp, rows and columns."""
_STEP_BYTES = (128, 64, 32)
_STAGES = (4, 3, 2, 1)


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
        a, b, store = script.implicit_gemm(block, tiling.block)
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
            self._swizzle(copy, part[1 - fastest], part[fastest] * blocks.element_bytes)
            self._share_copy(copy, step, fastest, count)
        self._pipeline(step, inner)
        if self.raster is not None:
            script.rasterize(*self.raster, tiling.group)

    def _spread(self, result: BlockRef) -> LoopRef:
        """Blocks and warps over the result, whose tiles each warp computes from its registers; the loop over warps."""
        script, tiling = self.script, self.tiling
        script.fuse_variables(result, self.shape.groups)
        *batch, rows, columns = script.get_loops(result)
        row_block, rows = script.split(rows, factor=tiling.block[0])
        column_block, columns = script.split(columns, factor=tiling.block[1])
        row_warp, rows = script.split(rows, factor=ROWS * tiling.row_tiles)
        column_warp, columns = script.split(columns, factor=COLUMNS * tiling.column_tiles)
        rows, row = script.split(rows, factor=ROWS)
        columns, column = script.split(columns, factor=COLUMNS)
        script.reorder(*batch, row_block, column_block, row_warp, column_warp, rows, columns, row, column)
        for loop in batch:
            script.bind(loop, "blockIdx.z")
        script.bind(row_block, "blockIdx.x")
        script.bind(column_block, "blockIdx.y")
        script.bind(row_warp, "threadIdx.y")
        script.bind(column_warp, "threadIdx.z")
        script.tensorize(row, "mma.store")
        if tiling.group > 1 and row_block.extent % tiling.group == 0 and not batch:
            self.raster = (row_block, column_block)
        return column_warp

    def _multiply(self, block: BlockRef, a: BlockRef, b: BlockRef) -> tuple[LoopRef, LoopRef]:
        """One instruction per pair of tiles, of b two tiles per load where there are two; loops over steps and k."""
        script, tiling, depth = self.script, self.tiling, self.tiling.fragment[2]
        *_, rows, columns, k = script.get_loops(block)
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
        return step, k

    def _swizzle(self, copy: BlockRef, rows: int, row_bytes: int) -> None:
        """Let as many chunks of a row change places as it has, where rows allow it."""
        for swizzle in sorted(SWIZZLES, reverse=True):
            layout = SharedLayout(row_bytes, swizzle)
            if swizzle and not layout.problem() and rows * row_bytes % layout.period == 0:
                self.script.swizzle(copy, swizzle)
                return

    def _share_copy(self, copy: BlockRef, step: LoopRef, fastest: int, lanes: int) -> None:
        """Copy a step's tile of an operand with all threads, neighbours in memory by neighbouring threads."""
        script = self.script
        script.compute_at(copy, step)
        *_, outer, inner = script.get_loops(copy)
        if fastest == 0:
            outer, inner = inner, outer
            script.reorder(outer, inner)
        if lanes > 1:
            inner, vector = script.split(inner, factor=lanes)
            script.vectorize(vector)
        spread_over_threads(script, self.tiling, script.fuse(outer, inner))


def mma_schedule(
    module: ModuleOp | str, architecture: GpuArchitecture | None = None, tiling: ProductTiling | None = None
) -> Schedule:
    """A schedule of a product for `mma.sync`: of a matrix product, a batch of them, or a convolution, with its tail.

    The tiling is the largest that divides the product and that a block of the architecture (the module's, without
    either the roomiest one that has the instructions) has room for. Raises `ScheduleError` for other programs, and for
    products that no tiling divides.
    """
    schedule = Schedule(module)
    record = architecture or architecture_of(schedule.module) or gpu_architectures()["sm_90"]
    contraction = next((one for one in blocks_under(schedule.function) if is_tensor_product(block_view(one))), None)
    if contraction is None:
        raise ScheduleError("mma_schedule: the program holds no product of tensor cores")
    if record.compute_capability < FIRST_CAPABILITY:
        raise ScheduleError(f"mma_schedule: {record.name} has no mma.sync of 32 bytes of k; sm_80 and later have")
    blocks = find_product_blocks(schedule.function, contraction)
    shape = _loadable(product_shape(Schedule(module), blocks), blocks)
    chosen = tiling or next(_tilings(shape, blocks, record), None)
    if chosen is None:
        m, n, k = shape.sizes
        raise ScheduleError(
            f"mma_schedule: no tiling divides a product of {m} x {n} x {k}: rows have to be a multiple of {ROWS} and "
            f"columns of {COLUMNS}; use the default schedule"
        )
    MmaProductScheduler(schedule, blocks, shape, chosen).schedule()
    schedule.name = f"mma.sync, {chosen}"
    return schedule


def _loadable(shape: ProductShape, blocks: ProductBlocks) -> ProductShape:
    """The shape with both operands laid out as ldmatrix can load them: along k, but for elements of 16 bits."""
    if blocks.element_bytes == 2:
        return shape
    lanes = (1 if shape.a_by_rows else shape.lanes[0], shape.lanes[1] if shape.b_by_depth else 1)
    return replace(shape, a_by_rows=False, b_by_depth=True, lanes=lanes)


def _tilings(shape: ProductShape, blocks: ProductBlocks, record: GpuArchitecture) -> Iterator[ProductTiling]:
    """Tilings that divide rows and columns and have room, the largest first, longer steps and more stages first."""
    width = blocks.element_bytes
    fragment = (ROWS, COLUMNS, 2 * CORE_BYTES // width)
    m, n, k = shape.sizes
    for tiles, warps in sorted(product(_TILES, _WARPS), key=_size_and_warps, reverse=True):
        for bytes_, stages in product(_STEP_BYTES, _STAGES):
            found = ProductTiling(fragment, *tiles, *warps, bytes_ // 32, stages, 8)
            rows, columns, depth = found.block
            copied = [part * depth % found.threads for part in (rows, columns)]
            fits = (rows + columns) * depth * width * stages <= record.shared_bytes_per_block
            if m % rows == 0 and n % columns == 0 and k >= depth * stages and fits and not any(copied):
                yield found


def _size_and_warps(one: tuple[tuple[int, int], tuple[int, int]]) -> tuple[int, int]:
    """Tiles of a block, and its warps: of blocks of one size those of more warps come first."""
    (rows, columns), (row_warps, column_warps) = one
    warps = row_warps * column_warps
    return rows * columns * warps, warps
