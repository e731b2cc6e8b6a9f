"""fold-constants: host operations on constants, executed at compile time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import cast

import numpy as np
from xdsl.context import Context
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import (
    AffineMapAttr,
    AnyFloat,
    ArrayAttr,
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
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, GenericOp
from xdsl.dialects.tensor import CollapseShapeOp, EmptyOp, ExpandShapeOp, ExtractOp, ExtractSliceOp, InsertSliceOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.ir.walks import operations_under
from vtac.analysis.operations.elementwise import is_elementwise
from vtac.analysis.types.tensor_types import element_of
from vtac.analysis.values.dense_numbers import numbers_of
from vtac.analysis.values.integer_ranges import width_of
from vtac.dialects.packing import BlockDiagonalOp, FoldOp, InterleaveOp, PackOp, ReshapeOp, TransposeTilesOp
from vtac.evaluate import evaluate_linalg
from vtac.evaluate.arith import SUPPORTED, compute
from vtac.evaluate.host import LAYOUT_OPS, change_layout
from vtac.evaluate.numbers import Array, dtype_of, number
from vtac.limits import MEMORY
from vtac.rewriting.walker import PatternOfKinds, rewrite_once

_FOLDABLE = (
    LinalgStructuredOperation,
    BroadcastOp,
    PackOp,
    FoldOp,
    ReshapeOp,
    TransposeTilesOp,
    CollapseShapeOp,
    ExpandShapeOp,
    InterleaveOp,
    BlockDiagonalOp,
    ExtractSliceOp,
    InsertSliceOp,
)


@dataclass
class FoldConstant(PatternOfKinds):
    """An operation of a function's body on constants alone becomes a constant."""

    kinds = _FOLDABLE
    grow: bool

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, _FOLDABLE) or isinstance(op, FillOp) or not isinstance(op.parent_op(), FuncOp):
            return
        if _is_foldable(op, grow=self.grow):
            constant = ConstantOp(_contents(op))
            constant.location = op.location
            rewriter.replace(op, constant)


class FoldFill(RewritePattern):
    """What an elementwise operation makes of tensors of one number is a tensor of one number."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenericOp, rewriter: PatternRewriter) -> None:
        fills = [value.owner for value in op.inputs]
        numbers = [fill.inputs[0] for fill in fills if isinstance(fill, FillOp) and _is_constant(fill.inputs[0])]
        if not numbers or len(numbers) != len(fills) or len(op.res) != 1 or not is_elementwise(op):
            return
        if any(not _is_constant(value) for value in _captured(op)) or op.body.block.args[-1].uses:
            return
        kind, element = op.res[0].type, element_of(op.res[0])
        values = numbers_of(_contents(_of_one_element(op, numbers)))
        constant = None if values is None else _scalar(values.item(), element)
        if constant is None:
            return
        empty = EmptyOp([], kind)
        fill = FillOp([constant.result], [empty.tensor], [kind])
        fill.location, fill.results[0].name_hint = op.location, op.res[0].name_hint
        rewriter.replace(op, [constant, empty, fill])


class FoldScalar(RewritePattern):
    """Arithmetic on numbers that are constants, in a function's body, gives one."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if op.name not in SUPPORTED or isinstance(op, ConstantOp) or not isinstance(op.parent_op(), FuncOp):
            return
        owners = [value.owner for value in op.operands]
        numbers = [one.value for one in owners if isinstance(one, ConstantOp) and not _is_dense(one.result)]
        if len(numbers) < len(owners) or isinstance(op.results[0].type, TensorType):
            return
        constant = _scalar(compute(op, [number(one) for one in numbers], None).item(), op.results[0].type)
        if constant is not None:
            constant.location, constant.result.name_hint = op.location, op.results[0].name_hint
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
        constant = _scalar(values[tuple(at)].item(), source.value.get_element_type())
        if constant is None:
            return
        constant.location = op.location
        rewriter.replace(op, constant)


