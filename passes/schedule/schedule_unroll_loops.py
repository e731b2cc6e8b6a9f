"""schedule-unroll-loops: write out the iterations of unrolled loops."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from vtac.analysis.accesses import substitute_loop
from vtac.analysis.linear import Linear
from vtac.analysis.nest import blocks_under, walk_payload
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.payload import ForOp
from vtac.rewriting.loop_copies import copies_of


@dataclass(frozen=True)
class ScheduleUnrollLoops(ModulePass):
    """Replace each loop of kind `unrolled` by one copy of its body per iteration.

    requires: a scheduled payload.
    ensures:  no unrolled loop is left.
    declines: nothing.
    """

    name = "schedule-unroll-loops"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        unrolled = [
            loop for loop in walk_payload(op) if isinstance(loop, ForOp) and loop.loop_kind is LoopKind.UNROLLED
        ]
        for loop in reversed(unrolled):
            _unroll(loop)


def _unroll(loop: ForOp) -> None:
    parent = loop.parent
    if parent is None:
        raise ValueError("the loop stands nowhere")
    for iteration, copy in enumerate(copies_of(loop, loop.trip_count)):
        parent.insert_op_before(copy, loop)
        value: dict[Hashable, Linear] = {copy.induction_variable: Linear(iteration)}
        for block in blocks_under(copy):
            substitute_loop(block, value)
        for child in list(copy.body.block.ops):
            child.detach()
            parent.insert_op_before(child, copy)
        copy.detach()
        copy.erase()
    loop.detach()
    loop.erase()
