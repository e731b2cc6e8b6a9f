"""Where the elements of a box lie in its array, dimension by dimension, innermost first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vtac.dialects.im2col import most_offset, pixels_of
from vtac.dialects.tensor_maps import TensorMap
from vtac.evaluate.numbers import Integers


def tiled_places(one: TensorMap, starts: Sequence[int]) -> list[Integers]:
    """Of a tiled box that begins at `starts`; arrays of the box's shape, its innermost dimension last."""
    grid = np.meshgrid(*(np.arange(extent) for extent in reversed(one.box)), indexing="ij")
    return [start + part * step for start, part, step in zip(starts, reversed(grid), one.steps, strict=True)]


def swizzled_places(one: TensorMap, first: int) -> Integers:
    """Elements of shared memory where a box's elements lie, from a first one on where the orders of chunks begin."""
    places = first + np.arange(one.box_bytes // one.element_bytes)
    span, width = one.swizzle // one.element_bytes, one.element_bytes
    if not span:
        return places
    chunk, row = 16 // width, 128 // width
    return places ^ (places // row % (span // chunk) * chunk)


def problem_of_start(one: TensorMap, starts: Sequence[int], offsets: Sequence[int]) -> str:
    """Why pixels cannot begin at `starts`, with such offsets; empty where they can, and for tiled boxes."""
    if one.corners is None:
        return ""
    counts, most = pixels_of(one.corners, one.extents, one.steps), most_offset(one.rank)
    every = zip(starts[1:-1], one.corners.lower, one.steps[1:-1], counts, offsets, strict=True)
    for at, (start, low, step, count, offset) in enumerate(every):
        if (start - low) % step or not 0 <= (start - low) // step < count:
            last = low + (count - 1) * step
            return f"pixels of '{one.array}' from {start} along dimension {at + 1}; from {low} to {last} by {step}"
        if not 0 <= offset <= most:
            return f"an offset of {offset} along dimension {at + 1} of '{one.array}'; 0 to {most} are possible"
    return ""


def pixel_places(one: TensorMap, starts: Sequence[int], offsets: Sequence[int]) -> list[Integers]:
    """Of pixels that begin at `starts` in their bounding box; arrays of pixels x channels.

    Pixels are numbered through all images: the number of the first one, and so many more, are taken apart again.
    """
    if one.corners is None:
        return tiled_places(one, starts)
    channels, pixels = one.box
    lower, extents, steps = one.corners.lower, pixels_of(one.corners, one.extents, one.steps), one.steps[1:-1]
    first = [(start - low) // step for start, low, step in zip(starts[1:-1], lower, steps, strict=True)]
    number, weight = 0, 1
    for digit, extent in zip((*first, starts[-1]), (*extents, 1), strict=True):
        number, weight = number + digit * weight, weight * extent
    numbers = number + np.arange(pixels)
    places: list[Integers] = []
    for low, extent, step, offset in zip(lower, extents, steps, offsets, strict=True):
        places.append(low + numbers % extent * step + offset)
        numbers = numbers // extent
    columns = starts[0] + np.arange(channels)
    return [
        np.broadcast_to(columns[None, :], (pixels, channels)),
        *(np.broadcast_to(place[:, None], (pixels, channels)) for place in (*places, numbers)),
    ]
