"""bind: run a loop's iterations side by side, as virtual threads or on a GPU index."""

from __future__ import annotations

from vtac.analysis.nests.accesses import bindings_of
from vtac.analysis.nests.nest import blocks_under, enclosing_loops
from vtac.dialects.schedule.attributes import LoopKind, LoopKindAttr
from vtac.dialects.schedule.loop_directives import BindOp
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.schedule.script import DirectiveOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, describe, occupation, refusal


@rewrites(BindOp)
def bind(op: BindOp, handles: Handles) -> None:
    """Bind a serial loop.

    requires: no block in the loop reduces over it. A GPU index may be bound again inside a
              loop that has it, with the same extent, where the blocks inside do not depend
              on the outer loop: they share its threads to work together.
    ensures:  iterations count as running side by side; what each computes stays.
    refused:  a loop that is bound, marked or mapped already; an index that another loop of the nest has, where its
              blocks do not share the threads.
    """
    loop = handles.loop(op.loop, op)
    kind = LoopKind(op.thread.data)
    if occupation(loop):
        raise refusal(op, f"loop {describe(loop)} is {occupation(loop)} already", "bind a plain serial loop")
    check_independent(op, loop)
    if kind is not LoopKind.CTHREAD:
        _check_index_free(op, loop, kind)
    loop.kind = LoopKindAttr(kind)


def check_independent(op: DirectiveOp, loop: ForOp) -> None:
    """Refuse a loop whose iterations add to one result, so that they cannot run side by side."""
    variable = loop.induction_variable
    for block in blocks_under(loop):
        for iteration, value in zip(block.variables, bindings_of(block), strict=True):
            if iteration.reduction and variable in value.variables():
                raise refusal(
                    op,
                    f"loop {describe(loop)} reduces in block '{block.block_name}': its iterations add to one result",
                    "bind a loop over spatial variables",
                )


def _check_index_free(op: BindOp, loop: ForOp, kind: LoopKind) -> None:
    inside = [inner for inner in loop.body.walk() if isinstance(inner, ForOp) and inner.loop_kind is kind]
    outside = [outer for outer in enclosing_loops(loop) if outer.loop_kind is kind]
    for outer, inner in [*((outer, loop) for outer in outside), *((loop, inner) for inner in inside)]:
        dependent = [block for block in blocks_under(inner) if outer.induction_variable in block.loops]
        other = inner if outer is loop else outer
        if dependent or other.trip_count != loop.trip_count:
            why = f"block '{dependent[0].block_name}' depends on both" if dependent else "their extents differ"
            raise refusal(
                op,
                f"loop {describe(other)} of the same nest is bound to {kind.value} already, and {why}",
                "choose another index, or let blocks inside share its threads",
            )
