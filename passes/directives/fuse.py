"""fuse: perfectly nested loops into one.

before: for i < 4                         after fuse(i, j): for i_j_fused < 32
          for j < 8                                            block(i_j_fused floordiv 8, i_j_fused mod 8)
            block(i, j)
"""

from __future__ import annotations

from collections.abc import Hashable
from itertools import pairwise

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.nest import blocks_under
from vtac.dialects.schedule.loop_directives import FuseOp
from vtac.dialects.schedule.payload import ForOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, describe, occupation, refusal
from vtac.rewriting.block_edits import substitute_loop
from vtac.rewriting.edits import replace_nest


@rewrites(FuseOp)
def fuse(op: FuseOp, handles: Handles) -> None:
    """Fuse serial loops, each holding only the next, outermost first.

    requires: two loops or more, serial and perfectly nested, given outermost first.
    ensures:  one loop of the product of their extents runs the same iterations in the same order.
    refused:  a loop that is bound, marked or mapped already, and neighbours that hold more than the next loop.
    """
    loops = [handles.loop(handle, op) for handle in op.loops]
    _check(op, loops)
    total = 1
    for loop in loops:
        total *= loop.trip_count
    fused = ForOp.get(total, "_".join(loop.loop_name for loop in loops) + "_fused")
    fused.location = loops[0].location
    extents: dict[Hashable, int] = {fused.induction_variable: total}
    values: dict[Hashable, Linear] = {}
    inner = 1
    for loop in reversed(loops):
        part = Linear.variable(fused.induction_variable).floor_divide(inner, extents)
        values[loop.induction_variable] = part.modulo(loop.trip_count, extents)
        inner *= loop.trip_count
    replace_nest(loops, [fused])
    for block in blocks_under(fused):
        substitute_loop(block, values)
    handles.define_loop(op.fused, fused)


def _check(op: FuseOp, loops: list[ForOp]) -> None:
    if len(loops) < 2:
        raise refusal(op, f"{len(loops)} loop given", "give two or more loops, outermost first")
    for loop in loops:
        if occupation(loop):
            raise refusal(op, f"loop {describe(loop)} is {occupation(loop)} already", "fuse loops before that")
    for outer, inner in pairwise(loops):
        body = outer.body.block
        if body.first_op is not inner or body.last_op is not inner:
            raise refusal(
                op,
                f"loop {describe(inner)} is not the only thing in loop {describe(outer)}",
                "fuse takes perfectly nested neighbours, outermost first",
            )
