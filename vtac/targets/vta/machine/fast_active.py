"""The instructions of a stream that do anything, in the order in which they execute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.isa import WORD_BYTES, Instruction, Opcode, decode
from vtac.targets.vta.machine.counters import tile_operations
from vtac.targets.vta.machine.fast_memory import Column, LoadFields, load_fields
from vtac.targets.vta.machine.fast_micro_ops import select_blocks
from vtac.targets.vta.machine.stream import Stream

TOKEN_BITS = 0b1111000
"""The bits of an instruction's first word that pop and push tokens."""


class Kind(IntEnum):
    """What an instruction does."""

    NOTHING = 0
    LOADS = 1
    STORES = 2
    COMPUTES = 3


_KINDS = tuple(Kind)


@dataclass(eq=False)
class Active:
    """What a plan asks of a stream; `order` are the positions of its instructions as they execute, shape (n,)."""

    stream: Stream
    order: NDArray[np.int64]
    _places: NDArray[np.int64] = field(init=False)
    _kinds: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        table = self.stream.table
        kinds = np.full(len(self.stream), Kind.NOTHING, np.int64)
        for opcode, kind in ((Opcode.LOAD, Kind.LOADS), (Opcode.STORE, Kind.STORES)):
            kinds[table.rows[opcode][table.columns[opcode]["x_size"] > 0]] = kind
        for opcode in (Opcode.GEMM, Opcode.ALU):
            kinds[table.rows[opcode][tile_operations(self.stream, opcode) > 0]] = Kind.COMPUTES
        kinds = kinds[self.order]
        self._places = np.flatnonzero(kinds != Kind.NOTHING)
        self._kinds = kinds[self._places]

    def runs(self) -> Iterator[tuple[Kind, NDArray[np.int64], int]]:
        """Runs of one kind, in order: the kind, the positions, and how many instructions are complete behind them."""
        positions = self.order[self._places]
        bounds = np.flatnonzero(np.diff(self._kinds)) + 1
        edges: list[int] = [0, *bounds.tolist(), len(positions)] if len(positions) else []
        kinds: list[int] = self._kinds.tolist()
        places: list[int] = self._places.tolist()
        for first, end in pairwise(edges):
            yield _KINDS[kinds[first]], positions[first:end], places[end - 1] + 1

    @cached_property
    def codes(self) -> dict[int, bytes]:
        """The GEMM and ALU instructions as words without tokens, by position."""
        table = self.stream.table
        positions = np.concatenate([table.rows[Opcode.GEMM], table.rows[Opcode.ALU]])
        words = np.frombuffer(self.stream.data, "<u8").reshape(-1, WORD_BYTES // 8)[positions]
        words[:, 0] &= ~np.uint64(TOKEN_BITS)
        code = words.tobytes()
        starts = range(0, len(code), WORD_BYTES)
        return dict(zip(positions.tolist(), [code[at : at + WORD_BYTES] for at in starts], strict=True))

    @cached_property
    def instructions(self) -> dict[bytes, Instruction]:
        """What the words say, each of them once."""
        distinct = list(dict.fromkeys(self.codes.values()))
        return dict(zip(distinct, decode(b"".join(distinct), self.stream.config), strict=True))

    @cached_property
    def loads(self) -> dict[int, LoadFields]:
        """The LOADs, by position."""
        table = self.stream.table
        return dict(zip(table.rows[Opcode.LOAD].tolist(), load_fields(table.columns[Opcode.LOAD]), strict=True))

    @cached_property
    def store_tiles(self) -> tuple[list[int], Column, Column, Column]:
        """The tiles of all stores in order: where each store's begin, its number, ACC and DRAM tile of each."""
        rows = self.stream.table.rows[Opcode.STORE]
        places = np.searchsorted(rows, self.order[self._places[self._kinds == Kind.STORES]])
        blocks = select_blocks(self.stream.table.columns[Opcode.STORE], places)
        edges: list[int] = [0, *np.cumsum(blocks.y_size * blocks.x_size).tolist()]
        return edges, *blocks.tiles
