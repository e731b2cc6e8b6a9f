"""Values of a function that nothing reads any more."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from vtac.rewriting.walker import PatternOfKinds


@dataclass
class DropUnread(PatternOfKinds):
    """One op of given kinds, which have no effect but their results, directly in a function: gone when unread."""

    kinds: tuple[type[Operation], ...]

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        is_read = not op.results or any(result.first_use is not None for result in op.results)
        if not is_read and isinstance(op.parent_op(), FuncOp) and isinstance(op, self.kinds):
            rewriter.erase(op)


class DropDead(RewritePattern):
    """A scalar that nothing reads."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if isinstance(op.parent_op(), GenericOp) and op.results and not any(result.uses for result in op.results):
            rewriter.erase(op)
