"""Schedules of products whose operands come as boxes in bulk copies: for `mma.sync` on sm_90, for `wgmma` on sm_90a."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from vtac.analysis.gpu_architecture import architecture_of
from vtac.analysis.nest import blocks_under
from vtac.analysis.structured_view import block_view
from vtac.analysis.tensor_products import is_tensor_product
from vtac.dialects.gpu_hardware import WARP_SIZE, GpuArchitecture, gpu_architectures
from vtac.dialects.mma.layouts import CORE_BYTES
from vtac.dialects.mma.shared_layouts import BANKS_BYTES
from vtac.dialects.tensor_maps import FIRST_CAPABILITY, MOST_BOX
from vtac.dialects.wgmma.layouts import WARPS as WARPS_OF_GROUP
from vtac.errors import ScheduleError
from vtac.schedule import BlockRef, LoopRef, Schedule
from vtac.targets.cuda.schedules.box_tilings import BoxProbe, choose_boxes
from vtac.targets.cuda.schedules.mma_products import COLUMNS, ROWS, MmaProductScheduler
from vtac.targets.cuda.schedules.product_blocks import ProductBlocks, find_product_blocks
from vtac.targets.cuda.schedules.product_directives import ProductScheduler
from vtac.targets.cuda.schedules.shape import ProductShape, product_shape
from vtac.targets.cuda.schedules.tiling import ProductTiling, on_groups
from vtac.targets.cuda.schedules.wgmma_products import WgmmaProductScheduler, group_tiling

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

_WARPS = ((2, 4), (4, 2), (2, 2), (1, 2), (2, 1), (1, 1))
_TILES = ((8, 4), (4, 8), (4, 4), (2, 4), (2, 2), (1, 2))
_GROUPS = (2, 1)
_GROUP_COLUMNS = (256, 128, 64, 32)
_STEP_BYTES = (128, 64, 32)
_STAGES = (4, 3, 2)
_RASTER = 8
_MOST_BEYOND = (5, 4)
"""What a tiling may compute at most, in terms of the tiling that computes least."""
_REGISTERS = 65536
_SPARE_REGISTERS = 72
"""For operands, addresses and counters, beside sums."""
_WARPS_TOGETHER = 4
"""A block has registers for multiples of so many warps."""
_BARRIER_BYTES = 1024
"""Room for mbarriers, with what aligns the buffers behind them."""


@dataclass
class Roles:
    """Warps that ask for copies beside those that use them."""

    producers: int
    consumers: int


class BoxCopies(ProductScheduler):
    """What bulk copies change of a schedule of a product: each operand's tile of a step is one box, or some panels."""

    roles: Roles | None = None

    def _lanes(self, copy: BlockRef, fastest: int, part: tuple[int, int]) -> int:
        """Boxes are asked for by one thread, not by so many elements each."""
        return 1

    def _share_copy(self, copy: BlockRef, step: LoopRef, fastest: int, lanes: int) -> None:
        """Bring a step's tile of an operand as boxes."""
        script = self.script
        script.compute_at(copy, step)
        *_, first, outer, inner = script.get_loops(copy)
        if fastest == 0:
            outer, inner = inner, outer
            script.reorder(outer, inner)
        script.tensorize(first if self.shape.is_batch else outer, "tma.load")

    def _pipeline(self, step: LoopRef, inner: LoopRef) -> None:
        """Ask for the boxes of later steps ahead, by the block's warps or by warps of their own."""
        self.script.pipeline(step, min(self.tiling.stages, step.extent), async_="tma")
        if self.roles is not None:
            self.script.specialize(step, self.roles.producers, self.roles.consumers)
        self.script.unroll(inner)


class TmaMmaScheduler(BoxCopies, MmaProductScheduler):
    """Schedules a product for `mma.sync`, its operands in boxes."""

    def _swizzle(self, copy: BlockRef, rows: int, row_bytes: int) -> None:
        """Let chunks change places as boxes have them: within rows of at most 128 bytes, in panels of wider ones.

        Rows that are no multiple of 32 bytes lie as they are.
        """
        swizzle = next((one for one in _STEP_BYTES if row_bytes % one == 0), None)
        if swizzle is not None:
            self.script.swizzle(copy, swizzle, panels=row_bytes > swizzle)


class TmaWgmmaScheduler(BoxCopies, WgmmaProductScheduler):
    """Schedules a product for `wgmma`, its operands in boxes."""


def tma_schedule(
    module: ModuleOp | str,
    architecture: GpuArchitecture | None = None,
    tiling: ProductTiling | None = None,
    *,
    specialize: bool | None = None,
) -> Schedule:
    """A schedule of a product, its operands in bulk copies: of matrices, a batch of them, or a convolution in NHWC.

    On sm_90a for `wgmma`, on other architectures from sm_90 on for `mma.sync`; a tiling chooses, too. With
    `specialize`, as for `wgmma` unless it says otherwise, warps of their own ask for the copies. What lies outside of
    an operand, along k or as a convolution's padding, is the copies' zeros. Raises `ScheduleError` for other programs
    and architectures, sizes that no tiling fits, and operands whose rows are no multiples of 16 bytes.
    """
    schedule = Schedule(module)
    record = architecture or architecture_of(schedule.module) or gpu_architectures()["sm_90a"]
    contraction = next((one for one in blocks_under(schedule.function) if is_tensor_product(block_view(one))), None)
    if contraction is None:
        raise ScheduleError("tma_schedule: the program holds no product of tensor cores")
    if record.compute_capability < FIRST_CAPABILITY:
        raise ScheduleError(f"tma_schedule: {record.name} has no bulk copies of tensors; sm_90 and later have")
    blocks = find_product_blocks(schedule.function, contraction)
    shape = _whole_rows(product_shape(Schedule(module), blocks), blocks)
    by_groups = record.warpgroup_products and blocks.element_bytes == CORE_BYTES // 8
    roles = by_groups if specialize is None else specialize
    choices = _group_tilings(shape, blocks, record) if by_groups else _tilings(shape, blocks, record, roles)
    probe, given = BoxProbe(module, blocks), tiling is not None
    chosen = choose_boxes(probe, shape.sizes, choices if tiling is None else [tiling], given=given)
    scheduler, what = _scheduler(schedule, blocks, shape, chosen, specialize=roles)
    scheduler.schedule()
    schedule.name = f"{what} of boxes, {chosen}{', specialized' if roles else ''}"
    return schedule


