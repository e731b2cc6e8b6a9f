"""How much of a buffer one output tile needs, dimension by dimension, halos included."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TypeAlias

from vtac.analysis.expressions.affine_expressions import from_affine
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.regions import output_dimensions
from vtac.dialects.schedule.payload import BlockOp

Place: TypeAlias = tuple[Linear, ...]
"""Indices of a buffer, over the dimensions of the output tile by number."""


@dataclass(frozen=True)
class Side:
    """Tiles needed along one outer dimension: `stride * (t - 1) + reach` for t along output dimension `spatial`.

    That is the interval; of it `stride * i + o` are needed for every i below t and every o of `offsets`.
    """

    spatial: int | None
    stride: int
    reach: int
    size: int
    offsets: tuple[int, ...]

    def extent(self, tile: Sequence[int]) -> int:
        """Tiles of the interval for an output tile, at most all there are."""
        return min(self.size, (self._along(tile) - 1) * self.stride + self.reach)

    def touched(self, tile: Sequence[int]) -> set[int]:
        """The indices that an output tile at the origin needs, without gaps between them."""
        along = self._along(tile)
        return {i * self.stride + o for i in range(along) for o in self.offsets} & set(range(self.size))

    def _along(self, tile: Sequence[int]) -> int:
        return 1 if self.spatial is None else tile[self.spatial]


TileRegion: TypeAlias = tuple[Side, ...]


def tiles_of(region: TileRegion, tile: Sequence[int]) -> int:
    """Tiles of a region that one output tile needs at least, without gaps between them.

    Sides along which one output dimension moves, as on a diagonal, are gone along together.
    """
    moving = {side.spatial for side in region if side.spatial is not None}
    still = prod(len(side.touched(tile)) for side in region if side.spatial is None)
    return still * prod(_touched_along([s for s in region if s.spatial == number], tile[number]) for number in moving)


def _touched_along(sides: Sequence[Side], along: int) -> int:
    """Places of a few sides that `along` tiles of the output dimension need that moves all of them."""
    found: set[tuple[int, ...]] = set()
    for offsets in product(*(side.offsets for side in sides)):
        ends = [(side.stride, offset, side.size) for side, offset in zip(sides, offsets, strict=True)]
        first = max(0, *(-(offset // stride) for stride, offset, _ in ends))
        behind = min(along, *(-((offset - size) // stride) for stride, offset, size in ends))
        if first < behind:
            found.update(zip(*(range(first * n + o, behind * n + o, n) for n, o, _ in ends), strict=True))
    return len(found)


def is_pointwise(region: TileRegion, extents: Sequence[int]) -> bool:
    """Each output tile needs the tile at its own place."""
    found = [side.spatial for side in region if side.size > 1]
    plain = all(side.stride == 1 and side.reach == 1 for side in region if side.size > 1)
    return plain and found == [number for number, extent in enumerate(extents) if extent > 1]


def whole_place(extents: Sequence[int]) -> Place:
    """The place of an output tile itself."""
    return tuple(Linear.variable(number) if extent > 1 else Linear(0) for number, extent in enumerate(extents))


def places_read(
    block: BlockOp, position: int, written: Iterable[Place], extents: Mapping[Hashable, int]
) -> set[Place] | None:
    """Outer indices that a block reads at access `position` to write those places.

    None when the block does not write by plain indices. Reductions stand at 0.
    """
    dimensions = output_dimensions(block)
    if dimensions is None:
        return None
    expressions = block.accesses.data[position].indices.results[:-2]
    found: set[Place] = set()
    for place in written:
        values = [
            place[dimensions[variable]] if dimensions.get(variable, len(place)) < len(place) else Linear(0)
            for variable in range(len(block.variables))
        ]
        found.add(tuple(from_affine(expr, values, [], extents) for expr in expressions))
    return found


def tile_region_of(places: Iterable[Place], shape: Sequence[int]) -> TileRegion | None:
    """The hull of several places in a buffer of that outer shape; None when they move differently."""
    listed = list(places)
    offsets = _offsets(listed)
    sides: list[Side] = []
    for number, size in enumerate(shape):
        indices = [place[number] for place in listed]
        moving = indices[0] - indices[0].constant
        if any(index - index.constant != moving for index in indices) or len(moving.terms) > 1:
            return None
        reach = max(index.constant for index in indices) - min(index.constant for index in indices) + 1
        if not moving.terms:
            sides.append(Side(None, 1, reach, size, offsets[number]))
            continue
        ((variable, stride),) = moving.terms.items()
        if not isinstance(variable, int) or stride < 1:
            return None
        sides.append(Side(variable, stride, reach, size, offsets[number]))
    return tuple(sides)


def _offsets(places: Sequence[Place]) -> list[tuple[int, ...]]:
    """Per dimension, the constants of its indices; those of one place where the places are no grid."""
    constants = sorted({tuple(index.constant for index in place) for place in places})
    found = [tuple(sorted(set(column))) for column in zip(*constants, strict=True)]
    if len(constants) == prod(map(len, found)):
        return found
    return [(constant,) for constant in min(constants, default=())]
