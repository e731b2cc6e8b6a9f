"""gpu-merge-conditions: neighbours that one condition decides stand under it together.

before: if inside: copy(a)                    after: if inside: copy(a)
        if inside: copy(b)                                      copy(b)
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint
from xdsl.traits import is_side_effect_free

from vtac.dialects.wmma.declared import KERNEL
from vtac.rewriting.edits import before_end, erase, move_body, move_ops
from vtac.rewriting.walker import rewrite_greedily


class MergeCondition(RewritePattern):
    """Two choices of one condition with nothing but values between them -> one; the values are made before it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: scf.IfOp, rewriter: PatternRewriter) -> None:
        between: list[Operation] = []
        following = op.next_op
        while following is not None and is_side_effect_free(following) and not following.regions:
            between.append(following)
            following = following.next_op
        if not isinstance(following, scf.IfOp) or following.cond is not op.cond:
            return
        if not (_is_plain(op) and _is_plain(following)):
            return
        move_ops(between, InsertPoint.before(op), rewriter)
        last = following.true_region.block.last_op
        if isinstance(last, scf.YieldOp):
            erase(last, rewriter)
        move_body(following.true_region.block, before_end(op.true_region.block), rewriter)
        rewriter.erase(following)
        rewriter.notify_op_modified(op)


def _is_plain(op: scf.IfOp) -> bool:
    """Whether a choice is between doing something and nothing."""
    return not op.results and not op.false_region.blocks


@dataclass(frozen=True)
class GpuMergeConditions(ModulePass):
    """Test a condition once for neighbours that it decides.

    requires: kernels whose barriers are placed (gpu-insert-barriers); equal conditions are one value (cse).
    ensures:  no two neighbours are choices of one condition without results or an else.
    declines: nothing.
    """

    name = "gpu-merge-conditions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [function for function in op.ops if isinstance(function, FuncOp) and KERNEL.is_on(function)]:
            rewrite_greedily(kernel, MergeCondition())
