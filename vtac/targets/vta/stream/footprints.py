"""Which tiles and DRAM pages the instructions of a stream touch, from their fields and micro-ops.

Tiles are told apart by the sets of them that instructions touch: these are few, as buffers are, and two of them
meet or they do not.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import DRAM_PAGE_BYTES, MemoryName, VTAConfig
from vtac.targets.vta.isa.instructions import Memory, Opcode
from vtac.targets.vta.stream.tile_sets import Tiles, TileSets

Row = tuple[int, ...]

PAD = -2
"""What a tile of zeros around a load holds, in place of a DRAM element."""

_NAMES: dict[int, MemoryName] = {
    Memory.INP: "inp",
    Memory.WGT: "wgt",
    Memory.ACC: "acc",
    Memory.OUT: "out",
    Memory.ACC_8BIT: "out",
}

Sets: TypeAlias = tuple[tuple[Memory, int], ...]
"""Sets of tiles by memory, by their numbers."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Tiles read and written per on-chip memory; `Memory.ACC` stands for OUT too."""

    reads: Sets = ()
    writes: Sets = ()


@dataclass(frozen=True, slots=True)
class KernelSlice:
    """Where a kernel's micro-ops stand in the program's micro-op buffer."""

    first: int
    count: int


class Issued(NamedTuple):
    """An instruction as the program gives it; `stage` is its unit (1 load, 2 compute, 3 store)."""

    opcode: Opcode
    row: Row
    stage: int
    kernel: KernelSlice | None


