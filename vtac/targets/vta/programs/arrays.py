"""Arrays and memory images of programs, and whether arrays fit the buffers that they are for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from vtac.errors import ProgramError
from vtac.targets.vta.stream.layout import Buffer

Array = NDArray[np.int8] | NDArray[np.int16] | NDArray[np.int32] | NDArray[np.int64]
Image = NDArray[np.uint8]
"""DRAM as bytes, index = physical byte address."""


def fitted(buffers: Sequence[Buffer], arrays: Sequence[Array]) -> tuple[Array, ...]:
    """The arrays as the dtypes of the buffers, which they are for one by one.

    An unsigned array stands for a buffer of signless integers of the same width: its bits count.
    Raises `ProgramError` for another number of arrays, another shape or another dtype.
    """
    if len(arrays) != len(buffers):
        names = ", ".join(f"{buffer.name}: {_describe(buffer)}" for buffer in buffers)
        found = f"called with {len(arrays)} array{'' if len(arrays) == 1 else 's'}"
        raise ProgramError(f"{found}; the program takes {len(buffers)} ({names})")
    return tuple(_fitted(buffer, array) for buffer, array in zip(buffers, arrays, strict=True))


def items_of(image: Image, buffer: Buffer) -> Array:
    """The items of a buffer in a memory image, as a view of its shape and dtype; items in its gaps are none of them."""
    flat = image[buffer.address : buffer.address + buffer.nbytes].view(np.dtype(buffer.dtype))
    if not buffer.strides:
        return cast("Array", flat.reshape(buffer.shape))
    return cast("Array", as_strided(flat, buffer.shape, [stride * flat.itemsize for stride in buffer.strides]))


def _fitted(buffer: Buffer, array: Array) -> Array:
    if not isinstance(array, np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ProgramError(
            f"argument '{buffer.name}' is a {type(array).__name__}; the program takes a numpy array of "
            f"{_describe(buffer)}"
        )
    wanted = np.dtype(buffer.dtype)
    same_bits = array.dtype == wanted or array.dtype == np.dtype(f"u{buffer.dtype}" if wanted.kind == "i" else wanted)
    if array.shape != buffer.shape or not same_bits:
        shape = "x".join(map(str, array.shape)) or "scalar"
        raise ProgramError(
            f"argument '{buffer.name}' is {shape} {array.dtype}; the program takes {_describe(buffer)}: "
            f"{remedy(array.shape, array.dtype, buffer.shape, wanted)}"
        )
    return array if array.dtype == wanted else cast("Array", array.view(wanted))


def remedy(
    shape: tuple[int, ...], dtype: np.dtype[np.generic], wanted: tuple[int, ...], wanted_dtype: np.dtype[np.generic]
) -> str:
    """What to do with an array that has another shape or dtype than the program takes."""
    if dtype.kind == "f" and wanted_dtype.kind != "f":
        return (
            "round floats to the integers that they stand for; a quantised model's program.predict does, and vtac "
            "quantize writes how above its program"
        )
    if shape == wanted:
        return f"convert it with astype({wanted_dtype}), where its numbers fit"
    return "reshape it first" if dtype == wanted_dtype else "reshape and convert it first"


def _describe(buffer: Buffer) -> str:
    return f"{'x'.join(map(str, buffer.shape))} {buffer.dtype}"
