"""A constant fill in front of a reduction as the reduction's init."""

from __future__ import annotations

from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.nests.constant_fills import filled_value
from vtac.analysis.nests.nest import blocks_under
from vtac.dialects.schedule.payload import BlockOp
from vtac.rewriting.edits import take_from_nest


class FoldConstantFill(RewritePattern):
    """A constant fill right before a reduction over the same buffer: the reduction's init."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: BlockOp, rewriter: PatternRewriter) -> None:
        if not op.has_reduction or op.init is not None:
            return
        fill = _block_before(op)
        value = filled_value(fill) if fill is not None and fill.buffers[-1] is op.buffers[-1] else None
        if fill is None or value is None:
            return
        op.init = value
        take_from_nest(fill, rewriter)
        rewriter.erase(fill)


def _block_before(block: BlockOp) -> BlockOp | None:
    """The last block before a block's nest."""
    nest: Operation = block
    while not isinstance(parent := nest.parent_op(), FuncOp) and parent is not None:
        nest = parent
    while (previous := nest.prev_op) is not None:
        if blocks := blocks_under(previous):
            return blocks[-1]
        nest = previous
    return None
