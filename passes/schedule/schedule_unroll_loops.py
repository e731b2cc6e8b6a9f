"""schedule-unroll-loops: write out the iterations of unrolled loops."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.nest import blocks_under
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.payload import ForOp
from vtac.rewriting.block_edits import substitute_loop
from vtac.rewriting.edits import dissolve
from vtac.rewriting.loop_copies import multiply, refuse_many_copies
from vtac.rewriting.walker import rewrite_once


class UnrollLoop(RewritePattern):
    """One loop of kind `unrolled`; each copy of its body has buffers of its own."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        if op.loop_kind is not LoopKind.UNROLLED:
            return
        refuse_many_copies(op, op.trip_count)
        for iteration, copy in enumerate(multiply(op, op.trip_count, rewriter)):
            value: dict[Hashable, Linear] = {copy.induction_variable: Linear(iteration)}
            for block in blocks_under(copy):
                substitute_loop(block, value)
            dissolve(copy, rewriter=rewriter)


@dataclass(frozen=True)
class ScheduleUnrollLoops(ModulePass):
    """Replace each loop of kind `unrolled` by one copy of its body per iteration, inner loops first.

    requires: a scheduled payload.
    ensures:  no unrolled loop is left.
    declines: more operations than the limit on what one rewrite writes out.
    """

    name = "schedule-unroll-loops"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, UnrollLoop(), inside_first=True, backwards=True)
