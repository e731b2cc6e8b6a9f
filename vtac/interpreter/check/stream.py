"""A decoded stream as the checker sees it: three unit programs and four token queues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.isa import Dependences, Instruction, Memory, Unit, format_instruction, unit_of

LOAD, COMPUTE, STORE = 0, 1, 2
UNITS = (Unit.LOAD, Unit.COMPUTE, Unit.STORE)
UNIT_NAMES = ("load", "compute", "store")

_SRAM_NAMES: dict[Memory, MemoryName] = {
    Memory.UOP: "uop",
    Memory.WGT: "wgt",
    Memory.INP: "inp",
    Memory.ACC: "acc",
    Memory.OUT: "acc",
    Memory.ACC_8BIT: "acc",
}


class Queue(NamedTuple):
    """A token queue: its one producer and one consumer unit, and the bits that push and pop it there."""

    name: str
    producer: int
    consumer: int
    push: str
    pop: str


QUEUES = (
    Queue("l2g", LOAD, COMPUTE, push="push_next", pop="pop_prev"),
    Queue("g2l", COMPUTE, LOAD, push="push_prev", pop="pop_next"),
    Queue("g2s", COMPUTE, STORE, push="push_next", pop="pop_prev"),
    Queue("s2g", STORE, COMPUTE, push="push_prev", pop="pop_next"),
)


@cache
def pops(unit: int, dependences: Dependences) -> tuple[int, ...]:
    """The numbers in `QUEUES` of the queues that an instruction takes a token from."""
    return tuple(n for n, queue in enumerate(QUEUES) if queue.consumer == unit and getattr(dependences, queue.pop))


@cache
def pushes(unit: int, dependences: Dependences) -> tuple[int, ...]:
    """The numbers in `QUEUES` of the queues that an instruction puts a token into."""
    return tuple(n for n, queue in enumerate(QUEUES) if queue.producer == unit and getattr(dependences, queue.push))


def sram_of(memory: Memory) -> MemoryName:
    """The SRAM that a memory id names; stores read the accumulator tiles as OUT."""
    return _SRAM_NAMES[memory]


def dram_element_bytes(memory: Memory, config: VTAConfig) -> int:
    """Bytes of one element in DRAM."""
    if memory in (Memory.OUT, Memory.ACC_8BIT):
        return config.out_element_bytes
    return config.element_bytes(_SRAM_NAMES[memory])


@dataclass(frozen=True, eq=False)
class Stream:
    """Instructions with the unit of each (a number in `UNITS`) and each unit's instructions in order."""

    instructions: Sequence[Instruction]
    config: VTAConfig
    unit: tuple[int, ...]
    programs: tuple[tuple[int, ...], ...]

    def name(self, index: int) -> str:
        """An instruction in a message: its unit, its index and its text."""
        text = " ".join(format_instruction(self.instructions[index]).split())
        return f"{UNIT_NAMES[self.unit[index]]} #{index} `{text}`"


def stream_of(instructions: Sequence[Instruction], config: VTAConfig) -> Stream:
    """Deal the instructions to their units."""
    numbers = {unit: number for number, unit in enumerate(UNITS)}
    unit = tuple(numbers[unit_of(instruction)] for instruction in instructions)
    programs = tuple(tuple(i for i, owner in enumerate(unit) if owner == number) for number in range(len(UNITS)))
    return Stream(instructions, config, unit, programs)
