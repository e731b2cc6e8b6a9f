"""The order of loads: one that must wait lets those behind it pass that need not wait as long.

No load passes a store that writes DRAM pages which it reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.isa.instructions import Memory, Opcode
from vtac.targets.vta.stream.footprints import Footprints, Issued

LOAD, COMPUTE = 1, 2
WINDOW = 64
"""How many loads one load may pass."""


@dataclass(slots=True)
class _Load:
    """A load in its queue: which instruction it is, what it waits for, what it writes.

    `floor` is the last store before it of what it reads, `anchor` the instruction it stands before.
    """

    number: int
    after: int
    floor: int
    memory: int
    start: int
    stop: int
    anchor: int

    def meets(self, other: _Load) -> bool:
        return self.memory == other.memory and self.start < other.stop and other.start < self.stop


def order_loads(footprints: Footprints, issued: Sequence[Issued]) -> list[int]:
    """Numbers of the instructions in their new order; all but loads keep theirs.

    A load passes another that waits for a later compute instruction, unless both write the
    same tile.
    """
    queue: list[_Load] = []
    for load in _waits(footprints, issued):
        place = len(queue)
        while place > max(0, len(queue) - WINDOW) and queue[place - 1].after > load.after:
            if queue[place - 1].meets(load) or queue[place - 1].anchor <= load.floor:
                break
            place -= 1
        if place < len(queue):
            load.anchor = queue[place].anchor
        queue.insert(place, load)
    return _merged(issued, queue)


def _merged(issued: Sequence[Issued], queue: Sequence[_Load]) -> list[int]:
    """Each load right before the instruction it is anchored at, everything else in order."""
    order: list[int] = []
    position = 0
    for number, item in enumerate(issued):
        while position < len(queue) and queue[position].anchor == number:
            order.append(queue[position].number)
            position += 1
        if item.stage != LOAD:
            order.append(number)
    return order


def _waits(footprints: Footprints, issued: Sequence[Issued]) -> list[_Load]:
    """Every load, with the last compute instruction before it that reads what it overwrites."""
    config = footprints.config
    read: dict[int, NDArray[np.int64]] = {
        Memory.INP: np.full(config.capacity("inp"), -1, dtype=np.int64),
        Memory.WGT: np.full(config.capacity("wgt"), -1, dtype=np.int64),
    }
    stored: NDArray[np.int64] = np.full(footprints.page_count(issued), -1, dtype=np.int64)
    loads: list[_Load] = []
    for number, item in enumerate(issued):
        if item.opcode is Opcode.STORE:
            pages = footprints.pages(item.opcode, item.row)
            stored[pages.start : pages.stop] = number
        touched = footprints.of(item.opcode, item.row, item.kernel)
        if item.stage == LOAD:
            memory, tiles = touched.writes[0]
            if isinstance(tiles, slice):
                found = read[memory][tiles]
                after = int(found.max()) if found.size else -1
                pages = footprints.pages(item.opcode, item.row)
                floor = int(stored[pages.start : pages.stop].max(initial=-1))
                loads.append(_Load(number, after, floor, memory, int(tiles.start), int(tiles.stop), number))
        elif item.stage == COMPUTE:
            for memory, tiles in touched.reads:
                if memory in read:
                    read[memory][tiles] = number
    return loads
