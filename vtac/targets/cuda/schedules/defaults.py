"""The default schedule of a program for tensor cores."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vtac.analysis.ir.gpu_architecture import architecture_of
from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import blocks_under
from vtac.analysis.operations.structured_view import block_view
from vtac.analysis.operations.tensor_products import is_tensor_product
from vtac.dialects.wmma.declared import CUT_TF32, DYNAMIC_SIZE, INSTRUCTIONS
from vtac.errors import ScheduleError
from vtac.schedule import Schedule
from vtac.targets.cuda.schedules.box_tilings import BoxProbe
from vtac.targets.cuda.schedules.elementwise import schedule_elements
from vtac.targets.cuda.schedules.instructions import Products, name_of, scheduler_of
from vtac.targets.cuda.schedules.product_blocks import find_product_blocks, no_schedule
from vtac.targets.cuda.schedules.product_clusters import alone
from vtac.targets.cuda.schedules.shape import product_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xdsl.dialects.builtin import ModuleOp

    from vtac.dialects.gpu_hardware import GpuArchitecture
    from vtac.dialects.schedule.payload import BlockOp
    from vtac.dialects.wmma.declared import Instructions
    from vtac.targets.cuda.schedules.measured import Measurements
    from vtac.targets.cuda.schedules.product_blocks import ProductBlocks
    from vtac.targets.cuda.schedules.tiling import ProductSize, ProductTiling


def default_schedule(
    module: ModuleOp,
    architecture: GpuArchitecture | None = None,
    place: int = 0,
    measured: Measurements | None = None,
) -> Schedule:
    """A schedule for the one function of a module, which becomes one kernel.

    A contraction that tensor cores multiply, zero padding before it, an elementwise tail; else elements or rows of
    them that threads compute. Tiles are chosen for the architecture given, else the module's, else for what all have,
    and of WMMA's fragments unless the module's `wmma.instructions` says otherwise.
    `place` counts from the tiling that is estimated to take least time, or of which `measured` says so. Raises
    `ScheduleError` for any other program, naming the block in the way.
    """
    schedule = Schedule(module)
    record = architecture_of(module) if architecture is None else architecture
    blocks = blocks_under(schedule.function)
    product = next((block for block in blocks if is_tensor_product(block_view(block))), None)
    if product is None:
        _schedule_elements(schedule, blocks)
        return schedule
    found = find_product_blocks(schedule.function, product)
    try:
        products = _products(module, found, record)
        shape, tiling = products.choose(INSTRUCTIONS.get(module) or "wmma", place, measured)
        if DYNAMIC_SIZE.is_on(module):  # blocks follow one after the other, as many as the size has
            tiling = alone(replace(tiling, group=1))
        scheduler_of(tiling)(schedule, found, shape, tiling).schedule()
        schedule.name = f"default, {name_of(tiling)}"
    except ScheduleError as error:
        raise no_schedule(f"{error}; or give a schedule", location_of(product)) from None
    return schedule


def product_tiling(
    module: ModuleOp,
    architecture: GpuArchitecture | None = None,
    place: int = 0,
    instructions: Instructions = "wmma",
) -> tuple[ProductSize, ProductTiling]:
    """The product of a function as tilings are chosen for it, and the tiling at a place of their ranking."""
    schedule = Schedule(module)
    product = next(block for block in blocks_under(schedule.function) if is_tensor_product(block_view(block)))
    found = find_product_blocks(schedule.function, product)
    record = architecture_of(module) if architecture is None else architecture
    shape, tiling = _products(module, found, record).choose(instructions, place)
    return shape.size(found.element_bytes), tiling


def _products(module: ModuleOp, blocks: ProductBlocks, record: GpuArchitecture | None) -> Products:
    """A function's product as each kind of instructions takes it."""
    shape, probe = product_shape(Schedule(module), blocks), BoxProbe(module, blocks)
    made = Products(shape, blocks.element_bytes, record, probe, cuts_floats=CUT_TF32.is_on(module))
    is_dynamic = DYNAMIC_SIZE.is_on(module)
    return replace(made, clusters=not is_dynamic, whole_rows=is_dynamic)


def _schedule_elements(schedule: Schedule, blocks: Sequence[BlockOp]) -> None:
    where = location_of(blocks[-1] if blocks else schedule.function)
    if not blocks:
        raise no_schedule(f"function '{schedule.function.sym_name.data}' computes nothing", where)
    try:
        schedule_elements(schedule)
        schedule.name = "default, without tensor cores"
    except ScheduleError as error:
        raise no_schedule(f"{error}; or give a schedule", where) from None
