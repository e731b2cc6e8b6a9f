"""Many instructions of one opcode at once: columns of field values to 128-bit words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.errors import EncodingError
from vtac.targets.vta.isa.fields import DEPENDENCE_FIELDS, HALF_BITS, Field, instruction_layout
from vtac.targets.vta.isa.instructions import Opcode

Words = NDArray[np.uint64]

_HEADER = {"opcode", *DEPENDENCE_FIELDS}


def encode_columns(opcode: Opcode, rows: Sequence[Sequence[int]], positions: Sequence[int], config: VTAConfig) -> Words:
    """Instructions of one opcode as words of shape (n, 2), low half first, without token bits.

    Each row holds one value per field after the opcode and the token bits, in word order; `positions` are the
    instructions' places in the stream, for errors. Raises `EncodingError` naming the field and its limit.
    """
    fields = [field for field in instruction_layout(config, opcode).fields if field.name not in _HEADER]
    words = np.zeros((len(rows), 2), dtype=np.uint64)
    words[:, 0] = int(opcode)
    table = np.array(rows, dtype=np.int64).reshape(len(rows), len(fields))
    for column, field in zip(table.T, fields, strict=True):
        _check(opcode, field, column, positions)
        half, low = divmod(field.low, HALF_BITS)
        mask = np.int64((1 << field.width) - 1)
        words[:, half] |= (column & mask).astype(np.uint64) << np.uint64(low)
    return words


def _check(opcode: Opcode, field: Field, column: NDArray[np.int64], positions: Sequence[int]) -> None:
    bad = np.flatnonzero((column < field.minimum) | (column > field.maximum))
    if bad.size:
        first = int(bad[0])
        value = int(column[first])
        raise EncodingError(
            f"cannot encode instruction {positions[first]} ({opcode.name}): field {field.name} is {value}; "
            f"it has {field.width} bits, an integer from {field.minimum} to {field.maximum} is required",
            positions[first],
        )
