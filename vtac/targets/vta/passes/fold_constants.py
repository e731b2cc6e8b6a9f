"""fold-constants: host operations on constants, executed at compile time."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import cast

from xdsl.context import Context
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import (
    AnyFloat,
    BytesAttr,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    FunctionType,
    IndexType,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    TensorType,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp
from xdsl.dialects.tensor import CollapseShapeOp, EmptyOp, ExpandShapeOp, ExtractOp, ExtractSliceOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.dense_numbers import numbers_of
from vtac.analysis.device_functions import host_functions
from vtac.dialects.packing import BlockDiagonalOp, FoldOp, InterleaveOp, PackOp, ReshapeOp
from vtac.evaluate import evaluate_linalg
from vtac.evaluate.numbers import dtype_of
from vtac.rewriting.walker import rewrite_once

_FOLDABLE = (
    LinalgStructuredOperation,
    BroadcastOp,
    PackOp,
    FoldOp,
    ReshapeOp,
    CollapseShapeOp,
    ExpandShapeOp,
    InterleaveOp,
    BlockDiagonalOp,
    ExtractSliceOp,
)


@dataclass
class FoldConstant(RewritePattern):
    """An operation of a function's body on constants alone becomes a constant."""

    grow: bool

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, _FOLDABLE) or isinstance(op, FillOp) or not isinstance(op.parent_op(), FuncOp):
            return
        if _is_foldable(op, grow=self.grow):
            constant = ConstantOp(_contents(op))
            constant.location = op.location
            rewriter.replace(op, constant)


class FoldExtraction(RewritePattern):
    """An element of a constant is a constant, where its indices are."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ExtractOp, rewriter: PatternRewriter) -> None:
        source = op.tensor.owner
        places = [index.owner for index in op.indices]
        if not isinstance(source, ConstantOp) or not isinstance(source.value, DenseIntOrFPElementsAttr):
            return
        values, shape = numbers_of(source.value), source.value.get_shape()
        at = [
            one.value.value.data for one in places if isinstance(one, ConstantOp) and isinstance(one.value, IntegerAttr)
        ]
        if values is None or len(at) != len(places) or not all(0 <= i < n for i, n in zip(at, shape, strict=True)):
            return
        number, kind = values[tuple(at)].item(), source.value.get_element_type()
        if isinstance(kind, AnyFloat):
            constant = ConstantOp(FloatAttr(number, kind))
        elif isinstance(kind, IntegerType | IndexType):
            constant = ConstantOp(IntegerAttr(number, kind))
        else:
            return
        constant.location = op.location
        rewriter.replace(op, constant)


class DropUnused(RewritePattern):
    """A constant or an empty tensor of a function's body that nothing uses is gone."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConstantOp | EmptyOp, rewriter: PatternRewriter) -> None:
        if isinstance(op.parent_op(), FuncOp) and not any(result.uses for result in op.results):
            rewriter.erase(op)


@dataclass(frozen=True)
class FoldConstants(ModulePass):
    """Replace operations of host functions on dense constants alone by constants.

    requires: tensors of static shape.
    ensures:  no such operation is left, unless its result is larger than every operand (a broadcast
              bias stays one): `grow` folds those too. Elements of constants are constants; constants
              that nothing uses are gone.
    declines: nothing.
    """

    name = "fold-constants"

    grow: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            rewrite_once(function, FoldConstant(self.grow), FoldExtraction())
            rewrite_once(function, DropUnused())


def _is_foldable(op: Operation, *, grow: bool) -> bool:
    read = [*op.operands, *_captured(op)]
    sizes = [_size(operand) for operand in read if _is_dense(operand)]
    others = [operand for operand in read if not _is_dense(operand)]
    if not sizes or len(op.results) != 1 or not isinstance(op.results[0].type, TensorType):
        return False
    if any(not isinstance(v.owner, EmptyOp | ConstantOp) for v in others):
        return False
    return grow or _size(op.results[0]) <= max(sizes)


def _captured(op: Operation) -> list[SSAValue]:
    """Values that the regions of an op take from around it."""
    inside = {result for inner in op.walk() for result in inner.results}
    inside |= {argument for region in op.regions for block in region.blocks for argument in block.args}
    return [v for inner in op.walk() if inner is not op for v in inner.operands if v not in inside]


def _is_dense(value: SSAValue) -> bool:
    return isinstance(value.owner, ConstantOp) and isinstance(value.owner.value, DenseIntOrFPElementsAttr)


def _size(value: SSAValue) -> int:
    """Bytes."""
    kind = cast("TensorType[Attribute]", value.type)
    return prod(kind.get_shape()) * dtype_of(kind.get_element_type()).itemsize


def _contents(op: Operation) -> DenseIntOrFPElementsAttr:
    """What an operation on constants gives, from the evaluator."""
    mapper: dict[SSAValue, SSAValue] = {}
    body: list[Operation] = []
    for value in dict.fromkeys((*op.operands, *_captured(op))):
        body.append(cast(Operation, value.owner).clone())
        mapper[value] = body[-1].results[0]
    inner = op.clone(mapper)
    kind = cast("TensorType[Attribute]", op.results[0].type)
    region = Region(Block([*body, inner, ReturnOp(inner.results[0])]))
    function = FuncOp("constant", FunctionType.from_lists([], [kind]), region)
    (array,) = evaluate_linalg(function, ())
    return DenseIntOrFPElementsAttr(kind, BytesAttr(array.tobytes()))  # pyright: ignore[reportArgumentType]
