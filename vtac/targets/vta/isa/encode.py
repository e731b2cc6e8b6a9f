"""Instruction records to bytes. Every field is checked against the bits it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from operator import attrgetter, index

from vtac.dialects.hardware import VTAConfig
from vtac.errors import EncodingError
from vtac.targets.vta.isa.fields import DEPENDENCE_FIELDS, WORD_BYTES, Field, instruction_layout
from vtac.targets.vta.isa.instructions import Alu, Dependences, Finish, Gemm, Instruction, Load, Opcode, Store

_OPCODES: dict[type[Instruction], Opcode] = {
    Load: Opcode.LOAD,
    Store: Opcode.STORE,
    Gemm: Opcode.GEMM,
    Alu: Opcode.ALU,
    Finish: Opcode.FINISH,
}


@dataclass(frozen=True, slots=True)
class _Encoder:
    """How to encode one class. `places` holds (bias, width, mask, low) of each field.

    A value fits when `value + bias` is in [0, 2**width); the bias is nonzero for signed fields.
    """

    opcode: Opcode
    fields: tuple[Field, ...]
    places: tuple[tuple[int, int, int, int], ...]
    values_of: Callable[[Instruction], tuple[int, ...]]


def opcode_of(instruction: Instruction) -> Opcode:
    """The opcode bits of an instruction record."""
    return _OPCODES[type(instruction)]


@cache
def _encoder(config: VTAConfig, kind: type[Instruction]) -> _Encoder:
    opcode = _OPCODES[kind]
    header = {"opcode", *DEPENDENCE_FIELDS}
    fields = tuple(field for field in instruction_layout(config, opcode).fields if field.name not in header)
    names = ["opcode" if field.name == "alu_opcode" else field.name for field in fields]
    places = tuple((-field.minimum, field.width, (1 << field.width) - 1, field.low) for field in fields)
    return _Encoder(opcode, fields, places, attrgetter(*names) if names else lambda _: ())


@cache
def _header(opcode: Opcode, dependences: Dependences) -> int:
    bits = [dependences.pop_prev, dependences.pop_next, dependences.push_prev, dependences.push_next]
    return opcode | sum(bool(bit) << (3 + place) for place, bit in enumerate(bits))


def _refuse(position: int, name: str, field: Field, value: object) -> EncodingError:
    shown = f"{value} (0x{value:x})" if isinstance(value, int) and value > 4096 else repr(value)
    return EncodingError(
        f"cannot encode instruction {position} ({name}): field {field.name} is {shown}; "
        f"it has {field.width} bits, an integer from {field.minimum} to {field.maximum} is required",
        position,
    )


def _integers(position: int, values: tuple[int, ...], encoder: _Encoder) -> tuple[int, ...]:
    """The values as Python integers, whatever integer type they came in."""
    try:
        return tuple(map(index, values))
    except TypeError:
        for field, value in zip(encoder.fields, values, strict=True):
            if not hasattr(value, "__index__"):
                raise _refuse(position, encoder.opcode.name, field, value) from None
        raise


def _refuse_first(position: int, values: tuple[int, ...], encoder: _Encoder) -> EncodingError:
    pairs = zip(encoder.fields, values, strict=True)
    field, value = next(pair for pair in pairs if not pair[0].minimum <= pair[1] <= pair[0].maximum)
    return _refuse(position, encoder.opcode.name, field, value)


def _encode_fields(position: int, instruction: Instruction, encoder: _Encoder) -> int:
    word = _header(encoder.opcode, instruction.dependences)
    values = _integers(position, encoder.values_of(instruction), encoder)
    for value, (bias, width, mask, low) in zip(values, encoder.places, strict=True):
        if (value + bias) >> width:
            raise _refuse_first(position, values, encoder)
        word |= (value & mask) << low
    return word


def encode_word(instruction: Instruction, config: VTAConfig, position: int = 0) -> int:
    """One instruction as its 128-bit word; unused bits are zero."""
    return _encode_fields(position, instruction, _encoder(config, type(instruction)))


def encode(instructions: Iterable[Instruction], config: VTAConfig) -> bytes:
    """The stream of 128-bit little-endian words that `instructions` means.

    Raises `EncodingError`, naming the instruction's position, the field, its value and its limit,
    when a value does not fit; widths are those of `config`.
    """
    encoders = {kind: _encoder(config, kind) for kind in _OPCODES}
    words = (
        _encode_fields(position, instruction, encoders[type(instruction)])
        for position, instruction in enumerate(instructions)
    )
    return b"".join(word.to_bytes(WORD_BYTES, "little") for word in words)
