"""Which tiles and DRAM pages an instruction touches, from its fields and micro-ops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import DRAM_PAGE_BYTES, MemoryName, VTAConfig
from vtac.targets.vta.isa.instructions import Memory, MicroOp, Opcode

Row = tuple[int, ...]
Tiles: TypeAlias = slice | NDArray[np.intp]
"""Tile indices into one memory: a run, or any set in rising order."""

PAD = -2
"""What a tile of zeros around a load holds, in place of a DRAM element."""

_NAMES: dict[int, MemoryName] = {
    Memory.INP: "inp",
    Memory.WGT: "wgt",
    Memory.ACC: "acc",
    Memory.OUT: "out",
    Memory.ACC_8BIT: "out",
}


@dataclass(frozen=True, slots=True)
class Touched:
    """Tiles read and written per on-chip memory; `Memory.ACC` stands for OUT too."""

    reads: tuple[tuple[Memory, Tiles], ...] = ()
    writes: tuple[tuple[Memory, Tiles], ...] = ()


@dataclass(frozen=True, slots=True)
class KernelSlice:
    """Where a kernel's micro-ops stand in the program's micro-op buffer."""

    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Issued:
    """An instruction as the program gives it; `stage` is its unit (1 load, 2 compute, 3 store)."""

    opcode: Opcode
    row: Row
    stage: int
    kernel: KernelSlice | None


class Footprints:
    """Footprints of instructions of one configuration; those of kernels are computed once."""

    def __init__(self, config: VTAConfig, micro_ops: Sequence[MicroOp]) -> None:
        self.config = config
        self._micro_ops = micro_ops
        self._kernels: dict[tuple[object, ...], Touched] = {}

    def of(self, opcode: Opcode, row: Row, kernel: KernelSlice | None) -> Touched:
        """The tiles that an instruction touches."""
        if opcode is Opcode.LOAD:
            memory, base, _, y_size, x_size, _, top, bottom, left, right = row
            tiles = slice(base, base + (top + y_size + bottom) * (left + x_size + right))
            filled = Memory.ACC if memory == Memory.ACC_8BIT else Memory(memory)
            return Touched(writes=() if memory == Memory.UOP else ((filled, tiles),))
        if opcode is Opcode.STORE:
            return Touched(reads=((Memory.ACC, slice(row[1], row[1] + row[3] * row[4])),))
        if kernel is None:
            return Touched()
        key = (opcode, row, kernel)
        if key not in self._kernels:
            self._kernels[key] = self._kernel(opcode, row, kernel)
        return self._kernels[key]

    def _kernel(self, opcode: Opcode, row: Row, kernel: KernelSlice) -> Touched:
        ops = np.array(self._micro_ops[kernel.first : kernel.first + kernel.count], dtype=np.intp).reshape(-1, 3)
        if opcode is Opcode.GEMM:
            loops = row[3:]
            written = _spread(ops[:, 0], loops[:2], loops[2:4])
            if row[0]:
                return Touched(writes=((Memory.ACC, written),))
            read = (
                (Memory.INP, _spread(ops[:, 1], loops[:2], loops[4:6])),
                (Memory.WGT, _spread(ops[:, 2], loops[:2], loops[6:8])),
            )
            return Touched(reads=read, writes=((Memory.ACC, written),))
        loops = row[2:]
        written = _spread(ops[:, 0], loops[:2], loops[2:4])
        source = _spread(ops[:, 1], loops[:2], loops[4:6])
        return Touched(reads=((Memory.ACC, source),), writes=((Memory.ACC, written),))

    def pages(self, opcode: Opcode, row: Row) -> range:
        """DRAM pages between the first and the last byte of a transfer."""
        if opcode not in (Opcode.LOAD, Opcode.STORE) or row[0] not in _NAMES or not row[4] or not row[3]:
            return range(0)
        start, stop = self.span(opcode, row)
        return range(start // DRAM_PAGE_BYTES, (stop - 1) // DRAM_PAGE_BYTES + 1)

    def page_count(self, issued: Sequence[Issued]) -> int:
        """How many DRAM pages there are up to the last that one of the instructions transfers."""
        return max((self.pages(item.opcode, item.row).stop for item in issued), default=0)

    def span(self, opcode: Opcode, row: Row) -> tuple[int, int]:
        """DRAM bytes from the first to behind the last of a transfer."""
        if opcode not in (Opcode.LOAD, Opcode.STORE) or row[0] not in _NAMES or not row[4] or not row[3]:
            return 0, 0
        size = self.config.element_bytes(_NAMES[row[0]])
        return row[2] * size, (row[2] + (row[3] - 1) * row[5] + row[4]) * size


def contents(row: Row) -> NDArray[np.int64]:
    """The DRAM element that each tile of a load comes from; `PAD` for zeros around it."""
    _, _, dram, y_size, x_size, x_stride, top, bottom, left, right = row
    block = np.full((top + y_size + bottom, left + x_size + right), PAD, dtype=np.int64)
    block[top : top + y_size, left : left + x_size] = dram + np.arange(y_size)[:, None] * x_stride + np.arange(x_size)
    return block.reshape(-1)


def _spread(base: NDArray[np.intp], extents: Sequence[int], factors: Sequence[int]) -> Tiles:
    """Every index base + o * factor_out + i * factor_in, as a run when it is one."""
    outer = np.unique(
        (np.arange(extents[0])[:, None] * factors[0] + np.arange(extents[1])[None, :] * factors[1]).reshape(-1)
    )
    found = np.unique((np.unique(base)[:, None] + outer[None, :]).reshape(-1))
    first, last = int(found[0]), int(found[-1])
    return slice(first, last + 1) if last - first + 1 == found.size else found
