"""What both designs do with instructions: the interpreter on physical memory, and what goes wrong on hardware."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ExecutionError, VtacError
from vtac.targets.vta.cycles.simulate import count_cycles
from vtac.targets.vta.isa import WORD_BYTES, Memory, Opcode, decode_table
from vtac.targets.vta.machine import execute
from vtac.targets.vta.machine.stream import dram_element_bytes

BASES = {Memory.UOP: "uop", Memory.WGT: "wgt", Memory.INP: "inp", Memory.ACC: "acc", Memory.OUT: "out"}
"""The base register of each memory."""
_MASK = (1 << 32) - 1

_BASE_BIT = 26

Combine = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]
"""Addresses from base registers and the bytes that instructions count."""


def _as_it_is(instructions: bytes, _config: VTAConfig) -> bytes:
    return instructions


@dataclass
class PhysicalMemory:
    """Memory from `base` on; the first byte as the accelerator addresses it."""

    base: int
    nbytes: int
    image: NDArray[np.uint8] = field(init=False)
    view: memoryview = field(init=False)

    def __post_init__(self) -> None:
        self.image = np.zeros(self.nbytes, np.uint8)
        self.view = memoryview(self.image)  # pyright: ignore[reportArgumentType]

    def to_device(self, offset: int, nbytes: int) -> None:
        """Coherent."""

    def from_device(self, offset: int, nbytes: int) -> None:
        """Coherent."""

    def close(self) -> None:
        """It goes with the model."""

    def take(self, address: int, nbytes: int) -> bytes:
        """Bytes at an address. Raises `OSError` for those that are not there."""
        offset = address - self.base
        if not 0 <= offset <= offset + nbytes <= self.nbytes:
            raise OSError(f"nothing answers at 0x{address:x}")
        return self.image[offset : offset + nbytes].tobytes()


@dataclass
class Core:
    """The units behind the registers.

    `is_stuck` says that a run hangs, and `why`; `has_leftover` that a token is left, so that what follows is not
    ordered any more. Only a new bitstream ends either.
    """

    config: VTAConfig
    memory: PhysicalMemory
    combine: Combine
    rewrite: Callable[[bytes, VTAConfig], bytes] = _as_it_is
    """What this design makes of a stream, said in instructions that mean it everywhere."""
    is_stuck: bool = False
    has_leftover: bool = False
    why: str = ""
    hangs_next: bool = False
    """A fault that a test plants: the next run never ends."""
    cycles: int = 0
    acc_writes: int = 0

    def reset(self) -> None:
        """A new bitstream."""
        self.is_stuck = self.has_leftover = self.hangs_next = False
        self.why = ""

    def run(self, address: int, count: int, bases: Mapping[str, int]) -> bool:
        """Execute; whether FINISH is reached."""
        if self.is_stuck or self.hangs_next:
            return self._stick(self.why or "planted")
        if self.has_leftover:
            return True  # the units start before their data are there
        try:
            instructions = self._moved(self.memory.take(address, count * WORD_BYTES), bases)
            return self._execute(instructions)
        except (OSError, VtacError) as error:
            return self._stick(str(error))

    def _execute(self, instructions: bytes) -> bool:
        finishes = instructions[-WORD_BYTES] & 7 == Opcode.FINISH if instructions else False
        whole = instructions if finishes else instructions + bytes([Opcode.FINISH]) + bytes(WORD_BYTES - 1)
        try:
            counted = execute(whole, self.memory.image, self.config, strict=True)
        except ExecutionError as error:
            if error.kind != "tokens":
                raise
            self.has_leftover = True
            counted = execute(whole, self.memory.image, self.config)
        if finishes:
            self.cycles = 0 if self.has_leftover else count_cycles(whole, self.config)
            self.acc_writes = sum(int(counted[name]) for name in ("gemm_counter", "alu_counter"))  # pyright: ignore[reportArgumentType]
        return finishes

    def _moved(self, instructions: bytes, bases: Mapping[str, int]) -> bytes:
        """The stream as it addresses the memory's own bytes. Raises `OSError` for addresses in front of it."""
        words = np.frombuffer(self.rewrite(instructions, self.config), "<u8").reshape(-1, 2).copy()
        table = decode_table(words.tobytes(), self.config)
        registers = np.array([bases.get(BASES.get(memory, "out"), 0) for memory in sorted(Memory)], np.int64)
        sizes = np.array([dram_element_bytes(memory, self.config) for memory in sorted(Memory)], np.int64)
        for opcode in (Opcode.LOAD, Opcode.STORE):
            columns = table.columns[opcode]
            moves = columns["x_size"] > 0
            memories = columns["memory"][moves]
            addresses = self.combine(registers[memories], columns["dram_base"][moves] * sizes[memories]) & _MASK
            offsets = addresses - self.memory.base
            bad = (offsets < 0) | (offsets % sizes[memories] != 0)
            if bad.any():
                raise OSError(f"nothing answers at 0x{int(addresses[bad][0]):x}")
            rows = table.rows[opcode][moves]
            kept = words[rows, 0] & ~np.uint64(_MASK << _BASE_BIT)
            words[rows, 0] = kept | (offsets // sizes[memories]).astype(np.uint64) << np.uint64(_BASE_BIT)
        return words.tobytes()

    def _stick(self, why: str) -> bool:
        self.is_stuck, self.why = True, why
        return False
