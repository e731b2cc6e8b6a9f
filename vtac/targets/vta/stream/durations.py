"""About how many cycles an instruction takes when it waits for nothing."""

from __future__ import annotations

from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.dialects.memory_bus import BUS_BYTES
from vtac.targets.vta.isa.instructions import Memory, Opcode
from vtac.targets.vta.stream.footprints import Issued

_KERNEL, _LOAD = 7, 23
_STORED = 3.375
"""Cycles for a stored tile of 16 bytes, with what a burst costs."""
_NAMES: dict[int, MemoryName] = {
    Memory.INP: "inp",
    Memory.WGT: "wgt",
    Memory.ACC: "acc",
    Memory.OUT: "out",
    Memory.ACC_8BIT: "out",
    Memory.UOP: "uop",
}


class Durations:
    """Times of instructions of one configuration, from an instruction's start to its unit's next one."""

    def __init__(self, config: VTAConfig) -> None:
        self._beats = {memory: config.element_bytes(name) / BUS_BYTES for memory, name in _NAMES.items()}
        self._store = config.out_element_bytes / 16 * _STORED

    def of(self, item: Issued) -> int:
        """Cycles, at least one."""
        row = item.row
        if item.opcode is Opcode.LOAD:
            return _LOAD + int(row[3] * row[4] * self._beats[row[0]])
        if item.opcode is Opcode.STORE:
            return int(row[3] * row[4] * self._store) + 1
        if item.kernel is None:
            return _KERNEL
        extents = row[3:5] if item.opcode is Opcode.GEMM else row[2:4]
        is_tensor = item.opcode is Opcode.ALU and not row[9]
        return _KERNEL + extents[0] * extents[1] * item.kernel.count * (2 if is_tensor else 1)
