"""schedule-reuse-in-place: let elementwise accumulator blocks write where they read."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from vtac.dialects.schedule.payload import ALU, BlockOp
from vtac.passes.analysis.bodies import AluChain, alu_chain
from vtac.passes.analysis.nest import blocks_under, enclosing_loops, precedes


@dataclass(frozen=True)
class ScheduleReuseInPlace(ModulePass):
    """Merge the output buffer of an ALU block with an input that dies there.

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
                    if any(ALU in loop.attributes for loop in enclosing_loops(block)):
                        _reuse(block)


def _reuse(block: BlockOp) -> None:
    chain = alu_chain(block)
    if isinstance(chain, str) or any(value is block.output for value in block.inputs):
        return
    for position in possible_bases(chain):
        if _dies_here(block, position):
            merged = block.inputs[position]
            output = block.output
            allocation = output.owner
            output.replace_all_uses_with(merged)
            if isinstance(allocation, AllocOp):
                allocation.detach()
                allocation.erase()
            return


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


def _others(buffer: SSAValue, block: BlockOp) -> list[BlockOp]:
    return [use.operation for use in buffer.uses if isinstance(use.operation, BlockOp) and use.operation is not block]
