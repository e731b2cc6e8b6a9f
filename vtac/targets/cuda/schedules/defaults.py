"""The default schedule of a program for tensor cores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtac.analysis.gpu_architecture import architecture_of
from vtac.analysis.locations import location_of
from vtac.analysis.nest import blocks_under
from vtac.errors import ScheduleError
from vtac.schedule import Schedule
from vtac.targets.cuda.schedules.emit import ProductScheduler
from vtac.targets.cuda.schedules.layer import find_layer, no_schedule
from vtac.targets.cuda.schedules.shape import product_shape
from vtac.targets.cuda.schedules.tiling import choose_tiling

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from vtac.dialects.gpu_hardware import GpuArchitecture

_STATIC_BYTES = 48 * 1024
"""Shared memory that a block has on every architecture."""


def default_schedule(module: ModuleOp, architecture: GpuArchitecture | None = None) -> Schedule:
    """A schedule for the one function of a module: one contraction, zero padding before it, an elementwise tail.

    Tiles are chosen for the architecture given, else the module's, else for what all have.
    Raises `ScheduleError` for any other program, naming the block in the way.
    """
    schedule = Schedule(module)
    record = architecture_of(module) if architecture is None else architecture
    room = _STATIC_BYTES if record is None else record.shared_bytes_per_block
    layer = find_layer(schedule.function)
    place = location_of(next(block for block in blocks_under(schedule.function) if block.block_name == layer.product))
    try:
        shape = product_shape(Schedule(module), layer)
        tiling = choose_tiling(shape.sizes, shape.fragment, layer.element_bytes, room)
        ProductScheduler(schedule, layer, shape, tiling, room).schedule()
    except ScheduleError as error:
        raise no_schedule(f"{error}; or give a schedule", place) from None
    return schedule
