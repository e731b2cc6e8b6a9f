"""What the simulation needs to know of each instruction, worked out for a whole stream at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.errors import CycleError
from vtac.targets.vta.cycles.bursts import StoreBlock, block_bursts, store_cycles
from vtac.targets.vta.cycles.timing import Timing
from vtac.targets.vta.isa import DecodeError, InstructionTable, Memory, Opcode, decode_table

LOAD, COMPUTE, STORE = range(3)
UNIT_NAMES = ("load", "compute", "store")
TRANSFER = 0
"""The cost of an instruction whose duration the memory decides."""

# An extent of zero counts down through the whole range of the 14-bit loop counters.
_TRIP_MODULUS = 1 << 14

Column = NDArray[np.int64]


@dataclass(frozen=True)
class LoadShape:
    """The block of one LOAD: its bursts in order, its geometry in elements, and when its data is written.

    `nbytes` counts the data without pads; `delay` is the cycles from a beat on the bus to the write
    of its data.
    """

    memory: Memory
    bursts: list[int]
    nbytes: int
    rows: int
    columns: int
    top: int
    bottom: int
    left: int
    right: int
    delay: int

    @property
    def width(self) -> int:
        """Elements of a padded row."""
        return self.left + self.columns + self.right

    @property
    def is_padded(self) -> bool:
        return bool(self.top or self.bottom or self.left or self.right)

    @property
    def leading_pads(self) -> int:
        """Pad tiles written before the bottom: the rows on top, then both sides of the data rows."""
        return self.width * self.top + self.rows * (self.left + self.right)

    @property
    def skipped_rows(self) -> int:
        """Cycles spent passing the data rows on the way to the bottom: one per row without side pads."""
        return self.rows if self.bottom and not (self.left or self.right) else 0

    @property
    def bottom_pads(self) -> int:
        return self.width * self.bottom


@dataclass(frozen=True)
class Plan:
    """For each instruction its unit, its token bits (pop_prev 1, pop_next 2, push_prev 4, push_next 8) and its cost.

    `costs[i]` is the cycles from the instruction's start to its unit's next start, or `TRANSFER`
    for a LOAD of data; `loads[i]` is such a LOAD's shape. `tile_operations` and `stored_bytes` are
    the stream's sums.
    """

    units: list[int]
    tokens: list[int]
    costs: list[int]
    loads: dict[int, LoadShape]
    tile_operations: int
    stored_bytes: int


def plan_stream(data: bytes, config: VTAConfig, timing: Timing) -> Plan:
    """The plan of a stream. Raises `CycleError` for bytes that are no stream and for what no machine can run."""
    try:
        table = decode_table(data, config)
    except DecodeError as error:
        raise CycleError(f"cannot decode the stream: {error.message}", error.index, error.kind) from None
    _check_finish(table)
    units = np.full(len(table), COMPUTE, np.int64)
    costs = np.full(len(table), timing.nop_cycles, np.int64)
    gemm_trips, alu_trips = _trips(table, Opcode.GEMM, config), _trips(table, Opcode.ALU, config)
    costs[table.rows[Opcode.GEMM]] = timing.gemm_overhead + gemm_trips
    intervals = np.where(table.columns[Opcode.ALU]["use_imm"] == 1, 1, timing.alu_tensor_interval)
    costs[table.rows[Opcode.ALU]] = timing.alu_overhead + intervals * alu_trips
    units[table.rows[Opcode.STORE]] = STORE
    costs[table.rows[Opcode.STORE]] = _store_costs(table, config, timing)
    loads = _load_shapes(table, config, timing)
    memories = table.columns[Opcode.LOAD]["memory"]
    units[table.rows[Opcode.LOAD][(memories == Memory.INP) | (memories == Memory.WGT)]] = LOAD
    costs[list(loads)] = TRANSFER
    stores = table.columns[Opcode.STORE]
    return Plan(
        units=units.tolist(),
        tokens=table.dependences.tolist(),
        costs=costs.tolist(),
        loads=loads,
        tile_operations=int(gemm_trips.sum() + alu_trips.sum()),
        stored_bytes=int((stores["y_size"] * stores["x_size"]).sum()) * config.out_element_bytes,
    )


def _check_finish(table: InstructionTable) -> None:
    finishes = table.rows[Opcode.FINISH].tolist()
    last = len(table) - 1
    if not len(table):
        raise CycleError("the stream is empty; it must end with FINISH", None, "finish")
    if not finishes:
        raise CycleError(f"instruction {last} ends the stream, and is no FINISH; FINISH must be last", last, "finish")
    if finishes[0] != last:
        raise CycleError(
            f"instruction {finishes[0] + 1} follows the FINISH at {finishes[0]}; FINISH ends the run and must be last",
            finishes[0] + 1,
            "finish",
        )


def _trips(table: InstructionTable, opcode: Opcode, config: VTAConfig) -> Column:
    """Tile operations of each GEMM or ALU instruction."""
    columns = table.columns[opcode]
    trips = (columns["uop_end"] - columns["uop_bgn"]) % (2 << config.field_bits("uop"))
    trips[trips == 0] = 2 << config.field_bits("uop")
    for extent in ("iter_out", "iter_in"):
        trips = trips * np.where(columns[extent] == 0, _TRIP_MODULUS, columns[extent])
    return trips


def _rows_of(table: InstructionTable, opcode: Opcode, names: tuple[str, ...]) -> list[tuple[int, ...]]:
    columns = [table.columns[opcode][name].tolist() for name in names]
    return list(zip(*columns, strict=True))


def _store_costs(table: InstructionTable, config: VTAConfig, timing: Timing) -> list[int]:
    names = ("dram_base", "y_size", "x_size", "x_stride")
    element_bytes, burst_bytes = config.out_element_bytes, timing.burst_bytes
    return [
        store_cycles(StoreBlock(dram * element_bytes % burst_bytes, rows, columns, stride), config, timing)
        if columns
        else timing.nop_cycles
        for dram, rows, columns, stride in _rows_of(table, Opcode.STORE, names)
    ]


_NAMES: dict[Memory, MemoryName] = {
    Memory.UOP: "uop",
    Memory.WGT: "wgt",
    Memory.INP: "inp",
    Memory.ACC: "acc",
    Memory.ACC_8BIT: "acc",
}


def _load_shapes(table: InstructionTable, config: VTAConfig, timing: Timing) -> dict[int, LoadShape]:
    names = ("memory", "dram_base", "y_size", "x_size", "x_stride", "y_pad_0", "y_pad_1", "x_pad_0", "x_pad_1")
    shapes: dict[int, LoadShape] = {}
    for index, fields in zip(table.rows[Opcode.LOAD].tolist(), _rows_of(table, Opcode.LOAD, names), strict=True):
        memory = Memory(fields[0])
        if memory not in _NAMES:
            known = ", ".join(kind.name for kind in _NAMES)
            problem = f"instruction {index}: LOAD {memory.name} is executed by no unit; loads fill {known}"
            raise CycleError(problem, index, "memory")
        if fields[3]:
            _check_load_size(index, memory, fields, config)
            bursts_from = fields[1] * _element_bytes(memory, config) % timing.burst_bytes
            shapes[index] = _load_shape(memory, bursts_from, fields[2:], config, timing)
    return shapes


def _check_load_size(index: int, memory: Memory, fields: tuple[int, ...], config: VTAConfig) -> None:
    _, _, rows, columns, _, top, bottom, left, right = fields
    elements, limit = (top + rows + bottom) * (left + columns + right), config.capacity(_NAMES[memory])
    if elements > limit:
        raise CycleError(
            f"instruction {index}: LOAD {memory.name} of {elements} elements, pads included; the memory holds "
            f"{limit}: load a smaller block",
            index,
            "sram-range",
        )


def _element_bytes(memory: Memory, config: VTAConfig) -> int:
    return config.out_element_bytes if memory is Memory.ACC_8BIT else config.element_bytes(_NAMES[memory])


@lru_cache(maxsize=4096)
def _load_shape(memory: Memory, offset: int, geometry: tuple[int, ...], config: VTAConfig, timing: Timing) -> LoadShape:
    """The shape of a load of `geometry` from `offset` bytes past an aligned address on."""
    rows, columns, stride, top, bottom, left, right = geometry
    nbytes = _element_bytes(memory, config)
    return LoadShape(
        memory=memory,
        bursts=block_bursts(offset, rows, columns * nbytes, stride * nbytes, timing),
        nbytes=rows * columns * nbytes,
        rows=rows,
        columns=columns,
        top=top,
        bottom=bottom,
        left=left,
        right=right,
        delay=timing.beat_delay(nbytes),
    )
