"""schedule-reuse-in-place: let elementwise accumulator blocks write where they read."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.passes import ModulePass

from vtac.analysis.accesses import bindings_of, guards_of, indices_of, rebind
from vtac.analysis.bodies import AluChain, alu_chain
from vtac.analysis.linear import Linear, to_affine
from vtac.analysis.nest import (
    blocks_under,
    child_holding,
    element_type_of,
    enclosing_loops,
    extents_around,
    precedes,
    shape_of,
)
from vtac.dialects.schedule.attributes import AccessAttr, IterationAttr, IterationVariable
from vtac.dialects.schedule.declared import ALU
from vtac.dialects.schedule.payload import BlockOp


@dataclass(frozen=True)
class ScheduleReuseInPlace(ModulePass):
    """Merge the output buffer of an ALU block with an input that dies there.

    The input may be larger and live further out, where each iteration takes its own part.

    The hardware's ALU has two operands, and with an immediate it reads what it writes.

    requires: compacted buffers.
    ensures:  ALU blocks whose input is read by nobody later work in place.
    declines: inputs that live on, arguments, and accesses that differ: left as they are.
    """

    name = "schedule-reuse-in-place"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if isinstance(function, FuncOp):
                for block in blocks_under(function):
                    if any(ALU.is_on(loop) for loop in enclosing_loops(block)):
                        _reuse(block)


def _reuse(block: BlockOp) -> None:
    chain = alu_chain(block)
    if isinstance(chain, str) or any(value is block.output for value in block.inputs):
        return
    for position in possible_bases(chain):
        if _dies_here(block, position):
            _merge(block.output, block.inputs[position])
            return
        shift = _place_within(block, position)
        if shift is not None:
            for user in dict.fromkeys(use.operation for use in block.output.uses):
                if isinstance(user, BlockOp):
                    _move(user, block.output, shift)
            _merge(block.output, block.inputs[position])
            return


def _merge(output: SSAValue, kept: SSAValue) -> None:
    """Let every use of one buffer be a use of the other, and drop its allocation."""
    allocation = output.owner
    output.replace_all_uses_with(kept)
    if isinstance(allocation, AllocOp):
        allocation.detach()
        allocation.erase()


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


def _move(user: BlockOp, buffer: SSAValue, shift: Sequence[Linear]) -> None:
    """Add what depends on outer loops to the indices of a user's accesses to a buffer."""
    extents = extents_around(user)
    bindings, guards = bindings_of(user, extents), guards_of(user, extents)
    variables: list[Hashable] = sorted(
        {variable for amount in shift for variable in amount.variables()}, key=lambda v: extents_order(user, v)
    )
    first = len(user.variables)
    place = {variable: AffineExpr.dimension(first + number) for number, variable in enumerate(variables)}
    user.domain = IterationAttr((*user.variables, *(IterationVariable(extents[variable]) for variable in variables)))
    accesses: list[AccessAttr] = []
    for value, access in zip((*user.inputs, user.output), user.accesses.data, strict=True):
        results = list(access.indices.results)
        if value is buffer:
            results = [
                result if amount == Linear(0) else result + to_affine(amount, lambda variable: place[variable])
                for result, amount in zip(results, shift, strict=True)
            ]
        accesses.append(AccessAttr.get(AffineMap(first + len(variables), 0, tuple(results)), access.pad_value))
    user.accesses = ArrayAttr(accesses)
    rebind(user, [*bindings, *(Linear.variable(variable) for variable in variables)], guards)


def extents_order(block: BlockOp, variable: Hashable) -> int:
    """How deep the loop of a variable stands around a block."""
    return [loop.induction_variable for loop in enclosing_loops(block)].index(variable)  # pyright: ignore[reportArgumentType]


def _others(buffer: SSAValue, block: BlockOp) -> list[BlockOp]:
    return [use.operation for use in buffer.uses if isinstance(use.operation, BlockOp) and use.operation is not block]
