"""What one iteration of a loop produces, and whether it is all that a consumer of that iteration needs."""

from __future__ import annotations

from collections.abc import Hashable

from xdsl.dialects.memref import AllocOp
from xdsl.ir import SSAValue

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.nest import buffer_name, shape_of, writers_of
from vtac.analysis.nests.regions import Interval, box_of, covers_its_region, plain_dimension, region_of
from vtac.dialects.schedule.block_directives import ReverseComputeAtOp
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.errors import ScheduleError
from vtac.passes.directives.handles import Handles, describe, refusal


def produced_box(op: ReverseComputeAtOp, loop: ForOp, producers: list[BlockOp]) -> list[Interval]:
    """What one iteration of the loop writes into a buffer, a box without gaps.

    In a loop of one thread that is what this thread writes, into shared memory too: the others may not be there yet.
    Raises `ScheduleError` for gaps.
    """
    body, buffer = loop.body.block, producers[0].output
    boxes = [region_of(buffer, [(producer, len(producer.inputs))], body, by_one_thread=True) for producer in producers]
    exact = all(covers_its_region(producer, len(producer.inputs), body) for producer in producers)
    box = box_of(boxes) if exact else None
    if box is None:
        names = ", ".join(f"'{producer.block_name}'" for producer in producers)
        raise refusal(
            op,
            f"{names} writes '{buffer_name(buffer)}' in loop {describe(loop)} with gaps: what one iteration produces "
            "is no box",
            "choose an outer loop, or do not fuse or guard the producer's loops",
        )
    return box


def check_covered(
    op: ReverseComputeAtOp, block: BlockOp, position: int, producers: list[BlockOp], handles: Handles
) -> None:
    """A buffer that holds more than what the loop produces must be overwritten there completely.

    Raises `ScheduleError` where a part of it is not.
    """
    buffer = (*block.inputs, block.output)[position]
    if isinstance(buffer.owner, AllocOp) and all(
        writer in producers for writer in writers_of(buffer) if writer is not block
    ):
        return
    root = handles.function.body.block
    boxes = [region_of(buffer, [(producer, len(producer.inputs))], root) for producer in producers]
    exact = all(covers_its_region(producer, len(producer.inputs), root) for producer in producers)
    box = box_of(boxes) if exact else None
    whole = [Interval(Linear(0), extent) for extent in shape_of(buffer)] if box else []
    if box is None or box != whole:
        raise refusal(
            op,
            f"block '{block.block_name}' reads '{buffer_name(buffer)}', of which the loop writes only a part",
            "use compute_at on the producer instead",
        )


def restrict(
    op: ReverseComputeAtOp, block: BlockOp, position: int, region: list[Interval], intervals: list[Interval | None]
) -> None:
    """Let the variables of one read run over what was produced. Raises `ScheduleError` where that is not enough."""
    name, access = f"block '{block.block_name}'", block.accesses.data[position]
    if access.pad_value is not None:
        raise refusal(op, f"{name} reads with padding", "use compute_at on its producer instead")
    known_loops: set[Hashable] = set()
    for interval in intervals:
        known_loops |= set() if interval is None else interval.base.variables()
    fresh_loops: set[Hashable] = set()
    for expr, interval in zip(access.indices.results, region, strict=True):
        variable = plain_dimension(expr)
        if variable is None:
            raise refusal(
                op,
                f"{name} reads index {expr}, so what it needs is not what was just produced",
                "use compute_at on its producer instead",
            )
        if intervals[variable] is None:
            fresh_loops |= interval.base.variables()
            intervals[variable] = interval
        elif intervals[variable] != interval:
            raise _apart(op, block, (*block.inputs, block.output)[position])
    if fresh_loops & known_loops:
        raise _apart(op, block, (*block.inputs, block.output)[position])


def _apart(op: ReverseComputeAtOp, block: BlockOp, buffer: SSAValue) -> ScheduleError:
    return refusal(
        op,
        f"block '{block.block_name}' needs parts of '{buffer_name(buffer)}' that other iterations produce",
        "use compute_at on its producers instead",
    )


def check_reductions(op: ReverseComputeAtOp, block: BlockOp, loop: ForOp, intervals: list[Interval | None]) -> None:
    """A reduction must run whole each time: parts might be visited twice. Raises `ScheduleError` where it does not."""
    for variable, interval in zip(block.variables, intervals, strict=True):
        if not variable.reduction or interval is None:
            continue
        if not interval.base.is_constant or interval.extent < variable.extent:
            raise refusal(
                op,
                f"block '{block.block_name}' reduces over {variable.extent} values, of which one iteration of loop "
                f"{describe(loop)} produces {interval.extent}",
                "choose a loop outside those over what it reduces",
            )
