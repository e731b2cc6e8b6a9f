"""shape-reductions: sums and maxima over dimensions, and products of vectors, as poolings and products of matrices.

before: %y = linalg.generic ins(%x : tensor<6x20xi8>)      sums along rows
        %z = linalg.matvec ins(%a, %v)
after:  %y = linalg.generic ins(%x as 1x1x6x20, a window of 1x20)      a pooling
        %z = linalg.generic ins(%a, %v as one column)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, ModuleOp, TensorType, i8, i32
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import FillOp, GenericOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.operations.contraction import Contraction, match_contraction
from vtac.analysis.operations.structured_view import structured_view
from vtac.analysis.programs.reductions_of_tensors import Reduction, reduction_of
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.dialects.packing import ReshapeOp
from vtac.rewriting.edits import replace_by
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once

MOST_BY_ALU = 64
"""Elements that are reduced one ALU operation each, as poolings are."""


class ReduceByPooling(RewritePattern):
    """A sum or maximum over one or two dimensions of data is a pooling whose windows are these dimensions."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        found = reduction_of(op)
        if found is None or not _is_for_the_vta(found):
            return
        made: list[Operation] = []
        data = _reshaped(op.inputs[0], found.shape, made)
        start = _reshaped(op.outputs[0], found.result, made)
        window = tensor.EmptyOp([], TensorType(i32, list(found.window)))
        made.append(window)
        body = op.body.clone()
        body.block.insert_arg(i32, 1)
        pooled = GenericOp(
            [data, window.tensor],
            [start],
            body,
            ArrayAttr([AffineMapAttr(indices) for indices in found.maps]),
            ArrayAttr([*[IteratorTypeAttr.parallel()] * 4, *[IteratorTypeAttr.reduction()] * 2]),
            [start.type],
        )
        made += [pooled, ReshapeOp(operands=[pooled.res[0]], result_types=[op.res[0].type])]
        pooled.res[0].name_hint = op.res[0].name_hint
        replace_by(op, made, rewriter)


class WidenVectors(RewritePattern):
    """A product without rows or without columns has one of what it lacks."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        view = structured_view(op)
        found = view if isinstance(view, str) else match_contraction(view)
        if isinstance(found, str) or found.kind != "product" or not _is_of_vectors(found):
            return
        made: list[Operation] = []
        whole = _Widening(op, found, made).product()
        made.append(ReshapeOp(operands=[whole], result_types=[op.res[0].type]))
        replace_by(op, made, rewriter)


@dataclass
class _Widening:
    """A product of vectors with unit dimensions in front of rows and behind columns."""

    op: LinalgStructuredOperation
    found: Contraction[int]
    made: list[Operation]

    def product(self) -> SSAValue:
        op, loops = self.op, len(self.found.view.variables)
        new_row, new_column = not self.found.rows, not self.found.columns
        count = loops + new_row + new_column
        row = AffineDimExpr(loops) if new_row else None
        column = AffineDimExpr(count - 1) if new_column else None
        left, right = (factor.position for factor in self.found.factors)
        maps = [attribute.data for attribute in op.get_indexing_maps()]
        operands: list[SSAValue] = []
        widened: list[AffineMap] = []
        for position, (value, indices) in enumerate(zip(op.operands, maps, strict=True)):
            is_result = position == len(maps) - 1
            front = row if is_result or position == left else None
            behind = column if is_result or position == right else None
            results = [*([front] if front else []), *indices.results, *([behind] if behind else [])]
            widened.append(AffineMap(count, 0, tuple(results)))
            shape = [*([1] if front else []), *shape_of(value), *([1] if behind else [])]
            operands.append(value if len(results) == len(indices.results) else _reshaped(value, shape, self.made))
        kinds = [*op.get_iterator_types(), *[IteratorTypeAttr.parallel()] * (new_row + new_column)]
        attributes = ArrayAttr([AffineMapAttr(indices) for indices in widened])
        output = operands[-1]
        whole = GenericOp(operands[:-1], [output], op.body.clone(), attributes, ArrayAttr(kinds), [output.type])
        whole.res[0].name_hint = op.res[0].name_hint
        self.made.append(whole)
        return whole.res[0]


def _is_for_the_vta(found: Reduction) -> bool:
    """Whether the VTA may compute it: of i8 and i32; one ALU operation per element unless it is a sum of i8."""
    if found.element == i8 and found.kind == "sum":
        return True
    return found.element in (i8, i32) and found.terms <= MOST_BY_ALU


def _is_of_vectors(found: Contraction[int]) -> bool:
    lacking = not found.rows or not found.columns
    single = len(found.rows) <= 1 and len(found.columns) <= 1 and len(found.depth) == 1
    plain = all(None not in operand.plain for operand in (*found.operands, found.view.output))
    return lacking and single and plain and not (found.batch or found.broadcast or found.partial)


def _reshaped(value: SSAValue, shape: Sequence[int], made: list[Operation]) -> SSAValue:
    """A tensor in another shape of as many elements; of a filled one, another that is filled so."""
    kind: TensorType[Attribute] = TensorType(element_of(value), list(shape))
    if value.type == kind:
        return value
    if isinstance(value.owner, FillOp):
        made.append(tensor.EmptyOp([], kind))
        made.append(FillOp([value.owner.inputs[0]], [made[-1].results[0]], [kind]))
    else:
        made.append(ReshapeOp(operands=[value], result_types=[kind]))
    return made[-1].results[0]


@dataclass(frozen=True)
class ShapeReductions(ModulePass):
    """Give reductions of tensors the loops that poolings and matrix products have.

    requires: functions on tensors, whose integers are narrow (narrow-integers).
    ensures:  a sum or maximum of i8 or i32 over one or two dimensions of up to four is a pooling, a product of a
              matrix and a vector, or of two vectors, one of matrices; reshapes around them.
    declines: maxima, and sums of i32, of more than 64 elements; floats; results in another order than the data.
    """

    name = "shape-reductions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            if rewrite_once(function, ReduceByPooling(), WidenVectors()):
                rewrite_once(function, DropUnread((FillOp, tensor.EmptyOp)), backwards=True)
