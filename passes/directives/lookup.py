"""get_block, get_loops, get_loop, get_buffer: handles by name."""

from __future__ import annotations

from vtac.analysis.nest import enclosing_loops
from vtac.dialects.schedule.directives import GetBlockOp, GetBufferOp, GetLoopOp, GetLoopsOp
from vtac.passes.directives.handles import Handles, refusal


def get_block(op: GetBlockOp, handles: Handles) -> None:
    """Define a handle to the block of that name."""
    handles.define_block(op.block, handles.find_block(op.block_name.data, op))


def get_loops(op: GetLoopsOp, handles: Handles) -> None:
    """Define one handle per loop around the block, outermost first."""
    block = handles.block(op.block, op)
    loops = enclosing_loops(block)
    if len(loops) != len(op.loops):
        raise refusal(
            op,
            f"block '{block.block_name}' stands in {len(loops)} loops, the directive names {len(op.loops)}",
            f"name {len(loops)} results",
        )
    for handle, loop in zip(op.loops, loops, strict=True):
        handles.define_loop(handle, loop)


def get_loop(op: GetLoopOp, handles: Handles) -> None:
    """Define a handle to the innermost loop of that name around the block."""
    handles.define_loop(op.loop, handles.find_loop(handles.block(op.block, op), op.loop_name.data, op))


def get_buffer(op: GetBufferOp, handles: Handles) -> None:
    """Define a handle to the buffer of that name."""
    handles.find_buffer(op.buffer_name.data, op)
    handles.define_buffer(op.buffer, op.buffer_name.data)
