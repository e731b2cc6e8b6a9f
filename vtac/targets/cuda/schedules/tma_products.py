"""Schedules of products whose operands come as boxes in bulk copies: for `mma.sync` on sm_90, for `wgmma` on sm_90a."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vtac.analysis.ir.gpu_architecture import architecture_for
from vtac.analysis.nests.nest import blocks_under
from vtac.analysis.operations.structured_view import block_view
from vtac.analysis.operations.tensor_products import is_tensor_product
from vtac.dialects.clusters import MOST_CLUSTER
from vtac.dialects.gpu_hardware import GpuArchitecture
from vtac.dialects.wmma.declared import CUT_TF32
from vtac.errors import ScheduleError
from vtac.schedule import Schedule
from vtac.targets.cuda.schedules.box_results import (
    StoringMmaScheduler,
    StoringWgmmaScheduler,
    result_bytes,
    storing_problem,
    with_room,
)
from vtac.targets.cuda.schedules.box_tilings import BoxProbe, check_boxes
from vtac.targets.cuda.schedules.instructions import Products, name_of, scheduler_of
from vtac.targets.cuda.schedules.product_blocks import ProductBlocks, find_product_blocks
from vtac.targets.cuda.schedules.product_clusters import clustered
from vtac.targets.cuda.schedules.shape import ProductShape, product_shape
from vtac.targets.cuda.schedules.tiling import ProductTiling, on_groups, producers_of

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp


def tma_schedule(
    module: ModuleOp | str,
    architecture: GpuArchitecture | str | None = None,
    tiling: ProductTiling | None = None,
    *,
    specialize: bool | None = None,
    cluster: int | None = 1,
    stores: bool = False,
) -> Schedule:
    """A schedule of a product, its operands in bulk copies: of matrices, a batch of them, or a convolution in NHWC.

    On sm_90a for `wgmma` or `mma.sync`, on other architectures from sm_90 on for `mma.sync`. The tiling is that of
    least estimated time whose tiles are boxes, or one that is given. With `specialize` warps of their own ask for the
    copies; None leaves it to the estimate, and takes such warps for a tiling of `wgmma` that is given. What lies
    outside of an operand, in any dimension, is the copies' zeros. With `cluster` so many neighbours of a grid share the
    larger of their parts of both operands, but for pixels of a convolution that come by maps for im2col; None leaves it
    to the estimate whether blocks form clusters, and along which axis. With `stores`
    results go through shared memory, and to their array as boxes; stages make room for their tile, and of tilings those
    compete that have such a tile. Raises `ScheduleError` for other programs and architectures, sizes that no tiling
    fits, and operands whose rows are no multiples of 16 bytes.
    """
    if cluster is not None and not 1 <= cluster <= MOST_CLUSTER:
        raise ScheduleError(
            f"tma_schedule: clusters of {cluster} blocks; 1, which is none, to {MOST_CLUSTER} are possible"
        )
    schedule = Schedule(module)
    record = architecture_for(schedule.module, architecture, "sm_90a")
    contraction = next((one for one in blocks_under(schedule.function) if is_tensor_product(block_view(one))), None)
    if contraction is None:
        raise ScheduleError("tma_schedule: the program holds no product of tensor cores")
    blocks = find_product_blocks(schedule.function, contraction)
    shape = product_shape(Schedule(module), blocks)
    products = Products(shape, blocks.element_bytes, record, BoxProbe(module, blocks), specialize, cluster is None)
    products.cuts_floats = CUT_TF32.is_on(schedule.module)
    if stores:
        width = result_bytes(schedule, _result(blocks))
        products.declines = lambda shape, one: storing_problem(
            one if cluster is None else clustered(one, cluster), shape, blocks.element_bytes, width, record
        )
    try:
        made, chosen = products.boxed() if tiling is None else _given(products, tiling)
    except ScheduleError as error:
        raise ScheduleError(f"tma_schedule: {error.message}") from None
    if cluster is not None and cluster > 1:
        pixels = products.require_boxes().rows_are_pixels(chosen.block)
        chosen = clustered(chosen, cluster, pixels=pixels)
    try:
        schedule.name = _schedule(schedule, blocks, made, chosen, record if stores else None)
    except ScheduleError as error:
        raise ScheduleError(f"tma_schedule: {error.message.removeprefix('tma_schedule: ')}") from None
    return schedule


def _schedule(
    schedule: Schedule, blocks: ProductBlocks, made: ProductShape, chosen: ProductTiling, record: GpuArchitecture | None
) -> str:
    """Record the directives, with results in boxes where a record says what has room for them; what they are called."""
    if record is None:
        scheduler_of(chosen)(schedule, blocks, made, chosen).schedule()
        return name_of(chosen)
    tiling = with_room(chosen, blocks.element_bytes, result_bytes(schedule, _result(blocks)), record)
    storing = StoringWgmmaScheduler if on_groups(tiling.fragment) else StoringMmaScheduler
    storing(schedule, blocks, made, tiling).schedule()
    return f"{name_of(tiling)}, results in boxes"


def _result(blocks: ProductBlocks) -> str:
    """The block that writes the result."""
    return (blocks.tail or (blocks.product,))[-1]


def _given(products: Products, tiling: ProductTiling) -> tuple[ProductShape, ProductTiling]:
    """The shape for a tiling that was given, and the tiling with its boxes."""
    made = products.shape_of(replace(tiling, boxes=True))
    check_boxes(products.require_boxes(), made.sizes, tiling)
    roles = on_groups(tiling.fragment) if products.specialize is None else products.specialize
    return made, replace(tiling, boxes=True, producers=producers_of(tiling) if roles else 0)
