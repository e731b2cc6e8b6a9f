"""reverse_compute_at: compute a consumer inside the loop that produces its input.

before: for i < 2                             after reverse_compute_at(b, i): for i < 2
          for j < 7: a(i * 7 + j)                                               for j < 7: a(i * 7 + j)
        for x < 14: b(x) reads a                                                for x < 7: b(i * 7 + x)
"""

from __future__ import annotations

from xdsl.dialects.memref import AllocOp
from xdsl.rewriter import InsertPoint

from vtac.analysis.nests.accesses import bindings_of
from vtac.analysis.nests.nest import buffer_name, child_holding, enclosing_loops, precedes, readers_of, writers_of
from vtac.analysis.nests.regions import Interval
from vtac.analysis.nests.updates import is_update, is_whole_update, starts_afresh
from vtac.dialects.schedule.block_directives import ReverseComputeAtOp
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.compute_at import check_not_mapped
from vtac.passes.directives.handles import Handles, describe, refusal
from vtac.passes.directives.produced_boxes import check_covered, check_reductions, produced_box, restrict
from vtac.rewriting.edits import move_op
from vtac.rewriting.nests import regenerate


@rewrites(ReverseComputeAtOp)
def reverse_compute_at(op: ReverseComputeAtOp, handles: Handles) -> None:
    """Move a consumer into a loop, after its producers there, onto what they have produced.

    requires: the loop encloses a producer of the block and no reduction loop of one is the
              loop or around it; what is produced per iteration is a box without gaps, the
              block reads it by plain indices, and over all iterations that is everything
              it reads; everything else it reads is ready; it starts afresh each time, or
              updates in place what is produced afresh each time, and no block before it
              reads what it overwrites.
    ensures:  each iteration consumes what it has produced; all of the output is written in the end.
    refused:  a loop that produces nothing of what the block reads, and outputs that other blocks read or write in
              between.
    """
    block = handles.block(op.block, op)
    loop = handles.loop(op.loop, op)
    producers = _check(op, block, loop)
    body = loop.body.block
    intervals: list[Interval | None] = [None] * len(block.variables)
    for position, buffer in enumerate((*block.inputs, block.output) if is_update(block) else block.inputs):
        inside = [producer for producer in producers if producer.output is buffer]
        if inside:
            check_covered(op, block, position, inside, handles)
            restrict(op, block, position, produced_box(op, loop, inside), intervals)
    check_reductions(op, block, loop, intervals)
    children = [child for child in (child_holding(body, producer) for producer in producers) if child is not None]
    last = max(children, key=body.get_operation_index)
    regenerate(block, InsertPoint.after(last), intervals)
    _allocate_before(block, _nest(loop))


def _nest(loop: ForOp) -> ForOp:
    return [*enclosing_loops(loop), loop][0]


def _allocate_before(block: BlockOp, nest: ForOp) -> None:
    """The output's allocation must precede the nest that the block has moved into."""
    allocation = block.output.owner
    if isinstance(allocation, AllocOp) and not precedes(allocation, nest):
        move_op(allocation, InsertPoint.before(nest))


def _check(op: ReverseComputeAtOp, block: BlockOp, loop: ForOp) -> list[BlockOp]:
    """The block's producers in the loop."""
    name = f"block '{block.block_name}'"
    if loop in enclosing_loops(block):
        raise refusal(op, f"{name} already stands in loop {describe(loop)}", "nothing needs to move")
    check_not_mapped(op, loop)
    reads = [*block.inputs, block.output] if is_whole_update(block) else block.inputs
    earlier = _other_writers(block)
    writers = list(
        dict.fromkeys(writer for value in reads for writer in (earlier if value is block.output else writers_of(value)))
    )
    producers = [writer for writer in writers if loop in enclosing_loops(writer)]
    if not producers:
        raise refusal(op, f"loop {describe(loop)} produces nothing that {name} reads", "choose a loop of its producers")
    _check_output(op, block, loop)
    for producer in producers:
        _check_no_reduction_outside(op, producer, loop)
    for writer in writers:
        if not precedes(writer, block):
            raise refusal(
                op,
                f"{name} reads '{buffer_name(writer.output)}' before block '{writer.block_name}' overwrites it",
                "let the program write a buffer of its own there",
            )
        if writer not in producers and not precedes(writer, _nest(loop)):
            raise refusal(
                op,
                f"{name} also reads '{buffer_name(writer.output)}', which block '{writer.block_name}' writes outside "
                f"loop {describe(loop)}, not before its nest",
                "move its producers before it",
            )
    return producers


def _check_output(op: ReverseComputeAtOp, block: BlockOp, loop: ForOp) -> None:
    name, output = f"block '{block.block_name}'", buffer_name(block.output)
    others = _other_writers(block)
    updates = is_whole_update(block) and bool(others)
    if others and not (updates and all(_starts_in(writer, loop) for writer in others)):
        raise refusal(op, f"'{output}' is written by several blocks", "move it before decompose_reduction")
    if (is_update(block) and not updates) or any(value is block.output for value in block.inputs):
        raise refusal(
            op, f"{name} continues from what '{output}' holds and may run once only", "compute into a buffer of its own"
        )
    _check_later_updates(op, block, loop)
    early = [reader for reader in readers_of(block.output) if not precedes(block, reader)]
    if early:
        raise refusal(
            op,
            f"block '{early[0].block_name}' reads '{output}' before {name} overwrites it",
            "let the program write a buffer of its own there",
        )


def _check_later_updates(op: ReverseComputeAtOp, block: BlockOp, loop: ForOp) -> None:
    """A loop that repeats an update must go on starting it afresh."""
    kept = [*enclosing_loops(loop), loop]
    left = [around for around in enclosing_loops(block) if around not in kept]
    for writer in writers_of(block.output):
        repeating = [around for around in enclosing_loops(writer) if around in left]
        if writer is not block and repeating:
            raise refusal(
                op,
                f"block '{writer.block_name}' updates '{buffer_name(block.output)}' in loop {describe(repeating[-1])}, "
                f"each iteration of which block '{block.block_name}' starts afresh",
                "leave it in that loop",
            )


def _other_writers(block: BlockOp) -> list[BlockOp]:
    """Who else writes the block's output, but for later updates: these go on from it wherever it stands."""
    others = [writer for writer in writers_of(block.output) if writer is not block]
    return [writer for writer in others if not (is_whole_update(writer) and precedes(block, writer))]


def _starts_in(writer: BlockOp, loop: ForOp) -> bool:
    """Each iteration of the loop writes afresh, or updates what it wrote."""
    return loop in enclosing_loops(writer) and (starts_afresh(writer) or is_whole_update(writer))


def _check_no_reduction_outside(op: ReverseComputeAtOp, producer: BlockOp, loop: ForOp) -> None:
    around = [*enclosing_loops(loop), loop]
    bindings = bindings_of(producer)
    for variable, value in zip(producer.variables, bindings, strict=True):
        for outer in around:
            if variable.reduction and outer.induction_variable in value.variables():
                raise refusal(
                    op,
                    f"loop {describe(outer)} reduces in '{producer.block_name}': its result is not complete there",
                    "choose a loop outside every reduction",
                )
