"""Schedules of products whose results go to their array as boxes, from a tile in shared memory that warps write."""

from __future__ import annotations

from dataclasses import replace

from xdsl.dialects.builtin import FixedBitwidthType

from vtac.analysis.nests.nest import element_type_of
from vtac.dialects.gpu_hardware import GpuArchitecture
from vtac.dialects.mma.layouts import COLUMNS, ROWS
from vtac.dialects.mma.stores import STORED_TYPES
from vtac.dialects.wgmma.layouts import ROWS as GROUP_ROWS
from vtac.errors import ScheduleError
from vtac.schedule import BlockRef, LoopRef, Schedule
from vtac.targets.cuda.schedules.box_products import TmaMmaScheduler, TmaWgmmaScheduler
from vtac.targets.cuda.schedules.footprint import BARRIER_BYTES
from vtac.targets.cuda.schedules.product_directives import ProductScheduler
from vtac.targets.cuda.schedules.product_matrices import payload_block
from vtac.targets.cuda.schedules.shape import ProductShape
from vtac.targets.cuda.schedules.tiling import ProductTiling, on_groups

_SWIZZLES = (128, 64, 32)
LEAST_STAGES = 2


def result_bytes(schedule: Schedule, block: str) -> int:
    """Bytes of an element that a block writes."""
    kind = element_type_of(payload_block(schedule, schedule.get_block(block)).output)
    return kind.size if isinstance(kind, FixedBitwidthType) else 4


def with_room(tiling: ProductTiling, element_bytes: int, width: int, record: GpuArchitecture) -> ProductTiling:
    """The tiling with as many stages as leave room for its tile of results of `width` bytes each.

    Where all warps ask for operands the tile lies where these lay. Raises `ScheduleError` where two stages leave none.
    """
    rows, columns, _ = tiling.block
    tile = rows * columns * width + BARRIER_BYTES
    for stages in range(tiling.stages, LEAST_STAGES - 1, -1):
        made = replace(tiling, stages=stages)
        operands = made.shared_bytes(element_bytes, overlaid=False, staged=False)
        if (operands + tile if tiling.producers else max(operands, tile)) <= record.shared_bytes_per_block:
            return made
    raise ScheduleError(
        f"blocks of {tiling} have no room for {rows} x {columns} results of {width} bytes beside two stages of their "
        "operands: choose fewer rows or columns, or let results go from registers"
    )


def storing_problem(
    tiling: ProductTiling, shape: ProductShape, element_bytes: int, width: int, record: GpuArchitecture
) -> str:
    """Why a tiling has no results of `width` bytes each that go to their array as boxes; empty where it has."""
    rows, columns, _ = tiling.cluster_block
    try:
        with_room(tiling, element_bytes, width, record)
    except ScheduleError as error:
        return error.message
    return _tile_problem(tiling, (rows, columns), shape) or _panel_problem(tiling, width)


def _tile_problem(tiling: ProductTiling, tile: tuple[int, int], shape: ProductShape) -> str:
    """Why the results of a block are no whole tile of a matrix."""
    if any(len(group) > 1 for group in shape.groups):
        return (
            "results of images, whose pixels are rows of several dimensions, are stored from registers; boxes "
            "store those of products of matrices"
        )
    m, n, _ = shape.sizes
    if m < tile[0] or n < tile[1]:
        clusters, less = "", "rows or columns"
        if tiling.cluster > 1:
            clusters = f", in clusters of {tiling.cluster} with {tile[0]} x {tile[1]},"
            less = "rows, columns or blocks of a cluster"
        return (
            f"blocks of {tiling}{clusters} go beyond a product of {m} x {n} in their first tile, whose results would "
            f"be no whole tile in shared memory: choose fewer {less}, or let results go from registers"
        )
    return ""


def _panel_problem(tiling: ProductTiling, width: int) -> str:
    """Why the columns of a warp are no whole panels of its block's tile."""
    columns = tiling.block[1] if on_groups(tiling.fragment) else COLUMNS * tiling.column_tiles
    if columns == tiling.block[1] or _swizzle_of(columns * width, tiling.block[1] * width):
        return ""
    return (
        f"blocks of {tiling} have warps of {columns} columns, {columns * width} bytes of a row of results, and a box "
        "has a multiple of 32 of them, or whole rows: choose more columns for each warp, or let results go from "
        "registers"
    )


def _swizzle_of(*row_bytes: int) -> int:
    """The most bytes within which chunks of rows change places, all of whose lengths they divide; or 0."""
    return next((one for one in _SWIZZLES if all(count % one == 0 for count in row_bytes)), 0)


