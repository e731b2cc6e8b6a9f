"""Schedules without tensor cores: elements, or rows of them, that threads compute each for itself."""

from __future__ import annotations

from xdsl.ir import Operation

from vtac.analysis.nests.nest import blocks_under
from vtac.dialects.schedule.payload import BlockOp
from vtac.errors import ScheduleError
from vtac.schedule import Schedule
from vtac.targets.cuda.schedules.product_matrices import payload_block
from vtac.targets.cuda.schedules.row_blocks import RowScheduler, threads_of_a_row
from vtac.targets.cuda.schedules.threads import bind_elements, inline_all


def schedule_elements(script: Schedule) -> None:
    """Elementwise intermediates where they are read; one thread per element, or a block per row where rows reduce.

    What a thread sums up stays in its registers; a row that a block reduces lies in shared memory. Raises
    `ScheduleError` for a result without dimensions.
    """
    left = inline_all(script, blocks_under(script.function))
    last = script.get_block(left[-1])
    found = payload_block(script, last)
    if all(variable.reduction for variable in found.variables):
        raise ScheduleError(
            f"block '{found.block_name}' gives one number, of a tensor without dimensions, for which no loop can be "
            "bound; give the tensor a dimension of one element"
        )
    others = [script.get_block(name) for name in left[:-1]]
    if found.has_reduction and _goes_on(found):
        for block in (*others, last):
            bind_elements(script, block)
        return
    if found.has_reduction:
        others.append(last)
        last = script.cache_write(last, 0, "local")
        found = payload_block(script, last)
    columns = columns_of(found)
    reductions = [payload_block(script, block) for block in others]
    threads = threads_of_a_row(found, columns, reductions)
    if threads:
        RowScheduler(script, last, columns, others, threads).schedule()
        return
    thread = bind_elements(script, last, columns)
    for block in reversed(others):
        one = payload_block(script, block)
        if not (one.has_reduction and _goes_on(one)):  # such a one moves with what it goes on from
            script.set_scope(block, 0, "local")
            script.compute_at(block, thread)


def _goes_on(block: BlockOp) -> bool:
    """Whether a reduction goes on from what another block has written."""
    return block.init is None


def columns_of(block: BlockOp) -> list[int]:
    """The variables of a block that no reduction which it reads keeps: those within a row."""
    rows: set[int] = set()
    reads = False
    for buffer, access in zip(block.inputs, block.accesses.data, strict=False):
        if isinstance(buffer.owner, Operation):
            reads = True
            rows |= {dim for expr in access.indices.results for dim in expr.used_dims()}
    return [variable for variable in range(len(block.variables)) if reads and variable not in rows]
