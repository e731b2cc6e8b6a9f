"""What the instructions of a unit read and write of one on-chip memory: sets of tiles, each of which many touch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import MemoryName
from vtac.targets.vta.proof.kernels import Footprint
from vtac.targets.vta.proof.tiles import Tiles

Positions = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Touches:
    """Reads or writes in order: `positions` in the unit's program, `sets` the numbers in `tiles` of what is touched."""

    positions: Positions
    sets: Positions
    tiles: Sequence[Tiles]

    def each(self) -> list[tuple[int, Tiles]]:
        """Position and tiles of each."""
        return [(at, self.tiles[n]) for at, n in zip(self.positions.tolist(), self.sets.tolist(), strict=True)]


@dataclass(frozen=True, eq=False)
class UnitTouches:
    """The different footprints of a unit's instructions, and of each instruction which one it has."""

    footprints: Sequence[Footprint]
    numbers: Positions

    @staticmethod
    def of(program: Sequence[int], footprints: Sequence[Footprint]) -> UnitTouches:
        """Those of instructions, by their indices."""
        different: dict[int, tuple[int, Footprint]] = {}
        touching = [footprints[index] for index in program]
        numbers = [different.setdefault(id(one), (len(different), one))[0] for one in touching]
        return UnitTouches([one for _, one in different.values()], np.array(numbers, np.int64))

    def of_memory(self, memory: MemoryName, *, writing: bool) -> Touches:
        """What they read of a memory, or write there."""
        known: dict[tuple[int, int, bytes], int] = {}
        tiles: list[Tiles] = []
        first: list[int] = []
        sets: list[int] = []
        for footprint in self.footprints:
            first.append(len(sets))
            for where, touched in footprint.writes if writing else footprint.reads:
                if where == memory:
                    number = known.setdefault(_key(touched), len(tiles))
                    tiles += [touched] * (number == len(tiles))
                    sets.append(number)
        ends = np.array([*first, len(sets)], np.int64)
        counts = np.diff(ends)[self.numbers]
        positions = np.repeat(np.arange(len(self.numbers)), counts)
        places = np.arange(len(positions)) - np.repeat(np.cumsum(counts) - counts, counts)
        return Touches(positions, np.array(sets, np.int64)[ends[self.numbers][positions] + places], tiles)


def _key(tiles: Tiles) -> tuple[int, int, bytes]:
    return (tiles.start, tiles.stop, b"") if isinstance(tiles, slice) else (-1, -1, tiles.tobytes())


def meetings(ones: Sequence[Tiles], others: Sequence[Tiles], size: int) -> Iterator[NDArray[np.bool_]]:
    """For each set of tiles of a memory of that size, with which of others it has one in common."""
    members = _members(others, size)
    for one in _members(ones, size):
        yield (members & one).any(axis=1)


def _members(sets: Sequence[Tiles], size: int) -> NDArray[np.uint64]:
    """A row for each set, a bit for each tile of the memory."""
    found = np.zeros((len(sets), -(-size // 64) * 64), np.bool_)
    for row, tiles in zip(found, sets, strict=True):
        row[tiles] = True
    return np.packbits(found, axis=1).view(np.uint64)
