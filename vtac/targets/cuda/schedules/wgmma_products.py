"""Schedules of products for `wgmma`: four warps multiply matrices of shared memory, results finished in registers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtac.analysis.ir.gpu_architecture import architecture_for
from vtac.analysis.nests.nest import blocks_under
from vtac.analysis.operations.structured_view import block_view
from vtac.analysis.operations.tensor_products import is_tensor_product
from vtac.dialects.gpu_hardware import GpuArchitecture
from vtac.dialects.wgmma.layouts import COLUMNS, DEPTH_BYTES, ROWS, WARP_ROWS, WARPS
from vtac.errors import ScheduleError
from vtac.schedule import BlockRef, LoopRef, Schedule
from vtac.targets.cuda.schedules.product_blocks import find_product_blocks
from vtac.targets.cuda.schedules.product_directives import ProductScheduler
from vtac.targets.cuda.schedules.product_matrices import as_matrices
from vtac.targets.cuda.schedules.roof import choose_tiling
from vtac.targets.cuda.schedules.shape import gather_tail, product_shape
from vtac.targets.cuda.schedules.tiling import ProductTiling, is_swizzled, on_groups, tilings
from vtac.targets.cuda.schedules.warp_loops import spread_over_threads

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

_PANELS = (128, 64, 32, 16)


def group_tiling(
    groups: int, columns: int, element_bytes: int, step_bytes: int = 128, stages: int = 4, group: int = 1
) -> ProductTiling:
    """Blocks of so many warpgroups, with 64 rows each, by columns; bytes of k that a step takes; stages of copies.

    Blocks take their tiles in groups of `group` rows of blocks.
    """
    fragment = (ROWS, COLUMNS, DEPTH_BYTES // element_bytes)
    return ProductTiling(fragment, 1, columns // COLUMNS, groups, 1, step_bytes // DEPTH_BYTES, stages, group)


class WgmmaProductScheduler(ProductScheduler):
    """Schedules one product with what stands around it for `wgmma`.

    A block's threads copy tiles of both operands to shared memory, rows swizzled, in panels where they are wide; its
    warpgroups multiply them there, and compute what follows from the product where its sums are.
    """

    def schedule(self) -> None:
        script, blocks = self.script, self.blocks
        for name in blocks.pads:
            script.compute_inline(script.get_block(name))
        block = script.get_block(blocks.product)
        rows, columns, depth = self.tiling.block
        a, b, store = as_matrices(script, block, self.grid.tile)
        result = gather_tail(script, blocks, store)
        copies = ((a, int(not self.shape.a_by_rows)), (b, int(not self.shape.b_by_depth)))
        parts = ((rows, depth), (depth, columns))
        lanes = [self._lanes(copy, fastest, part) for (copy, fastest), part in zip(copies, parts, strict=True)]
        for copy, fastest in copies:
            script.set_scope(copy, 0, "shared")
            if fastest == 0:
                script.transform_layout(copy, [0, 2, 1] if self.shape.is_batch else [1, 0])
        script.set_scope(block, 0, "wmma.accumulator")
        script.compute_at(block, self._spread(result))
        step, inner = self._multiply(block)
        for (copy, fastest), count, part in zip(copies, lanes, parts, strict=True):
            row_bytes = part[fastest] * blocks.element_bytes
            swizzle = _swizzle(self._run(copy, fastest, part[fastest]) * blocks.element_bytes, row_bytes)
            script.swizzle(copy, swizzle, panels=row_bytes > swizzle)
            self._share_copy(copy, step, fastest, count)
        self._skip_padding(block, step)
        self._pipeline(step, inner)
        self.grid.order()

    def _run(self, copy: BlockRef, fastest: int, row: int) -> int:
        """Elements that chunks may change places within: of a row that threads write, all."""
        return row

    def _spread(self, result: BlockRef) -> LoopRef:
        """Blocks, warpgroups and their warps over the result, which each warp finishes; the loop over warps."""
        script = self.script
        script.fuse_variables(result, self.shape.groups)
        *batch, rows, columns = script.get_loops(result)
        loops, rows, columns = self.grid.split(rows, columns, self.shape.sizes)
        group, rows = script.split(rows, factor=ROWS)
        warp, row = script.split(rows, factor=WARP_ROWS)
        columns, column = script.split(columns, factor=COLUMNS)
        script.reorder(*batch, *loops, group, warp, columns, row, column)
        self.grid.bind(batch, loops)
        script.bind(group, "threadIdx.z")
        script.bind(warp, "threadIdx.y")
        script.tensorize(row, "mma.store")
        return warp

    def _multiply(self, block: BlockRef) -> tuple[LoopRef, LoopRef]:
        """One instruction for each 32 bytes of k; the loops over steps and over those of a step."""
        script, (_, n, depth) = self.script, self.tiling.block
        k_lane = self.tiling.fragment[2]
        *_, rows, columns, k = script.get_loops(block)
        step, k = script.split(k, factor=depth)
        k, lane = script.split(k, factor=k_lane)
        script.reorder(step, k, rows, columns, lane)
        script.tensorize(rows, f"wgmma.m{ROWS}n{n}k{k_lane}")
        return step, k

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
        groups = self.tiling.row_warps
        threads = ProductTiling((WARP_ROWS, COLUMNS, self.tiling.fragment[2]), 1, 1, WARPS, groups, 1)
        spread_over_threads(script, threads, script.fuse(outer, inner))


def _swizzle(run_bytes: int, row_bytes: int) -> int:
    """The most bytes of runs that make up rows within which chunks can change places, or 16 for chunks as panels.

    Raises `ScheduleError` where there are none.
    """
    found = next((one for one in _PANELS if run_bytes % one == 0), None)
    if found is None or (found < _PANELS[-2] and run_bytes == row_bytes):
        raise ScheduleError(
            "wgmma reads rows of 32, 64 or 128 bytes, or panels of them; a tile of an operand has rows of "
            f"{row_bytes}: choose a tiling whose rows are a multiple of {_PANELS[-2]} bytes"
        )
    return found


def wgmma_schedule(
    module: ModuleOp | str, architecture: GpuArchitecture | str | None = None, tiling: ProductTiling | None = None
) -> Schedule:
    """A schedule of a product for `wgmma`: of a matrix product, a batch of them, or a convolution, with its tail.

    Sizes are any: what a tile has beyond them is read as zeros, and not stored. The tiling is that of least estimated
    time, or one that is given (`group_tiling`). Raises `ScheduleError` for other programs, architectures without
    `wgmma`, and a tiling that is none of warpgroups or goes beyond the product by more than a tile.
    """
    schedule = Schedule(module)
    record = architecture_for(schedule.module, architecture, "sm_90a")
    contraction = next((one for one in blocks_under(schedule.function) if is_tensor_product(block_view(one))), None)
    if contraction is None:
        raise ScheduleError("wgmma_schedule: the program holds no product of tensor cores")
    if not record.warpgroup_products:
        raise ScheduleError(
            f"wgmma_schedule: {record.name} has no wgmma, which only sm_90a has; "
            "compile for sm_90a, or use mma_schedule or the default one"
        )
    blocks = find_product_blocks(schedule.function, contraction)
    shape = product_shape(Schedule(module), blocks).for_groups(blocks.element_bytes)
    size = shape.size(blocks.element_bytes)
    fits = next(tilings(size, record), None) is not None
    if not fits or (tiling is not None and not (on_groups(tiling.fragment) and is_swizzled(tiling, size))):
        m, n, k = size.sizes
        shown = "no blocks" if tiling is None else f"no blocks of {tiling}"
        raise ScheduleError(
            f"wgmma_schedule: {shown} fit a product of {m} x {n} x {k}: they have {ROWS} rows and 16 columns or more, "
            "go no further beyond it than to whole tiles, and each thread copies as much as the next; choose fewer "
            "groups or columns, or mma_schedule"
        )
    chosen = tiling or choose_tiling(size, record)
    WgmmaProductScheduler(schedule, blocks, shape, chosen).schedule()
    schedule.name = f"wgmma, {chosen}"
    return schedule
