"""normalize-linalg: elementwise operations in one form, and maxima and minima by their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import AffineMapAttr, AnyFloat, ArrayAttr, IntegerType, ModuleOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType, IteratorTypeAttr
from xdsl.dialects.linalg.ops import FillOp, GenericOp, ReduceOp, YieldOp
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import Rewriter

from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.operations.elementwise import is_elementwise
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.rewriting.edits import erase, stand_for
from vtac.rewriting.unread import DropDead
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


class SplitResults(RewritePattern):
    """An operation of several results is one for each of them, where none of them needs another one's sum."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenericOp, rewriter: PatternRewriter) -> None:
        count, inputs = len(op.res), len(op.inputs)
        if count < 2 or not _are_apart(op):
            return
        maps = op.indexing_maps.data
        made: list[GenericOp] = []
        for number in range(count):
            body = op.body.clone()
            block, last = body.block, cast(Operation, body.block.last_op)
            Rewriter.replace_op(last, YieldOp(last.operands[number]))
            for unread in [one for one in reversed(list(block.ops)) if one.results]:
                if not any(True for result in unread.results for _ in result.uses):
                    erase(unread)
            for argument in [one for place, one in enumerate(block.args[inputs:]) if place != number]:
                block.erase_arg(argument)
            kept = ArrayAttr([*maps[:inputs], maps[inputs + number]])
            output = op.outputs[number]
            made.append(GenericOp(op.inputs, [output], body, kept, op.iterator_types, [op.res[number].type]))
            made[-1].location = op.location
            made[-1].res[0].name_hint = op.res[number].name_hint
        rewriter.replace(op, made, [one.res[0] for one in made])


def _are_apart(op: GenericOp) -> bool:
    """Whether each result is computed from the operands and, in a reduction, what it has itself summed up so far."""
    parallel = all(kind.data is IteratorType.PARALLEL for kind in op.get_iterator_types())
    sums = op.body.block.args[len(op.inputs) :]
    if parallel:
        return not any(argument.uses for argument in sums)
    last = cast(Operation, op.body.block.last_op)
    return all(_sums_behind(last.operands[number], set(sums)) <= {own} for number, own in enumerate(sums))


def _sums_behind(value: SSAValue, sums: set[SSAValue]) -> set[SSAValue]:
    """Those of some values that a value is computed from."""
    owner = value.owner
    found = {value} & sums
    if isinstance(owner, Operation):
        read = [operand for inner in owner.walk() for operand in inner.operands]
        found |= {one for operand in read for one in _sums_behind(operand, sums)}
    return found


class ReduceAsGeneric(RewritePattern):
    """linalg.reduce is the linalg.generic that it stands for."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReduceOp, rewriter: PatternRewriter) -> None:
        rank, reduced = len(shape_of(op.input)), set(op.dimensions.get_values())
        if len(op.result) != 1:
            return
        written = AffineMap(rank, 0, tuple(AffineDimExpr(dim) for dim in range(rank) if dim not in reduced))
        kinds = [IteratorTypeAttr.reduction() if dim in reduced else IteratorTypeAttr.parallel() for dim in range(rank)]
        whole = GenericOp(
            [op.input],
            [op.init],
            rewriter.move_region_contents_to_new_regions(op.region),
            ArrayAttr([AffineMapAttr(AffineMap.identity(rank)), AffineMapAttr(written)]),
            ArrayAttr(kinds),
            [op.result[0].type],
        )
        stand_for(whole, op)
        whole.res[0].name_hint = op.result[0].name_hint
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
        if number_of(op.lhs) is not None and number_of(op.rhs) is None:
            rewriter.replace(op, type(op)(op.rhs, op.lhs))


@dataclass(frozen=True)
class NormalizeLinalg(ModulePass):
    """One form for what frontends write in several.

    requires: functions on tensors.
    ensures:  no elementwise operation has several results, nor has a reduction whose results need not each other;
              `linalg.reduce` is a linalg.generic;
              every elementwise operation, named ones on integers included, is a linalg.generic with an
              identity output map; signed integers that are compared and chosen are maxima and minima;
              constants are the second operands of sums, products and bounds.
    declines: operations with other maps, and linalg.index; comparisons of floats, which NaN tells from maxima.
    """

    name = "normalize-linalg"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            rewrite_once(function, ReduceAsGeneric(), SplitResults())
            rewrite_once(function, DropDead(), backwards=True)
            rewrite_once(function, WriteInOrder())
            rewrite_greedily(function, NameExtremum(), ConstantLast())
