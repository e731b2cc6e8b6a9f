"""Which boxes the blocks of a cluster have in common, and how they share the work of bringing one."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from math import gcd

from xdsl.dialects.affine import ApplyOp
from xdsl.ir import SSAValue

from vtac.analysis.expressions.affine_expressions import from_affine
from vtac.analysis.expressions.linear import Linear, Quotient, Remainder
from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.nests.nest import enclosing_loops, extents_around
from vtac.dialects.schedule.declared import CLUSTER
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.tensor_maps import TensorMap
from vtac.dialects.tma import Boxes, CopyOp


@dataclass(frozen=True)
class Cluster:
    """The loop over blocks of the grid whose neighbours, so many, are a cluster."""

    loop: ForOp
    blocks: int

    @property
    def mask(self) -> int:
        """A bit for each block."""
        return (1 << self.blocks) - 1

    def rank(self) -> Linear:
        """The rank of a block in its cluster."""
        variable = self.loop.induction_variable
        return Linear.variable(variable).modulo(self.blocks, {variable: self.loop.trip_count})

    def shares(self, copy: CopyOp) -> bool:
        """Whether a copy brings the same box to all blocks of a cluster; each asks for pixels by itself."""
        return not copy.offsets and all(self._is_common(coordinate, copy) for coordinate in copy.coordinates)

    def _is_common(self, coordinate: SSAValue, copy: CopyOp) -> bool:
        variable, first, rank = self.loop.induction_variable, object(), object()
        extents = extents_around(copy)
        found = _expression(coordinate, extents)
        if found is None:
            return False
        extents |= {first: self.loop.trip_count // self.blocks, rank: self.blocks}
        number = Linear.variable(first) * self.blocks + Linear.variable(rank)
        apart = _apart(found.substitute({variable: number}, extents), rank, extents)
        return rank not in apart.variables()


@dataclass(frozen=True)
class BoxPart:
    """The part of a box that each block asks for: as a box, along which dimension, and the elements of each part."""

    boxes: Boxes
    dimension: int
    step: int
    elements: int


def cluster_around(loop: ForOp) -> Cluster | None:
    """The cluster that the blocks of a loop's kernel form; None where they form none."""
    for around in enclosing_loops(loop):
        size = CLUSTER.get(around)
        if size is not None:
            return Cluster(around, size)
    return None


def part_of(own: Boxes, one: TensorMap, blocks: int) -> BoxPart | str:
    """One of `blocks` equal parts of a box of a map, one after the other in memory; or why there are none."""
    dimension = max((at for at, extent in enumerate(own.box) if extent > 1), default=0)
    shape = " x ".join(map(str, reversed(own.box)))
    box = f"the box of {shape} of '{one.array}' is cut in {blocks} parts along its slowest dimension"
    if own.box[dimension] % blocks:
        return f"{box}, which has {own.box[dimension]} elements; a multiple of {blocks} is required"
    bytes_ = one.box_bytes // blocks
    if bytes_ % one.alignment:
        return f"{box}, and parts would start at multiples of {bytes_} bytes; {one.alignment} are required"
    extent = own.box[dimension] // blocks
    cut = (*own.box[:dimension], extent, *own.box[dimension + 1 :])
    return BoxPart(replace(own, box=cut), dimension, extent * own.steps[dimension], bytes_ // one.element_bytes)


def _apart(expression: Linear, part: Hashable, extents: dict[Hashable, int]) -> Linear:
    """An expression whose quotients and remainders do without a variable that does not change them."""
    total = Linear(expression.constant)
    for atom, factor in expression.terms.items():
        total = total + _atom_apart(atom, part, extents) * factor
    return total


def _atom_apart(atom: Hashable, part: Hashable, extents: dict[Hashable, int]) -> Linear:
    if not isinstance(atom, Quotient | Remainder):
        return Linear.variable(atom)
    numerator = _apart(atom.numerator, part, extents)
    inner = Linear.variable(part) * numerator.coefficient(part)
    outer = numerator - inner
    low, high = inner.bounds(extents)
    if part in outer.variables() or low < 0 or high >= gcd(atom.divisor, _multiple(outer)):
        return Linear.variable(atom)
    if isinstance(atom, Quotient):
        return outer.floor_divide(atom.divisor, extents)
    return outer.modulo(atom.divisor, extents) + inner


def _multiple(expression: Linear) -> int:
    """What an expression is a multiple of, whatever its variables are."""
    return gcd(expression.constant, *(factor * _multiple_of_atom(atom) for atom, factor in expression.terms.items()))


def _multiple_of_atom(atom: Hashable) -> int:
    return gcd(atom.divisor, _multiple(atom.numerator)) if isinstance(atom, Remainder) else 1


def _expression(value: SSAValue, extents: dict[Hashable, int]) -> Linear | None:
    """A value over loops, where constants and affine maps make it; None for any other."""
    owner = value.owner
    if isinstance(owner, ApplyOp):
        operands = [_expression(operand, extents) for operand in owner.mapOperands]
        known = [one for one in operands if one is not None]
        if len(known) < len(operands):
            return None
        places = owner.map.data.num_dims
        return from_affine(owner.map.data.results[0], known[:places], known[places:], extents)
    number = number_of(value)
    if number is not None:
        return Linear(number)
    return Linear.variable(value) if value in extents else None
