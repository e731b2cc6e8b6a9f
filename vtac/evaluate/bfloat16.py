"""bfloat16 numbers as numpy arrays of uint16: the upper halves of float32's bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def to_bfloat16(values: NDArray[np.generic]) -> NDArray[np.uint16]:
    """Round floats or integers to the nearest bfloat16, ties to even, once; the bits, as uint16 of the same shape.

    A NaN keeps what its upper bits hold of the payload, and is quiet.
    """
    bits = _singles(np.ascontiguousarray(values)).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    quiet = (bits >> np.uint32(16)) | np.uint32(0x40)
    is_number = (bits & np.uint32(0x7FFFFFFF)) <= np.uint32(0x7F800000)
    return np.where(is_number, rounded, quiet).astype(np.uint16).reshape(values.shape)


def from_bfloat16(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    """The numbers that the bits stand for, exactly."""
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)


def _singles(values: NDArray[np.generic]) -> NDArray[np.float32]:
    """Numbers of float32 that round to the bfloat16 that the values do: themselves, where float32 holds them.

    Others are rounded to odd: of the two nearest, the one whose last bit is set. As that is no tie of bfloat16's, and
    lies on the same side of every tie, rounding again gives what rounding once would.
    """
    if values.dtype.itemsize < 4 or values.dtype == np.float32:
        return values.astype(np.float32)
    wide = values.astype(np.float64) if values.dtype.itemsize == 4 or values.dtype.kind == "f" else _doubles(values)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        nearest = wide.astype(np.float32)
        back = nearest.astype(np.float64)
        is_between = (back != wide) & ~np.isnan(back)
        towards = np.where(np.abs(back) > np.abs(wide), np.uint32(0xFFFFFFFF), np.uint32(1))
    bits = nearest.view(np.uint32)
    step = np.where(is_between & ((bits & np.uint32(1)) == 0), towards, np.uint32(0))
    return (bits + step).view(np.float32)


def _doubles(values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Integers of 64 bits as float64, to odd: of large ones the upper bits, and whether any other is set."""
    bits = values.view(np.uint64)
    negative = np.logical_and(values.dtype.kind == "i", bits >> np.uint64(63) != 0)
    magnitude = np.where(negative, ~bits + np.uint64(1), bits)
    rest = np.uint64((1 << 11) - 1)
    kept = (magnitude & ~rest) | (((magnitude & rest) != 0).astype(np.uint64) << np.uint64(11))
    chosen = np.where(magnitude >> np.uint64(53) != 0, kept, magnitude).astype(np.float64)
    return np.where(negative, -chosen, chosen)
