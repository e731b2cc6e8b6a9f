"""rotate: each iteration of an outer loop starts an inner reduction somewhere else.

before: for o                             after rotate(k, o, 3): for o
          for k < 8: sum += f(o, k)                                for k < 8: sum += f(o, (k + 3 * o) mod 8)

What one pass over k leaves on chip can so be what the next pass begins with.
"""

from __future__ import annotations

from collections.abc import Hashable

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.accesses import bindings_of, guards_of
from vtac.analysis.nests.nest import blocks_under, enclosing_loops, extents_around, readers_of
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.loop_directives import RotateOp
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, describe, refusal
from vtac.rewriting.block_edits import substitute_loop


@rewrites(RotateOp)
def rotate(op: RotateOp, handles: Handles) -> None:
    """Replace the loop's variable by (variable + step * outer) modulo the extent.

    requires: serial loops, `outer` around `loop`, neither given to hardware; every block in
              the loop either reduces over it without an init (integer sums have no order)
              or writes a buffer whose readers all stand in the loop.
    ensures:  each reduction takes the same summands in another order, which starts elsewhere for each iteration of
              `outer`.
    refused:  blocks that start their sum in the loop or run under a guard over it, and loops that are bound or
              annotated.
    """
    loop, outer = handles.loop(op.loop, op), handles.loop(op.outer, op)
    _check(op, loop, outer)
    step = op.step.value.data % loop.trip_count
    moved = Linear.variable(loop.induction_variable) + Linear.variable(outer.induction_variable) * step
    for block in blocks_under(loop):
        value: dict[Hashable, Linear] = {loop.induction_variable: moved.modulo(loop.trip_count, extents_around(block))}
        substitute_loop(block, value)


def _check(op: RotateOp, loop: ForOp, outer: ForOp) -> None:
    if outer not in enclosing_loops(loop):
        raise refusal(op, f"loop {describe(outer)} is not around loop {describe(loop)}", "name a loop outside it")
    for each in (loop, outer):
        if each.loop_kind is not LoopKind.SERIAL or each.attributes:
            raise refusal(op, f"loop {describe(each)} is bound or annotated", "rotate serial loops before that")
    variable = loop.induction_variable
    for block in blocks_under(loop):
        reduces = any(
            iteration.reduction and variable in value.variables()
            for iteration, value in zip(block.variables, bindings_of(block), strict=True)
        )
        if reduces and block.init is not None:
            raise refusal(
                op,
                f"block '{block.block_name}' starts its sum in loop {describe(loop)}",
                "use decompose_reduction first",
            )
        if any(variable in guard.variables() for guard in guards_of(block)):
            raise refusal(
                op,
                f"block '{block.block_name}' has a guard over loop {describe(loop)}",
                "split by a factor that divides",
            )
        if not reduces and not _stays_inside(block, loop):
            raise refusal(
                op, f"block '{block.block_name}' does not reduce over loop {describe(loop)}", "rotate a reduction loop"
            )


def _stays_inside(block: BlockOp, loop: ForOp) -> bool:
    """What a block writes is used in the same iteration only."""
    readers = readers_of(block.output)
    return bool(readers) and all(loop in enclosing_loops(reader) for reader in readers)
