"""Elementwise operations of the integer level: what the ALU computes, one element from those at the same indices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, IntegerAttr, TensorType, i8, i32
from xdsl.dialects.linalg.attrs import IteratorType, IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp, YieldOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.types.tensor_types import element_of
from vtac.dialects.packing.declared import STEPS

ALU_OPERATIONS = (arith.AddiOp, arith.MaxSIOp, arith.MinSIOp, arith.ShRSIOp, arith.ShLIOp)
"""What the ALU does with two numbers of 32 bits, or with one and an immediate."""
_SHIFTS = (arith.ShRSIOp, arith.ShLIOp)
_FACTORS = (arith.MuliOp, arith.ShLIOp)
_CONVERSIONS = ((i8, i32), (i32, i8))
WEIGHT = (-(1 << 7), (1 << 7) - 1)
"""What a diagonal weight tile multiplies by."""


def alu_difference(op: Operation, *, repeats: bool = False) -> str:
    """Why an operation is no elementwise one of the integer level; empty when it is.

    With `repeats` it may be one that only repeats what it computes along a dimension of its result.
    """
    if op.name.startswith("arith."):
        return "it works on tensors; linalg.generic with it as body is recognised"
    if not isinstance(op, GenericOp) or len(op.res) != 1:
        return f"'{op.name}' is no operation that the VTA has"
    types, inputs = tuple([value.type for value in op.operands]), len(op.inputs)
    difference = _access_difference(op.indexing_maps, op.iterator_types, types, inputs, repeats)
    return difference or _body_difference(op.body.block, inputs)


@lru_cache(maxsize=4096)
def _access_difference(
    indexing_maps: ArrayAttr[AffineMapAttr],
    iterators: ArrayAttr[IteratorTypeAttr],
    types: tuple[Attribute, ...],
    inputs: int,
    repeats: bool,
) -> str:
    """Why loops over operands of these types, read and written at these maps, are none of an elementwise operation."""
    if any(kind.data is not IteratorType.PARALLEL for kind in iterators):
        return "it reduces, and is no product and no pooling"
    maps = [attribute.data for attribute in indexing_maps]
    if maps[-1] != AffineMap.identity(maps[-1].num_dims):
        return f"its result is written at {maps[-1]}; elementwise operations write it in the order of their loops"
    for kind, indices in zip(types, maps, strict=True):
        if loops_of(indices) is None:
            return f"an operand is read at {indices}; loops that differ are required"
        if not isinstance(kind, TensorType) or kind.get_element_type() not in (i8, i32):
            return f"it reads or writes {kind}; the VTA loads i8 and i32, and stores i8"
    if not repeats and not any(len(indices.results) == indices.num_dims for indices in maps[:inputs]):
        return "none of its operands has all dimensions of its result"
    return ""


def has_alu_body(op: Operation) -> bool:
    """Whether an elementwise operation has a body of the integer level, whatever it reads it at."""
    if not isinstance(op, GenericOp) or len(op.res) != 1:
        return False
    if any(element_of(value) not in (i8, i32) for value in op.operands if isinstance(value.type, TensorType)):
        return False
    return not _body_difference(op.body.block, len(op.inputs))


def loops_of(indices: AffineMap) -> tuple[int, ...] | None:
    """The loops that are the indices, each once; None when there are other indices."""
    loops = [index.position for index in indices.results if isinstance(index, AffineDimExpr)]
    return tuple(loops) if len(loops) == len(indices.results) == len(set(loops)) else None


def operand_loops(op: GenericOp) -> list[tuple[int, ...]]:
    """For each input of an elementwise operation, the loops that are its indices."""
    return list(_loops_of_all(op.indexing_maps)[: len(op.operands) - max(1, len(op.results))])


@lru_cache(maxsize=1024)
def _loops_of_all(indexing_maps: ArrayAttr[AffineMapAttr]) -> tuple[tuple[int, ...], ...]:
    return tuple([loops_of(attribute.data) or () for attribute in indexing_maps])


def _body_difference(body: Block, inputs: int) -> str:
    if any(argument.uses for argument in body.args[inputs:]):
        return "its body reads what it writes"
    for op in body.ops:
        rule = _RULES.get(type(op))
        difference = f"its body holds '{op.name}'" if rule is None else rule(op)
        if difference:
            return difference
    return ""


def _yield_difference(op: Operation) -> str:
    value = op.operands[0]
    if number_of(value) is not None:
        return "it is a constant"
    kind = cast(Block, op.parent).args[-1].type
    return "" if value.type == kind else f"its body gives {value.type} for {kind}"


def _constant_difference(op: Operation) -> str:
    found = cast(ConstantOp, op).value
    return "" if isinstance(found, IntegerAttr) else f"it takes {found}"


def _conversion_difference(op: Operation) -> str:
    kinds = (op.operands[0].type, op.results[0].type)
    return "" if kinds in _CONVERSIONS else f"'{op.name}' is between {' and '.join(sorted(map(str, set(kinds))))}"


def _alu_operation_difference(op: Operation) -> str:
    left, right = op.operands
    if op.results[0].type != i32:
        return f"'{op.name}' works on {op.results[0].type}; the ALU on i32"
    if number_of(left) is not None and number_of(right) is not None:
        return "it computes with constants alone"
    return _shift_difference(op) if type(op) in _SHIFTS else ""


def _shift_difference(op: Operation) -> str:
    left, right = op.operands
    if number_of(left) is not None:
        return "it shifts a constant"
    number = number_of(right)
    if number is None:
        return "" if type(op) is arith.ShRSIOp else "it shifts left by an amount that is no constant"
    return "" if 0 <= number <= 31 else f"it shifts by {number}; the ALU shifts 32 bits by 0 to 31"


def _product_difference(op: Operation) -> str:
    if scaled_input(op.results[0]) is None:
        return "it multiplies; the VTA multiplies i8 elements, by GEMM, with numbers that i8 holds"
    return ""


_RULES: dict[type[Operation], Callable[[Operation], str]] = {
    YieldOp: _yield_difference,
    ConstantOp: _constant_difference,
    **dict.fromkeys(ALU_OPERATIONS, _alu_operation_difference),
    **dict.fromkeys((arith.ExtSIOp, arith.TruncIOp), _conversion_difference),
    arith.MuliOp: _product_difference,
}
"""Of each operation that a body may hold, why it may not; empty where it may."""


def scaled_input(value: SSAValue) -> tuple[BlockArgument, int] | None:
    """The i8 argument of a body and the number that it is multiplied by, 1 without one; None for anything else."""
    factor = 1
    while type(value.owner) in _FACTORS:
        op = cast(Operation, value.owner)
        left, right = op.operands
        if type(op) is arith.MuliOp and number_of(right) is None:
            left, right = right, left
        number = number_of(right)
        if number is None:
            return None
        factor *= number if type(op) is arith.MuliOp else 1 << (number & 31)
        value = left
    if type(value.owner) is not arith.ExtSIOp or not WEIGHT[0] <= factor <= WEIGHT[1]:
        return None
    source = value.owner.operands[0]
    return (source, factor) if isinstance(source, BlockArgument) else None


def alu_size(op: GenericOp) -> int:
    """How many operations of the ALU an elementwise operation takes; those that it took before it read bytes."""
    counted = STEPS.get(op)
    return sum(type(inner) in ALU_OPERATIONS for inner in op.body.block.ops) if counted is None else counted


def projection(loops: Sequence[int], count: int) -> AffineMap:
    """The indices that are some of `count` loops."""
    return AffineMap(count, 0, tuple(AffineDimExpr(loop) for loop in loops))
