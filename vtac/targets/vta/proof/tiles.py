"""Sets of SRAM elements, and which of them a kernel's loops reach."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Elements of one SRAM: a slice with bounds when they are contiguous, else ascending indices.
Tiles = slice | NDArray[np.intp]

Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]


class Loop(NamedTuple):
    """A hardware loop: what one trip adds to an index (negative for differences of indices), and the trips."""

    step: int
    trips: int


def bounds(indices: Indices, loops: tuple[Loop, ...]) -> tuple[int, int]:
    """The least and the greatest value of index + sum of step * trip over the loops."""
    reaches = [loop.step * (loop.trips - 1) for loop in loops]
    low = int(indices.min()) + sum(min(reach, 0) for reach in reaches)
    return low, int(indices.max()) + sum(max(reach, 0) for reach in reaches)


def reached(indices: Indices, loops: tuple[Loop, ...], low: int, high: int) -> Mask:
    """Which of the values `low` to `high` (both included, and bounds of them all) the loops reach.

    Each loop shifts the whole set, doubling the trips covered, so the cost is logarithmic in them.
    """
    mask = np.zeros(high - low + 1, np.bool_)
    for step, trips in loops:
        if step < 0:
            indices = indices + step * (trips - 1)
    mask[indices - low] = True
    for step, trips in loops:
        _shift(mask, abs(step), trips)
    return mask


def _shift(mask: Mask, step: int, trips: int) -> None:
    covered = 1
    while step and covered < trips:
        more = min(covered, trips - covered)
        mask[more * step :] |= mask[: len(mask) - more * step].copy()
        covered += more


def kernel_tiles(indices: Indices, loops: tuple[Loop, ...]) -> Tiles:
    """The elements that an operand of a kernel touches. All steps are non-negative and in range."""
    first = int(indices.min())
    tiles = _tiles_from_zero((indices - first).tobytes(), loops)
    return slice(tiles.start + first, tiles.stop + first) if isinstance(tiles, slice) else tiles + first


@lru_cache(maxsize=4096)
def _tiles_from_zero(indices: bytes, loops: tuple[Loop, ...]) -> Tiles:
    """The same of the bytes of indices of which the least is zero."""
    numbers = np.frombuffer(indices, np.int64)
    low, high = bounds(numbers, loops)
    mask = reached(numbers, loops, low, high)
    return slice(low, high + 1) if mask.all() else np.flatnonzero(mask) + low


def select(tiles: Tiles, mask: Mask) -> tuple[int, int]:
    """The half-open range that spans those of `tiles` that `mask`, of the same length, marks."""
    chosen = np.flatnonzero(mask) + tiles.start if isinstance(tiles, slice) else tiles[mask]
    return int(chosen[0]), int(chosen[-1]) + 1


def spell(buffer: str, span: tuple[int, int]) -> str:
    """A range in a message, such as `inp elements 3 to 7`."""
    start, end = span
    unit = "micro-op" if buffer == "uop" else f"{buffer} tile"
    return f"{unit} {start}" if end - start == 1 else f"{unit}s {start} to {end - 1}"
