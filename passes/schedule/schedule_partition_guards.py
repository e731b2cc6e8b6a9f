"""schedule-partition-guards: cut loops where a guard changes, until no guard is left."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.expressions.affine_expressions import mentions
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.accesses import guards_of
from vtac.analysis.nests.nest import blocks_under, enclosing_loops, extents_around, walk_payload
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.errors import CompileError
from vtac.rewriting.block_edits import restrict_loop
from vtac.rewriting.edits import discard
from vtac.rewriting.loop_copies import multiply
from vtac.rewriting.walker import rewrite_greedily


class PartitionLoop(RewritePattern):
    """One loop whose iterations differ in what guards allow: several loops, each with one behaviour."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        guarded = _guarded(op)
        segments = _segments(op, guarded) if guarded else []
        if len(segments) < 2:
            return
        if op.loop_kind.is_bound:
            first = next(block for block in blocks_under(op) if block.guard is not None)
            raise CompileError(
                f"loop '{op.loop_name}' is bound to {op.loop_kind.value}, but a guard of block "
                f"'{first.block_name}' holds for some of its iterations only: split by a factor that divides",
                location_of(first),
            )
        held = blocks_under(op)
        # A piece in which nothing ever runs is not made; where all are such, dropping blocks sees to them.
        kept = [segment for segment in segments if not segment.never.issuperset(held)] or segments
        for piece, segment in zip(multiply(op, len(kept), rewriter), kept, strict=True):
            restrict_loop(piece, segment.start, segment.stop - segment.start)
            # What a piece holds is looked at in this walk, outermost loops first: the worklist is a stack.
            for inner in reversed(walk_payload(piece)):
                rewriter.notify_op_modified(inner)


def _guarded(loop: ForOp) -> list[BlockOp]:
    """The blocks with a guard that a loop's variable counts in."""
    return [
        use.operation
        for use in loop.induction_variable.uses
        if isinstance(use.operation, BlockOp)
        and use.operation.guard is not None
        and any(
            mentions(side, use.index)
            for constraint in use.operation.guard.data.constraints
            for side in (constraint.lhs, constraint.rhs)
        )
    ]


class DropBlock(RewritePattern):
    """One block whose guard never holds, once no loop around it has iterations that differ, and loops left empty."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: BlockOp, rewriter: PatternRewriter) -> None:
        if op.guard is None:
            return
        loops, extents = enclosing_loops(op), extents_around(op)
        if all(guard.bounds(extents)[1] >= 0 for guard in guards_of(op, extents)):
            return
        discard(op, rewriter)
        for loop in reversed(loops):
            if blocks_under(loop):
                return
            discard(loop, rewriter)


class _Segment(NamedTuple):
    """Iterations start <= i < stop of a loop, and the blocks that never run in them."""

    start: int
    stop: int
    never: frozenset[BlockOp]


def _segments(loop: ForOp, guarded: list[BlockOp]) -> list[_Segment]:
    """Maximal runs of iterations with the same settled verdict on every guard.

    An iteration where some guard is still undecided stands alone, and so does each of a loop
    that is to be unrolled.
    """
    variable = loop.induction_variable
    guards = [
        (block, _Guard(guard, variable, extents))
        for block, extents in ((block, extents_around(block)) for block in guarded)
        for guard in guards_of(block, extents)
        if variable in guard.variables()
    ]
    if not guards:
        return [_Segment(0, loop.trip_count, frozenset())]
    runs: list[_Segment] = []
    previous: list[bool | None] = []
    for iteration in range(loop.trip_count):
        verdict = [guard.verdict(iteration) for _, guard in guards]
        if verdict == previous and None not in verdict and loop.loop_kind is not LoopKind.UNROLLED:
            runs[-1] = runs[-1]._replace(stop=iteration + 1)
        else:
            never = frozenset(
                block for (block, _), runs_at_all in zip(guards, verdict, strict=True) if runs_at_all is False
            )
            runs.append(_Segment(iteration, iteration + 1, never))
        previous = verdict
    return runs


class _Guard:
    """A guard as one loop goes through its iterations: in steps of the variable's coefficient, where it has one."""

    def __init__(self, guard: Linear, variable: Hashable, extents: dict[Hashable, int]) -> None:
        self.guard = guard
        self.variable = variable
        self.extents = extents
        self.step = guard.coefficient(variable) if guard.is_linear_in(variable) else None
        self.first = self._bounds(0)

    def verdict(self, iteration: int) -> bool | None:
        """Always (True), never (False) or sometimes (None) true in one iteration."""
        if self.step is None:
            low, high = self._bounds(iteration)
        else:
            low, high = (bound + self.step * iteration for bound in self.first)
        return True if low >= 0 else False if high < 0 else None

    def _bounds(self, iteration: int) -> tuple[int, int]:
        return self.guard.substitute({self.variable: Linear(iteration)}, self.extents).bounds(self.extents)


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
                rewrite_greedily(function, PartitionLoop(), DropBlock(), tells_all=True)
