"""A decoded stream as the checker sees it: three unit programs and four token queues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import POP_NEXT, POP_PREV, PUSH_NEXT, PUSH_PREV, Instruction, Load, Store, format_instruction
from vtac.targets.vta.machine.stream import UnitIndex, decode_stream
from vtac.targets.vta.machine.tokens import QUEUES
from vtac.targets.vta.proof.dram import Block, block_of

LOAD, COMPUTE, STORE = UnitIndex.LOAD, UnitIndex.COMPUTE, UnitIndex.STORE
UNIT_NAMES = tuple(unit.name.lower() for unit in UnitIndex)

# Token bits as `InstructionTable.dependences` holds them, by name.
BIT_NAMES = {POP_PREV: "pop_prev", POP_NEXT: "pop_next", PUSH_PREV: "push_prev", PUSH_NEXT: "push_next"}


@cache
def pops(unit: int, bits: int) -> tuple[int, ...]:
    """The numbers in `QUEUES` of the queues that an instruction takes a token from."""
    return tuple(number for number, queue in enumerate(QUEUES) if queue.consumer == unit and bits & queue.pop)


@cache
def pushes(unit: int, bits: int) -> tuple[int, ...]:
    """The numbers in `QUEUES` of the queues that an instruction puts a token into."""
    return tuple(number for number, queue in enumerate(QUEUES) if queue.producer == unit and bits & queue.push)


@dataclass(frozen=True, eq=False)
class Stream:
    """Instructions, the token bits and unit number of each, and each unit's instructions in order."""

    instructions: Sequence[Instruction]
    config: VTAConfig
    bits: Sequence[int]
    unit: Sequence[int]
    programs: Sequence[Sequence[int]]

    def bits_of(self, unit: int) -> NDArray[np.int64]:
        """The token bits of a unit's instructions, in its order."""
        return self._bits_of_units[unit]

    @cached_property
    def _bits_of_units(self) -> list[NDArray[np.int64]]:
        bits = np.array(self.bits, np.int64)
        return [bits[np.array(program, np.int64)] for program in self.programs]

    @cached_property
    def blocks(self) -> list[Block | None]:
        """What each memory instruction transfers; None for others, and where that is nothing."""
        return [block_of(one, self.config) if isinstance(one, Load | Store) else None for one in self.instructions]

    def name(self, index: int) -> str:
        """An instruction in a message: its unit, its index and its text."""
        text = " ".join(format_instruction(self.instructions[index]).split())
        return f"{UNIT_NAMES[self.unit[index]]} #{index} `{text}`"


def stream_of(data: bytes, config: VTAConfig) -> Stream:
    """Decode a stream and deal the instructions to their units.

    Raises `ExecutionError` for bytes that are no instructions.
    """
    decoded = decode_stream(data, config)
    unit: list[int] = decoded.units.tolist()
    programs = tuple([index for index, owner in enumerate(unit) if owner == number] for number in UnitIndex)
    return Stream(decoded.instructions, config, decoded.table.dependences.tolist(), unit, programs)
