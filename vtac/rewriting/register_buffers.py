"""Buffers that became registers of a warp: nothing allocates them in memory any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xdsl.dialects.memref import AllocOp
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.nests.nest import buffer_name
from vtac.errors import CompileError


@dataclass
class DropBuffer(RewritePattern):
    """The allocation of a buffer that lives in registers -> nothing.

    `home` says in which; `refusal` makes the error of a use that still takes it for memory.
    """

    declared: Mapping[SSAValue, SSAValue]
    home: str
    refusal: Callable[[Operation, str], CompileError]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AllocOp, rewriter: PatternRewriter) -> None:
        if op.memref not in self.declared:
            return
        for use in op.memref.uses:
            name = buffer_name(op.memref)
            raise self.refusal(
                use.operation, f"'{name}' lives in {self.home}, and this uses it as memory: tensorize it"
            )
        rewriter.erase(op)
