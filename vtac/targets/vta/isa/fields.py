"""Where each field of each instruction lies in its 128-bit word, for any configuration.

Fields pack from the least significant bit, in the order of the tables below, within each 64-bit
half; the widths of index fields follow from the configuration's element counts, or are those of the Chisel decoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa.instructions import Opcode

WORD_BYTES = 16
POP_PREV, POP_NEXT, PUSH_PREV, PUSH_NEXT = 1, 2, 4, 8
"""An instruction's token bits, as `InstructionTable.dependences` holds them."""

MICRO_OP_BYTES = 4
HALF_BITS = 64

DEPENDENCE_FIELDS = ("pop_prev", "pop_next", "push_prev", "push_next")


@dataclass(frozen=True, slots=True)
class Field:
    """One bit field: `low` is its least significant bit in the word; `signed` means two's complement."""

    name: str
    low: int
    width: int
    signed: bool = False

    @property
    def minimum(self) -> int:
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def maximum(self) -> int:
        return (1 << (self.width - self.signed)) - 1

    @property
    def mask(self) -> int:
        """The field's bits within the whole word."""
        return ((1 << self.width) - 1) << self.low


@dataclass(frozen=True, slots=True)
class Layout:
    """All fields of one instruction (or of a micro-op) in word order."""

    fields: tuple[Field, ...]

    @property
    def mask(self) -> int:
        """All bits that mean something."""
        return sum(field.mask for field in self.fields)

    def __getitem__(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)


def _pack(entries: list[tuple[str, int]], first_bit: int) -> list[Field]:
    fields: list[Field] = []
    for name, width in entries:
        if name:
            fields.append(Field(name, first_bit, width, signed=name == "imm"))
        first_bit += width
    return fields


_HEADER: list[tuple[str, int]] = [("opcode", 3), *((name, 1) for name in DEPENDENCE_FIELDS)]


def _instruction(low: list[tuple[str, int]], high: list[tuple[str, int]]) -> Layout:
    return Layout((*_pack(_HEADER + low, 0), *_pack(high, HALF_BITS)))


def _memory_layout() -> Layout:
    return _instruction(
        [("memory", 3), ("sram_base", 16), ("dram_base", 32)],
        [
            ("y_size", 16),
            ("x_size", 16),
            ("x_stride", 16),
            ("y_pad_0", 4),
            ("y_pad_1", 4),
            ("x_pad_0", 4),
            ("x_pad_1", 4),
        ],
    )


def _loop_fields(config: VTAConfig, flag: str) -> list[tuple[str, int]]:
    uop = config.field_bits("uop")
    return [(flag, 1), ("uop_bgn", uop), ("uop_end", uop + 1), ("iter_out", 14), ("iter_in", 14)]


def _factors(name: str, width: int) -> list[tuple[str, int]]:
    return [(f"{name}_factor_out", width), (f"{name}_factor_in", width)]


@cache
def instruction_layout(config: VTAConfig, opcode: Opcode) -> Layout:
    """The bit fields of one kind of instruction; the bits that no field names are unused."""
    acc, inp, wgt = (config.field_bits(memory) for memory in ("acc", "inp", "wgt"))
    match opcode:
        case Opcode.LOAD | Opcode.STORE:
            return _memory_layout()
        case Opcode.GEMM:
            factors = _factors("dst", acc) + _factors("src", inp) + _factors("wgt", wgt)
            return _instruction(_loop_fields(config, "reset"), factors)
        case Opcode.ALU:
            operation = [("alu_opcode", 3), ("use_imm", 1), ("imm", 16)]
            factors = _factors("dst", acc) + _factors("src", acc)
            return _instruction(_loop_fields(config, ""), factors + operation)
        case Opcode.FINISH:
            return _instruction([], [])


@cache
def micro_op_layout(config: VTAConfig) -> Layout:
    """The bit fields of a 32-bit micro-op."""
    acc, wgt = config.field_bits("acc"), config.field_bits("wgt")
    return Layout(tuple(_pack([("dst", acc), ("src", config.src_field_bits), ("wgt", wgt)], 0)))
