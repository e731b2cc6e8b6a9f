"""split-products: products of few tiles and long sums are added up in parts, which more blocks compute.

before: %c = product %a, %b -> m x n      after: %p = product %a, %b in parts -> parts x m x n
             {wmma.split = parts}                %c = sum of %p over the parts
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import (
    AffineMapAttr,
    AnyFloat,
    ArrayAttr,
    DenseArrayBase,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    Signedness,
    TensorType,
    i64,
)
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import FillOp, GenericOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.locations import location_of
from vtac.analysis.tensor_cores.product_splits import depth_to_split, is_padded_beside, padding
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.dialects.wmma.declared import SPLIT
from vtac.errors import CompileError
from vtac.rewriting.edits import append
from vtac.rewriting.walker import rewrite_once


class SplitProduct(RewritePattern):
    """A product with a number of parts -> products of the parts of its operands, and their sum."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        parts = SPLIT.get(op)
        if parts is None or not isinstance(op, LinalgStructuredOperation):
            return
        depth = depth_to_split(op, parts)
        if isinstance(depth, str):
            raise CompileError(f"cannot take the sums of '{op.name}' in {parts} parts: {depth}", location_of(op))
        maps = [attribute.data for attribute in op.get_indexing_maps()]
        seen = [_in_parts(value, found, depth, parts) for value, found in zip(op.inputs, maps, strict=False)]
        out = maps[-1]
        written = AffineMap(out.num_dims + 1, 0, (AffineExpr.dimension(0), *_moved(out)))
        start = _zeros(op.res[0], parts)
        product = GenericOp(
            [value for _, value, _ in seen],
            [start[-1].results[0]],
            rewriter.move_region_contents_to_new_regions(op.body),
            ArrayAttr([AffineMapAttr(found) for found in (*(found for _, _, found in seen), written)]),
            ArrayAttr([IteratorTypeAttr.parallel(), *op.get_iterator_types()]),
            [start[-1].results[0].type],
        )
        product.location = op.location
        product.res[0].name_hint = f"{op.res[0].name_hint or 'product'}_parts"
        total = _sum(product.res[0], op.outputs[0])
        total.location = op.location
        total.attributes = {name: value for name, value in op.attributes.items() if name != SPLIT.name}
        total.res[0].name_hint = op.res[0].name_hint
        rewriter.insert([*(one for made, _, _ in seen for one in made), *start, product], InsertPoint.before(op))
        pads = [value.owner for value in op.inputs]
        rewriter.replace(op, total)
        for pad in dict.fromkeys(pads):
            if isinstance(pad, tensor.PadOp) and not any(True for _ in pad.result.uses):
                rewriter.erase(pad)


def _in_parts(
    value: SSAValue, found: AffineMap, depth: int, parts: int
) -> tuple[Sequence[Operation], SSAValue, AffineMap]:
    """An operand whose dimension of the depth is two, the parts first, and how it is reached then.

    Padding of other dimensions comes after, so that the product still reads through it.
    """
    at = next(n for n, expr in enumerate(found.results) if expr == AffineExpr.dimension(depth))
    pad = value.owner
    if isinstance(pad, tensor.PadOp) and is_padded_beside(pad, at):
        whole = _expanded(pad.source, at, parts)
        made = [whole, _padded(pad, whole.results[0], at)]
    else:
        made = [_expanded(value, at, parts)]
    moved = _moved(found)
    results = (*moved[:at], AffineExpr.dimension(0), *moved[at:])
    return made, made[-1].results[0], AffineMap(found.num_dims + 1, 0, results)


def _expanded(value: SSAValue, at: int, parts: int) -> tensor.ExpandShapeOp:
    """A tensor one dimension of which is two, the parts first."""
    shape = list(shape_of(value))
    split = [*shape[:at], parts, shape[at] // parts, *shape[at + 1 :]]
    groups = [[n] if n < at else [n, n + 1] if n == at else [n + 1] for n in range(len(shape))]
    return tensor.ExpandShapeOp.create(
        operands=[value],
        result_types=[TensorType(element_of(value), split)],
        properties={
            "reassociation": ArrayAttr([ArrayAttr([IntegerAttr(n, i64) for n in group]) for group in groups]),
            "static_output_shape": DenseArrayBase.from_list(i64, split),
        },
    )


def _padded(pad: tensor.PadOp, source: SSAValue, at: int) -> tensor.PadOp:
    """The padding of a tensor whose dimension `at`, which is not padded, is two now."""
    low, high = ([*amounts[:at], 0, *amounts[at:]] for amounts in (padding(pad.static_low), padding(pad.static_high)))
    body = Block(arg_types=[IndexType()] * len(low))
    mapping: dict[SSAValue, SSAValue] = {}
    append([op.clone(mapping) for op in pad.region.block.ops], body)
    shape = list(shape_of(pad.result))
    extents = shape_of(source)[at : at + 2]
    kind = TensorType(element_of(source), [*shape[:at], *extents, *shape[at + 1 :]])
    made = tensor.PadOp(source, [], [], Region(body), low, high, kind)
    made.result.name_hint = pad.result.name_hint
    made.location = pad.location
    return made


def _moved(found: AffineMap) -> tuple[AffineExpr, ...]:
    """Indices after a loop was put in front of the others."""
    dims = [AffineExpr.dimension(number + 1) for number in range(found.num_dims)]
    return tuple(expr.replace_dims_and_symbols(dims, []) for expr in found.results)


def _zeros(result: SSAValue, parts: int) -> list[Operation]:
    """What the sums of all parts start from."""
    element = element_of(result)
    kind = TensorType(element, [parts, *shape_of(result)])
    if isinstance(element, IntegerType):
        zero = arith.ConstantOp(IntegerAttr(0, cast("IntegerType[int, Signedness]", element)))
    else:
        zero = arith.ConstantOp(FloatAttr(0.0, cast("AnyFloat", element)))
    empty = tensor.EmptyOp([], kind)
    return [zero, empty, FillOp([zero.result], [empty.tensor], [kind])]


def _sum(parts: SSAValue, start: SSAValue) -> GenericOp:
    """The sum over the first dimension of a tensor, from what another holds on."""
    element, rank = element_of(parts), len(shape_of(start))
    body = Block(arg_types=[element, element])
    adds = arith.AddiOp if isinstance(element, IntegerType) else arith.AddfOp
    added = adds(body.args[1], body.args[0])
    append(added, body)
    append(YieldOp(added.result), body)
    dims = [AffineExpr.dimension(number) for number in range(rank + 1)]
    maps = [AffineMap(rank + 1, 0, (dims[-1], *dims[:-1])), AffineMap(rank + 1, 0, tuple(dims[:-1]))]
    kinds = [*[IteratorTypeAttr.parallel()] * rank, IteratorTypeAttr.reduction()]
    types: list[Attribute] = [start.type]
    return GenericOp([parts], [start], Region(body), ArrayAttr(map(AffineMapAttr, maps)), ArrayAttr(kinds), types)


@dataclass(frozen=True)
class SplitProducts(ModulePass):
    """Take the sums of products in parts where they say so.

    requires: functions on tensors.
    ensures:  no operation has `wmma.split`. One that had it is a batch of products, one for each part of its depth,
              from zero on, and a sum of these from what the operation went on from. Sums of floats are taken in
              another order. An operand that is padded in other dimensions is taken apart before it is padded.
    declines: what is no product; a depth that no dimension of both operands is, or that the parts do not divide.
    """

    name = "split-products"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, SplitProduct())
