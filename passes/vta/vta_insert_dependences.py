"""vta-insert-dependences: tokens between stages, and the final synchronisation.

Within one thread every stage waits for the one before it, in program order and from one
loop iteration to the next; overlap comes from virtual threads. A loop whose last and first
stage differ hands a token round: one is pushed before the loop and one popped after it.

Where buffers have copies in turn (schedule.double_buffer), no token is placed here: the final
vta.sync asks for tokens that follow the data, instruction by instruction.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.walks import operations_under
from vtac.analysis.vta.token_plan import Pair, plan_tokens, stage_ends, stage_ends_in
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.vta.declared import COPIES
from vtac.dialects.vta.synchronisation import StageOp, SyncOp
from vtac.rewriting.edits import before_end, insert_ops
from vtac.rewriting.walker import rewrite_once


class SeparateStages(RewritePattern):
    """An empty compute stage stands wherever load and store would meet, also from the end of a loop to its start.

    The two units share no queue: what one tells the other goes through compute.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: StageOp | ForOp, rewriter: PatternRewriter) -> None:
        ends = stage_ends(op)
        if ends is None:
            return
        if isinstance(op, ForOp) and _share_no_queue(ends[1], ends[0]):
            rewriter.insert(StageOp.get("compute"), InsertPoint.at_end(op.body.block))
        previous = _ends_before(op)
        if previous is not None and _share_no_queue(previous[1], ends[0]):
            rewriter.insert(StageOp.get("compute"))


class EndWithSync(RewritePattern):
    """A function that uses the VTA waits for it at its end; `dataflow` where its tokens follow the data."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FuncOp, rewriter: PatternRewriter) -> None:
        if op.body.blocks and not has_tokens(op) and stage_ends_in(op.body.block):
            rewriter.insert(SyncOp.get(dataflow=follows_data(op)), before_end(op.body.block))


def has_tokens(function: FuncOp) -> bool:
    """Whether the tokens of a function are in place: it ends with vta.sync."""
    return any(isinstance(op, SyncOp) for op in function.body.block.ops)


def follows_data(function: FuncOp) -> bool:
    """True when some buffer has copies in turn: tokens then follow the data, not the stages."""
    return any(isinstance(op, AllocOp) and COPIES.is_on(op) for op in operations_under(function))


def _ends_before(op: Operation) -> Pair | None:
    """The first and last stage of the nearest op before this one, in its block, that holds any."""
    previous = op.prev_op
    while previous is not None:
        ends = stage_ends(previous)
        if ends is not None:
            return ends
        previous = previous.prev_op
    return None


def _share_no_queue(one: str, other: str) -> bool:
    return {one, other} == {"load", "store"}


@dataclass(frozen=True)
class VtaInsertDependences(ModulePass):
    """Order the stages of each thread by tokens.

    Which tokens a stage takes and gives is a plan of a whole thread: a loop keeps tokens going
    round that its neighbours must start or close.

    requires: vta.stage groups (vta-group-stages).
    ensures:  stages of one thread run in program order; every token pushed is popped; a
              program that uses the VTA ends with vta.sync. Where a load follows a store or
              a store a load, which share no queue, an empty compute stage stands between.
    declines: nothing; a function that ends with vta.sync already stays as it is.
    """

    name = "vta-insert-dependences"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in [op for op in op.ops if isinstance(op, FuncOp) and op.body.blocks]:
            if not follows_data(function) and not has_tokens(function):
                rewrite_once(function, SeparateStages(), inside_first=True)
                for point, token in plan_tokens(function.body.block):
                    insert_ops(token, point)
        rewrite_once(op, EndWithSync())
