"""Pattern rewrites whose refusals stay one message.

xDSL's walker prints the whole module into every exception that a pattern raises; ours carry
their location, so the first refusal is kept and raised after the walk.
"""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, PatternRewriteWalker, RewritePattern

from vtac.errors import VtacError


class _UntilRefused(RewritePattern):
    """A pattern that does nothing more once it has refused an op."""

    def __init__(self, pattern: RewritePattern) -> None:
        self.pattern = pattern
        self.refusal: VtacError | None = None

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if self.refusal is not None:
            return
        try:
            self.pattern.match_and_rewrite(op, rewriter)
        except VtacError as refusal:
            self.refusal = refusal


def rewrite_once(module: ModuleOp, pattern: RewritePattern) -> None:
    """Apply a pattern to every op of a module, not to what it makes. Raises the first refusal."""
    guarded = _UntilRefused(pattern)
    PatternRewriteWalker(guarded, apply_recursively=False).rewrite_module(module)
    if guarded.refusal is not None:
        raise guarded.refusal
