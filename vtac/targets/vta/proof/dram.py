"""DRAM blocks of memory instructions: what they touch, whether it exists, and who else touches it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import Load, Store
from vtac.targets.vta.machine.stream import dram_element_bytes

Addresses = NDArray[np.int64]

FIXED = ("constant", "uop")
"""Roles of buffers that no store may change."""


class BufferRecord(Protocol):
    """One buffer of a program in DRAM: `address` and `nbytes` are physical bytes."""

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def address(self) -> int: ...
    @property
    def nbytes(self) -> int: ...


class Block(NamedTuple):
    """`rows` rows of `row_bytes` bytes, `stride` bytes from start to start, from byte address `start`."""

    start: int
    rows: int
    row_bytes: int
    stride: int

    @property
    def end(self) -> int:
        return self.start + (self.rows - 1) * self.stride + self.row_bytes

    def row_starts(self) -> Addresses:
        return self.start + self.stride * np.arange(self.rows, dtype=np.int64)


def block_of(instruction: Load | Store, config: VTAConfig) -> Block | None:
    """The bytes that a memory instruction transfers, or None when it transfers nothing."""
    if instruction.x_size == 0 or instruction.y_size == 0:
        return None
    size = dram_element_bytes(instruction.memory, config)
    rows, columns, stride = instruction.y_size, instruction.x_size, instruction.x_stride
    if rows > 1 and stride == columns:
        rows, columns = 1, rows * columns
    return Block(instruction.dram_base * size, rows, columns * size, stride * size)


def overlap(one: Block, other: Block) -> tuple[int, int] | None:
    """Byte addresses that both blocks touch: the first such stretch, or None."""
    if one.end <= other.start or other.end <= one.start:
        return None
    starts = other.row_starts()
    rows = one.row_starts()
    before = np.searchsorted(starts, rows + one.row_bytes, side="left") - 1
    nearest = starts[np.maximum(before, 0)]
    hits = np.flatnonzero((before >= 0) & (nearest + other.row_bytes > rows))
    if not len(hits):
        return None
    row, near = int(rows[hits[0]]), int(nearest[hits[0]])
    return max(row, near), min(row + one.row_bytes, near + other.row_bytes)


class DramMap:
    """What is known of the memory: its size in bytes, if any is known, and the buffers placed in it."""

    def __init__(self, size: int | None, buffers: Sequence[BufferRecord]) -> None:
        self._size = size
        self._buffers = sorted(buffers, key=lambda buffer: buffer.address)
        self._starts = [buffer.address for buffer in self._buffers]
        ends = [buffer.address + buffer.nbytes for buffer in self._buffers]
        self._ends = list(accumulate(ends, max))
        """How far the buffers reach that start no later: scratch buffers may share addresses."""

    def to_look_at(self, starts: Addresses, ends: Addresses, stores: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which transfers may be wrong: all that leave the memory, or are not in one buffer, or change a fixed one."""
        found = np.zeros(len(starts), np.bool_) if self._size is None else ends > self._size
        if self._buffers:
            found |= ends > _reach(self._buffers, starts)
            fixed = [buffer for buffer in self._buffers if buffer.role in FIXED]
            found |= stores & (starts < _reach(fixed, starts))
        return found & (ends > starts)

    def buffer_at(self, address: int) -> BufferRecord | None:
        """The buffer that holds a byte address."""
        around = self._buffers[: bisect_right(self._starts, address)]
        return next((b for b in reversed(around) if address < b.address + b.nbytes), None)

    def outside(self, block: Block) -> str | None:
        """Why a block lies not wholly in the memory, or a row of it not in one buffer; None when all is well."""
        if self._size is not None and block.end > self._size:
            return f"the memory image has {self._size} bytes"
        if not self._buffers:
            return None
        home = bisect_right(self._starts, block.start) - 1
        if home >= 0 and block.end <= self._ends[home]:
            return None
        return self._stray_row(block)

    def _stray_row(self, block: Block) -> str | None:
        rows = block.row_starts()
        home = np.searchsorted(self._starts, rows, side="right") - 1
        ends = np.array(self._ends, np.int64)
        bad = (home < 0) | (rows + block.row_bytes > ends[np.maximum(home, 0)])
        if not bad.any():
            return None
        row = int(rows[np.argmax(bad)])
        listed = ", ".join(f"{b.name} {b.address} to {b.address + b.nbytes - 1}" for b in self._buffers)
        return f"bytes {row} to {row + block.row_bytes - 1} lie in no one buffer ({listed})"


def _reach(buffers: Sequence[BufferRecord], addresses: Addresses) -> Addresses:
    """How far the buffers reach that start no later than each address; 0 where there are none. They are in order."""
    starts = np.array([buffer.address for buffer in buffers], np.int64)
    ends = [0, *accumulate((buffer.address + buffer.nbytes for buffer in buffers), max)]
    return np.array(ends, np.int64)[np.searchsorted(starts, addresses, side="right")]
