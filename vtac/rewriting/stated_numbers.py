"""Constants in the places of values: ranks and extents that types say, and padding by numbers that are known."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DYNAMIC_INDEX, IndexType, IntegerAttr, TensorType
from xdsl.ir import Attribute, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.utils.hints import isa

from vtac.analysis.expressions.numbers import number_of
from vtac.dialects.frontend_tensor import RankOp


class FoldShape(RewritePattern):
    """The rank or an extent of a tensor is a constant where its type says it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: RankOp | tensor.DimOp, rewriter: PatternRewriter) -> None:
        kind = op.operands[0].type
        if not isa(kind, TensorType[Attribute]):
            return
        shape = kind.get_shape()
        if isinstance(op, RankOp):
            found = len(shape)
        else:
            dim = number_of(op.index)
            if dim is None or not 0 <= dim < len(shape) or shape[dim] == DYNAMIC_INDEX:
                return
            found = shape[dim]
        constant = ConstantOp(IntegerAttr(found, IndexType()))
        constant.location = op.location
        rewriter.replace(op, constant)


class StatePadding(RewritePattern):
    """Padding by constants is stated in the operation, as the padding of tosa is lowered to it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.PadOp, rewriter: PatternRewriter) -> None:
        low, high = stated(op.static_low.get_values(), op.low), stated(op.static_high.get_values(), op.high)
        kind = op.result.type
        if (not op.low and not op.high) or low is None or high is None or DYNAMIC_INDEX in kind.get_shape():
            return
        region = rewriter.move_region_contents_to_new_regions(op.region)
        new = tensor.PadOp(op.source, [], [], region, low, high, kind, op.nofold, dict(op.attributes))
        new.location, new.result.name_hint = op.location, op.result.name_hint
        rewriter.replace(op, new)


class EmptySlice(RewritePattern):
    """A slice of a tensor that nothing was written to is one, too."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.ExtractSliceOp, rewriter: PatternRewriter) -> None:
        if isinstance(op.source.owner, tensor.EmptyOp) and DYNAMIC_INDEX not in op.result.type.get_shape():
            empty = tensor.EmptyOp([], op.result.type)
            empty.location, empty.tensor.name_hint = op.location, op.result.name_hint
            rewriter.replace(op, empty)


def stated(numbers: Sequence[int], values: Sequence[SSAValue]) -> list[int] | None:
    """Numbers, of which values stand for the open ones; None where a value is no constant."""
    found = [number_of(value) for value in values]
    known = [number for number in found if number is not None]
    if len(known) < len(found):
        return None
    left = iter(known)
    return [next(left) if number == DYNAMIC_INDEX else number for number in numbers]
