"""unroll: write a serial loop's iterations out, one after the other."""

from __future__ import annotations

from vtac.dialects.schedule.attributes import LoopKind, LoopKindAttr
from vtac.dialects.schedule.loop_directives import UnrollOp
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.schedule.script import DirectiveOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, describe, occupation, refusal


@rewrites(UnrollOp)
def unroll(op: UnrollOp, handles: Handles) -> None:
    """Mark a serial loop as unrolled.

    On VTA each repetition becomes a call site of its own, with micro-ops of its own.

    requires: a serial loop.
    ensures:  the iterations stand one after the other in what is made of it; what is computed stays.
    refused:  a loop that is bound, marked or mapped already.
    """
    mark_kind(op, handles.loop(op.loop, op), LoopKind.UNROLLED)


def mark_kind(op: DirectiveOp, loop: ForOp, kind: LoopKind) -> None:
    """Give a plain serial loop a kind. Raises `ScheduleError` for one that is bound, marked or mapped."""
    if occupation(loop):
        raise refusal(op, f"loop {describe(loop)} is {occupation(loop)} already", "choose a plain serial loop")
    loop.kind = LoopKindAttr(kind)
