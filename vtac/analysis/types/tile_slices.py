"""Slices of tensors in whole tiles: where the same slice lies in the packed tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.dialects import tensor
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue

Layout = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Tiled dimensions, their tiles, and the order of the outer dimensions, as `packing.pack` has them."""


@dataclass(frozen=True)
class Slice:
    """What a slice covers of a tensor, in elements along each dimension."""

    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    strides: tuple[int, ...]

    def meets(self, other: Slice) -> bool:
        """Whether two slices of one tensor have an element in common."""
        return all(
            _progressions_meet((a, n, s), (b, m, t))
            for a, n, s, b, m, t in zip(
                self.offsets, self.sizes, self.strides, other.offsets, other.sizes, other.strides, strict=True
            )
        )

    def to_whole_tiles(self, whole: Sequence[int], layout: Layout) -> Slice:
        """The slice, of a tensor of shape `whole`, up to the end of the last tiles that it covers a part of."""
        sizes = list(self.sizes)
        for dim, tile in zip(layout[0], layout[1], strict=True):
            if self.strides[dim] == 1 and self.offsets[dim] % tile == 0:
                sizes[dim] = min(-(-sizes[dim] // tile) * tile, whole[dim] - self.offsets[dim])
        return Slice(self.offsets, tuple(sizes), self.strides)


def slice_of(op: tensor.ExtractSliceOp | tensor.InsertSliceOp) -> Slice | None:
    """What a slice covers; None where its numbers are no constants, or where it adds or drops dimensions."""
    if op.offsets or op.sizes or op.strides:
        return None
    found = Slice(
        tuple(op.static_offsets.get_values()),
        tuple(op.static_sizes.get_values()),
        tuple(op.static_strides.get_values()),
    )
    part = op.result if isinstance(op, tensor.ExtractSliceOp) else op.source
    shape = cast("TensorType[Attribute]", part.type).get_shape()
    return found if tuple(shape) == found.sizes else None


def chain_root(value: SSAValue) -> SSAValue:
    """What a value was before anything was put into it."""
    while isinstance(value.owner, tensor.InsertSliceOp):
        value = value.owner.dest
    return value


def slice_in_tiles(part: Slice, whole: Sequence[int], layout: Layout) -> Slice | str:
    """A slice of a tensor of shape `whole` as one of the packed tensor, or which dimension it cuts within tiles."""
    dims, tiles, order = layout
    offsets, sizes, strides = list(part.offsets), list(part.sizes), list(part.strides)
    for dim, tile in zip(dims, tiles, strict=True):
        offset, size, end = offsets[dim], sizes[dim], offsets[dim] + sizes[dim]
        if tile == 1:
            continue
        if strides[dim] != 1 or offset % tile or (size % tile and end != whole[dim]):
            return (
                f"cut dimension {dim} at multiples of {tile}, as many as a tile holds, in steps of 1: it is cut at "
                f"{offset} and {end} in steps of {strides[dim]}"
            )
        offsets[dim], sizes[dim] = offset // tile, -(-size // tile)
    outer = [(offsets[dim], sizes[dim], strides[dim]) for dim in order]
    inside = [(0, tile, 1) for tile in tiles]
    found = [*outer, *inside]
    return Slice(
        tuple(offset for offset, _, _ in found),
        tuple(size for _, size, _ in found),
        tuple(step for _, _, step in found),
    )


def _progressions_meet(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    """Whether two runs of numbers (first, count, step) have one in common; the shorter one is looked through."""
    if one[1] > other[1]:
        one, other = other, one
    first, count, step = other
    last = first + (count - 1) * step
    return any(
        first <= number <= last and (number - first) % step == 0
        for number in range(one[0], one[0] + one[1] * one[2], one[2])
    )
