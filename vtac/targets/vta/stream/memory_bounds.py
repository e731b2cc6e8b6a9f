"""Transfers of more than a memory holds, found before a stream is ordered: what plans that has an entry per tile."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.errors import EncodingError
from vtac.targets.vta.isa.columns import Columns, Positions
from vtac.targets.vta.isa.instructions import Memory, Opcode
from vtac.targets.vta.reach import REACH

_NAMES: dict[Memory, tuple[MemoryName, MemoryName]] = {
    Memory.UOP: ("uop", "uop"),
    Memory.WGT: ("wgt", "wgt"),
    Memory.INP: ("inp", "inp"),
    Memory.ACC: ("acc", "acc"),
    Memory.OUT: ("out", "out"),
    Memory.ACC_8BIT: ("acc", "out"),
}
"""Where the tiles of a memory id lie, and whose elements they are in DRAM."""


def refuse_beyond_memories(opcode: Opcode, columns: Columns, positions: Positions, config: VTAConfig) -> None:
    """Raises `EncodingError` for a transfer past the end of its memory on the chip, or past what addresses reach.

    `columns` are the fields of instructions of one opcode as `encode_columns` takes them, of values that fit them.
    """
    if opcode not in (Opcode.LOAD, Opcode.STORE):
        return
    memory, sram, dram, y_size, x_size, x_stride, top, bottom, left, right = columns
    moves = (x_size > 0) & (y_size > 0)
    ends = sram + (top + y_size + bottom) * (left + x_size + right)
    held = np.array([config.capacity(_NAMES[one][0]) for one in Memory], np.int64)[memory]
    _refuse(opcode, moves & (ends > held), ends, held, "its block ends at SRAM element", positions)
    size = np.array([config.element_bytes(_NAMES[one][1]) for one in Memory], np.int64)[memory]
    if REACH.nbytes is not None:
        stops = (dram + (y_size - 1) * x_stride + x_size) * size
        reach = np.full_like(stops, REACH.nbytes)
        _refuse(opcode, moves & (stops > reach), stops, reach, "its last byte in DRAM lies before", positions)


def _refuse(
    opcode: Opcode,
    wrong: NDArray[np.bool_],
    found: NDArray[np.int64],
    most: NDArray[np.int64],
    what: str,
    positions: Positions,
) -> None:
    if wrong.any():
        first = int(wrong.argmax())
        raise EncodingError(
            f"cannot encode instruction {positions[first]} ({opcode.name}): {what} {int(found[first]):,}; the memory "
            f"has {int(most[first]):,}",
            int(positions[first]),
        )
