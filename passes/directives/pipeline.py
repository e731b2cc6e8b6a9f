"""pipeline: run a loop's copies to shared memory ahead of their use."""

from __future__ import annotations

from vtac.analysis.bulk_copies.box_copies import LOAD
from vtac.analysis.nests.bodies import is_copy
from vtac.analysis.nests.nest import blocks_under, enclosing_loops, scope_of
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.declared import ASYNC, PIPELINE, TENSORIZE
from vtac.dialects.schedule.gpu_directives import PipelineOp
from vtac.dialects.schedule.payload import BlockOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, describe, refusal


@rewrites(PipelineOp)
def pipeline(op: PipelineOp, handles: Handles) -> None:
    """Mark a serial loop that copies to shared memory and then uses it.

    requires: at least one copy from global to shared memory in the loop, and as many
              iterations as stages; of bulk copies, all of them tensorized as tma.load.
    ensures:  `gpu-pipeline-loops` makes copies run `stages - 1` iterations ahead, in as many slots of the buffers;
              with `async "tma"`, `gpu-pipeline-boxes` does.
    refused:  a loop that is bound or annotated, and copies of one kind where the other is asked for.
    """
    loop = handles.loop(op.loop, op)
    if loop.loop_kind is not LoopKind.SERIAL or loop.attributes:
        raise refusal(op, f"loop {describe(loop)} is bound or annotated", "pipeline a plain loop")
    copies = [
        block
        for block in blocks_under(loop)
        if is_copy(block) and scope_of(block.inputs[0]) == "global" and scope_of(block.output) == "shared"
    ]
    if not copies:
        raise refusal(op, f"loop {describe(loop)} copies nothing to shared memory", "compute_at the copies there first")
    if loop.trip_count < op.stages.value.data:
        raise refusal(
            op,
            f"{op.stages.value.data} stages for loop {describe(loop)}",
            f"at most {loop.trip_count}, one per iteration",
        )
    _check_kind(op, copies)
    if op.async_ is not None and op.async_.data == "tma":
        ASYNC.set(loop, "tma")
    PIPELINE.set(loop, op.stages.value.data)


def _check_kind(op: PipelineOp, copies: list[BlockOp]) -> None:
    """Copies are bulk copies, all of them or none."""
    bulk = op.async_ is not None and op.async_.data == "tma"
    for block in copies:
        is_box = any(TENSORIZE.get(loop) == LOAD for loop in enclosing_loops(block))
        if bulk and not is_box:
            raise refusal(
                op,
                f"block '{block.block_name}' is no bulk copy",
                f'tensorize(loop, "{LOAD}") its outermost own loop first',
            )
        if is_box and not bulk:
            raise refusal(
                op,
                f"block '{block.block_name}' is a bulk copy",
                'pipeline the loop with async "tma", in Python async_="tma"',
            )
