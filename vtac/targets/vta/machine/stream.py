"""A decoded instruction stream: its columns, its units and its token bits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.errors import ExecutionError
from vtac.targets.vta.isa import (
    WORD_BYTES,
    DecodeError,
    Instruction,
    InstructionTable,
    Memory,
    Opcode,
    decode,
    decode_table,
    format_instruction,
)


class UnitIndex(IntEnum):
    """The units in the order of their queues: compute's previous neighbour is load, its next store."""

    LOAD = 0
    COMPUTE = 1
    STORE = 2


SRAM_OF: dict[Memory, MemoryName] = {
    Memory.UOP: "uop",
    Memory.WGT: "wgt",
    Memory.INP: "inp",
    Memory.ACC: "acc",
    Memory.OUT: "acc",
    Memory.ACC_8BIT: "acc",
}
_DRAM_OF: dict[Memory, MemoryName] = {**SRAM_OF, Memory.OUT: "out", Memory.ACC_8BIT: "out"}


@lru_cache(maxsize=64)
def dram_element_bytes(memory: Memory, config: VTAConfig) -> int:
    """Bytes of one element in DRAM: what `dram_base` and `x_stride` count. `ACC_8BIT` is i8 there."""
    return config.element_bytes(_DRAM_OF[memory])


@dataclass(frozen=True, eq=False)
class Stream:
    """The instructions of one program for one configuration; equal bytes give the same object."""

    data: bytes
    config: VTAConfig
    table: InstructionTable

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def units(self) -> NDArray[np.int64]:
        """Shape (n,): the `UnitIndex` of each instruction."""
        units = np.full(len(self), UnitIndex.COMPUTE, np.int64)
        memory = self.table.columns[Opcode.LOAD]["memory"]
        loads = self.table.rows[Opcode.LOAD]
        units[loads[(memory == Memory.INP) | (memory == Memory.WGT)]] = UnitIndex.LOAD
        units[self.table.rows[Opcode.STORE]] = UnitIndex.STORE
        return units

    @cached_property
    def instructions(self) -> list[Instruction]:
        return decode(self.data, self.config)

    def fault(self, index: int, kind: str, problem: str) -> ExecutionError:
        """The error of instruction `index`, which the message shows disassembled."""
        word = self.data[index * WORD_BYTES : (index + 1) * WORD_BYTES]
        text = " ".join(format_instruction(decode(word, self.config)[0]).split())
        return ExecutionError(f"instruction {index} ({text}): {problem}", index, kind)


@lru_cache(maxsize=32)
def decode_stream(data: bytes, config: VTAConfig) -> Stream:
    """The stream in `data`; raises `ExecutionError` for bytes that are no instructions."""
    try:
        return Stream(data, config, decode_table(data, config))
    except DecodeError as error:
        raise ExecutionError(f"cannot decode the stream: {error.message}", error.index, error.kind) from None
