"""A whole stream's fields as numpy columns: the fast form that `decode` and the interpreter read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.errors import DecodeError
from vtac.targets.vta.isa.fields import DEPENDENCE_FIELDS, WORD_BYTES, Field, instruction_layout
from vtac.targets.vta.isa.instructions import AluOpcode, Memory, Opcode

Column = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class InstructionTable:
    """The fields of n instructions, by opcode.

    `opcodes` has shape (n,); `dependences` shape (n,), bits pop_prev 0, pop_next 1, push_prev 2,
    push_next 3. `rows[opcode]` are the positions of the instructions with that opcode, ascending,
    and `columns[opcode][field]` their field values in the same order. All arrays are int64 and
    read-only.
    """

    opcodes: Column
    dependences: Column
    rows: Mapping[Opcode, Column]
    columns: Mapping[Opcode, Mapping[str, Column]]

    def __len__(self) -> int:
        return len(self.opcodes)


def _freeze(column: Column) -> Column:
    column.flags.writeable = False
    return column


def _extract(words: NDArray[np.uint64], field: Field) -> Column:
    half, shift = divmod(field.low, 64)
    bits = words[:, half] >> np.uint64(shift) if field.width else np.zeros(len(words), np.uint64)
    values = (bits & np.uint64((1 << field.width) - 1)).astype(np.int64)
    if field.signed:
        values -= (values >> (field.width - 1)) << field.width
    return _freeze(values)


def _first(bad: NDArray[np.bool_]) -> int | None:
    return int(np.argmax(bad)) if bad.any() else None


def _check_enumeration(rows: Column, values: Column, kind: str, names: type[Memory] | type[AluOpcode]) -> None:
    known = ", ".join(f"{member.name} {member.value}" for member in names)
    bad = _first(values > max(names))
    if bad is not None:
        what = "memory id" if kind == "memory" else "ALU opcode"
        raise DecodeError(
            f"instruction {rows[bad]}: unknown {what} {values[bad]}; known: {known}", int(rows[bad]), kind
        )


def _words(data: bytes) -> NDArray[np.uint64]:
    count, rest = divmod(len(data), WORD_BYTES)
    if rest:
        raise DecodeError(
            f"the stream has {len(data)} bytes, {rest} more than {count} instructions; "
            f"its length must be a multiple of {WORD_BYTES}: the file may be truncated",
            count,
            "length",
        )
    return np.frombuffer(data, dtype="<u8").reshape(count, 2)


@lru_cache(maxsize=64)
def decode_table(data: bytes, config: VTAConfig) -> InstructionTable:
    """The fields of every instruction of `data`, as columns. Equal arguments give the same (cached) table.

    Raises `DecodeError` for a length that is no multiple of 16, an unknown opcode, memory id or
    ALU opcode; the earliest instruction at fault is named.
    """
    words = _words(data)
    opcodes = _extract(words, Field("opcode", 0, 3))
    bad = _first(opcodes > max(Opcode))
    if bad is not None:
        known = ", ".join(f"{member.name} {member.value}" for member in Opcode)
        _decode_valid(words[:bad], opcodes[:bad], config)
        raise DecodeError(f"instruction {bad}: unknown opcode {opcodes[bad]}; known: {known}", bad, "opcode")
    return _decode_valid(words, opcodes, config)


def _decode_valid(words: NDArray[np.uint64], opcodes: Column, config: VTAConfig) -> InstructionTable:
    rows: dict[Opcode, Column] = {}
    columns: dict[Opcode, dict[str, Column]] = {}
    for opcode in Opcode:
        rows[opcode] = _freeze(np.flatnonzero(opcodes == opcode))
        chosen = words[rows[opcode]]
        fields = instruction_layout(config, opcode).fields[1 + len(DEPENDENCE_FIELDS) :]
        columns[opcode] = {field.name: _extract(chosen, field) for field in fields}
    _check_all_enumerations(rows, columns)
    return InstructionTable(opcodes, _extract(words, Field("dependences", 3, 4)), rows, columns)


def _check_all_enumerations(rows: dict[Opcode, Column], columns: dict[Opcode, dict[str, Column]]) -> None:
    checks: list[tuple[Opcode, str, type[Memory] | type[AluOpcode]]] = [
        (Opcode.LOAD, "memory", Memory),
        (Opcode.STORE, "memory", Memory),
        (Opcode.ALU, "alu_opcode", AluOpcode),
    ]
    faults: list[DecodeError] = []
    for opcode, field, names in checks:
        try:
            _check_enumeration(rows[opcode], columns[opcode][field], field.replace("_", "-"), names)
        except DecodeError as error:
            faults.append(error)
    if faults:
        raise min(faults, key=lambda fault: fault.index)
