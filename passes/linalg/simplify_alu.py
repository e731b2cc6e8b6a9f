"""simplify-alu: additions of constants come together, in the start of a product where it has one; idle bounds go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import ArrayAttr, DenseIntOrFPElementsAttr, ModuleOp, i32
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, GenericOp
from xdsl.ir import BlockArgument
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.operations.elementwise import is_elementwise
from vtac.analysis.values.dense_numbers import numbers_of
from vtac.analysis.values.scaled_integers import INT32
from vtac.rewriting.alu_values import (
    Ranges,
    Vector,
    constant,
    has_one_use,
    is_of_product,
    is_product,
    with_larger_start,
)
from vtac.rewriting.edits import stand_for
from vtac.rewriting.unread import DropDead, DropUnread
from vtac.rewriting.walker import rewrite_greedily, rewrite_once


class DropIdleBound(RewritePattern):
    """A maximum or minimum with a constant that no value of the other operand passes."""

    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.MaxSIOp | arith.MinSIOp, rewriter: PatternRewriter) -> None:
        number, found = number_of(op.rhs), self.ranges.of(op.lhs)
        if number is None or found is None:
            return
        if (number <= found[0]) if isinstance(op, arith.MaxSIOp) else (number >= found[1]):
            rewriter.replace(op, [], [op.lhs])


class MergeAdditions(RewritePattern):
    """(x + a) + b is x + (a + b), as 32 bits wrap."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.AddiOp, rewriter: PatternRewriter) -> None:
        number, inner = number_of(op.rhs), op.lhs.owner
        if number is None or op.result.type != i32:
            return
        if number == 0:
            rewriter.replace(op, [], [op.lhs])
            return
        if not isinstance(inner, arith.AddiOp) or not has_one_use(inner.result):
            return
        before = number_of(inner.rhs)
        if before is not None:
            total = constant((before + number + (1 << 31)) % (1 << 32) - (1 << 31))
            rewriter.replace(op, [total, arith.AddiOp(inner.lhs, total.result)])
            rewriter.erase(inner)


class AddToVector(RewritePattern):
    """(x + v) + a, v a constant per channel that nothing else reads, is x + (v + a)."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.AddiOp, rewriter: PatternRewriter) -> None:
        number, inner, body = number_of(op.rhs), op.lhs.owner, op.parent_op()
        if number is None or not isinstance(inner, arith.AddiOp) or not has_one_use(inner.result):
            return
        if not isinstance(body, GenericOp):
            return
        for argument in (v for v in inner.operands if isinstance(v, BlockArgument) and has_one_use(v)):
            larger = with_larger_start(body.inputs[argument.index], number)
            if larger is not None and argument.type == i32:
                rewriter.insert(larger, InsertPoint.before(body))
                body.operands[argument.index] = larger[-1].results[0]
                rewriter.notify_op_modified(body)
                rewriter.replace(op, [], [inner.result])
                return


class AddBeforeBound(RewritePattern):
    """max(x, a) + b is max(x + b, a + b) where neither wraps: the addition comes to the sums of a product."""

    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.AddiOp, rewriter: PatternRewriter) -> None:
        number, bound = number_of(op.rhs), op.lhs.owner
        if number is None or not isinstance(bound, arith.MaxSIOp | arith.MinSIOp) or not has_one_use(bound.result):
            return
        limit, found = number_of(bound.rhs), self.ranges.of(bound.lhs)
        if limit is None or found is None or not is_of_product(bound.lhs):
            return
        if not all(INT32[0] <= value + number <= INT32[1] for value in (*found, limit)):
            return
        added = arith.AddiOp(bound.lhs, op.rhs)
        moved = constant(limit + number)
        self.ranges.set(added.result, (found[0] + number, found[1] + number))
        rewriter.replace(op, [added, moved, type(bound)(added.result, moved.result)])
        rewriter.erase(bound)


class AddToStart(RewritePattern):
    """A constant that is added to the sums of a product, which start from constants: the start is larger."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenericOp, rewriter: PatternRewriter) -> None:
        if not is_elementwise(op):
            return
        for argument, value in zip(op.body.block.args, op.inputs, strict=False):
            product = value.owner
            if not is_product(product) or not has_one_use(value) or not has_one_use(argument):
                continue
            added = next(iter(argument.uses)).operation
            if not isinstance(added, arith.AddiOp) or not isinstance(product, LinalgStructuredOperation):
                continue
            number = _added_to(op, argument, added)
            start = None if number is None else with_larger_start(product.outputs[0], number)
            if start is not None:
                rewriter.insert(start, InsertPoint.before(product))
                product.operands[len(product.operands) - 1] = start[-1].results[0]
                rewriter.notify_op_modified(product)
                rewriter.replace(added, [], [argument])
                _drop_unread_input(op, rewriter)
                return


def _added_to(op: GenericOp, argument: BlockArgument, added: arith.AddiOp) -> int | Vector | None:
    """The constant that is added to an operand: a number, or one per index of a dimension."""
    other = added.rhs if added.lhs is argument else added.lhs
    number = number_of(other)
    if number is not None or not isinstance(other, BlockArgument) or not has_one_use(other):
        return number
    maps = [attribute.data for attribute in op.get_indexing_maps()]
    if other.index >= len(op.inputs) or maps[argument.index] != AffineMap.identity(maps[-1].num_dims):
        return None
    owner, places = op.inputs[other.index].owner, maps[other.index].results
    contents = owner.value if isinstance(owner, arith.ConstantOp) else None
    if not isinstance(contents, DenseIntOrFPElementsAttr) or len(places) != 1 or other.type != i32:
        return None
    values, (place,) = numbers_of(contents), places
    if values is None or not isinstance(place, AffineDimExpr):
        return None
    return Vector(place.position, values.astype(np.int64))


def _drop_unread_input(op: GenericOp, rewriter: PatternRewriter) -> None:
    """Leave out an operand that the body does not read any more."""
    unread = [argument for argument in op.body.block.args[:-1] if not argument.uses]
    if not unread:
        return
    dropped = {argument.index for argument in unread}
    for argument in reversed(unread):
        rewriter.erase_block_argument(argument)
    kept = [place for place in range(len(op.inputs)) if place not in dropped]
    maps = [op.indexing_maps.data[place] for place in (*kept, -1)]
    new = GenericOp(
        [op.inputs[place] for place in kept],
        op.outputs,
        rewriter.move_region_contents_to_new_regions(op.body),
        ArrayAttr(maps),
        op.iterator_types,
        [op.res[0].type],
    )
    stand_for(new, op)
    new.res[0].name_hint = op.res[0].name_hint
    rewriter.replace(op, new)


@dataclass(frozen=True)
class SimplifyAlu(ModulePass):
    """Fewer ALU operations for the same numbers.

    requires: elementwise operations in i32, as fuse-elementwise leaves them.
    ensures:  of constants that are added in a row, per channel or not, or before and after a bound, one sum
              is added; to the sums of a product that start from constants nothing is; no bound stands that never binds.
    declines: additions that may wrap on one side of a bound only; starts of zeros, to which an immediate
              is added for less than a bias is loaded.
    """

    name = "simplify-alu"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            ranges = Ranges(function)
            rewrite_greedily(function, DropIdleBound(ranges), MergeAdditions(), AddToVector(), AddBeforeBound(ranges))
            rewrite_once(function, DropDead(), backwards=True)
            rewrite_once(function, AddToStart())
            unread = DropUnread((FillOp, BroadcastOp, tensor.EmptyOp, arith.ConstantOp))
            rewrite_once(function, DropDead(), unread, backwards=True)
