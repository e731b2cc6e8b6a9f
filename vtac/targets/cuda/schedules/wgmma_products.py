"""Schedules of products for `wgmma`: four warps multiply matrices of shared memory, results finished in registers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from vtac.analysis.gpu_architecture import architecture_of
from vtac.analysis.nest import blocks_under
from vtac.analysis.structured_view import block_view
from vtac.analysis.tensor_products import is_tensor_product
from vtac.dialects.gpu_hardware import INTEGER_COLUMNS, WARP_SIZE, GpuArchitecture, gpu_architectures
from vtac.dialects.wgmma.layouts import COLUMNS, DEPTH_BYTES, ROWS, WARP_ROWS, WARPS
from vtac.errors import ScheduleError
from vtac.schedule import BlockRef, LoopRef, Schedule
from vtac.targets.cuda.schedules.product_blocks import ProductBlocks, find_product_blocks
from vtac.targets.cuda.schedules.product_directives import ProductScheduler
from vtac.targets.cuda.schedules.shape import ProductShape, gather_tail, product_shape
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.warp_loops import spread_over_threads

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

_COLUMNS = (256, 192, 128, 96, 64, 48, 32, 16, 8)
_GROUPS = (2, 1, 4)
_STEP_BYTES = (128, 64, 32)
_STAGES = (4, 3, 2, 1)
_RASTER = 8


@dataclass(frozen=True)
class GroupTiling:
    """Warpgroups of a block, each with 64 rows; columns; bytes of k that a step takes; stages of copies.

    `element_bytes` are an operand's. Blocks take their tiles in groups of `group` rows of blocks.
    """

    groups: int
    columns: int
    element_bytes: int
    step_bytes: int = 128
    stages: int = 4
    group: int = 1

    @property
    def depth(self) -> int:
        """k of one instruction."""
        return DEPTH_BYTES // self.element_bytes

    @property
    def row_warps(self) -> int:
        """Warps along threadIdx.y: those of a group."""
        return WARPS

    @property
    def threads(self) -> int:
        """Threads per block."""
        return self.groups * WARPS * WARP_SIZE

    @property
    def block(self) -> tuple[int, int, int]:
        """Rows and columns that a block computes, and elements of k per step."""
        return self.groups * ROWS, self.columns, self.step_bytes // self.element_bytes

    @property
    def shared_bytes(self) -> int:
        """Shared memory of all stages of both operands."""
        rows, columns, _ = self.block
        return self.stages * (rows + columns) * self.step_bytes

    def lanes(self, part: int, most: int) -> int:
        """Elements that a thread copies at a time of `part` rows or columns: at most so many, with no thread idle."""
        while most > 1 and part * self.block[2] % (most * self.threads):
            most //= 2
        return most

    def __str__(self) -> str:
        rows, columns, depth = self.block
        stages = f", {self.stages} stages" if self.stages > 1 else ""
        return f"{rows} x {columns} in steps of {depth}{stages}"


class WgmmaProductScheduler(ProductScheduler):
    """Schedules one product with what stands around it for `wgmma`.

    A block's threads copy tiles of both operands to shared memory, rows swizzled, in panels where they are wide; its
    warpgroups multiply them there, and compute what follows from the product where its sums are.
    """

    def __init__(self, schedule: Schedule, blocks: ProductBlocks, shape: ProductShape, tiling: GroupTiling) -> None:
        _, columns, depth = tiling.block
        plain = ProductTiling((WARP_ROWS, columns, tiling.depth), 1, 1, WARPS, tiling.groups, depth // tiling.depth)
        super().__init__(schedule, blocks, shape, replace(plain, stages=tiling.stages, group=tiling.group))
        self.groups = tiling

    def schedule(self) -> None:
        script, blocks = self.script, self.blocks
        for name in blocks.pads:
            script.compute_inline(script.get_block(name))
        block = script.get_block(blocks.product)
        rows, columns, depth = self.groups.block
        a, b, store = script.implicit_gemm(block, [rows, columns, depth])
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
            swizzle = next(one for one in _STEP_BYTES if row_bytes % one == 0)
            script.swizzle(copy, swizzle, panels=row_bytes > swizzle)
            self._share_copy(copy, step, fastest, count)
        self._pipeline(step, inner)
        if self.raster is not None:
            script.rasterize(*self.raster, self.groups.group)

    def _spread(self, result: BlockRef) -> LoopRef:
        """Blocks, warpgroups and their warps over the result, which each warp finishes; the loop over warps."""
        script, (row_part, column_part, _) = self.script, self.groups.block
        script.fuse_variables(result, self.shape.groups)
        *batch, rows, columns = script.get_loops(result)
        row_block, rows = script.split(rows, factor=row_part)
        column_block, columns = script.split(columns, factor=column_part)
        group, rows = script.split(rows, factor=ROWS)
        warp, row = script.split(rows, factor=WARP_ROWS)
        columns, column = script.split(columns, factor=COLUMNS)
        script.reorder(*batch, row_block, column_block, group, warp, columns, row, column)
        for loop in batch:
            script.bind(loop, "blockIdx.z")
        script.bind(row_block, "blockIdx.x")
        script.bind(column_block, "blockIdx.y")
        script.bind(group, "threadIdx.z")
        script.bind(warp, "threadIdx.y")
        script.tensorize(row, "mma.store")
        if self.groups.group > 1 and row_block.extent % self.groups.group == 0 and not batch:
            self.raster = (row_block, column_block)
        return warp

    def _multiply(self, block: BlockRef) -> tuple[LoopRef, LoopRef]:
        """One instruction for each 32 bytes of k; the loops over steps and over those of a step."""
        script, tiling = self.script, self.groups
        *_, rows, columns, k = script.get_loops(block)
        step, k = script.split(k, factor=tiling.block[2])
        k, lane = script.split(k, factor=tiling.depth)
        script.reorder(step, k, rows, columns, lane)
        script.tensorize(rows, f"wgmma.m{ROWS}n{tiling.columns}k{tiling.depth}")
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
        spread_over_threads(script, self.tiling, script.fuse(outer, inner))


def wgmma_schedule(
    module: ModuleOp | str, architecture: GpuArchitecture | None = None, tiling: GroupTiling | None = None
) -> Schedule:
    """A schedule of a product for `wgmma`: of a matrix product, a batch of them, or a convolution, with its tail.

    The tiling is the largest that divides the product and that a block has room for. Raises `ScheduleError` for other
    programs, for products that no tiling divides, and for architectures without `wgmma`.
    """
    schedule = Schedule(module)
    record = architecture or architecture_of(schedule.module) or gpu_architectures()["sm_90a"]
    contraction = next((one for one in blocks_under(schedule.function) if is_tensor_product(block_view(one))), None)
    if contraction is None:
        raise ScheduleError("wgmma_schedule: the program holds no product of tensor cores")
    if not record.warpgroup_products:
        raise ScheduleError(
            f"wgmma_schedule: {record.name} has no wgmma, which only sm_90a has; use mma_schedule or the default one"
        )
    blocks = find_product_blocks(schedule.function, contraction)
    shape = _readable(product_shape(Schedule(module), blocks), blocks)
    chosen = tiling or next(_tilings(shape, blocks, record), None)
    if chosen is None:
        m, n, k = shape.sizes
        raise ScheduleError(
            f"wgmma_schedule: no tiling divides a product of {m} x {n} x {k}: rows have to be a multiple of {ROWS} and "
            f"columns of {COLUMNS}; use mma_schedule or the default one"
        )
    WgmmaProductScheduler(schedule, blocks, shape, chosen).schedule()
    schedule.name = f"wgmma, {chosen}"
    return schedule


def _readable(shape: ProductShape, blocks: ProductBlocks) -> ProductShape:
    """The shape with both operands laid out as wgmma reads them: along k, but for elements of 16 bits."""
    if blocks.element_bytes == 2:
        return shape
    lanes = (1 if shape.a_by_rows else shape.lanes[0], shape.lanes[1] if shape.b_by_depth else 1)
    return replace(shape, a_by_rows=False, b_by_depth=True, lanes=lanes)


def _tilings(shape: ProductShape, blocks: ProductBlocks, record: GpuArchitecture) -> Iterator[GroupTiling]:
    """Tilings that divide rows and columns and have room, the largest first, longer steps and more stages first."""
    width = blocks.element_bytes
    m, n, k = shape.sizes
    for groups, columns, bytes_, stages in product(_GROUPS, _COLUMNS, _STEP_BYTES, _STAGES):
        found = GroupTiling(groups, columns, width, bytes_, stages, _RASTER)
        rows, _, depth = found.block
        if width == 1 and columns not in INTEGER_COLUMNS:
            continue
        copied = [part * depth % found.threads for part in (rows, columns)]
        fits = found.shared_bytes <= record.shared_bytes_per_block and k >= depth * stages
        if m % rows == 0 and n % columns == 0 and fits and not any(copied):
            yield found
