"""Which input of an elementwise block its output can take the place of.

The hardware's ALU has two operands, and with an immediate it reads what it writes: so a block
computes in place wherever an input dies there.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, SSAValue

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.accesses import indices_of
from vtac.analysis.nests.bodies import AluChain, alu_chain
from vtac.analysis.nests.nest import (
    child_holding,
    element_type_of,
    enclosing_loops,
    extents_around,
    precedes,
    shape_of,
)
from vtac.dialects.schedule.payload import BlockOp


@dataclass(frozen=True)
class Reuse:
    """A block can write where it reads an input; `shift` leads from its own indices to those of the input.

    None stands for an input of the output's shape, at the same indices. Else there is one
    expression over outer loops per dimension, and, with `steps`, a number that its own index is multiplied by.
    """

    position: int
    shift: list[Linear] | None = None
    steps: list[int] | None = None


def reuse_of(block: BlockOp) -> Reuse | None:
    """The first input that a block can compute in place of; None when it has none, or does already."""
    chain = alu_chain(block)
    if isinstance(chain, str) or any(value is block.buffers[-1] for value in block.buffers[:-1]):
        return None
    for position in possible_bases(chain):
        if _dies_here(block, position):
            return Reuse(position)
        shift = _place_within(block, position)
        if shift is not None:
            return Reuse(position, shift)
        if (part := _own_part(block, position)) is not None:
            return Reuse(position, *part)
    return None


def takes_own_part(block: BlockOp, position: int) -> bool:
    """Whether what a block reads of an input, in steps, is read by nothing else: before buffers are compacted."""
    extents = extents_around(block)
    read = indices_of(block, position, extents)
    written = indices_of(block, len(block.buffers) - 1, extents)
    steps = _steps(read, written)
    return steps is not None and _keeps_rows(steps) and _is_apart(block, position, read, steps)


def _own_part(block: BlockOp, position: int) -> tuple[list[Linear], list[int]] | None:
    """Where in an input, of which nothing else reads what the block does, the output lies: shifts, and steps."""
    source, output = block.buffers[position], block.buffers[-1]
    inner = output.owner.parent if isinstance(output.owner, AllocOp) else None
    outer = source.owner.parent if isinstance(source.owner, AllocOp) else None
    if inner is None or outer is None or (inner is not outer and child_holding(outer, block) is None):
        return None
    if element_type_of(source) != element_type_of(output) or len(shape_of(source)) != len(shape_of(output)):
        return None
    read, written = indices_of(block, position), indices_of(block, len(block.buffers) - 1)
    steps = _steps(read, written)
    if steps is None or not (_keeps_rows(steps) or _is_one_row(source, output, steps)):
        return None
    if not _is_apart(block, position, read, steps):
        return None
    if any(not isinstance(use.operation, BlockOp) for use in output.uses) or not _reads_once(block, position, outer):
        return None
    common: set[Hashable] = {
        loop.induction_variable for loop in enclosing_loops(block) if child_holding(inner, loop) is None
    }
    shift = [index - own * step for index, own, step in zip(read, written, steps, strict=True)]
    return (shift, steps) if all(difference.variables() <= common for difference in shift) else None


def _steps(read: Sequence[Linear], written: Sequence[Linear]) -> list[int] | None:
    """How far apart along each dimension lies what is read for neighbouring results; None for other indices."""
    steps: list[int] = []
    for index, own in zip(read, written, strict=True):
        variable = own.as_variable()
        step = 1 if variable is None else index.coefficient(variable)
        if step < 1 or (variable is not None and not index.is_linear_in(variable)):
            return None
        steps.append(step)
    return steps if len(read) == len(written) else None


def _keeps_rows(steps: Sequence[int]) -> bool:
    """Whether there are steps, but none along the rows of tiles, which a store takes as they lie."""
    return max(steps) > 1 and max(steps[-3:]) == 1


def _is_one_row(source: SSAValue, output: SSAValue, steps: Sequence[int]) -> bool:
    """Whether the output is as large as an input cut to one along outer dimensions, so that there are no steps."""
    sizes = list(zip(shape_of(source), shape_of(output), strict=True))
    outer, rows = sizes[:-3], sizes[-3:]
    return max(steps) == 1 and all(own in (whole, 1) for whole, own in outer) and all(a == b for a, b in rows)


def _is_apart(block: BlockOp, position: int, read: Sequence[Linear], steps: Sequence[int]) -> bool:
    """Whether all that reads or writes an input besides does it between the block's steps, or is done before.

    What stands in a loop with the block is done before when each iteration has a part of its own.
    """
    source = block.buffers[position]
    body = source.owner.parent if isinstance(source.owner, AllocOp) else None
    if body is None:
        return False
    nest = child_holding(body, block)
    for use in source.uses:
        user = use.operation
        if not isinstance(user, BlockOp):
            return False
        at = use.index - len(user.loops)
        if user is block and at == position:
            continue
        if precedes(user, block):
            shared = [] if child_holding(body, user) is not nest else _shared_loops(body, user, block)
            if _has_own_parts(shared, read, extents_around(block), indices_of(user, at), extents_around(user)):
                continue
        if at >= len(user.buffers) - 1:
            return False
        other = indices_of(user, at, extents_around(user))
        if not any(map(_never_meet, read, other, steps)):
            return False
    return True


def _shared_loops(body: Block, one: BlockOp, other: BlockOp) -> list[Hashable]:
    """The loops of several iterations in a body that are around two blocks."""
    around = enclosing_loops(other)
    return [
        loop.induction_variable
        for loop in enclosing_loops(one)
        if loop in around and loop.trip_count > 1 and child_holding(body, loop) is not None
    ]


def _has_own_parts(
    loops: Sequence[Hashable],
    one: Sequence[Linear],
    one_extents: Mapping[Hashable, int],
    other: Sequence[Linear],
    other_extents: Mapping[Hashable, int],
) -> bool:
    """Whether what two blocks access in an iteration of each loop is apart from what they do in the others."""
    for loop in loops:
        apart = False
        for index, against in zip(one, other, strict=True):
            step = index.coefficient(loop)
            if step < 1 or against.coefficient(loop) != step:
                continue
            ends = [index.without(loop).bounds(one_extents), against.without(loop).bounds(other_extents)]
            apart = apart or max(high for _, high in ends) - min(low for low, _ in ends) < step
        if not apart:
            return False
    return True


def _never_meet(one: Linear, other: Linear, step: int) -> bool:
    """Whether two indices along a dimension are different constants, or are different modulo `step`."""
    if one.is_constant and other.is_constant:
        return one != other
    moving = [*one.terms.values(), *other.terms.values()]
    return step > 1 and all(factor % step == 0 for factor in moving) and (one.constant - other.constant) % step != 0


def possible_bases(chain: AluChain) -> list[int]:
    """Inputs that can be the accumulator of a chain: its base, or a commuting first operand."""
    bases = [chain.base]
    if chain.steps and chain.steps[0].input is not None and chain.steps[0].name != "shr":
        bases.append(chain.steps[0].input)
    return bases


def _dies_here(block: BlockOp, position: int) -> bool:
    source, output = block.buffers[position], block.buffers[-1]
    if not (isinstance(source.owner, AllocOp) and isinstance(output.owner, AllocOp)):
        return False
    if source.type != output.type or source.owner.parent is not output.owner.parent:
        return False
    if block.accesses.data[position] != block.output_access:
        return False
    if sum(value is source for value in block.buffers[:-1]) > 1:
        return False
    return all(precedes(user, block) for user in _others(source, block)) and all(
        precedes(block, user) for user in _others(output, block)
    )


def _place_within(block: BlockOp, position: int) -> list[Linear] | None:
    """Where in a larger input, allocated further out, the output lies: per dimension, over outer loops.

    The block must read each tile of that input in one iteration only, where it then writes;
    None when it does not, or when the input lives on.
    """
    source, output = block.buffers[position], block.buffers[-1]
    inner = output.owner.parent if isinstance(output.owner, AllocOp) else None
    outer = source.owner.parent if isinstance(source.owner, AllocOp) else None
    if inner is None or outer is None or inner is outer or child_holding(outer, block) is None:
        return None
    if element_type_of(source) != element_type_of(output) or len(shape_of(source)) != len(shape_of(output)):
        return None
    if sum(value is source for value in block.buffers[:-1]) > 1:
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
        for read, written in zip(indices_of(block, position), indices_of(block, len(block.buffers) - 1), strict=True)
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