class BoxResults(ProductScheduler):
    """What bulk stores change of a schedule of a product: results pass through a tile, of which warps store boxes."""

    def _spread(self, result: BlockRef) -> LoopRef:
        """Blocks over the result; each warp finishes its rows and columns in shared memory, and stores them."""
        script = self.script
        row_part, column_part, _ = self.grid.tile
        problem = _tile_problem(self.tiling, (row_part, column_part), self.shape)
        problem = problem or _panel_problem(self.tiling, self._width(result))
        if problem:
            raise ScheduleError(problem)
        stored = script.cache_write(result, 0, "shared")
        *batch, rows, columns = script.get_loops(stored)
        loops, rows, columns = self.grid.split(rows, columns, self.shape.sizes)
        warps, (row, column) = self._warps(rows, columns)
        script.reorder(*batch, *loops, *warps, row, column)
        self.grid.bind(batch, loops)
        self._bind(warps)
        script.tensorize(row, "tma.store")
        script.compute_at(result, loops[-1])
        return self._finish(result)

    def _finish(self, result: BlockRef) -> LoopRef:
        """What each warp computes of a tile of the result, from its sums; the innermost loop over warps."""
        script = self.script
        *_, rows, columns = script.get_loops(result)
        warps, (rows, columns) = self._warps(rows, columns)
        swizzle = self._result_swizzle(result, columns.extent)
        matrices = self._are_matrices(result, columns.extent)
        wide = 2 if matrices or self.shape.sorts else 1
        rows, row = script.split(rows, factor=ROWS)
        columns, column = script.split(columns, factor=wide * COLUMNS)
        script.reorder(*warps, rows, columns, row, column)
        self._bind(warps)
        script.tensorize(row, "mma.stmatrix" if matrices else "mma.store")
        if swizzle:
            width = self._width(result)
            script.swizzle(result, swizzle, panels=self.tiling.block[1] * width > swizzle)
        return warps[-1]

    def _are_matrices(self, result: BlockRef, columns: int) -> bool:
        """Whether a warp's lanes store its results together: 16 bits each, whole tiles where more than sums is read.

        Tiles that take turns at columns are stored by each lane.
        """
        block, (m, n, _) = payload_block(self.script, result), self.shape.sizes
        is_whole = m % self.tiling.block[0] == 0 and n % self.tiling.block[1] == 0
        is_narrow = str(element_type_of(block.output)) in STORED_TYPES
        return (
            is_narrow and not self.shape.sorts and columns % (2 * COLUMNS) == 0 and (is_whole or len(block.inputs) == 1)
        )

    def _result_swizzle(self, result: BlockRef, columns: int) -> int:
        """Bytes within which chunks of a result's rows change places, which divide the columns of a warp; or 0."""
        width = self._width(result)
        return _swizzle_of(columns * width, self.tiling.block[1] * width)

    def _width(self, result: BlockRef) -> int:
        kind = element_type_of(payload_block(self.script, result).output)
        return kind.size if isinstance(kind, FixedBitwidthType) else 4

    def _warps(self, rows: LoopRef, columns: LoopRef) -> tuple[tuple[LoopRef, ...], tuple[LoopRef, LoopRef]]:
        """Loops over the warps of a block, and over the rows and columns of each."""
        tiling = self.tiling
        row_warp, rows = self.script.split(rows, factor=ROWS * tiling.row_tiles)
        column_warp, columns = self.script.split(columns, factor=COLUMNS * tiling.column_tiles)
        return (row_warp, column_warp), (rows, columns)

    def _bind(self, warps: tuple[LoopRef, ...]) -> None:
        for loop, name in zip(warps, ("threadIdx.y", "threadIdx.z"), strict=True):
            self.script.bind(loop, name)


class StoringMmaScheduler(BoxResults, TmaMmaScheduler):
    """Schedules a product for `mma.sync`, its operands and results in boxes."""


class StoringWgmmaScheduler(BoxResults, TmaWgmmaScheduler):
    """Schedules a product for `wgmma`, its operands and results in boxes."""

    def _warps(self, rows: LoopRef, columns: LoopRef) -> tuple[tuple[LoopRef, ...], tuple[LoopRef, LoopRef]]:
        group, rows = self.script.split(rows, factor=GROUP_ROWS)
        warp, rows = self.script.split(rows, factor=ROWS)
        return (group, warp), (rows, columns)

    def _bind(self, warps: tuple[LoopRef, ...]) -> None:
        for loop, name in zip(warps, ("threadIdx.z", "threadIdx.y"), strict=True):
            self.script.bind(loop, name)
