"""Blocks seen as expressions over loop variables: bindings, guards, buffer indices."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import cast

from xdsl.dialects.builtin import AffineMapAttr, AffineSetAttr, ArrayAttr, DenseArrayBase, i32
from xdsl.ir import Block, BlockArgument, SSAValue
from xdsl.ir.affine import (
    AffineConstraintExpr,
    AffineConstraintKind,
    AffineExpr,
    AffineMap,
    AffineSet,
)

from vtac.analysis.linear import Extents, Linear, from_affine, to_affine
from vtac.analysis.nest import blocks_under, enclosing_loops, extents_around
from vtac.dialects.schedule.attributes import AccessAttr
from vtac.dialects.schedule.payload import BlockOp, ForOp


def bindings_of(block: BlockOp, extents: Extents | None = None) -> list[Linear]:
    """One expression over loop variables per iteration variable."""
    extents = extents_around(block) if extents is None else extents
    loops = [Linear.variable(loop) for loop in block.loops]
    return [from_affine(result, loops, [], extents) for result in block.bindings.data.results]


def guards_of(block: BlockOp, extents: Extents | None = None) -> list[Linear]:
    """Expressions that must all be >= 0 for the block to run."""
    if block.guard is None:
        return []
    extents = extents_around(block) if extents is None else extents
    loops = [Linear.variable(loop) for loop in block.loops]
    guards: list[Linear] = []
    for constraint in block.guard.data.constraints:
        difference = from_affine(constraint.lhs, loops, [], extents) - from_affine(constraint.rhs, loops, [], extents)
        guards.append(difference * -1 if constraint.kind is AffineConstraintKind.le else difference)
        if constraint.kind is AffineConstraintKind.eq:
            guards.append(difference * -1)
    return guards


def guards_without_unit_loops(block: BlockOp) -> list[Linear]:
    """The guards of a block; loops of one iteration contribute nothing to them."""
    loops = enclosing_loops(block)
    extents: dict[Hashable, int] = {loop.induction_variable: loop.trip_count for loop in loops}
    unit: dict[Hashable, Linear] = {loop.induction_variable: Linear(0) for loop in loops if loop.trip_count == 1}
    return [guard.substitute(unit, extents) for guard in guards_of(block, extents)]


def shared_guards(blocks: Sequence[BlockOp], body: Block) -> list[Linear]:
    """Guards of all the blocks that are settled outside of `body`: where one fails, nothing inside is needed."""
    owner = body.parent_op()
    loops = [*enclosing_loops(owner), owner] if isinstance(owner, ForOp) else []
    around = {loop.induction_variable for loop in loops}
    first, *others = [guards_without_unit_loops(block) for block in blocks]
    return [guard for guard in first if guard.variables() <= around and all(guard in other for other in others)]


def indices_of(block: BlockOp, position: int, extents: Extents | None = None) -> list[Linear]:
    """Buffer indices of access `position` (inputs first, the output last) over loop variables."""
    extents = extents_around(block) if extents is None else extents
    values = bindings_of(block, extents)
    return [from_affine(result, values, [], extents) for result in block.accesses.data[position].indices.results]


def rebind(block: BlockOp, bindings: Sequence[Linear], guards: Sequence[Linear]) -> None:
    """Give a block new bindings and guards over the loops that now enclose it.

    Guards that always hold are dropped.
    """
    around = enclosing_loops(block)
    extents: dict[Hashable, int] = {loop.induction_variable: loop.trip_count for loop in around}
    kept = list(dict.fromkeys(guard for guard in guards if guard.bounds(extents)[0] < 0))
    used: set[Hashable] = set()
    for expression in (*bindings, *kept):
        used |= expression.variables()
    loops: list[SSAValue] = [loop.induction_variable for loop in around if loop.induction_variable in used]
    place = {loop: AffineExpr.dimension(position) for position, loop in enumerate(loops)}
    block.operands = [*loops, *block.inputs, block.output]
    _set_segments(block, len(loops), len(block.accesses) - 1)
    block.bindings = AffineMapAttr(
        AffineMap(len(loops), 0, tuple(to_affine(value, lambda v: place[cast(SSAValue, v)]) for value in bindings))
    )
    block.guard = None
    if kept:
        constraints = tuple(
            AffineConstraintExpr(
                AffineConstraintKind.ge, to_affine(guard, lambda v: place[cast(SSAValue, v)]), AffineExpr.constant(0)
            )
            for guard in kept
        )
        block.guard = AffineSetAttr(AffineSet(len(loops), 0, constraints))


def _set_segments(block: BlockOp, loops: int, inputs: int) -> None:

    block.properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [loops, inputs, 1])


def substitute_loop(block: BlockOp, values: dict[Hashable, Linear], extra_guards: Sequence[Linear] = ()) -> None:
    """Rewrite a block's bindings and guards by replacing loop variables.

    The block must already stand under the loops that the new expressions name.
    """
    extents = dict(extents_around(block))
    for variable in block.loops:
        extents.setdefault(variable, _extent_of(variable))
    bindings = [value.substitute(values, extents) for value in bindings_of(block, extents)]
    guards = [value.substitute(values, extents) for value in guards_of(block, extents)]
    rebind(block, bindings, [*guards, *extra_guards])


def restrict_loop(loop: ForOp, start: int, extent: int) -> None:
    """Let a loop run only the iterations start <= i < start + extent of those it runs."""
    blocks = [(block, bindings_of(block), guards_of(block)) for block in blocks_under(loop)]
    loop.trip_count = extent
    shifted: dict[Hashable, Linear] = {loop.induction_variable: Linear.variable(loop.induction_variable) + start}
    for block, bindings, guards in blocks:
        extents = extents_around(block)
        rebind(
            block,
            [value.substitute(shifted, extents) for value in bindings],
            [guard.substitute(shifted, extents) for guard in guards],
        )


def _extent_of(variable: SSAValue) -> int:

    owner = variable.owner.parent_op() if isinstance(variable, BlockArgument) else None
    if not isinstance(owner, ForOp):
        raise TypeError("a block is bound to a value that is no loop's induction variable")
    return owner.trip_count


def replace_access(block: BlockOp, position: int, buffer: SSAValue, access: AccessAttr) -> None:
    """Let access `position` (inputs first, the output last) touch another buffer."""
    block.operands[len(block.loops) + position] = buffer
    accesses = list(block.accesses.data)
    accesses[position] = access
    block.accesses = ArrayAttr(accesses)
