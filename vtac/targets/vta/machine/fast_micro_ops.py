"""Which micro-ops a stream loads: they are known before it runs, unless it stores over them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.isa import MICRO_OP_BYTES, Memory, Opcode
from vtac.targets.vta.machine.fast_memory import Blocks
from vtac.targets.vta.machine.stream import Stream, dram_element_bytes

Column = NDArray[np.int64]


def select_blocks(columns: Mapping[str, Column], places: Column) -> Blocks:
    """The blocks of the LOADs or STOREs at `places` of their opcode's columns, pads left out."""
    return Blocks(
        columns["sram_base"][places],
        columns["dram_base"][places],
        columns["y_size"][places],
        columns["x_size"][places],
        columns["x_stride"][places],
    )


class MicroOpImage:
    """Where in DRAM a stream's LOAD UOPs read; words are listed load by load in stream order."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        columns = stream.table.columns[Opcode.LOAD]
        self._places = np.flatnonzero((columns["memory"] == Memory.UOP) & (columns["x_size"] > 0))
        self._blocks = select_blocks(columns, self._places)
        _, _, self._words = self._blocks.tiles

    @cached_property
    def first_words(self) -> dict[int, int]:
        """For each LOAD UOP's position in the stream, where its words begin in the list."""
        sizes = self._blocks.y_size * self._blocks.x_size
        positions = self._stream.table.rows[Opcode.LOAD][self._places]
        return dict(zip(positions.tolist(), (np.cumsum(sizes) - sizes).tolist(), strict=True))

    @cached_property
    def is_stored_over(self) -> bool:
        """Whether any STORE of the stream writes where any LOAD UOP reads."""
        columns = self._stream.table.columns[Opcode.STORE]
        element_bytes = dram_element_bytes(Memory.OUT, self._stream.config)
        _, _, elements = select_blocks(columns, np.flatnonzero(columns["x_size"] > 0)).tiles
        unit = max(element_bytes, MICRO_OP_BYTES)
        stored, read = elements * element_bytes // unit, self._words * MICRO_OP_BYTES // unit
        if not len(stored) or not len(read):
            return False
        first, last = int(read.min()), int(read.max())
        is_read = np.zeros(last - first + 1, np.bool_)
        is_read[read - first] = True
        return bool(is_read[stored[(stored >= first) & (stored <= last)] - first].any())

    def read(self, dram: NDArray[np.uint8]) -> bytes:
        """All words of all loads, in order, as they stand in a memory image."""
        whole = len(dram) // MICRO_OP_BYTES * MICRO_OP_BYTES
        return dram[:whole].view("<u4")[self._words].tobytes()


@lru_cache(maxsize=64)
def micro_op_image(stream: Stream) -> MicroOpImage:
    """The micro-op image of a stream, cached."""
    return MicroOpImage(stream)
