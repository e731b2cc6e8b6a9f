"""How boxes of tiles fall into two-dimensional transfers, and what these take on the bus."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, prod
from typing import NamedTuple

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.memory_bus import BURST_BEATS, BUS_BYTES
from vtac.targets.vta.cycles.bursts import StoreBlock, store_cycles
from vtac.targets.vta.cycles.timing import Timing

LOAD_START = 23
"""Cycles of a LOAD beside its beats: 7 and the memory's latency."""
_HEADWAY = 20
"""Cycles from a LOAD's start until its first data is written."""


class Block(NamedTuple):
    """A box of an array in DRAM: so many transfers of rows that hold that many tiles one after the other."""

    transfers: int
    rows: int
    columns: int


class Chunk(NamedTuple):
    """What is loaded together: beats on the bus, cycles beside them, LOADs that do it, and mean beats of a burst."""

    beats: int
    starts: int
    loads: int
    burst: float = BURST_BEATS


NOTHING = Chunk(0, 0, 0)


def block_of(extents: Sequence[int], sizes: Sequence[int]) -> Block:
    """The transfers of a box of `extents` out of an array of `sizes`: whole inner dimensions make long rows."""
    place, columns, rows = len(extents), 1, 1
    while place:
        place -= 1
        columns *= extents[place]
        if extents[place] != sizes[place]:
            break
    while place:
        place -= 1
        rows *= extents[place]
        if rows > 1 and extents[place] != sizes[place]:
            break
    return Block(prod(extents[:place]), rows, columns)


def chunk_of(extents: Sequence[int], sizes: Sequence[int], element_bytes: int) -> Chunk:
    """The loads of a box of tiles of `element_bytes`."""
    return _chunk(block_of(extents, sizes), element_bytes)


def strided_chunk(extents: Sequence[int], strides: Sequence[int], element_bytes: int) -> Chunk:
    """The loads of a box of tiles of `element_bytes`, with neighbours along each dimension `strides` tiles apart."""
    return _chunk(strided_block(extents, strides), element_bytes)


def _chunk(block: Block, element_bytes: int) -> Chunk:
    row, count = block.columns * element_bytes // BUS_BYTES, block.transfers
    return Chunk(count * block.rows * row, LOAD_START * count, count, mean_burst(row))


def mean_burst(row: int) -> float:
    """The mean beats of the bursts of rows of so many beats, which begin at every multiple of what they and bursts
    have in common, as rows do that follow one another: a burst ends where its row or the longest burst does."""
    return row / (1 + (row - gcd(row, BURST_BEATS)) / BURST_BEATS) if row > 1 else 1


def padded_chunk(extents: Sequence[int], pads: Sequence[tuple[int, int]], element_bytes: int) -> Chunk:
    """The loads of a box with `pads` around rows and columns: one for each plane, pads written in between."""
    count, (rows, columns) = prod(extents[:-2]), extents[-2:]
    (above, below), (left, right) = pads[-2:]
    width = left + columns + right
    leading = width * above + rows * (left + right)
    passed = 0
    if below and not left + right:
        passed = rows if leading > _HEADWAY + above else min(rows, _HEADWAY + above - leading)
    starts = max(LOAD_START + above, 3 + leading + passed + width * below)
    row = columns * element_bytes // BUS_BYTES
    return Chunk(count * rows * row, starts * count, count, mean_burst(row))


def together(chunks: Sequence[Chunk]) -> Chunk:
    """Several as one."""
    some = [one for one in chunks if one.loads]
    if len(some) < 2:
        return some[0] if some else NOTHING
    return Chunk(sum(one.beats for one in some), sum(one.starts for one in some), sum(one.loads for one in some))


def strided_block(extents: Sequence[int], strides: Sequence[int]) -> Block:
    """The transfers of a box that is dense on chip, to an array whose neighbours along each dimension are `strides`
    tiles apart: where these are no dense order of the dimensions, rows are short."""
    return _strided(extents, strides)[0]


def _strided(extents: Sequence[int], strides: Sequence[int]) -> tuple[Block, int]:
    """Those transfers, and how many tiles their rows are apart."""
    sides = [side for side in zip(extents, strides, strict=True) if side[0] > 1]
    columns = rows = 1
    while sides and sides[-1][1] == columns:
        columns *= sides.pop()[0]
    step = sides[-1][1] if sides else 0
    while sides and sides[-1][1] == step * rows:
        rows *= sides.pop()[0]
    return Block(prod(extent for extent, _ in sides), rows, columns), step


def store_cost(extents: Sequence[int], strides: Sequence[int], config: VTAConfig) -> tuple[int, int]:
    """Cycles in which a box of results is stored, and by how many STOREs; the first row begins where a burst may."""
    block, step = _strided(extents, strides)
    cycles = store_cycles(StoreBlock(0, block.rows, block.columns, step), config, Timing.de10())
    return cycles * block.transfers, block.transfers
