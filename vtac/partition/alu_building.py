"""Elementwise operations on plain tensors under construction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, IntegerAttr, TensorType, i32
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from vtac.partition.alu_operations import element_of, projection
from vtac.rewriting.edits import append

Loops: TypeAlias = tuple[int, ...]
Body: TypeAlias = Callable[[Block], SSAValue]
"""Adds the operations of a body to a block with its arguments, and gives what it yields."""


def elementwise(
    inputs: Sequence[SSAValue], loops: Sequence[Loops], shape: Sequence[int], element: Attribute, body: Body
) -> tuple[tensor.EmptyOp, GenericOp]:
    """An operation whose inputs are read at `loops`, and its result of `shape` written everywhere."""
    kind = TensorType(element, list(shape))
    empty = tensor.EmptyOp([], kind)
    block = Block(arg_types=[*map(element_of, inputs), element])
    append(YieldOp(body(block)), block)
    return empty, parallel(inputs, loops, empty.tensor, block)


def parallel(inputs: Sequence[SSAValue], loops: Sequence[Loops], output: SSAValue, body: Block | Region) -> GenericOp:
    """A generic of parallel loops that writes `output` in their order."""
    rank = len(getattr(output.type, "get_shape", tuple[int, ...])())
    maps = [AffineMapAttr(projection(at, rank)) for at in (*loops, range(rank))]
    kinds = [IteratorTypeAttr.parallel()] * rank
    region = Region(body) if isinstance(body, Block) else body
    return GenericOp(inputs, [output], region, ArrayAttr(maps), ArrayAttr(kinds), [output.type])


def put(op: Operation, block: Block) -> SSAValue:
    """Add an operation to a body; its result."""
    append(op, block)
    return op.results[0]


def constant(value: int) -> arith.ConstantOp:
    """A number of 32 bits."""
    return arith.ConstantOp(IntegerAttr(value, i32))


def number(value: int, block: Block) -> SSAValue:
    """A constant of a body."""
    return put(constant(value), block)
