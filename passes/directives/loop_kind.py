"""vectorize and unroll: how a serial loop's iterations are written out."""

from __future__ import annotations

from vtac.dialects.schedule.attributes import LoopKind, LoopKindAttr
from vtac.dialects.schedule.directives import DirectiveOp, UnrollOp, VectorizeOp
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.passes.directives.handles import Handles, describe, occupation, refusal


def unroll(op: UnrollOp, handles: Handles) -> None:
    """Mark a serial loop as unrolled.

    On VTA each repetition becomes a call site of its own, with micro-ops of its own.
    """
    _mark(op, handles.loop(op.loop, op), LoopKind.UNROLLED)


def vectorize(op: VectorizeOp, handles: Handles) -> None:
    """Mark a serial loop as vectorised.

    requires: an innermost loop over exactly one block.
    """
    loop = handles.loop(op.loop, op)
    body = loop.body.block
    if not isinstance(body.first_op, BlockOp) or body.first_op is not body.last_op:
        raise refusal(
            op, f"loop {describe(loop)} is not an innermost loop over one block", "vectorise an innermost loop"
        )
    _mark(op, loop, LoopKind.VECTORIZED)


def _mark(op: DirectiveOp, loop: ForOp, kind: LoopKind) -> None:
    if occupation(loop):
        raise refusal(op, f"loop {describe(loop)} is {occupation(loop)} already", "choose a plain serial loop")
    loop.kind = LoopKindAttr(kind)
