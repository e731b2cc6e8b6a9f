"""Pixels of images as boxes: the rows that a convolution multiplies, found by the engine of bulk copies. Plain Python.

The rules are those of the CUDA driver's `cuTensorMapEncodeIm2col` and of PTX's im2col mode. Dimensions count from the
innermost one: channels, then one to three of space, then images. A box is so many channels of so many pixels, which
follow each other through a bounding box in each image, in steps, and on from one image to the next:

    first pixel of an image's box     its lower corner                              lower[d]
    last place in it                  as far from the image's end as the upper one  extent[d] - 1 + upper[d]
    where an element is               the pixel's place plus the copy's offsets; outside of the image it is the fill

Corners are given from the innermost dimension of space on, as CUTLASS passes them (its kernels run with windows and
strides that differ between dimensions); the driver's page writes {D, H, W}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

RANKS = (3, 4, 5)
"""Dimensions of an array whose pixels are copied."""
MOST_PIXELS = 1024
MOST_CHANNELS = 256
CORNER_BITS: Mapping[int, int] = MappingProxyType({3: 16, 4: 8, 5: 5})
"""Bits of a corner, with its sign, and of an offset, without one, by an array's dimensions."""


@dataclass(frozen=True, slots=True)
class Corners:
    """A bounding box: for each dimension of space its lower corner, and its upper one counted from the array's end."""

    lower: tuple[int, ...]
    upper: tuple[int, ...]


def most_offset(rank: int) -> int:
    """The largest offset along a dimension of space."""
    return 2 ** CORNER_BITS[rank] - 1


def pixels_of(corners: Corners, extents: Sequence[int], steps: Sequence[int]) -> tuple[int, ...]:
    """Pixels of one image along each dimension of space, as the bounding box and steps have them."""
    spans = zip(corners.lower, corners.upper, extents[1:-1], steps[1:-1], strict=True)
    return tuple((extent - 1 + upper - lower) // step + 1 for lower, upper, extent, step in spans)


def problem_of_pixels(corners: Corners, box: Sequence[int], extents: Sequence[int]) -> str:
    """Why there are no such boxes; empty where there are. The rules of any map are asked elsewhere."""
    rank = len(extents)
    if rank not in RANKS:
        return f"pixels of {rank} dimensions; channels, 1 to 3 dimensions of space and images are possible"
    if len(box) != len(("channels", "pixels")):
        return f"a box of {len(box)} extents; channels and pixels are required"
    if (len(corners.lower), len(corners.upper)) != (rank - 2, rank - 2):
        return (
            f"corners {list(corners.lower)} and {list(corners.upper)} for {rank - 2} dimensions of space; one of each "
            "for each is required"
        )
    channels, pixels = box
    if not 1 <= channels <= MOST_CHANNELS or not 1 <= pixels <= MOST_PIXELS:
        return (
            f"boxes of {channels} channels of {pixels} pixels; 1 to {MOST_CHANNELS} and 1 to {MOST_PIXELS} are possible"
        )
    half = 2 ** (CORNER_BITS[rank] - 1)
    for corner in (*corners.lower, *corners.upper):
        if not -half <= corner < half:
            return f"a corner of {corner}; of {rank} dimensions it is from {-half} to {half - 1}"
    for lower, upper, extent in zip(corners.lower, corners.upper, extents[1:-1], strict=True):
        if lower > extent - 1 + upper:
            return f"a bounding box from {lower} to {extent - 1 + upper}; its last place is not before its first"
    return ""
