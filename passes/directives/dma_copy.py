"""dma_copy: give a loop that copies, with all it holds, to the load or store unit."""

from __future__ import annotations

from xdsl.dialects.builtin import AnyFloat, ModuleOp

from vtac.analysis.ir.target import allows_acc_8bit
from vtac.analysis.nests.bodies import is_copy, is_truncating_copy, is_widening_copy
from vtac.analysis.nests.nest import element_type_of, enclosing_loops, scope_of
from vtac.dialects.declared import taken_by
from vtac.dialects.schedule.declared import DMA_COPY
from vtac.dialects.schedule.loop_directives import DmaCopyOp
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.schedule.script import DirectiveOp
from vtac.dialects.scopes import MEMORIES
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, describe, refusal


@rewrites(DmaCopyOp)
def dma_copy(op: DmaCopyOp, handles: Handles) -> None:
    """Copy what a loop copies by DMA.

    requires: a perfect nest over one block that copies from global memory to a VTA scope,
              or from vta.acc to global memory (there also truncating); a module marked
              `vta.acc_8bit` may widen i8 to vta.acc.
    ensures:  the loop stands for transfers of the load or store unit, which `convert-dma-to-vta` makes; no value
              changes.
    refused:  a block that computes, more than one statement in a loop, and scopes between which nothing is moved.
    """
    loop = handles.loop(op.loop, op)
    block = only_block(op, loop)
    source = scope_of(block.inputs[0]) if block.inputs else "nothing"
    target = scope_of(block.output)
    name = f"block '{block.block_name}'"
    kinds = [element_type_of(value) for value in (*block.inputs, block.output)]
    floating = next((kind for kind in kinds if isinstance(kind, AnyFloat)), None)
    if floating is not None:
        found = f"{name} moves {floating}, the VTA has integers of 8 and 32 bits"
        raise refusal(op, found, "quantise the program before it is scheduled")
    if source == "global" and target in MEMORIES:
        if target == "vta.acc" and is_widening_copy(block):
            _check_simulator_only(op, handles, name)
        elif not is_copy(block):
            raise refusal(
                op, f"{name} computes, the load unit only copies", "move the computation to a block of its own"
            )
    elif source == "vta.acc" and target == "global":
        if not is_truncating_copy(block):
            raise refusal(
                op, f"{name} computes, the store unit only truncates", "move the computation to a block of its own"
            )
    else:
        raise refusal(
            op,
            f"{name} copies from {source} to {target}",
            f"DMA moves global to {', '.join(MEMORIES)}, and vta.acc to global: use set_scope first",
        )
    DMA_COPY.set(loop, True)


def _check_simulator_only(op: DmaCopyOp, handles: Handles, name: str) -> None:
    module = handles.function.parent_op()
    if not isinstance(module, ModuleOp) or not allows_acc_8bit(module):
        raise refusal(
            op,
            f"{name} loads i8 into accumulators, which simulators decode and the hardware does not",
            "load it as an input and multiply by the identity, or compile for simulators only (--acc-8bit)",
        )


def only_block(op: DirectiveOp, loop: ForOp) -> BlockOp:
    """The one block that a perfect nest from `loop` inwards holds.

    Raises `ScheduleError` for a nest of more, and one that is mapped already.
    """
    current: ForOp = loop
    for around in [*enclosing_loops(loop), loop]:
        taken = taken_by(around)
        if taken:
            raise refusal(op, f"loop {describe(around)} is {taken} already", "map each loop once")
    while True:
        first = current.body.block.first_op
        if first is not current.body.block.last_op or not isinstance(first, ForOp | BlockOp):
            raise refusal(op, f"loop {describe(current)} holds more than one statement", "choose a loop over one block")
        if isinstance(first, BlockOp):
            return first
        current = first
