"""isolate-host-operations: elementwise operations that the ALU has no words for go into host segments.

before: %y = linalg.generic ins(%x) { x / 3 }      after: %y = packing.host "'linalg.generic' cannot run ..."
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import FillOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.operations.elementwise import is_elementwise
from vtac.analysis.values.tensor_ranges import TensorRanges
from vtac.partition.alu_operations import alu_difference, has_alu_body
from vtac.partition.host_segments import reason_of, segment_of
from vtac.partition.moves import is_move
from vtac.rewriting.walker import rewrite_once


@dataclass
class IsolateOperation(RewritePattern):
    """An elementwise operation that no body of the integer level computes is the host's, with the reason."""

    ranges: TensorRanges

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        if isinstance(op, FillOp) or not isinstance(op.parent_op(), FuncOp) or not is_elementwise(op):
            return
        if is_move(op) or has_alu_body(op):
            return
        segment = segment_of(op, reason_of(op, self.ranges, alu_difference(op)))
        rewriter.replace(op, segment, segment.outputs)


@dataclass(frozen=True)
class IsolateHostOperations(ModulePass):
    """Keep apart what the VTA does not compute, so that nothing that it does is fused with that.

    requires: host functions whose elementwise operations are legalised (legalize-for-alu).
    ensures:  elementwise operations outside of host segments have bodies of the integer level, or only move elements.
    declines: nothing; refuse-host-operations refuses what is kept apart.
    """

    name = "isolate-host-operations"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            rewrite_once(function, IsolateOperation(TensorRanges(function.body.block)))
