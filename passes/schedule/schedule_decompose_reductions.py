"""schedule-decompose-reductions: give every init a block of its own."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.reductions import loop_roles, mixed_loop, reduction_loop
from vtac.dialects.schedule.payload import BlockOp
from vtac.errors import CompileError
from vtac.passes.directives.handles import describe
from vtac.rewriting.inits import split_off_init
from vtac.rewriting.walker import rewrite_once


class DecomposeReduction(RewritePattern):
    """One block with an init."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: BlockOp, rewriter: PatternRewriter) -> None:
        if op.init is None:
            return
        reducing, spatial = loop_roles(op)
        loop = reduction_loop(op, reducing)
        if loop is None:
            raise CompileError(f"block '{op.block_name}' reduces without a loop", location_of(op))
        mixed = mixed_loop(op, reducing, spatial)
        if mixed is not None:
            raise CompileError(
                f"schedule-decompose-reductions: loop {describe(mixed)} of block '{op.block_name}' is "
                "spatial and reducing at once; do not fuse across the kinds",
                location_of(op),
            )
        split_off_init(op, loop, f"{op.block_name}_init", reducing, rewriter)


@dataclass(frozen=True)
class ScheduleDecomposeReductions(ModulePass):
    """Split each init off, before the outermost loop that reduces.

    requires: a scheduled payload.
    ensures:  no block has an init; hardware annotations are on the init's loops too.
    declines: a reduction without any loop; a loop fused from a spatial and a reduction loop.
    """

    name = "schedule-decompose-reductions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, DecomposeReduction())
