"""decompose_reduction: the init of a reduction as a block of its own.

before: for i                             after decompose_reduction(b, k): for i
          for k                                                              b_init(i)
            b(i, k), init 0                                                  for k: b(i, k)
"""

from __future__ import annotations

from vtac.analysis.nests.nest import buffer_name, enclosing_loops
from vtac.analysis.nests.reductions import loop_roles, mixed_loop
from vtac.analysis.nests.revisits import writes_once
from vtac.dialects.schedule.block_directives import DecomposeReductionOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, describe, refusal
from vtac.rewriting.inits import split_off_init


@rewrites(DecomposeReductionOp)
def decompose_reduction(op: DecomposeReductionOp, handles: Handles) -> None:
    """Place the init of a block before a loop, under copies of the spatial loops inside.

    requires: a block with an init; the loop around it; no loop outside that reduces; no
              loop inside that is spatial and reducing at once (fused), and none that
              computes an element again (a halo, say).
    ensures:  the init runs once before the loop for each element that is reduced inside; the block goes on from it.
    refused:  a loop that is not around the block.
    """
    block = handles.block(op.block, op)
    loop = handles.loop(op.loop, op)
    name = f"block '{block.block_name}'"
    if block.init is None:
        raise refusal(op, f"{name} has no init", "only a reduction that starts from a constant can be decomposed")
    around = enclosing_loops(block)
    if loop not in around:
        raise refusal(op, f"loop {describe(loop)} is not around {name}", "choose one of its loops")
    reducing, spatial = loop_roles(block)
    for outer in around[: around.index(loop)]:
        if outer in reducing:
            raise refusal(
                op,
                f"loop {describe(outer)} outside {describe(loop)} reduces in {name}",
                f"decompose at {describe(outer)}",
            )
    mixed = mixed_loop(block, reducing, spatial)
    if mixed is not None:
        raise refusal(op, f"loop {describe(mixed)} is spatial and reducing at once", "do not fuse across the kinds")
    inside = [inner for inner in around[around.index(loop) :] if inner not in reducing]
    if not writes_once(block, inside):
        raise refusal(
            op,
            f"loop {describe(loop)} computes elements of '{buffer_name(block.output)}' more than once, and would start "
            "them once",
            "choose the outermost loop that reduces",
        )
    init = split_off_init(block, loop, handles.unique_block_name(f"{block.block_name}_init"), reducing)
    handles.define_block(op.init, init)
