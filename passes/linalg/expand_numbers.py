"""expand-numbers: results without dimensions are computed as tensors of one element.

before: %n = reduce %x -> tensor<f32>     after: %one = reduce %x -> tensor<1xf32>
                                                 %n = packing.reshape %one
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, ModuleOp, TensorType
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import FillOp, GenericOp
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.dialects.packing import ReshapeOp
from vtac.rewriting.edits import stand_for
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once


class ExpandNumber(RewritePattern):
    """An operation whose one result has no dimensions -> the same with one of extent 1, and a loop over that."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, LinalgStructuredOperation) or isinstance(op, FillOp) or len(op.res) != 1:
            return
        if shape_of(op.res[0]):
            return
        start = _start(op.outputs[0])
        value = start[-1].results[0]
        maps = [attribute.data for attribute in op.get_indexing_maps()]
        last = maps[0].num_dims
        wider = [AffineMap(last + 1, 0, found.results) for found in maps[:-1]]
        written = AffineMap(last + 1, 0, (AffineExpr.dimension(last),))
        whole = GenericOp(
            op.inputs,
            [value],
            rewriter.move_region_contents_to_new_regions(op.body),
            ArrayAttr([AffineMapAttr(found) for found in (*wider, written)]),
            ArrayAttr([*op.get_iterator_types(), IteratorTypeAttr.parallel()]),
            [value.type],
        )
        stand_for(whole, op)
        whole.res[0].name_hint = f"{op.res[0].name_hint or 'number'}_one"
        number = ReshapeOp(operands=[whole.res[0]], result_types=[op.res[0].type])
        number.results[0].name_hint = op.res[0].name_hint
        rewriter.insert([*start, whole], InsertPoint.before(op))
        rewriter.replace(op, number)


def _start(value: SSAValue) -> list[Operation]:
    """What an operation goes on from, as a tensor of one element."""
    kind = TensorType(element_of(value), [1])
    empty = tensor.EmptyOp([], kind)
    owner = value.owner
    if isinstance(owner, tensor.EmptyOp):
        return [empty]
    if isinstance(owner, FillOp):
        return [empty, FillOp([owner.inputs[0]], [empty.tensor], [kind])]
    return [ReshapeOp(operands=[value], result_types=[kind])]


@dataclass(frozen=True)
class ExpandNumbers(ModulePass):
    """Give every linalg operation a result with a dimension, so that there is a loop for blocks and threads.

    requires: functions on tensors, each operation with one result (normalize-linalg).
    ensures:  no linalg operation but fills has a result without dimensions; values without are reshapes.
    declines: nothing.
    """

    name = "expand-numbers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if rewrite_once(op, ExpandNumber()):
            rewrite_once(op, DropUnread((tensor.EmptyOp, FillOp)), backwards=True)