class DropUnused(RewritePattern):
    """A constant or an empty tensor of a function's body that nothing uses is gone."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConstantOp | EmptyOp, rewriter: PatternRewriter) -> None:
        if isinstance(op.parent_op(), FuncOp) and not any(result.uses for result in op.results):
            rewriter.erase(op)


def _is_foldable(op: Operation, *, grow: bool) -> bool:
    if len(op.results) != 1 or not isinstance(op.results[0].type, TensorType):
        return False
    if not all(map(_is_given, op.operands)):
        return False
    read = [*op.operands, *_captured(op)]
    sizes = [_size(value) for value in read if _is_dense(value)]
    if not sizes or not all(map(_is_given, read)):
        return False
    if isinstance(op, InsertSliceOp) and not _is_dense(op.dest):  # what is not written has no number yet
        return False
    return grow or _size(op.results[0]) <= max(sizes)


def _is_given(value: SSAValue) -> bool:
    """Whether a value is a constant, or a tensor that nothing was written to."""
    return isinstance(value.owner, EmptyOp | ConstantOp)


def _captured(op: Operation) -> list[SSAValue]:
    """Values that the regions of an op take from around it."""
    if not op.regions:
        return []
    inner = operations_under(op)[1:]
    inside = {result for one in inner for result in one.results} | set(op.results)
    inside |= {argument for region in op.regions for block in region.blocks for argument in block.args}
    return [value for one in inner for value in one.operands if value not in inside]


def _is_constant(value: SSAValue) -> bool:
    return isinstance(value.owner, ConstantOp)


def _scalar(number: float, kind: Attribute) -> ConstantOp | None:
    if isinstance(kind, AnyFloat):
        return ConstantOp(FloatAttr(number, kind))
    if isinstance(kind, IndexType):
        return ConstantOp(IntegerAttr(int(number), kind))
    width = width_of(kind)
    return None if width is None else ConstantOp(IntegerAttr(int(number), width))


def _of_one_element(op: GenericOp, numbers: Sequence[SSAValue]) -> GenericOp:
    """The same computation of tensors of rank 0 that hold these numbers."""
    inputs = list[SSAValue]()
    for value in numbers:
        kind = TensorType(value.type, [])
        held = cast("IntegerAttr[IntegerType] | FloatAttr", cast(ConstantOp, value.owner).value)
        array = np.array(held.value.data, dtype_of(value.type))
        contents = DenseIntOrFPElementsAttr(kind, BytesAttr(array.tobytes()))  # pyright: ignore[reportArgumentType]
        inputs.append(ConstantOp(contents).result)
    empty = EmptyOp([], TensorType(element_of(op.res[0]), []))
    maps = ArrayAttr([AffineMapAttr(AffineMap(0, 0, ()))] * (len(inputs) + 1))
    return GenericOp(inputs, [empty.tensor], op.body.clone(), maps, ArrayAttr([]), [empty.tensor.type])


def _is_dense(value: SSAValue) -> bool:
    return isinstance(value.owner, ConstantOp) and isinstance(value.owner.value, DenseIntOrFPElementsAttr)


def _size(value: SSAValue) -> int:
    """Bytes."""
    kind = cast("TensorType[Attribute]", value.type)
    return prod(kind.get_shape()) * dtype_of(kind.get_element_type()).itemsize


def _contents(op: Operation) -> DenseIntOrFPElementsAttr:
    """What an operation on constants gives, as the evaluator has it."""
    kind = cast("TensorType[Attribute]", op.results[0].type)
    array = _moved(op) if isinstance(op, LAYOUT_OPS) else None
    if array is None:
        array = _evaluated(op, kind)
    return DenseIntOrFPElementsAttr(kind, BytesAttr(array.tobytes()))  # pyright: ignore[reportArgumentType]


def _moved(op: Operation) -> Array | None:
    """What an operation gives that only moves elements; None where it is not for numpy, or too much."""
    values = op.operands[:1] if isinstance(op, BroadcastOp) else op.operands
    if MEMORY.refusal(sum(map(_size, (*values, *op.results)))):
        return None
    arrays = [numbers_of(cast(DenseIntOrFPElementsAttr, cast(ConstantOp, value.owner).value)) for value in values]
    known = [array for array in arrays if array is not None and array.dtype == dtype_of(element_of(op.results[0]))]
    return change_layout(op, known) if len(known) == len(arrays) else None


def _evaluated(op: Operation, kind: TensorType[Attribute]) -> Array:
    """What an operation on constants gives, which the evaluator executes."""
    mapper: dict[SSAValue, SSAValue] = {}
    body: list[Operation] = []
    for value in dict.fromkeys((*op.operands, *_captured(op))):
        body.append(cast(Operation, value.owner).clone())
        mapper[value] = body[-1].results[0]
    inner = op.clone(mapper)
    region = Region(Block([*body, inner, ReturnOp(inner.results[0])]))
    function = FuncOp("constant", FunctionType.from_lists([], [kind]), region)
    (array,) = evaluate_linalg(function, ())
    return array


@dataclass(frozen=True)
class FoldConstants(ModulePass):
    """Replace operations of host functions on dense constants alone by constants.

    requires: tensors of static shape.
    ensures:  no such operation is left, unless its result is larger than every operand (a broadcast
              bias stays one): `grow` folds those too. Elements of constants, and arithmetic on them,
              are constants; constants that nothing uses are gone.
    declines: nothing.
    """

    name = "fold-constants"

    grow: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            rewrite_once(function, FoldConstant(self.grow), FoldFill(), FoldExtraction(), FoldScalar())
            rewrite_once(function, DropUnused())