class Footprints:
    """The footprints of all instructions of a stream.

    `touched`, `spans` and `shared` have an entry for each: tiles, the bytes of DRAM from the first to the last of a
    transfer, and the pages that these are of, None where the stream does not both load and store one of them. `sets`
    are the sets of tiles; `page_count` is how many pages there are up to the last.
    """

    def __init__(self, issued: Sequence[Issued], micro_ops: NDArray[np.int64], config: VTAConfig) -> None:
        self.config = config
        self.sets = TileSets()
        self._micro_ops = micro_ops
        self._sizes = {memory: config.element_bytes(name) for memory, name in _NAMES.items()}
        self._kernels: dict[tuple[object, ...], Touched] = {}
        self._runs: dict[tuple[int, ...], Touched] = {}
        self.touched = list(map(self._of, issued))
        starts, stops = self._spans(issued)
        self.spans: list[tuple[int, int]] = list(zip(starts.tolist(), stops.tolist(), strict=True))
        first = starts // DRAM_PAGE_BYTES
        behind = np.where(stops > starts, (stops - 1) // DRAM_PAGE_BYTES + 1, first)
        self.page_count = int(behind.max(initial=0))
        shares = self._shares(issued, first, behind)
        pages = zip(first.tolist(), behind.tolist(), shares, strict=True)
        self.shared = [slice(start, stop) if is_shared else None for start, stop, is_shared in pages]

    @cached_property
    def kinds(self) -> dict[int, Touched]:
        """What different instructions touch, by the identity of their entries in `touched`."""
        return {id(one): one for one in self.touched}

    @cached_property
    def written(self) -> list[list[int]]:
        """Of each set of tiles, those that have one in common with it and are written."""
        return self._met({tiles for one in self.kinds.values() for _, tiles in one.writes})

    @cached_property
    def read(self) -> list[list[int]]:
        """Of each set of tiles, those that have one in common with it and are inputs or weights that a kernel reads."""
        both = chain(*(one.reads for one in self.kinds.values()))
        return self._met({tiles for memory, tiles in both if memory is not Memory.ACC})

    def _met(self, some: Set[int]) -> list[list[int]]:
        return [[other for other in met if other in some] for met in self.sets.met]

    def _of(self, item: Issued) -> Touched:
        if item.opcode is Opcode.LOAD:
            memory, base, _, y_size, x_size, _, top, bottom, left, right = item.row
            return self._run(memory, base, (top + y_size + bottom) * (left + x_size + right), is_store=False)
        if item.opcode is Opcode.STORE:
            return self._run(Memory.ACC, item.row[1], item.row[3] * item.row[4], is_store=True)
        if item.kernel is None:
            return Touched()
        key = (item.opcode, item.row, item.kernel.first, item.kernel.count)
        found = self._kernels.get(key)
        if found is None:
            found = self._kernels[key] = self._kernel(item.opcode, item.row, item.kernel)
        return found

    def _run(self, memory: int, base: int, tiles: int, *, is_store: bool) -> Touched:
        """A transfer, of tiles in a row."""
        if memory == Memory.UOP:
            return Touched()
        key = (memory, base, tiles, is_store)
        found = self._runs.get(key)
        if found is None:
            filled = Memory.ACC if memory == Memory.ACC_8BIT else Memory(memory)
            sets = (self._numbered(filled, slice(base, base + tiles)),)
            found = self._runs[key] = Touched(reads=sets) if is_store else Touched(writes=sets)
        return found

    def _numbered(self, memory: Memory, tiles: Tiles) -> tuple[Memory, int]:
        return memory, self.sets.number(memory, tiles)

    def _kernel(self, opcode: Opcode, row: Row, kernel: KernelSlice) -> Touched:
        ops = self._micro_ops[kernel.first : kernel.first + kernel.count]
        if opcode is Opcode.GEMM:
            loops = row[3:]
            written = self._numbered(Memory.ACC, _spread(ops[:, 0], loops[:2], loops[2:4]))
            if row[0]:
                return Touched(writes=(written,))
            inputs = self._numbered(Memory.INP, _spread(ops[:, 1], loops[:2], loops[4:6]))
            weights = self._numbered(Memory.WGT, _spread(ops[:, 2], loops[:2], loops[6:8]))
            return Touched(reads=(inputs, weights), writes=(written,))
        loops = row[2:]
        written = self._numbered(Memory.ACC, _spread(ops[:, 0], loops[:2], loops[2:4]))
        source = self._numbered(Memory.ACC, _spread(ops[:, 1], loops[:2], loops[4:6]))
        return Touched(reads=(source,), writes=(written,))

    def _shares(self, issued: Sequence[Issued], starts: NDArray[np.int64], stops: NDArray[np.int64]) -> list[bool]:
        stores = np.array([item.opcode is Opcode.STORE for item in issued], np.bool_)
        both = np.ones(self.page_count + 1, np.bool_)
        for some in (stores, ~stores):
            begun, ended = (np.bincount(ends[some], minlength=self.page_count + 1) for ends in (starts, stops))
            both &= np.cumsum(begun - ended) > 0
        before = np.concatenate([[0], np.cumsum(both)])
        shares: list[bool] = (before[stops] > before[starts]).tolist()
        return shares

    def _spans(self, issued: Sequence[Issued]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """DRAM bytes from the first to behind the last of each transfer; 0, 0 for what is none."""
        starts, stops = np.zeros((2, len(issued)), np.int64)
        places = [n for n, item in enumerate(issued) if item.opcode is Opcode.LOAD or item.opcode is Opcode.STORE]
        if not places:
            return starts, stops
        memory, _, dram, rows, columns, stride = np.array([issued[place].row[:6] for place in places], np.int64).T
        sizes = np.array([self._sizes.get(one, 0) for one in Memory], np.int64)[memory] * ((rows > 0) & (columns > 0))
        starts[places] = dram * sizes
        stops[places] = (dram + (rows - 1) * stride + columns) * sizes
        return starts, stops


@lru_cache(maxsize=1024)
def offsets(shape: Row) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
    """Of each tile of a load of that shape, how far its DRAM element lies behind the first; where zeros are."""
    y_size, x_size, x_stride, top, bottom, left, right = shape
    block = np.full((top + y_size + bottom, left + x_size + right), -1, dtype=np.int64)
    block[top : top + y_size, left : left + x_size] = np.arange(y_size)[:, None] * x_stride + np.arange(x_size)
    found = block.reshape(-1)
    return found, found < 0 if top or bottom or left or right else None


def _spread(base: NDArray[np.intp], extents: Row, factors: Row) -> Tiles:
    """Every index base + o * factor_out + i * factor_in, as a run when it is one."""
    first = int(base.min())
    found = _spread_from_zero((base - first).tobytes(), extents, factors)
    return slice(found.start + first, found.stop + first) if isinstance(found, slice) else found + first


@lru_cache(maxsize=2048)
def _spread_from_zero(base: bytes, extents: Row, factors: Row) -> Tiles:
    """The same for the bytes of indices of which the least is zero."""
    starts = np.flatnonzero(np.bincount(np.frombuffer(base, np.intp)))
    steps = (np.arange(extents[0])[:, None] * factors[0] + np.arange(extents[1]) * factors[1]).reshape(-1)
    low = int(steps.min())
    steps -= low
    reached = np.zeros(int(starts[-1] + steps.max()) + 1, np.bool_)
    if len(starts) > 1:
        steps = np.flatnonzero(np.bincount(steps))
    reached[(starts[:, None] + steps).reshape(-1)] = True
    return slice(low, low + len(reached)) if bool(reached.all()) else np.flatnonzero(reached) + low
