"""bfloat16 numbers as numpy arrays of uint16: the upper halves of float32's bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def to_bfloat16(values: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Round to the nearest bfloat16, ties to even; the bits, as uint16 of the same shape."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    quiet = (bits >> np.uint32(16)) | np.uint32(0x40)
    return np.where(np.isnan(values), quiet, rounded).astype(np.uint16).reshape(values.shape)


def from_bfloat16(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    """The numbers that the bits stand for, exactly."""
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)
