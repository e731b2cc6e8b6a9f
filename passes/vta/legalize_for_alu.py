"""legalize-for-alu: elementwise operations in the words of the VTA's ALU, where it computes the same.

before: { x - 3, of i8 }             after: { extend x, + (-3), truncate }
        { x > y ? x : y }                    { x max y }
        { (x * 2^30 + 2^37) >> 38, in i64 }  { ((x >> 7) + 1) >> 1 }
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, GenericOp, TransposeOp
from xdsl.ir.affine import AffineConstantExpr
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.operations.elementwise import is_elementwise
from vtac.analysis.types.tensor_types import shape_of
from vtac.analysis.values.tensor_ranges import TensorRanges
from vtac.dialects.packing.declared import CHOICE
from vtac.partition.alu_legalizing import legalized
from vtac.partition.alu_operations import alu_difference
from vtac.partition.unit_dimensions import without_dimensions
from vtac.rewriting.edits import replace_by
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once

_UNREAD = (tensor.EmptyOp, FillOp, ConstantOp)
"""What is gone when nothing reads it any more."""


@dataclass
class LegalizeBody(RewritePattern):
    """An elementwise operation computes with additions, maxima, minima and shifts of 32 bits, and i8 times numbers."""

    ranges: TensorRanges

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        if isinstance(op, FillOp | BroadcastOp | TransposeOp) or not is_elementwise(op) or not alu_difference(op):
            return
        made = legalized(op, self.ranges)
        if isinstance(made, str):
            return
        CHOICE.copy(op, made[-1])
        old = op.res[0]
        self.ranges.of(old)  # as it is now
        replace_by(op, made, rewriter)
        self.ranges.rename(old, made[-1].results[0])


class DropUnitIndices(RewritePattern):
    """An operand that is read at 0 along a dimension of extent 1 is a view without that dimension."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenericOp, rewriter: PatternRewriter) -> None:
        maps = [attribute.data for attribute in op.get_indexing_maps()]
        at_zero = [
            [dim for dim, index in enumerate(found.results) if isinstance(index, AffineConstantExpr)] for found in maps
        ]
        if not any(at_zero[: len(op.inputs)]) or at_zero[-1] or _reduces(op):
            return
        kept = {
            value: [dim for dim in range(len(shape_of(value))) if dim not in dims]
            for value, dims in zip(op.operands, at_zero, strict=True)
            if isinstance(value.type, TensorType) and all(shape_of(value)[dim] == 1 for dim in dims)
        }
        if len(set(op.operands)) == len(op.operands):
            replace_by(op, without_dimensions(op, kept), rewriter)


def _reduces(op: GenericOp) -> bool:
    return any(kind.data is not IteratorType.PARALLEL for kind in op.get_iterator_types())


@dataclass(frozen=True)
class LegalizeForAlu(ModulePass):
    """Write elementwise operations as the ALU, and GEMM with numbers on a diagonal, compute them.

    requires: host functions on tensors of static shape.
    ensures:  elementwise operations on i8 and i32 tensors have bodies of the integer level where there are such that
              compute the same, by the ranges of their operands.
    declines: nothing; other operations stay as they are.
    """

    name = "legalize-for-alu"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            rewrite_once(function, DropUnitIndices())
            rewrite_once(function, LegalizeBody(TensorRanges(function.body.block)))
            rewrite_once(function, DropUnread(_UNREAD), backwards=True)
