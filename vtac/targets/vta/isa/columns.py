"""Many instructions of one opcode at once: columns of field values to 128-bit words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.errors import EncodingError
from vtac.targets.vta.isa.fields import DEPENDENCE_FIELDS, HALF_BITS, Field, instruction_layout
from vtac.targets.vta.isa.instructions import Opcode

Words = NDArray[np.uint64]
Columns = NDArray[np.int64]
Positions = NDArray[np.intp]

_HEADER = {"opcode", *DEPENDENCE_FIELDS}


def encode_columns(opcode: Opcode, columns: Columns, positions: Positions, config: VTAConfig) -> Words:
    """Instructions of one opcode as words of shape (n, 2), low half first, without token bits.

    `columns` has a row for each field after the opcode and the token bits, in word order, with the values of all n
    instructions; `positions` are their places in the stream, for errors. Raises `EncodingError` naming the field and
    its limit.
    """
    fields = [field for field in instruction_layout(config, opcode).fields if field.name not in _HEADER]
    words = np.zeros((columns.shape[1], 2), np.uint64)
    same = [int(opcode), 0]
    least, most = columns.min(axis=1).tolist(), columns.max(axis=1).tolist()
    for column, field, low, high in zip(columns, fields, least, most, strict=True):
        if low < field.minimum or high > field.maximum:
            raise _over(opcode, field, column, positions)
        half, shift = divmod(field.low, HALF_BITS)
        mask = (1 << field.width) - 1
        if low == high:
            same[half] |= (low & mask) << shift
        else:
            words[:, half] |= (column & mask).astype(np.uint64) << np.uint64(shift)
    words |= np.array(same, np.uint64)
    return words


def _over(opcode: Opcode, field: Field, column: NDArray[np.int64], positions: Positions) -> EncodingError:
    """The error of a column with a value that its field cannot hold."""
    first = int(np.flatnonzero((column < field.minimum) | (column > field.maximum))[0])
    value = int(column[first])
    return EncodingError(
        f"cannot encode instruction {positions[first]} ({opcode.name}): field {field.name} is {value}; "
        f"it has {field.width} bits, an integer from {field.minimum} to {field.maximum} is required",
        positions[first],
    )
