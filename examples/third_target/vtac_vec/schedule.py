"""The default schedule: one matrix product, eight columns of the result at a time."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp

from vtac import Schedule
from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import blocks_under
from vtac.errors import ScheduleError
from vtac_vec.dialect import SCOPE, OnLanesOp
from vtac_vec.machine import LANES
from vtac_vec.matching import formula


def default_schedule(module: ModuleOp) -> Schedule:
    """The schedule of a function that is one product. Raises `ScheduleError` for any other."""
    schedule = Schedule(module)
    blocks = blocks_under(schedule.function)
    if len(blocks) != 1 or len(blocks[0].variables) != 3 or formula(blocks[0].yielded) != "((x0 * x1) + x2)":
        found = ", ".join(f"'{block.block_name}'" for block in blocks) or "none"
        raise ScheduleError(
            f"target 'vec' has no default schedule for the blocks {found}: one matrix product is required, or give "
            "a schedule",
            location_of(schedule.function),
        )
    product = schedule.get_block(blocks[0].block_name)
    store = schedule.cache_write(product, 0, SCOPE)
    load = schedule.cache_read(product, 1, SCOPE)
    row, column, depth = schedule.get_loops(product)
    columns, lanes = schedule.split(column, factor=LANES)
    schedule.reorder(row, columns, depth, lanes)
    schedule.compute_at(load, depth)
    schedule.reverse_compute_at(store, columns)
    zero = schedule.decompose_reduction(product, depth)
    for block in (zero, load, product, store):
        schedule.direct(OnLanesOp, loop=schedule.get_loops(block)[-1])
    return schedule
