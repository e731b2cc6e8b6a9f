"""A decoded stream as the checker sees it: three unit programs and four token queues.

Few of a stream's instructions differ in more than their token bits and where in DRAM they transfer from and to. What
follows from the rest is found once for all that are alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import (
    POP_NEXT,
    POP_PREV,
    PUSH_NEXT,
    PUSH_PREV,
    WORD_BYTES,
    Instruction,
    InstructionTable,
    Load,
    Memory,
    Opcode,
    Store,
    decode,
    format_instruction,
    instruction_layout,
)
from vtac.targets.vta.isa.fields import DEPENDENCE_FIELDS
from vtac.targets.vta.machine.stream import UnitIndex, decode_stream, dram_element_bytes
from vtac.targets.vta.machine.tokens import QUEUES
from vtac.targets.vta.proof.dram import Addresses, Block, block_of

LOAD, COMPUTE, STORE = UnitIndex.LOAD, UnitIndex.COMPUTE, UnitIndex.STORE
UNIT_NAMES = tuple(unit.name.lower() for unit in UnitIndex)

_WORD = f"V{WORD_BYTES}"

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
    """Instructions, the token bits and unit number of each, and each unit's instructions in order.

    `alike` has for each instruction the index of the first one that is the same but for token bits and the DRAM
    address of a transfer; `starts` and `ends` are the DRAM bytes from the first to behind the last of each transfer,
    0 for what transfers nothing.
    """

    data: bytes
    config: VTAConfig
    bits: Sequence[int]
    unit: Sequence[int]
    programs: Sequence[Sequence[int]]
    alike: Sequence[int]
    starts: Addresses
    ends: Addresses

    def __len__(self) -> int:
        return len(self.unit)

    @cached_property
    def instructions(self) -> Sequence[Instruction]:
        """All of them, as records."""
        return decode(self.data, self.config)

    @cached_property
    def firsts(self) -> Mapping[int, Instruction]:
        """The first of all instructions that are alike, by index."""
        indices = list(dict.fromkeys(self.alike))
        words = np.frombuffer(self.data, _WORD)[indices].tobytes()
        return dict(zip(indices, decode(words, self.config), strict=True))

    def bits_of(self, unit: int) -> NDArray[np.int64]:
        """The token bits of a unit's instructions, in its order."""
        return self._bits_of_units[unit]

    @cached_property
    def _bits_of_units(self) -> list[NDArray[np.int64]]:
        bits = np.array(self.bits, np.int64)
        return [bits[np.array(program, np.int64)] for program in self.programs]

    def block(self, index: int) -> Block | None:
        """What a memory instruction transfers; None for others, and where that is nothing."""
        block = self._shapes[self.alike[index]]
        return None if block is None else block._replace(start=int(self.starts[index]))

    @cached_property
    def _shapes(self) -> dict[int, Block | None]:
        """Of the first of all instructions that are alike, what it transfers."""
        found = self.firsts.items()
        return {i: block_of(one, self.config) if isinstance(one, Load | Store) else None for i, one in found}

    def at(self, index: int) -> Instruction:
        """One instruction as a record."""
        return decode(self.data[index * WORD_BYTES : (index + 1) * WORD_BYTES], self.config)[0]

    def name(self, index: int) -> str:
        """An instruction in a message: its unit, its index and its text."""
        text = " ".join(format_instruction(self.at(index)).split())
        return f"{UNIT_NAMES[self.unit[index]]} #{index} `{text}`"


def stream_of(data: bytes, config: VTAConfig) -> Stream:
    """Decode a stream and deal the instructions to their units.

    Raises `ExecutionError` for bytes that are no instructions.
    """
    decoded = decode_stream(data, config)
    table = decoded.table
    unit: list[int] = decoded.units.tolist()
    programs = tuple(np.flatnonzero(decoded.units == number).tolist() for number in UnitIndex)
    return Stream(
        data, config, table.dependences.tolist(), unit, programs, _alike(data, table, config), *_spans(table, config)
    )


def _alike(data: bytes, table: InstructionTable, config: VTAConfig) -> list[int]:
    words = np.frombuffer(data, "<u8").reshape(-1, 2).copy()
    for opcode in Opcode:
        layout = instruction_layout(config, opcode)
        apart = [name for name in (*DEPENDENCE_FIELDS, "dram_base") if any(name == one.name for one in layout.fields)]
        mask = layout.mask & ~sum(layout[name].mask for name in apart)
        words[table.rows[opcode]] &= np.frombuffer(mask.to_bytes(WORD_BYTES, "little"), "<u8")
    first: dict[bytes, int] = {}
    return [first.setdefault(word, index) for index, word in enumerate(words.view(_WORD).ravel().tolist())]


def _spans(table: InstructionTable, config: VTAConfig) -> tuple[Addresses, Addresses]:
    starts, ends = np.zeros((2, len(table)), np.int64)
    sizes = np.array([dram_element_bytes(memory, config) for memory in Memory], np.int64)
    for opcode in (Opcode.LOAD, Opcode.STORE):
        fields, rows = table.columns[opcode], table.rows[opcode]
        moves = (fields["x_size"] > 0) & (fields["y_size"] > 0)
        size = sizes[fields["memory"]] * moves
        starts[rows] = fields["dram_base"] * size
        ends[rows] = starts[rows] + ((fields["y_size"] - 1) * fields["x_stride"] + fields["x_size"]) * size
    return starts, ends
