"""The default schedule of a program for tensor cores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtac.analysis.gpu_architecture import architecture_of
from vtac.analysis.locations import location_of
from vtac.analysis.nest import blocks_under
from vtac.analysis.shared_memory import static_bytes
from vtac.errors import ScheduleError
from vtac.schedule import Schedule
from vtac.targets.cuda.schedules.product_blocks import find_product_blocks, no_schedule
from vtac.targets.cuda.schedules.product_directives import ProductScheduler
from vtac.targets.cuda.schedules.shape import product_shape
from vtac.targets.cuda.schedules.tiling import choose_tiling

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from vtac.dialects.gpu_hardware import GpuArchitecture


def default_schedule(module: ModuleOp, architecture: GpuArchitecture | None = None) -> Schedule:
    """A schedule for the one function of a module: one contraction, zero padding before it, an elementwise tail.

    Tiles are chosen for the architecture given, else the module's, else for what all have.
    Raises `ScheduleError` for any other program, naming the block in the way.
    """
    schedule = Schedule(module)
    record = architecture_of(module) if architecture is None else architecture
    room = static_bytes(None) if record is None else record.shared_bytes_per_block
    found = find_product_blocks(schedule.function)
    place = location_of(next(block for block in blocks_under(schedule.function) if block.block_name == found.product))
    try:
        shape = product_shape(Schedule(module), found)
        tiling = choose_tiling(shape.sizes, shape.fragment, found.element_bytes, room)
        ProductScheduler(schedule, found, shape, tiling, room).schedule()
    except ScheduleError as error:
        raise no_schedule(f"{error}; or give a schedule", place) from None
    return schedule
