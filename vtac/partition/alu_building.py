"""Elementwise operations on plain tensors under construction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from xdsl.dialects import tensor
from xdsl.dialects.builtin import TensorType
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from vtac.analysis.types.tensor_types import element_of
from vtac.partition.alu_operations import projection
from vtac.rewriting.edits import append
from vtac.rewriting.made_operations import constant, empty_of, generic, yielded

Loops: TypeAlias = tuple[int, ...]
Body: TypeAlias = Callable[[Block], SSAValue]
"""Adds the operations of a body to a block with its arguments, and gives what it yields."""


def elementwise(
    inputs: Sequence[SSAValue], loops: Sequence[Loops], shape: Sequence[int], element: Attribute, body: Body
) -> tuple[tensor.EmptyOp, GenericOp]:
    """An operation whose inputs are read at `loops`, and its result of `shape` written everywhere."""
    empty = empty_of(TensorType(element, list(shape)))
    block = Block(arg_types=[*map(element_of, inputs), element])
    append(yielded(body(block)), block)
    return empty, parallel(inputs, loops, empty.tensor, block)


def parallel(inputs: Sequence[SSAValue], loops: Sequence[Loops], output: SSAValue, body: Block | Region) -> GenericOp:
    """A generic of parallel loops that writes `output` in their order."""
    rank = len(getattr(output.type, "get_shape", tuple[int, ...])())
    return generic(inputs, output, body, [projection(at, rank) for at in (*loops, range(rank))])


def put(op: Operation, block: Block) -> SSAValue:
    """Add an operation to a body; its result."""
    append(op, block)
    return op.results[0]


def number(value: int, block: Block) -> SSAValue:
    """A constant of a body."""
    return put(constant(value), block)
