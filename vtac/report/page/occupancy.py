"""What lies in the on-chip memories over a run: for each row of elements and each moment, the buffer and the layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.report.runs import StreamRun
from vtac.targets.vta.isa import Alu, Gemm, Instruction, Load
from vtac.targets.vta.isa.instructions import Memory
from vtac.targets.vta.isa.micro_ops import decode_micro_op_array
from vtac.targets.vta.machine.stream import dram_element_bytes
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.stream.layout import Buffer

MEMORIES: tuple[MemoryName, ...] = ("inp", "wgt", "acc", "uop")
MOMENTS, MOST_ROWS = 640, 128
COMPUTED = "computed"
"""What lies in accumulators that GEMM or the ALU wrote."""

_HELD: dict[Memory, MemoryName] = {
    Memory.INP: "inp",
    Memory.WGT: "wgt",
    Memory.ACC: "acc",
    Memory.ACC_8BIT: "acc",
    Memory.UOP: "uop",
}
Label = tuple[str, str]
"""A buffer, or `COMPUTED`, and a layer."""


@dataclass
class Occupancy:
    """Grids by memory, of rows and moments: 0 for what nothing was written to, else the number of a label from 1 on."""

    config: VTAConfig
    cycles: int
    grids: dict[MemoryName, NDArray[np.int32]]
    labels: list[Label] = field(default_factory=list[Label])

    def rows(self, memory: MemoryName) -> int:
        return len(self.grids[memory])


@dataclass(frozen=True)
class Placed:
    """A run of a stream on the program's axis."""

    run: StreamRun
    program: Program


def occupancy_of(placed: Sequence[Placed], cycles: int) -> Occupancy:
    """What lies where at the end of each of `MOMENTS` equal parts of the run."""
    config = placed[0].program.config
    grids: dict[MemoryName, NDArray[np.int32]] = {
        memory: np.zeros((min(MOST_ROWS, config.capacity(memory)), MOMENTS), np.int32) for memory in MEMORIES
    }
    numbers: dict[Label, int] = {}
    now = {memory: np.zeros(len(grid), np.int32) for memory, grid in grids.items()}
    reached = 0
    for cycle, memory, elements, label in (write for one in placed for write in _Writes(one).in_order()):
        moment = min(MOMENTS - 1, cycle * MOMENTS // max(1, cycles))
        if moment > reached:
            for name, grid in grids.items():
                grid[:, reached:moment] = now[name][:, None]
            reached = moment
        column = now[memory]
        number = numbers.setdefault(label, len(numbers) + 1)
        column[np.minimum(elements * len(column) // config.capacity(memory), len(column) - 1)] = number
    for name, grid in grids.items():
        grid[:, reached:] = now[name][:, None]
    return Occupancy(config, cycles, grids, list(numbers))


Write = tuple[int, MemoryName, NDArray[np.int64], Label]
"""A cycle, and the elements of a memory that change in it."""


class _Writes:
    """What the instructions of a run write into on-chip memories."""

    def __init__(self, placed: Placed) -> None:
        self._run, self._program = placed.run, placed.program
        self._buffers = BufferMap(placed.program)
        self._titles = {kernel.name: kernel.title for kernel in placed.program.kernels}
        self._uops = np.zeros((placed.program.config.capacity("uop"), 3), np.int64)

    def in_order(self) -> Iterator[Write]:
        """By the cycle in which an instruction begins, those of micro-ops before what uses them."""
        spans = [span for unit in self._run.report.units.values() for span in unit.spans]
        for index, begin, _ in sorted(spans, key=lambda span: (span.begin, span.instruction)):
            written = self._of(self._run.report.decoded[index], index)
            if written is not None and written[1].size:
                yield (self._run.begin + begin, *written)

    def _of(self, instruction: Instruction, index: int) -> tuple[MemoryName, NDArray[np.int64], Label] | None:
        layer = self._layer(index)
        title = self._titles.get(layer, layer)
        match instruction:
            case Load() if instruction.memory in _HELD:
                if instruction.memory is Memory.UOP:
                    self._keep(instruction)
                rows = instruction.y_pad_0 + instruction.y_size + instruction.y_pad_1
                columns = instruction.x_pad_0 + instruction.x_size + instruction.x_pad_1
                elements = np.arange(instruction.sram_base, instruction.sram_base + rows * columns)
                held = elements if instruction.x_size else elements[:0]
                return _HELD[instruction.memory], held, (self._buffer(instruction, layer), title)
            case Gemm() | Alu():
                return "acc", self._destinations(instruction), (COMPUTED, title)
            case _:
                return None

    def _destinations(self, one: Gemm | Alu) -> NDArray[np.int64]:
        first = self._uops[one.uop_bgn : one.uop_end, 0]
        outer = np.arange(one.iter_out) * one.dst_factor_out
        inner = np.arange(one.iter_in) * one.dst_factor_in
        found = np.unique(np.add.outer(np.unique(np.add.outer(outer, inner)), np.unique(first)))
        return found[found < self._program.config.capacity("acc")]

    def _keep(self, load: Load) -> None:
        """Micro-ops as they are loaded."""
        uops = next((buffer for buffer in self._program.buffers if buffer.role == "uop"), None)
        count = min(load.x_size, len(self._uops) - load.sram_base)
        first = load.dram_base - (0 if uops is None else uops.address // 4)
        if first >= 0 and first + count <= len(self._stored) and count > 0:
            self._uops[load.sram_base : load.sram_base + count] = self._stored[first : first + count]

    @cached_property
    def _stored(self) -> NDArray[np.int64]:
        return decode_micro_op_array(self._program.micro_ops, self._program.config)

    def _layer(self, index: int) -> str:
        origins = self._program.origins
        kernel = origins[index].kernel if index < len(origins) else ""
        return kernel or self._run.name or self._program.name

    def _buffer(self, load: Load, layer: str) -> str:
        found = self._buffers.at(load.dram_base * dram_element_bytes(load.memory, self._program.config), layer)
        return "unknown" if found is None else found.name


class BufferMap:
    """The buffers of a program by the bytes of DRAM that they hold."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._named = {kernel.name: {*kernel.reads, *kernel.writes} for kernel in reversed(program.kernels)}
        self._known: dict[tuple[int, str], Buffer | None] = {}

    def at(self, address: int, layer: str) -> Buffer | None:
        """The buffer that holds a byte; of several that share memory, one that the layer reads or writes."""
        place = address, layer
        if place not in self._known:
            self._known[place] = self._found(address, layer)
        return self._known[place]

    def _found(self, address: int, layer: str) -> Buffer | None:
        holding = [one for one in self._program.buffers if one.address <= address < one.address + one.nbytes]
        named = self._named.get(layer, set())
        return min(holding, key=lambda one: (one.name not in named, one.nbytes), default=None)
