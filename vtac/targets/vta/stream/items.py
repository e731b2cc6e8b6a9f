"""What a stream is made of while it is built: single instructions, and those of whole loops as columns of fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa.columns import Words, encode_columns
from vtac.targets.vta.isa.instructions import Opcode
from vtac.targets.vta.stream.footprints import Issued
from vtac.targets.vta.stream.memory_bounds import refuse_beyond_memories

Fields: TypeAlias = "Sequence[int | NDArray[np.int64]]"
"""Fields in word order, each a number, or an array with that of each of many instructions."""


@dataclass(frozen=True, slots=True)
class IssuedLoop:
    """The transfers that a nest of loops issues one after the other; `fields` has the shape (fields, instructions)."""

    opcode: Opcode
    fields: NDArray[np.int64]
    stage: int

    @staticmethod
    def over(shape: Sequence[int], opcode: Opcode, row: Fields, stage: int) -> IssuedLoop:
        """One instruction at each point of a nest, the last loop fastest; arrays in `row` broadcast to its shape."""
        fields = np.empty((len(row), *shape), np.int64)
        for number, value in enumerate(row):
            fields[number] = value
        return IssuedLoop(opcode, fields.reshape(len(row), -1), stage)

    @property
    def length(self) -> int:
        """How many instructions they are."""
        return self.fields.shape[1]

    def apart(self) -> list[Issued]:
        """The same instructions, one by one."""
        rows = map(tuple, self.fields.T.tolist())
        return list(map(Issued, repeat(self.opcode), rows, repeat(self.stage), repeat(None)))


Item: TypeAlias = Issued | IssuedLoop


def lengths(items: Sequence[Item]) -> list[int]:
    """Of each item, how many instructions it is."""
    return [item.length if type(item) is IssuedLoop else 1 for item in items]


def encode_items(items: Sequence[Item], counts: Sequence[int], config: VTAConfig) -> Words:
    """Items as words of shape (n, 2), low half first, without token bits; `counts` are their lengths.

    Raises `EncodingError` for a value over its field, or a transfer over its memory.
    """
    opcodes = np.array([item.opcode for item in items], np.int64)
    of_each = np.repeat(opcodes, counts)
    words = np.zeros((len(of_each), 2), np.uint64)
    for opcode in Opcode:
        alike = [items[number] for number in np.flatnonzero(opcodes == opcode).tolist()]
        if alike:
            places, fields = np.flatnonzero(of_each == opcode), _fields_of(alike)
            words[places] = encode_columns(opcode, fields, places, config)
            refuse_beyond_memories(opcode, fields, places, config)
    return words


def _fields_of(items: Sequence[Item]) -> NDArray[np.int64]:
    """The fields of items of one opcode, of shape (fields, instructions); of Python's numbers where 64 bits end."""
    rows = [item.row for item in items if isinstance(item, Issued)]
    try:
        if len(rows) == len(items):
            return np.fromiter(chain.from_iterable(rows), np.int64).reshape(len(rows), len(rows[0])).T.copy()
        return np.concatenate([_column(item, np.int64) for item in items], axis=1)
    except OverflowError:
        return np.concatenate([_column(item, np.object_) for item in items], axis=1)


def _column(item: Item, kind: type[np.int64 | np.object_]) -> NDArray[np.int64]:
    return np.array(item.row, cast("type[np.int64]", kind))[:, None] if isinstance(item, Issued) else item.fields
