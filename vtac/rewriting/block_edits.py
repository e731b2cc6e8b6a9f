"""Blocks under other loops, other guards and other buffers: edits of what `vtac.analysis.nests.accesses` reads."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import cast

from xdsl.dialects.builtin import AffineMapAttr, AffineSetAttr, ArrayAttr
from xdsl.ir import BlockArgument, SSAValue
from xdsl.ir.affine import (
    AffineConstraintExpr,
    AffineConstraintKind,
    AffineExpr,
    AffineMap,
    AffineSet,
)

from vtac.analysis.expressions.affine_expressions import dimension, to_affine
from vtac.analysis.expressions.linear import Linear, variables_of
from vtac.analysis.nests.accesses import bindings_of, guards_of
from vtac.analysis.nests.nest import extents_around
from vtac.dialects.schedule.attributes import AccessAttr
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.segments import SEGMENTS, segments

_ZERO = AffineExpr.constant(0)


def rebind(
    block: BlockOp, bindings: Sequence[Linear], guards: Sequence[Linear], around: Mapping[Hashable, int] | None = None
) -> None:
    """Give a block new bindings and guards over the loops that now enclose it, whose extents are `around`.

    Guards that always hold are dropped.
    """
    extents = extents_around(block) if around is None else around
    kept = list(dict.fromkeys(guard for guard in guards if guard.bounds(extents)[0] < 0))
    used = variables_of((*bindings, *kept))
    loops = [cast(SSAValue, variable) for variable in extents if variable in used]
    place: dict[Hashable, AffineExpr] = {loop: dimension(position) for position, loop in enumerate(loops)}
    if block.bound_loops != tuple(loops):
        block.operands = [*loops, *block.buffers]
        _set_segments(block, len(loops), len(block.accesses) - 1)
    values = tuple([to_affine(value, place.__getitem__) for value in bindings])
    block.bindings = AffineMapAttr(AffineMap(len(loops), 0, values))
    block.guard = None
    if kept:
        constraints = tuple(
            [
                AffineConstraintExpr(AffineConstraintKind.ge, to_affine(guard, place.__getitem__), _ZERO)
                for guard in kept
            ]
        )
        block.guard = AffineSetAttr(AffineSet(len(loops), 0, constraints))


def substitute_loop(block: BlockOp, values: dict[Hashable, Linear], extra_guards: Sequence[Linear] = ()) -> None:
    """Rewrite a block's bindings and guards by replacing loop variables.

    The block must already stand under the loops that the new expressions name.
    """
    extents = dict(extents_around(block))
    for variable in block.bound_loops:
        extents.setdefault(variable, _extent_of(variable))
    bindings, guards = bindings_of(block, extents, values), guards_of(block, extents, values)
    rebind(block, bindings, [*guards, *extra_guards], extents)


def restrict_loop(loop: ForOp, start: int, extent: int) -> None:
    """Let a loop run only the iterations start <= i < start + extent of those it runs."""
    variable = loop.induction_variable
    shifted: dict[Hashable, Linear] = {variable: Linear.variable(variable) + start}
    for block in _blocks_bound_to(variable):
        if start == 0 and block.guard is None:
            continue
        extents = extents_around(block)
        bindings, guards = bindings_of(block, extents), guards_of(block, extents)
        extents[variable] = extent
        if start:
            bindings = [value.substitute(shifted, extents) for value in bindings]
            guards = [guard.substitute(shifted, extents) for guard in guards]
        rebind(block, bindings, guards, extents)
    loop.trip_count = extent


def _blocks_bound_to(variable: SSAValue) -> list[BlockOp]:
    return [use.operation for use in variable.uses if isinstance(use.operation, BlockOp)]


def replace_access(block: BlockOp, position: int, buffer: SSAValue, access: AccessAttr) -> None:
    """Let access `position` (inputs first, the output last) touch another buffer."""
    block.operands[len(block.bound_loops) + position] = buffer
    accesses = list(block.accesses.data)
    accesses[position] = access
    block.accesses = ArrayAttr(accesses)


def _set_segments(block: BlockOp, loops: int, inputs: int) -> None:
    block.properties[SEGMENTS] = segments(loops, inputs, 1)


def _extent_of(variable: SSAValue) -> int:
    owner = variable.owner.parent_op() if isinstance(variable, BlockArgument) else None
    if not isinstance(owner, ForOp):
        raise TypeError("a block is bound to a value that is no loop's induction variable")
    return owner.trip_count
