"""get_block, get_loops, get_loop, get_buffer: handles by name."""

from __future__ import annotations

from vtac.analysis.nests.accesses import bindings_of
from vtac.analysis.nests.nest import blocks_under, enclosing_loops
from vtac.dialects.named_linalg import dimension_names
from vtac.dialects.schedule.lookups import GetBlockOp, GetBufferOp, GetLoopOp, GetLoopsOp
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, refusal


@rewrites(GetBlockOp)
def get_block(op: GetBlockOp, handles: Handles) -> None:
    """Define a handle to the block of that name, or to the one at a position of those from an operation.

    requires: a block of that name, or so many blocks of the operation.
    ensures:  a handle; the payload stays.
    refused:  other names and positions, with those that there are.
    """
    name = op.block_name.data
    found = (
        handles.find_block(name, op) if op.position is None else _block_from(name, op.position.value.data, op, handles)
    )
    handles.define_block(op.block, found)


def _block_from(source: str, position: int, op: GetBlockOp, handles: Handles) -> BlockOp:
    blocks = blocks_under(handles.function)
    found = [block for block in blocks if block.source is not None and block.source.data == source]
    if 0 <= position < len(found):
        return found[position]
    if found:
        raise refusal(op, f"block {position} from '{source}'; there are {len(found)}", f"0 to {len(found) - 1} exist")
    sources = dict.fromkeys(block.source.data for block in blocks if block.source is not None)
    raise refusal(op, f"no block from '{source}'", f"blocks here come from {', '.join(sources) or 'no operation'}")


@rewrites(GetLoopsOp)
def get_loops(op: GetLoopsOp, handles: Handles) -> None:
    """Define one handle per loop around the block, outermost first.

    requires: as many results as loops stand around the block.
    ensures:  a handle to each; the payload stays.
    refused:  another number of results.
    """
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


@rewrites(GetLoopOp)
def get_loop(op: GetLoopOp, handles: Handles) -> None:
    """Define a handle to a loop around the block: the innermost of that name, at `#position`, or over a dimension.

    requires: one such loop around the block.
    ensures:  a handle; the payload stays.
    refused:  names and positions that are not there, and a dimension that several loops run over, with the loops that
              are.
    """
    block, name = handles.block(op.block, op), op.loop_name.data
    loops = enclosing_loops(block)
    found = _loop_at(name, loops, block, op) if name.startswith("#") else _loop_named(name, loops, block, op)
    handles.define_loop(op.loop, found)


def _loop_at(name: str, loops: list[ForOp], block: BlockOp, op: GetLoopOp) -> ForOp:
    digits = name[1:].removeprefix("-")
    position = int(name[1:]) if digits.isdecimal() and len(digits) < 10 else len(loops)
    if not -len(loops) <= position < len(loops):
        raise refusal(
            op,
            f"no loop '{name}' around block '{block.block_name}', which stands in {len(loops)}",
            f"#0 is the outermost, #{len(loops) - 1} or #-1 the innermost",
        )
    return loops[position]


def _loop_named(name: str, loops: list[ForOp], block: BlockOp, op: GetLoopOp) -> ForOp:
    found = next((loop for loop in reversed(loops) if loop.loop_name == name), None)
    if found is not None:
        return found
    over = _loops_over(name, loops, block)
    if len(over) == 1:
        return over[0]
    if over:
        raise refusal(
            op,
            f"{len(over)} loops run over dimension {name} of block '{block.block_name}'",
            f"name one of {', '.join(loop.loop_name for loop in over)}",
        )
    dimensions = ", ".join(dimension_names(block.source.data)) if block.source is not None else ""
    there = ", ".join(loop.loop_name for loop in loops) or "none"
    raise refusal(
        op,
        f"no loop '{name}' around block '{block.block_name}'; loops there: {there}",
        f"name one of these, #position, or a dimension: {dimensions}" if dimensions else "name one of these",
    )


def _loops_over(dimension: str, loops: list[ForOp], block: BlockOp) -> list[ForOp]:
    """The loops that a dimension of the block's named operation depends on, outermost first."""
    names = dimension_names(block.source.data) if block.source is not None else ()
    if dimension not in names or len(names) != len(block.variables):
        return []
    used = bindings_of(block)[names.index(dimension)].variables()
    return [loop for loop in loops if loop.induction_variable in used]


@rewrites(GetBufferOp)
def get_buffer(op: GetBufferOp, handles: Handles) -> None:
    """Define a handle to the buffer of that name.

    requires: a buffer of that name.
    ensures:  a handle; the payload stays.
    refused:  another name, with those that there are.
    """
    handles.find_buffer(op.buffer_name.data, op)
    handles.define_buffer(op.buffer, op.buffer_name.data)
