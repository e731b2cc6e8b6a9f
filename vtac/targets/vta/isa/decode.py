"""Instruction bytes to records."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa.instructions import (
    Alu,
    AluOpcode,
    Dependences,
    Finish,
    Gemm,
    Instruction,
    Load,
    Memory,
    Opcode,
    Store,
)
from vtac.targets.vta.isa.table import InstructionTable, decode_table

_MEMORIES = tuple(Memory)
_ALU_OPCODES = tuple(AluOpcode)
_LOOPS = ("uop_bgn", "uop_end", "iter_out", "iter_in")
_FACTORS = ("dst_factor_out", "dst_factor_in", "src_factor_out", "src_factor_in")


@cache
def dependences_of(bits: int) -> Dependences:
    """The record of the four token bits: pop_prev 0, pop_next 1, push_prev 2, push_next 3."""
    return Dependences(bool(bits & 1), bool(bits & 2), bool(bits & 4), bool(bits & 8))


def _tuples(table: InstructionTable, opcode: Opcode, names: tuple[str, ...]) -> Iterator[tuple[int, ...]]:
    columns = table.columns[opcode]
    lists: list[list[int]] = [columns[name].tolist() for name in names]
    return zip(*lists, strict=True)


def _gemms(table: InstructionTable) -> Iterator[Instruction]:
    names = ("reset", *_LOOPS, *_FACTORS, "wgt_factor_out", "wgt_factor_in")
    for (reset, *rest), bits in zip(_tuples(table, Opcode.GEMM, names), _bits(table, Opcode.GEMM), strict=True):
        yield Gemm(bool(reset), *rest, dependences=dependences_of(bits))


def _alus(table: InstructionTable) -> Iterator[Instruction]:
    names = ("alu_opcode", "use_imm", "imm", *_LOOPS, *_FACTORS)
    for (opcode, use_imm, *rest), bits in zip(_tuples(table, Opcode.ALU, names), _bits(table, Opcode.ALU), strict=True):
        yield Alu(_ALU_OPCODES[opcode], bool(use_imm), *rest, dependences=dependences_of(bits))


def _memory_instructions(table: InstructionTable, opcode: Opcode, kind: type[Load | Store]) -> Iterator[Instruction]:
    names = ("sram_base", "dram_base", "y_size", "x_size", "x_stride", "y_pad_0", "y_pad_1", "x_pad_0", "x_pad_1")
    memories: list[int] = table.columns[opcode]["memory"].tolist()
    for memory, rest, bits in zip(memories, _tuples(table, opcode, names), _bits(table, opcode), strict=True):
        yield kind(_MEMORIES[memory], *rest, dependences=dependences_of(bits))


def _bits(table: InstructionTable, opcode: Opcode) -> list[int]:
    return table.dependences[table.rows[opcode]].tolist()


def decode(data: bytes, config: VTAConfig) -> list[Instruction]:
    """The instructions of a stream of 128-bit little-endian words.

    Bits that no field names are ignored, as the hardware does. Raises `DecodeError`, with the
    instruction's `index`, for a length that is no multiple of 16, an unknown opcode, memory id or
    ALU opcode.
    """
    table = decode_table(data, config)
    decoded = {
        Opcode.LOAD: _memory_instructions(table, Opcode.LOAD, Load),
        Opcode.STORE: _memory_instructions(table, Opcode.STORE, Store),
        Opcode.GEMM: _gemms(table),
        Opcode.FINISH: (Finish(dependences_of(bits)) for bits in _bits(table, Opcode.FINISH)),
        Opcode.ALU: _alus(table),
    }
    return [next(decoded[opcode]) for opcode in table.opcodes.tolist()]
