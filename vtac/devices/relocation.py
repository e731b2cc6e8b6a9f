"""Streams at other addresses, and what of their memory a run changes that the next one needs as it was."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ProgramError
from vtac.targets.vta.isa import Memory, Opcode, decode_table
from vtac.targets.vta.machine.prepare import prepare
from vtac.targets.vta.machine.stream import dram_element_bytes

_BASE_BIT = 26
_BASE_MASK = (1 << 32) - 1
Column = NDArray[np.int64]


def relocate(instructions: bytes, config: VTAConfig, shift: int) -> bytes:
    """The stream with all that it loads and stores `shift` bytes further on, a multiple of the DRAM alignment.

    An instruction without columns touches no memory and stays as it is. Raises `ProgramError` for addresses that
    32 bits do not reach.
    """
    if shift % config.dram_alignment:
        raise ProgramError(f"cannot move a program by {shift} bytes; multiples of {config.dram_alignment} are required")
    table = decode_table(instructions, config)
    words = np.frombuffer(instructions, "<u8").reshape(-1, 2).copy()
    for opcode in (Opcode.LOAD, Opcode.STORE):
        rows, columns = table.rows[opcode], table.columns[opcode]
        bases = columns["dram_base"] + shift // _element_bytes(columns, config)
        moved = columns["x_size"] > 0
        if moved.any() and (bases[moved].min() < 0 or bases[moved].max() > _BASE_MASK):
            raise ProgramError(f"cannot move the program by {shift} bytes: its addresses have 32 bits")
        low = words[rows[moved], 0] & ~np.uint64(_BASE_MASK << _BASE_BIT)
        words[rows[moved], 0] = low | bases[moved].astype(np.uint64) << np.uint64(_BASE_BIT)
    return words.tobytes()


def _element_bytes(columns: Mapping[str, Column], config: VTAConfig) -> Column:
    """Bytes of what each instruction's `dram_base` counts."""
    sizes = np.array([dram_element_bytes(memory, config) for memory in sorted(Memory)], np.int64)
    return sizes[columns["memory"]]


def overwritten_reads(instructions: bytes, config: VTAConfig, nbytes: int) -> list[tuple[int, int]]:
    """Ranges of a memory image of `nbytes`, (address, bytes), that a run loads before it stores over them.

    A second run has to find them as the first one did.
    """
    table = decode_table(instructions, config)
    stored = np.zeros(nbytes, np.bool_)
    for row in range(len(table.rows[Opcode.STORE])):
        _touched(stored, table.columns[Opcode.STORE], row, config)[...] = True
    still_old = np.ones(nbytes, np.bool_)
    needed = np.zeros(nbytes, np.bool_)
    place = {
        int(position): row for opcode in (Opcode.LOAD, Opcode.STORE) for row, position in enumerate(table.rows[opcode])
    }
    opcodes = table.opcodes
    for position in prepare(instructions, config, False).order.tolist():
        if opcodes[position] == Opcode.STORE:
            _touched(still_old, table.columns[Opcode.STORE], place[position], config)[...] = False
        elif opcodes[position] == Opcode.LOAD:
            columns, row = table.columns[Opcode.LOAD], place[position]
            if _touched(stored, columns, row, config).any():
                _touched(needed, columns, row, config)[...] |= _touched(still_old, columns, row, config)
    return _ranges(needed & stored)


def _touched(flags: NDArray[np.bool_], columns: Mapping[str, Column], row: int, config: VTAConfig) -> NDArray[np.bool_]:
    """The flags of the bytes that one instruction loads or stores, as a view of rows and columns."""
    size = dram_element_bytes(Memory(int(columns["memory"][row])), config)
    base, rows, width, stride = (int(columns[name][row]) for name in ("dram_base", "y_size", "x_size", "x_stride"))
    if not rows or not width:
        return flags[:0].reshape(0, 0)
    return as_strided(flags[base * size :], (rows, width * size), (stride * size, 1))


def _ranges(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return [(int(begin), int(end - begin)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]
