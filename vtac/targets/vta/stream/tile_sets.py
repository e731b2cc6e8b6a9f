"""Sets of tiles of the on-chip memories, by number, and which of them meet."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.isa.instructions import Memory

Tiles: TypeAlias = slice | NDArray[np.intp]
"""Tile indices into one memory: a run, or any set in rising order."""


class TileSets:
    """Every set has a number; equal ones have the same."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Memory, int, int, bytes], int] = {}
        self._tiles: list[Tiles] = []
        self._hulls: dict[Memory, tuple[list[int], list[int], list[int]]] = {}
        self._as_bits: dict[int, int] = {}
        self._met: list[tuple[int, ...]] | None = None

    def __len__(self) -> int:
        return len(self._tiles)

    def number(self, memory: Memory, tiles: Tiles) -> int:
        """The number of a set, a new one if it is new."""
        if isinstance(tiles, slice):
            first, last, gaps = int(tiles.start), int(tiles.stop), b""
        else:
            first, last, gaps = int(tiles[0]), int(tiles[-1]) + 1, tiles.tobytes()
        key = (memory, first, last, gaps)
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self._tiles)
            self._tiles.append(tiles)
            for column, value in zip(self._hulls.setdefault(memory, ([], [], [])), (found, first, last), strict=True):
                column.append(value)
            self._met = None
        return found

    def hull(self, number: int) -> tuple[int, int]:
        """The first tile of a set and the one behind the last."""
        tiles = self._tiles[number]
        return (tiles.start, tiles.stop) if isinstance(tiles, slice) else (int(tiles[0]), int(tiles[-1]) + 1)

    @property
    def met(self) -> list[tuple[int, ...]]:
        """Of each set, the numbers of those that have a tile with it in common, itself among them."""
        if self._met is None:
            self._met = self._meetings()
        return self._met

    def _meetings(self) -> list[tuple[int, ...]]:
        found: list[tuple[int, ...]] = [()] * len(self)
        loose = {number for number, tiles in enumerate(self._tiles) if not isinstance(tiles, slice)}
        for numbers, firsts, lasts in self._hulls.values():
            all_firsts, all_lasts = np.array(firsts, np.int64), np.array(lasts, np.int64)
            is_set = all_lasts > all_firsts
            for number, first, last in zip(numbers, firsts, lasts, strict=True):
                if last == first:
                    continue
                places: list[int] = np.flatnonzero(is_set & (all_firsts < last) & (all_lasts > first)).tolist()
                near = [numbers[place] for place in places]
                are_runs = number not in loose and loose.isdisjoint(near)
                found[number] = tuple(near if are_runs else self._with(number, near))
        return found

    def _with(self, number: int, near: list[int]) -> list[int]:
        """Those of some sets that have a tile in common with one of them."""
        bits = self._bits(number)
        return [other for other in near if bits & self._bits(other)]

    def _bits(self, number: int) -> int:
        """A set as the bits of a number."""
        found = self._as_bits.get(number)
        if found is None:
            tiles = self._tiles[number]
            mask = np.zeros(int(tiles.stop if isinstance(tiles, slice) else tiles[-1] + 1), np.bool_)
            mask[tiles] = True
            packed = np.packbits(mask, bitorder="little").tobytes()
            found = self._as_bits[number] = int.from_bytes(packed, "little")
        return found
