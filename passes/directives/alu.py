"""alu: give a loop over one elementwise block, with all it holds, to the vector ALU."""

from __future__ import annotations

from vtac.analysis.nests.bodies import alu_chain
from vtac.analysis.nests.nest import buffer_name, scope_of
from vtac.dialects.schedule.declared import ALU
from vtac.dialects.schedule.loop_directives import AluOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.dma_copy import only_block
from vtac.passes.directives.handles import Handles, refusal


@rewrites(AluOp)
def alu(op: AluOp, handles: Handles) -> None:
    """Compute a loop's block on the vector ALU.

    requires: a perfect nest over one elementwise block of min, max, add, shift and
              constants whose buffers all live in vta.acc.
    ensures:  the loop stands for vector operations of the ALU, which `convert-alu-to-vta` makes; what is computed
              stays.
    refused:  a loop that is mapped already, or stands in one; a chain of operations that the ALU lacks, told by its
              first.
    """
    loop = handles.loop(op.loop, op)
    block = only_block(op, loop)
    chain = alu_chain(block)
    if isinstance(chain, str):
        raise refusal(op, f"block '{block.block_name}': {chain}", "the vector ALU computes min, max, add and shifts")
    for buffer in (*block.inputs, block.output):
        if scope_of(buffer) != "vta.acc":
            raise refusal(
                op,
                f"'{buffer_name(buffer)}' of block '{block.block_name}' lives in {scope_of(buffer)}",
                "the ALU works on vta.acc: use set_scope, cache_read or cache_write first",
            )
    ALU.set(loop, True)
