"""A copy block seen as a 2D transfer: rows, columns, pads, and loops left for the host.

A DMA instruction moves y rows of x consecutive tiles; rows are a stride apart in DRAM and
follow each other on chip:

    DRAM   |<- x ->|.......|          on chip   | x_pad | x | x_pad |  one row
           |<--- stride -->|                    rows directly below each other
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vtac.analysis.expressions.linear import Extents, Linear
from vtac.analysis.nests.accesses import all_indices_of, indices_of
from vtac.analysis.nests.nest import buffer_name, extents_around, shape_of
from vtac.analysis.nests.tiles import match_nest, tile_access, tile_shape
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.payload import BlockOp, ForOp


@dataclass(frozen=True, slots=True)
class Padding:
    """Indices start <= i < start + extent of which those in 0 <= i < limit exist."""

    start: Linear
    limit: int


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension of a transfer; strides in tiles."""

    extent: int
    dram_stride: int
    sram_stride: int
    padding: Padding | None = None
    loop: ForOp | None = None

    def continues(self, inner: Dimension) -> bool:
        """This dimension and the next inner one are one contiguous run on both sides."""
        return (
            self.padding is None
            and inner.padding is None
            and self.dram_stride == inner.dram_stride * inner.extent
            and self.sram_stride == inner.sram_stride * inner.extent
        )


_UNIT = Dimension(1, 1, 1)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A whole copy: host loops around rows of columns. Offsets in tiles, without loops' parts."""

    block: BlockOp
    host: tuple[Dimension, ...]
    y: Dimension
    x: Dimension
    dram_offset: Linear
    sram_offset: Linear
    fixed_padding: tuple[Padding, ...] = ()


def match_transfer(loop: ForOp, config: VTAConfig, memory: str, *, load: bool) -> Transfer | str:
    """The transfer that a loop's copy is, or why it is none."""
    nest = match_nest(loop)
    if isinstance(nest, str):
        return nest
    inner, block = nest
    dram, sram = (0, 1) if load else (1, 0)
    tile = tile_shape(config, memory)
    sides: list[Linear] = []
    within: list[ForOp] = []
    indices = all_indices_of(block)
    for position in (dram, sram):
        found = tile_access(block, position, indices[position], inner, tile)
        if isinstance(found, str):
            return found
        if sides and found[1] != within:
            return "expected the scalars of a tile in the same order on both sides"
        sides.append(found[0])
        within = found[1]
    outer = [other for other in inner if other not in within]
    return _build(block, outer, (dram, sram), (sides[0], sides[1]))


def _build(
    block: BlockOp, loops: Sequence[ForOp], positions: tuple[int, int], sides: tuple[Linear, Linear]
) -> Transfer | str:
    extents = extents_around(block)
    padding = _paddings(block, positions[0], loops, extents)
    if isinstance(padding, str):
        return padding
    by_loop, fixed = padding
    dimensions: list[Dimension] = []
    for loop in loops:
        variable = loop.induction_variable
        if any(not side.is_linear_in(variable) for side in sides):
            return (
                f"expected affine indices, loop '{loop.loop_name}' is divided: do not fuse loops that a copy runs over"
            )
        dram_stride, sram_stride = (side.coefficient(variable) for side in sides)
        if loop.trip_count == 1 and loop not in by_loop:
            continue
        if sram_stride <= 0 and loop.trip_count > 1:
            return f"loop '{loop.loop_name}' copies the same tile {loop.trip_count} times"
        dimensions.append(Dimension(loop.trip_count, dram_stride, sram_stride, by_loop.get(loop), loop))
    dram_offset, sram_offset = sides
    for loop in loops:
        dram_offset = dram_offset.without(loop.induction_variable)
        sram_offset = sram_offset.without(loop.induction_variable)
    host, y, x = _to_2d(dimensions)
    return Transfer(block, host, y, x, dram_offset, sram_offset, fixed)


def _to_2d(dimensions: list[Dimension]) -> tuple[tuple[Dimension, ...], Dimension, Dimension]:
    """Fold contiguous neighbours, then take columns and rows from the inside out."""
    folded: list[Dimension] = []
    for dimension in sorted(dimensions, key=_row_major, reverse=True):
        if folded and folded[-1].continues(dimension):
            outer = folded.pop()
            folded.append(replace(dimension, extent=outer.extent * dimension.extent, loop=None))
        else:
            folded.append(dimension)
    x = _UNIT
    if folded and (folded[-1].dram_stride == 1 or folded[-1].extent == 1) and _is_row(folded[-1]):
        x = folded.pop()
    y = replace(_UNIT, dram_stride=x.extent, sram_stride=x.extent)
    if folded and (folded[-1].sram_stride == x.extent or folded[-1].extent == 1):
        y = folded.pop()
    return tuple(folded), y, x


def _is_row(dimension: Dimension) -> bool:
    return dimension.sram_stride == 1 or dimension.extent == 1


def _row_major(dimension: Dimension) -> tuple[int, int]:
    return dimension.sram_stride, dimension.dram_stride


def _paddings(
    block: BlockOp, position: int, loops: Sequence[ForOp], extents: Extents
) -> tuple[dict[ForOp, Padding], tuple[Padding, ...]] | str:
    """Which loops run across the edge of the DRAM buffer, and which outer indices may lie outside."""
    if block.accesses.data[position].pad_value is None:
        return {}, ()
    buffer = block.inputs[position]
    shape = shape_of(buffer)
    by_loop: dict[ForOp, Padding] = {}
    fixed: list[Padding] = []
    for index, limit in zip(indices_of(block, position, extents), shape, strict=True):
        low, high = index.bounds(extents)
        if low >= 0 and high < limit:
            continue
        moving = [loop for loop in loops if loop.induction_variable in index.variables()]
        start = index
        for loop in moving:
            start = start.without(loop.induction_variable)
        if not moving:
            fixed.append(Padding(start, limit))
            continue
        if len(moving) > 1 or index.coefficient(moving[0].induction_variable) != 1:
            return f"expected one loop of stride 1 over each padded dimension of '{buffer_name(buffer)}'"
        by_loop[moving[0]] = Padding(start, limit)
    return by_loop, tuple(fixed)
