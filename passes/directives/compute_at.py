"""compute_at: compute what a loop's consumers need of a block inside that loop.

before: for x: a(x)                       after compute_at(a, i): for i < 2
        for i < 2                                                   for x < 7: a(i * 7 + x)
          for j < 7: b(i * 7 + j) reads a                           for j < 7: b(i * 7 + j)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cmp_to_key

from xdsl.ir import Operation
from xdsl.rewriter import InsertPoint

from vtac.analysis.nests.accesses import shared_guards
from vtac.analysis.nests.nest import (
    buffer_name,
    child_holding,
    enclosing_loops,
    overwrite_before,
    precedes,
    readers_of,
    writers_of,
)
from vtac.analysis.nests.regions import Interval, output_dimensions, reads_of, region_of
from vtac.analysis.nests.updates import is_whole_update, starts_afresh
from vtac.dialects.declared import taken_by
from vtac.dialects.schedule.block_directives import ComputeAtOp
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.schedule.script import DirectiveOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, describe, refusal
from vtac.rewriting.nests import regenerate


@rewrites(ComputeAtOp)
def compute_at(op: ComputeAtOp, handles: Handles) -> None:
    """Move a producer into a loop that encloses all its consumers, on the region they need.

    requires: the block writes a buffer of its own by plain indices; every reader of that
              buffer stands in the loop, after the block; what the block reads is not
              overwritten before; the loop is not mapped to hardware. The block gets one
              loop per iteration variable, extent 1 included. Reductions that update in
              place what the block has written move with it.
    ensures:  each iteration computes what its consumers read, elements that several iterations need again in each.
    refused:  an argument of the function, which is a result as a whole; consumers outside the loop, named by the
              first; a block that stands in the loop already.
    """
    block = handles.block(op.block, op)
    loop = handles.loop(op.loop, op)
    places_of_block = _check(op, block, loop)
    moves = [(one, places_of_block if one is block else _check(op, one, loop)) for one in _writers(op, block)]
    consumers = readers_of(block.output)
    body = loop.body.block
    region = region_of(block.output, reads_of(block.output, consumers), body)
    children = [child for child in (child_holding(body, consumer) for consumer in consumers) if child is not None]
    first = min(children, key=_position)
    guards = shared_guards(consumers, body)
    for writer, places in moves:
        intervals: list[Interval | None] = [None] * len(writer.variables)
        for variable, dimension in places.items():
            intervals[variable] = region[dimension]
        regenerate(writer, InsertPoint.before(first), intervals, guards)


def _writers(op: ComputeAtOp, block: BlockOp) -> list[BlockOp]:
    """The block and the updates of what it has written, in program order."""
    writers = sorted(writers_of(block.output), key=cmp_to_key(lambda a, b: -1 if precedes(a, b) else 1))
    if len(writers) > 1 and (not starts_afresh(writers[0]) or not all(is_whole_update(one) for one in writers[1:])):
        raise refusal(
            op, f"'{buffer_name(block.output)}' is written by several blocks", "move it before decompose_reduction"
        )
    return writers


def _position(child: Operation) -> int:
    block = child.parent
    return block.get_operation_index(child) if block is not None else 0


def _check(op: ComputeAtOp, block: BlockOp, loop: ForOp) -> dict[int, int]:
    name = f"block '{block.block_name}'"
    if loop.is_ancestor(block):
        raise refusal(op, f"{name} already stands in loop {describe(loop)}", "nothing needs to move")
    check_not_mapped(op, loop)
    buffer = block.output
    consumers = readers_of(buffer)
    if not isinstance(buffer.owner, Operation):
        raise refusal(
            op,
            f"{name} writes the argument '{buffer_name(buffer)}', all of which is a result",
            "move the blocks that feed it instead, or use reverse_compute_at",
        )
    if not consumers:
        raise refusal(
            op, f"{name} writes '{buffer_name(buffer)}', which no block reads", "move the blocks that feed it instead"
        )
    if block in consumers:
        raise refusal(op, f"{name} updates '{buffer_name(buffer)}' in place", "leave it where it is")
    outside = [other for other in consumers if not loop.is_ancestor(other)]
    if outside:
        raise refusal(
            op,
            f"loop {describe(loop)} does not enclose all consumers of {name}: '{outside[0].block_name}' stands outside",
            "move the consumers there first, last stage first",
        )
    places = output_dimensions(block)
    if places is None:
        raise refusal(op, f"{name} does not write its output by plain indices", "inline it or leave it in place")
    early = [consumer for consumer in consumers if not precedes(block, consumer)]
    if early:
        raise refusal(op, f"'{early[0].block_name}' reads '{buffer_name(buffer)}' before {name}", "leave it in place")
    check_inputs_kept(op, block, consumers)
    return places


def check_not_mapped(op: DirectiveOp, loop: ForOp) -> None:
    """A loop given to a hardware unit keeps what it holds. Raises `ScheduleError` for one that is, or stands in one."""
    for around in [*enclosing_loops(loop), loop]:
        taken = taken_by(around)
        if taken:
            raise refusal(
                op,
                f"loop {describe(around)} is annotated {taken} with all it holds",
                "move blocks before dma_copy, alu and tensorize",
            )


def check_inputs_kept(op: DirectiveOp, block: BlockOp, places: Sequence[BlockOp]) -> None:
    """What a block reads must still be there at the places it moves to.

    Raises `ScheduleError` with the block that overwrites it.
    """
    overwrite = overwrite_before(block, places)
    if overwrite is not None:
        writer, value = overwrite
        raise refusal(
            op,
            f"block '{block.block_name}' reads '{buffer_name(value)}', which block '{writer.block_name}' overwrites "
            "after it",
            "let the program write a buffer of its own there",
        )
