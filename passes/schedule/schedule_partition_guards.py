"""schedule-partition-guards: cut loops where a guard changes, until no guard is left."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block
from xdsl.passes import ModulePass

from vtac.analysis.accesses import guards_of, restrict_loop
from vtac.analysis.linear import Linear
from vtac.analysis.locations import location_of
from vtac.analysis.nest import blocks_under, discard, extents_around
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.errors import CompileError
from vtac.rewriting.edits import take_from_nest
from vtac.rewriting.loop_copies import copies_of


@dataclass(frozen=True)
class SchedulePartitionGuards(ModulePass):
    """Turn guards into loop bounds.

    A loop whose iterations differ in what their guards allow becomes several loops, each
    with one behaviour; where a guard never holds, the block is gone.

    requires: a scheduled payload.
    ensures:  no block has a guard.
    declines: a guard that differs between bound iterations (virtual threads, GPU indices).
    """

    name = "schedule-partition-guards"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if isinstance(function, FuncOp) and any(block.guard is not None for block in blocks_under(function)):
                _partition_body(function.body.block)


def _partition_body(body: Block) -> None:
    for child in list(body.ops):
        if child.parent is not body:
            continue
        if isinstance(child, ForOp):
            _partition_loop(child)
        elif isinstance(child, BlockOp):
            _settle(child)


def _settle(block: BlockOp) -> None:
    """Drop a block whose guard never holds; by now its loops run over constant verdicts."""
    extents = extents_around(block)
    if any(guard.bounds(extents)[1] < 0 for guard in guards_of(block, extents)):
        take_from_nest(block)
        discard(block)


def _partition_loop(loop: ForOp) -> None:
    guarded = [block for block in blocks_under(loop) if block.guard is not None]
    if not guarded:
        return
    segments = _segments(loop, guarded)
    if len(segments) > 1 and loop.loop_kind.is_bound:
        raise CompileError(
            f"loop '{loop.loop_name}' is bound to {loop.loop_kind.value}, but a guard of block "
            f"'{guarded[0].block_name}' holds for some of its iterations only: split by a factor that divides",
            location_of(guarded[0]),
        )
    pieces = [loop] if len(segments) == 1 else copies_of(loop, len(segments))
    if len(segments) > 1:
        parent = loop.parent
        if parent is None:
            raise ValueError("the loop stands nowhere")
        for piece in pieces:
            parent.insert_op_before(piece, loop)
        for piece, (start, stop) in zip(pieces, segments, strict=True):
            restrict_loop(piece, start, stop - start)
        discard(loop)
    for piece in pieces:
        _partition_body(piece.body.block)
        if piece.parent is not None and not blocks_under(piece):
            discard(piece)


def _segments(loop: ForOp, guarded: list[BlockOp]) -> list[tuple[int, int]]:
    """Maximal runs [start, stop) of iterations with the same settled verdict on every guard.

    An iteration where some guard is still undecided stands alone, and so does each of a loop
    that is to be unrolled.
    """
    variable = loop.induction_variable
    guards = [
        (guard, extents_around(block))
        for block in guarded
        for guard in guards_of(block, extents_around(block))
        if variable in guard.variables()
    ]
    if not guards:
        return [(0, loop.trip_count)]
    runs: list[tuple[int, int]] = []
    previous: tuple[bool | None, ...] | None = None
    for iteration in range(loop.trip_count):
        verdict = tuple(_verdict(guard, variable, iteration, extents) for guard, extents in guards)
        if runs and verdict == previous and None not in verdict and loop.loop_kind is not LoopKind.UNROLLED:
            runs[-1] = (runs[-1][0], iteration + 1)
        else:
            runs.append((iteration, iteration + 1))
        previous = verdict
    return runs


def _verdict(guard: Linear, variable: Hashable, iteration: int, extents: dict[Hashable, int]) -> bool | None:
    """Always (True), never (False) or sometimes (None) true in one iteration."""
    low, high = guard.substitute({variable: Linear(iteration)}, extents).bounds(extents)
    return True if low >= 0 else False if high < 0 else None
