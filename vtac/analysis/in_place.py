"""Which input of an elementwise block its output can take the place of.

The hardware's ALU has two operands, and with an immediate it reads what it writes: so a block
computes in place wherever an input dies there.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, SSAValue

from vtac.analysis.accesses import indices_of
from vtac.analysis.bodies import AluChain, alu_chain
from vtac.analysis.linear import Linear
from vtac.analysis.nest import child_holding, element_type_of, enclosing_loops, precedes, shape_of
from vtac.dialects.schedule.payload import BlockOp


@dataclass(frozen=True)
class Reuse:
    """A block can write where it reads an input; `shift` leads from its own indices to those of the input.

    None stands for an input of the output's shape, at the same indices. Else there is one
    expression over outer loops per dimension.
    """

    position: int
    shift: list[Linear] | None = None


def reuse_of(block: BlockOp) -> Reuse | None:
    """The first input that a block can compute in place of; None when it has none, or does already."""
    chain = alu_chain(block)
    if isinstance(chain, str) or any(value is block.output for value in block.inputs):
        return None
    for position in possible_bases(chain):
        if _dies_here(block, position):
            return Reuse(position)
        shift = _place_within(block, position)
        if shift is not None:
            return Reuse(position, shift)
    return None


def possible_bases(chain: AluChain) -> list[int]:
    """Inputs that can be the accumulator of a chain: its base, or a commuting first operand."""
    bases = [chain.base]
    if chain.steps and chain.steps[0].input is not None and chain.steps[0].name != "shr":
        bases.append(chain.steps[0].input)
    return bases


def _dies_here(block: BlockOp, position: int) -> bool:
    source, output = block.inputs[position], block.output
    if not (isinstance(source.owner, AllocOp) and isinstance(output.owner, AllocOp)):
        return False
    if source.type != output.type or source.owner.parent is not output.owner.parent:
        return False
    if block.accesses.data[position] != block.output_access:
        return False
    if sum(value is source for value in block.inputs) > 1:
        return False
    return all(precedes(user, block) for user in _others(source, block)) and all(
        precedes(block, user) for user in _others(output, block)
    )


def _place_within(block: BlockOp, position: int) -> list[Linear] | None:
    """Where in a larger input, allocated further out, the output lies: per dimension, over outer loops.

    The block must read each tile of that input in one iteration only, where it then writes;
    None when it does not, or when the input lives on.
    """
    source, output = block.inputs[position], block.output
    inner = output.owner.parent if isinstance(output.owner, AllocOp) else None
    outer = source.owner.parent if isinstance(source.owner, AllocOp) else None
    if inner is None or outer is None or inner is outer or child_holding(outer, block) is None:
        return None
    if element_type_of(source) != element_type_of(output) or len(shape_of(source)) != len(shape_of(output)):
        return None
    if sum(value is source for value in block.inputs) > 1:
        return None
    if not all(precedes(user, block) for user in _others(source, block)) or not all(
        precedes(block, user) for user in _others(output, block)
    ):
        return None
    if any(not isinstance(use.operation, BlockOp) for use in output.uses) or not _reads_once(block, position, outer):
        return None
    common: set[Hashable] = {
        loop.induction_variable for loop in enclosing_loops(block) if child_holding(inner, loop) is None
    }
    shift = [
        read - written
        for read, written in zip(indices_of(block, position), indices_of(block, len(block.inputs)), strict=True)
    ]
    return shift if all(difference.variables() <= common for difference in shift) else None


def _reads_once(block: BlockOp, position: int, outside: Block) -> bool:
    """No two iterations of the loops inside a body read the same element of an input."""
    inner = {
        loop.induction_variable: loop.trip_count
        for loop in enclosing_loops(block)
        if child_holding(outside, loop) is not None and loop.trip_count > 1
    }
    seen: set[SSAValue] = set()
    for index in indices_of(block, position):
        moving = [variable for variable in inner if variable in index.variables()]
        if not all(index.is_linear_in(variable) for variable in moving) or seen & set(moving):
            return False
        seen |= set(moving)
        reach = 1
        for step, variable in sorted(((index.coefficient(v), v) for v in moving), key=lambda item: item[0]):
            if step < reach:
                return False
            reach += step * (inner[variable] - 1)
    return seen == set(inner)


def _others(buffer: SSAValue, block: BlockOp) -> list[BlockOp]:
    return [use.operation for use in buffer.uses if isinstance(use.operation, BlockOp) and use.operation is not block]
