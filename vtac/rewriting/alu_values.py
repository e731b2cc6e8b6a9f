"""Values of arithmetic bodies: their ranges, constants and vectors, and products' starting values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects import arith
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerAttr, i32
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, GenericOp
from xdsl.ir import BlockArgument, Operation, SSAValue

from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.operations.elementwise import is_elementwise
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.analysis.values.dense_numbers import numbers_of
from vtac.analysis.values.scalar_facts import range_of
from vtac.analysis.values.scaled_integers import Fact
from vtac.analysis.values.value_facts import ValueFacts
from vtac.rewriting.integer_tensors import dense, empty

_MOST_BOUNDS = 8
"""Bounds and additions over which an addition moves to a product's sums."""


@dataclass(frozen=True)
class Vector:
    """A number per index of dimension `axis`."""

    axis: int
    values: NDArray[np.int64]


class Ranges:
    """Between which integers the scalars of bodies lie, as far as is known."""

    def __init__(self, function: FuncOp) -> None:
        self._facts: dict[SSAValue, Fact] = {}
        self._known: dict[SSAValue, tuple[int, int]] = {}
        for body in ValueFacts(function).bodies.values():
            self._facts |= body

    def of(self, value: SSAValue) -> tuple[int, int] | None:
        """The range of a scalar of 32 bits, None for one that is new."""
        if value not in self._known and value in self._facts and value.type == i32:
            self._known[value] = range_of(value, self._facts[value])
        return self._known.get(value)

    def set(self, value: SSAValue, found: tuple[int, int]) -> None:
        """Note the range of a new scalar."""
        self._known[value] = found


def constant(number: int) -> arith.ConstantOp:
    """A number."""
    return arith.ConstantOp(IntegerAttr(number, i32))


def has_one_use(value: SSAValue) -> bool:
    """Whether one operand is a value."""
    return value.uses.get_length() == 1


def is_product(owner: object) -> bool:
    """Whether an operation adds up in i32."""
    if not isinstance(owner, LinalgStructuredOperation) or len(owner.res) != 1 or isinstance(owner, FillOp):
        return False
    return element_of(owner.res[0]) == i32 and not is_elementwise(owner)


def is_of_product(value: SSAValue) -> bool:
    """Whether a scalar is read from the sums of a product that start from constants, other than zeros."""
    steps = (arith.MaxSIOp, arith.MinSIOp, arith.AddiOp)
    for _ in range(_MOST_BOUNDS):
        if isinstance(value.owner, steps) and number_of(value.owner.rhs) is not None:
            value = value.owner.lhs
    op = value.owner.parent_op() if isinstance(value, BlockArgument) else None
    if not isinstance(op, GenericOp) or not isinstance(value, BlockArgument) or value.index >= len(op.inputs):
        return False
    product = op.inputs[value.index].owner
    return (
        is_product(product)
        and isinstance(product, LinalgStructuredOperation)
        and has_one_use(op.inputs[value.index])
        and _start_of(product.outputs[0]) is not None
    )


def _start_of(value: SSAValue) -> DenseIntOrFPElementsAttr | None:
    """The constants that sums start from: a tensor, or a vector that is broadcast."""
    source = value.owner.operands[0] if isinstance(value.owner, BroadcastOp) else value
    owner = source.owner
    contents = owner.value if isinstance(owner, arith.ConstantOp) else None
    return contents if isinstance(contents, DenseIntOrFPElementsAttr) else None


def with_larger_start(start: SSAValue, added: int | Vector) -> list[Operation] | None:
    """The start of a sum plus a constant; the last operation's result is it."""
    contents = _start_of(start)
    values = None if contents is None else numbers_of(contents)
    if values is None:
        return None
    total = values.astype(np.int64)
    if isinstance(added, Vector):
        kept = [dim for dim in range(len(shape_of(start))) if dim not in _broadcast_dims(start)]
        if kept != [added.axis]:
            return None
        total = total + added.values
    else:
        total = total + added
    total = total.astype(np.int32)
    made: list[Operation] = [dense(total, i32)]
    if isinstance(start.owner, BroadcastOp):
        output = empty(i32, shape_of(start))
        made += [output, BroadcastOp(made[0].results[0], output.tensor, start.owner.dimensions, output.tensor.type)]
    made[0].results[0].name_hint = "bias"
    return made


def _broadcast_dims(start: SSAValue) -> tuple[int, ...]:
    return tuple(start.owner.dimensions.get_values()) if isinstance(start.owner, BroadcastOp) else ()
