"""Blocks seen as expressions over loop variables: bindings, guards, buffer indices."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from xdsl.ir import Block, SSAValue
from xdsl.ir.affine import AffineConstraintKind

from vtac.analysis.expressions.affine_expressions import from_affine
from vtac.analysis.expressions.linear import ZERO, Extents, Linear
from vtac.analysis.nests.nest import enclosing_loops, extents_around
from vtac.dialects.declared import taken_by
from vtac.dialects.schedule.payload import BlockOp, ForOp


def bindings_of(
    block: BlockOp, extents: Extents | None = None, known: Mapping[Hashable, Linear] | None = None
) -> list[Linear]:
    """One expression over loop variables per iteration variable; `known` says what some of the loop variables are."""
    extents = extents_around(block) if extents is None else extents
    loops = _values_of(block.bound_loops, known)
    return [from_affine(result, loops, [], extents) for result in block.bindings.data.results]


def _values_of(loops: Sequence[SSAValue], known: Mapping[Hashable, Linear] | None) -> list[Linear]:
    if not known:
        return [Linear.variable(loop) for loop in loops]
    return [known[loop] if loop in known else Linear.variable(loop) for loop in loops]


def guards_of(
    block: BlockOp, extents: Extents | None = None, known: Mapping[Hashable, Linear] | None = None
) -> list[Linear]:
    """Expressions that must all be >= 0 for the block to run; `known` says what some of the loop variables are."""
    if block.guard is None:
        return []
    extents = extents_around(block) if extents is None else extents
    loops = _values_of(block.bound_loops, known)
    guards: list[Linear] = []
    for constraint in block.guard.data.constraints:
        difference = from_affine(constraint.lhs, loops, [], extents) - from_affine(constraint.rhs, loops, [], extents)
        guards.append(difference * -1 if constraint.kind is AffineConstraintKind.le else difference)
        if constraint.kind is AffineConstraintKind.eq:
            guards.append(difference * -1)
    return guards


def unit_variables(block: BlockOp, extents: Extents | None = None) -> dict[Hashable, Linear]:
    """Loop variables around a block that are 0 wherever it runs.

    They are those of loops of one iteration, and threads of which a guard lets only the first through. What else a
    guard leaves out of a tile is padding, which belongs to the tile: of a nest that an instruction takes, whole warps,
    too, as all of them begin an instruction of a warpgroup.
    """
    extents = extents_around(block) if extents is None else extents
    found: dict[Hashable, Linear] = {variable: ZERO for variable, extent in extents.items() if extent == 1}
    if block.guard is None:
        return found
    loops = enclosing_loops(block)
    if any(taken_by(loop) for loop in loops):
        return found
    threads = {loop.induction_variable for loop in loops if loop.loop_kind.is_thread}
    for guard in guards_of(block, extents):
        if all(factor < 0 and variable in extents for variable, factor in guard.terms.items()):
            first = {variable for variable, factor in guard.terms.items() if guard.constant < -factor}
            found |= dict.fromkeys(first & threads, ZERO)
    return found


def guards_without_unit_loops(block: BlockOp) -> list[Linear]:
    """The guards of a block; loops of one iteration contribute nothing to them."""
    extents = extents_around(block)
    unit: dict[Hashable, Linear] = {variable: ZERO for variable, extent in extents.items() if extent == 1}
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
    return indices_at(block, position, bindings_of(block, extents), extents)


def indices_at(block: BlockOp, position: int, values: Sequence[Linear], extents: Extents) -> list[Linear]:
    """Buffer indices of an access where the iteration variables have these values."""
    return [from_affine(result, values, [], extents) for result in block.accesses.data[position].indices.results]


def all_indices_of(
    block: BlockOp, extents: Extents | None = None, known: Mapping[Hashable, Linear] | None = None
) -> list[list[Linear]]:
    """`indices_of` for each access, in their order; `known` says what some of the loop variables are."""
    extents = extents_around(block) if extents is None else extents
    values = bindings_of(block, extents, known)
    return [indices_at(block, position, values, extents) for position in range(len(block.accesses.data))]