def _scheduler(
    schedule: Schedule,
    blocks: ProductBlocks,
    shape: ProductShape,
    tiling: ProductTiling,
    *,
    specialize: bool,
) -> tuple[BoxCopies, str]:
    """The scheduler of a tiling, and what multiplies."""
    made: BoxCopies
    if on_groups(tiling.fragment):
        made, what = TmaWgmmaScheduler(schedule, blocks, shape, tiling), "wgmma"
        row = WARPS_OF_GROUP
    else:
        made, what = TmaMmaScheduler(schedule, blocks, shape, tiling), "mma.sync"
        row = tiling.row_warps
    made.roles = Roles(row, tiling.warps) if specialize else None
    return made, what


def _whole_rows(shape: ProductShape, blocks: ProductBlocks) -> ProductShape:
    """The shape as boxes can bring it. Raises `ScheduleError` for operands that would have to be transposed."""
    if blocks.element_bytes == CORE_BYTES // 8:
        return shape
    if shape.a_by_rows or not shape.b_by_depth:
        raise ScheduleError(
            "tma_schedule: operands of other than 16 bits are multiplied along k, and boxes do not transpose: pass a "
            "by rows and b transposed, or use mma_schedule"
        )
    return replace(shape, a_by_rows=False, b_by_depth=True)


def _tilings(
    shape: ProductShape, blocks: ProductBlocks, record: GpuArchitecture, specialize: bool
) -> Iterator[ProductTiling]:
    """Tilings for `mma.sync` that have room: those that compute little beyond the product first, the largest first."""
    width = blocks.element_bytes
    fragment = (ROWS, COLUMNS, 2 * CORE_BYTES // width)
    found = [
        ProductTiling(fragment, *tiles, *warps, bytes_ // 32, stages, _RASTER)
        for tiles, warps, bytes_, stages in product(_TILES, _WARPS, _STEP_BYTES, _STAGES)
    ]
    fitting = [one for one in found if _has_room(shape, one.block, one.stages, width, record)]
    fitting = [one for one in fitting if _has_registers(one, specialize)]
    least = min((_computed(shape, one.block) for one in fitting), default=0)

    def order(one: ProductTiling) -> tuple[int, int]:
        computed = _computed(shape, one.block)
        is_near = computed * _MOST_BEYOND[1] <= least * _MOST_BEYOND[0]
        return 0 if is_near else computed, -one.block[0] * one.block[1] * one.threads

    yield from sorted(fitting, key=order)


def _computed(shape: ProductShape, block: tuple[int, int, int]) -> int:
    """Elements that blocks compute of a product, those beyond it counted."""
    (m, n, _), (rows, columns, _) = shape.sizes, block
    return -(-m // rows) * rows * (-(-n // columns)) * columns


def _has_registers(one: ProductTiling, specialize: bool) -> bool:
    """Whether a thread has registers for its sums, where warps that ask for copies take their share."""
    warps = (one.threads + (one.row_warps * WARP_SIZE if specialize else 0)) // WARP_SIZE
    threads = -(-warps // _WARPS_TOGETHER) * _WARPS_TOGETHER * WARP_SIZE
    return 4 * one.row_tiles * one.column_tiles + _SPARE_REGISTERS <= _REGISTERS // threads // 8 * 8


def _group_tilings(shape: ProductShape, blocks: ProductBlocks, record: GpuArchitecture) -> Iterator[ProductTiling]:
    """Tilings for `wgmma` that divide rows and columns and have room, the largest first."""
    width = blocks.element_bytes
    for groups, columns, bytes_, stages in product(_GROUPS, _GROUP_COLUMNS, _STEP_BYTES, _STAGES):
        one = group_tiling(groups, columns, width, bytes_, stages, _RASTER)
        divides = shape.sizes[0] % one.block[0] == 0 and shape.sizes[1] % columns == 0
        if divides and _has_room(shape, one.block, stages, width, record):
            yield one


def _has_room(
    shape: ProductShape, block: tuple[int, int, int], stages: int, width: int, record: GpuArchitecture
) -> bool:
    """Whether a block has room for a tiling's stages, boxes can bring its operands, and there are steps for stages."""
    (_, _, k), (rows, columns, depth) = shape.sizes, block
    row_bytes = [rows if shape.a_by_rows else depth, depth if shape.b_by_depth else columns]
    wide = all(one * width % (BANKS_BYTES // 4) == 0 for one in row_bytes)
    room = (rows + columns) * depth * width * stages + _BARRIER_BYTES <= record.shared_bytes_per_block
    return k > depth * (stages - 1) and room and wide and max(rows, columns, depth) <= MOST_BOX
