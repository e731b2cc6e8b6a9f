"""vectorize: run a serial loop's iterations as one vector access."""

from __future__ import annotations

from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.loop_directives import VectorizeOp
from vtac.dialects.schedule.payload import BlockOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, describe, refusal
from vtac.passes.directives.unroll import mark_kind


@rewrites(VectorizeOp)
def vectorize(op: VectorizeOp, handles: Handles) -> None:
    """Mark a serial loop as vectorised.

    requires: an innermost loop over exactly one block.
    ensures:  the iterations count as one operation on vectors; what is computed stays.
    refused:  a loop that is bound, marked or mapped already.
    """
    loop = handles.loop(op.loop, op)
    body = loop.body.block
    if not isinstance(body.first_op, BlockOp) or body.first_op is not body.last_op:
        raise refusal(
            op, f"loop {describe(loop)} is not an innermost loop over one block", "vectorise an innermost loop"
        )
    mark_kind(op, loop, LoopKind.VECTORIZED)
