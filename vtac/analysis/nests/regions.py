"""Regions of buffers that blocks touch, with the outer loops kept symbolic.

The one bounds analysis of the compiler: compute_at, caching, padding, strides, halos and
buffer compaction all ask it.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from xdsl.ir import Block, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineExpr

from vtac.analysis.expressions.linear import ZERO, Extents, Linear, relax
from vtac.analysis.nests.accesses import bindings_of, guards_of, indices_at, indices_of, unit_variables
from vtac.analysis.nests.nest import Surroundings, enclosing_loops, extents_around, loops_within, scope_of, shape_of
from vtac.dialects.schedule.payload import BlockOp


@dataclass(frozen=True, slots=True)
class Interval:
    """Indices base <= i < base + extent of one dimension; `base` is over outer loops."""

    base: Linear
    extent: int

    def hull(self, other: Interval, whole: int) -> Interval:
        """The smallest interval that holds both; the whole dimension when they move apart."""
        if self.extent == other.extent and self.base == other.base:
            return self
        shift = other.base - self.base
        if not shift.is_constant:
            return Interval(ZERO, whole)
        low = min(0, shift.constant)
        high = max(self.extent, shift.constant + other.extent)
        return Interval(self.base + low, high - low)

    def clipped(self, whole: int, extents: Extents) -> Interval:
        """Without what can never lie in 0 <= i < whole; still symbolic where it moves."""
        if self.base.is_constant:
            low = max(0, self.base.constant)
            high = min(whole, self.base.constant + self.extent)
            return self if high - low == self.extent else Interval(Linear(low), max(1, high - low))
        low, high = self.base.bounds(extents)
        if self.extent >= whole and low <= 0 and high + self.extent >= whole:
            return Interval(Linear(0), whole)
        return self


@dataclass(frozen=True)
class Known:
    """What is known of blocks: the loops around them, and the indices of their accesses, in one list for each.

    Loops of one iteration contribute nothing to these indices.
    """

    around: Surroundings
    indices: Mapping[BlockOp, Sequence[Sequence[Linear]]]


def touched_region(
    block: BlockOp,
    position: int,
    outside: Block,
    *,
    by_one_thread: bool = False,
    indices: Sequence[Linear] | None = None,
    around: Extents | None = None,
) -> list[Interval]:
    """What access `position` touches while every loop inside the body `outside` runs.

    Shared memory belongs to all threads of a GPU block: their loops count as inside, unless the question is what
    one of them has done. `indices` are those of the access without loops of one iteration, `around` the extents of
    all loops around the block, where they are known.
    """
    extents = extents_around(block) if around is None else around
    inner: set[Hashable] = {loop.induction_variable for loop in loops_within(block, outside)}
    if not by_one_thread and scope_of(block.buffers[position]) == "shared":
        inner |= {loop.induction_variable for loop in enclosing_loops(block) if loop.loop_kind.is_thread}
    region: list[Interval] = []
    for index in _indices_without_unit_loops(block, position, extents) if indices is None else indices:
        base, low, high = relax(index, inner, extents)
        region.append(Interval(base + low, high - low + 1))
    return region


def _indices_without_unit_loops(block: BlockOp, position: int, extents: Extents) -> list[Linear]:
    values = bindings_of(block, extents, unit_variables(block, extents))
    return indices_at(block, position, values, extents)


def covers_its_region(block: BlockOp, position: int, outside: Block) -> bool:
    """True when access `position` touches every index of its `touched_region` by one thread while the loops inside run.

    Each of those loops must move one dimension, in steps without gaps, and nothing but the
    block's domain may guard it.
    """
    extents = extents_around(block)
    inner: set[Hashable] = {loop.induction_variable for loop in loops_within(block, outside)}
    moved: set[Hashable] = set()
    for index in indices_of(block, position, extents):
        if not all(index.is_linear_in(variable) for variable in inner):
            return False
        moving = {variable for variable in inner & index.variables() if extents[variable] > 1}
        if moving & moved:
            return False
        moved |= moving
        reach = 1
        for step, count in sorted((index.coefficient(variable), extents[variable]) for variable in moving):
            if not 0 < step <= reach:
                return False
            reach += step * (count - 1)
    return is_guarded_by_domain(block, position, extents)


def is_guarded_by_domain(block: BlockOp, position: int, extents: Extents) -> bool:
    """No guard, or one that keeps the variables in their domain and so the access in the buffer."""
    guards = guards_of(block, extents)
    if not guards:
        return True
    shape = shape_of(block.buffers[position])
    for expr, whole in zip(block.accesses.data[position].indices.results, shape, strict=True):
        variable = plain_dimension(expr)
        if variable is None or block.variables[variable].extent != whole:
            return False
    bounds: list[Linear] = []
    for variable, value in zip(block.variables, bindings_of(block, extents), strict=True):
        bounds += [value, Linear(variable.extent - 1) - value]
    return all(guard in bounds for guard in guards)


def region_of(
    buffer: SSAValue,
    accesses: Sequence[tuple[BlockOp, int]],
    outside: Block,
    *,
    by_one_thread: bool = False,
    known: Known | None = None,
) -> list[Interval]:
    """The hull of several accesses to a buffer, clipped to its shape.

    `known` is what somebody has found of the blocks already.
    """
    shape = shape_of(buffer)
    extents: dict[Hashable, int] = {}
    hull: list[Interval] | None = None
    for block, position in accesses:
        around = extents_around(block) if known is None else known.around.extents(block)
        extents |= around
        indices = None if known is None else known.indices[block][position]
        region = touched_region(block, position, outside, by_one_thread=by_one_thread, indices=indices, around=around)
        hull = (
            region
            if hull is None
            else [mine.hull(other, whole) for mine, other, whole in zip(hull, region, shape, strict=True)]
        )
    if hull is None:
        return [Interval(Linear(0), whole) for whole in shape]
    return [interval.clipped(whole, extents) for interval, whole in zip(hull, shape, strict=True)]


def box_of(boxes: Sequence[list[Interval]]) -> list[Interval] | None:
    """The union of boxes when that is a box again; None when it has gaps or cannot be told.

    Boxes must be equal or apart.
    """
    distinct: list[list[Interval]] = []
    for box in boxes:
        if box not in distinct:
            distinct.append(box)
    hull = distinct[0]
    for position, box in enumerate(distinct):
        if not all(_are_apart(box, other) for other in distinct[:position]):
            return None
        if not all((theirs.base - mine.base).is_constant for mine, theirs in zip(hull, box, strict=True)):
            return None
        hull = [mine.hull(theirs, mine.extent) for mine, theirs in zip(hull, box, strict=True)]
    volume = sum(prod(interval.extent for interval in box) for box in distinct)
    return hull if volume == prod(interval.extent for interval in hull) else None


def _are_apart(first: Sequence[Interval], second: Sequence[Interval]) -> bool:
    shifts = [theirs.base - mine.base for mine, theirs in zip(first, second, strict=True)]
    return any(
        shift.is_constant and (shift.constant >= mine.extent or -shift.constant >= theirs.extent)
        for shift, mine, theirs in zip(shifts, first, second, strict=True)
    )


def reads_of(buffer: SSAValue, blocks: Sequence[BlockOp]) -> list[tuple[BlockOp, int]]:
    """(block, access position) of every read of a buffer by the blocks."""
    return [(block, position) for block in blocks for position, value in enumerate(block.inputs) if value is buffer]


def plain_dimension(expr: AffineExpr) -> int | None:
    """The dimension that an expression simply is; None for anything else."""
    return expr.position if isinstance(expr, AffineDimExpr) else None


def output_dimensions(block: BlockOp) -> dict[int, int] | None:
    """Iteration variable -> output dimension, when the block writes each index by one variable.

    A dimension of a constant index has no variable. None when the output cannot be
    inverted, or a spatial variable does not reach it.
    """
    places: dict[int, int] = {}
    for dimension, expr in enumerate(block.output_access.indices.results):
        if isinstance(expr, AffineConstantExpr):
            continue
        variable = plain_dimension(expr)
        if variable is None or variable in places:
            return None
        places[variable] = dimension
    spatial = {position for position, variable in enumerate(block.variables) if not variable.reduction}
    return places if spatial == set(places) else None
