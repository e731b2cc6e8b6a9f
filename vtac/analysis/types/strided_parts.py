"""Parts of buffers: an offset, and a stride for each dimension, in elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from xdsl.ir import SSAValue

from vtac.analysis.types.tile_slices import Slice


@dataclass(frozen=True)
class Part:
    """Where a tensor lies in the buffer of another, which is `root`."""

    root: SSAValue
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @staticmethod
    def whole(root: SSAValue, shape: Sequence[int]) -> Part:
        """A tensor as its own buffer."""
        return Part(root, 0, tuple(shape), row_major(shape))

    @property
    def is_row_major(self) -> bool:
        """Whether the elements lie behind one another as they do in a buffer of their own."""
        return self.strides == row_major(self.shape)

    def cut(self, found: Slice) -> Part:
        """A slice of the part."""
        moved = sum(offset * stride for offset, stride in zip(found.offsets, self.strides, strict=True))
        strides = [stride * step for stride, step in zip(self.strides, found.strides, strict=True)]
        return Part(self.root, self.offset + moved, found.sizes, regular(found.sizes, strides))

    def permuted(self, order: Sequence[int]) -> Part:
        """The same elements with dimension `order[i]` as dimension i."""
        shape = tuple(self.shape[dim] for dim in order)
        return Part(self.root, self.offset, shape, regular(shape, [self.strides[dim] for dim in order]))

    def reshaped(self, shape: Sequence[int]) -> Part | None:
        """The same elements as another shape; None where no strides give their order."""
        strides = reshaped_strides(self.shape, self.strides, shape)
        return None if strides is None else Part(self.root, self.offset, tuple(shape), strides)


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of a buffer whose last dimension lies densest."""
    strides: list[int] = []
    step = 1
    for extent in reversed(shape):
        strides.insert(0, step)
        step *= extent
    return tuple(strides)


def regular(shape: Sequence[int], strides: Sequence[int]) -> tuple[int, ...]:
    """The strides with those of single elements, which mean nothing, as if more followed without a gap."""
    found: list[int] = []
    following = 1
    for extent, stride in zip(reversed(shape), reversed(strides), strict=True):
        found.insert(0, following if extent == 1 else stride)
        following = extent * found[0]
    return tuple(found)


def reshaped_strides(shape: Sequence[int], strides: Sequence[int], new: Sequence[int]) -> tuple[int, ...] | None:
    """The strides of the same elements in the same order, as dimensions of other extents; None where none are."""
    old = [(extent, stride) for extent, stride in zip(shape, strides, strict=True) if extent > 1]
    found = [0] * len(new)
    wanted = [dim for dim, extent in enumerate(new) if extent > 1]
    while old and wanted:
        extents, dims = [old.pop(0)], [wanted.pop(0)]
        have, want = extents[0][0], new[dims[0]]
        while have != want:
            if have < want:
                extents.append(old.pop(0))
                have *= extents[-1][0]
            else:
                dims.append(wanted.pop(0))
                want *= new[dims[-1]]
        if any(one[1] != other[1] * other[0] for one, other in pairwise(extents)):
            return None
        step = extents[-1][1]
        for dim in reversed(dims):
            found[dim] = step
            step *= new[dim]
    return regular(new, found)
