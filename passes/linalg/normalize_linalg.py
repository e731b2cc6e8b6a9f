"""normalize-linalg: elementwise operations in one form, and maxima and minima by their names."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import AffineMapAttr, AnyFloat, ArrayAttr, IntegerAttr, IntegerType, ModuleOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import FillOp, GenericOp
from xdsl.ir import Operation
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.device_functions import host_functions
from vtac.analysis.elementwise import is_elementwise
from vtac.analysis.value_facts import element_of
from vtac.rewriting.edits import stand_for
from vtac.rewriting.walker import rewrite_greedily, rewrite_once

_GREATER, _LESS = (4, 5), (2, 3)
"""Predicates of arith.cmpi: signed > and >=, < and <=."""


class WriteInOrder(RewritePattern):
    """An elementwise operation is a linalg.generic whose loops are the indices of its result, in their order."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, LinalgStructuredOperation) or isinstance(op, FillOp) or not is_elementwise(op):
            return
        maps = [attribute.data for attribute in op.get_indexing_maps()]
        identity = AffineMap.identity(maps[-1].num_dims)
        if maps[-1] == identity if isinstance(op, GenericOp) else not isinstance(element_of(op.res[0]), IntegerType):
            return
        loops = [index.position for index in maps[-1].results if isinstance(index, AffineDimExpr)]
        places = AffineMap(len(loops), 0, tuple(AffineDimExpr(loops.index(loop)) for loop in range(len(loops))))
        whole = GenericOp(
            op.inputs,
            op.outputs,
            rewriter.move_region_contents_to_new_regions(op.body),
            ArrayAttr([AffineMapAttr(found.compose(places)) for found in maps]),
            op.get_iterator_types(),
            [op.res[0].type],
        )
        stand_for(whole, op)
        whole.res[0].name_hint = op.res[0].name_hint
        rewriter.replace(op, whole)


class NameExtremum(RewritePattern):
    """select(a > b, a, b) is a maximum; with the values exchanged, or with <, a minimum."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.SelectOp, rewriter: PatternRewriter) -> None:
        compared = op.cond.owner
        if not isinstance(compared, arith.CmpiOp) or isinstance(op.result.type, AnyFloat):
            return
        if {op.lhs, op.rhs} != set(compared.operands):
            return
        predicate = compared.predicate.value.data
        if predicate not in (*_GREATER, *_LESS):
            return
        is_greater = predicate in _GREATER
        kind = arith.MaxSIOp if is_greater == (op.lhs is compared.lhs) else arith.MinSIOp
        rewriter.replace(op, kind(compared.lhs, compared.rhs))


class ConstantLast(RewritePattern):
    """A constant is the second operand of an operation whose operands may be exchanged."""

    @op_type_rewrite_pattern
    def match_and_rewrite(
        self, op: arith.AddiOp | arith.MuliOp | arith.MaxSIOp | arith.MinSIOp, rewriter: PatternRewriter
    ) -> None:
        if _is_constant(op.lhs.owner) and not _is_constant(op.rhs.owner):
            rewriter.replace(op, type(op)(op.rhs, op.lhs))


def _is_constant(owner: object) -> bool:
    return isinstance(owner, arith.ConstantOp) and isinstance(owner.value, IntegerAttr)


@dataclass(frozen=True)
class NormalizeLinalg(ModulePass):
    """One form for what frontends write in several.

    requires: functions on tensors.
    ensures:  every elementwise operation, named ones on integers included, is a linalg.generic with an
              identity output map; signed integers that are compared and chosen are maxima and minima;
              constants are the second operands of sums, products and bounds.
    declines: operations with other maps, and linalg.index; comparisons of floats, which NaN tells from maxima.
    """

    name = "normalize-linalg"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            rewrite_once(function, WriteInOrder())
            rewrite_greedily(function, NameExtremum(), ConstantLast())
