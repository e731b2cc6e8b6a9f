"""Host operations on constants, executed at compile time."""

from __future__ import annotations

from math import prod
from typing import cast

from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import BytesAttr, DenseIntOrFPElementsAttr, FunctionType, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp
from xdsl.dialects.tensor import EmptyOp, ExtractSliceOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from vtac.dialects.packing import BlockDiagonalOp, InterleaveOp, PackOp, ReshapeOp
from vtac.evaluate import evaluate_linalg
from vtac.evaluate.numbers import dtype_of

_FOLDABLE = (LinalgStructuredOperation, BroadcastOp, PackOp, ReshapeOp, InterleaveOp, BlockDiagonalOp, ExtractSliceOp)


def fold_constants(function: FuncOp, *, grow: bool) -> None:
    """Replace operations on dense constants alone by constants.

    Unless `grow`, only where the result is no larger than an operand: a broadcast bias stays one.
    """
    for op in list(function.body.block.ops):
        if isinstance(op, _FOLDABLE) and not isinstance(op, FillOp) and _is_foldable(op, grow=grow):
            _fold(op)
    for op in reversed(list(function.body.block.ops)):
        if isinstance(op, ConstantOp | EmptyOp) and not any(result.uses for result in op.results):
            op.detach()
            op.erase()


def _is_foldable(op: Operation, *, grow: bool) -> bool:
    sizes = [_size(operand) for operand in op.operands if _dense(operand) is not None]
    others = [operand for operand in op.operands if _dense(operand) is None]
    if not sizes or len(op.results) != 1 or not isinstance(op.results[0].type, TensorType):
        return False
    if any(not isinstance(v.owner, EmptyOp | ConstantOp) for v in (*others, *_captured(op))):
        return False
    return grow or _size(op.results[0]) <= max(sizes)


def _captured(op: Operation) -> list[SSAValue]:
    """Values that the regions of an op take from around it."""
    inside = {result for inner in op.walk() for result in inner.results}
    inside |= {argument for region in op.regions for block in region.blocks for argument in block.args}
    return [v for inner in op.walk() if inner is not op for v in inner.operands if v not in inside]


def _dense(value: SSAValue) -> DenseIntOrFPElementsAttr | None:
    owner = value.owner
    if isinstance(owner, ConstantOp) and isinstance(owner.value, DenseIntOrFPElementsAttr):
        return owner.value
    return None


def _size(value: SSAValue) -> int:
    """Bytes."""
    kind = cast("TensorType[Attribute]", value.type)
    return prod(kind.get_shape()) * dtype_of(kind.get_element_type()).itemsize


def _fold(op: Operation) -> None:
    result = op.results[0]
    block = Block()
    mapper: dict[SSAValue, SSAValue] = {}
    for value in dict.fromkeys((*op.operands, *_captured(op))):
        clone = cast(Operation, value.owner).clone()
        block.add_op(clone)
        mapper[value] = clone.results[0]
    inner = op.clone(mapper)
    block.add_ops([inner, ReturnOp(inner.results[0])])
    function = FuncOp("constant", FunctionType.from_lists([], [result.type]), Region(block))
    (array,) = evaluate_linalg(function, ())
    kind = cast("TensorType[Attribute]", result.type)
    contents = DenseIntOrFPElementsAttr(kind, BytesAttr(array.tobytes()))  # pyright: ignore[reportArgumentType]
    constant = ConstantOp(contents)
    constant.location = op.location
    constant.result.name_hint = result.name_hint
    block_around = cast(Block, op.parent)
    block_around.insert_op_before(constant, op)
    result.replace_all_uses_with(constant.result)
    op.detach()
    op.erase()
