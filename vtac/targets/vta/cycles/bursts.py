"""How a two-dimensional transfer falls into bursts, and what a store's bursts cost.

DRAM       | burst_bytes | burst_bytes | burst_bytes |
row 0           [--------|-------------|---]            3 bursts: each ends at the row's end
row 1                       [----------|------]         2 bursts  or at an aligned address
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.cycles.timing import Timing


@lru_cache(maxsize=512)
def row_bursts(offset: int, nbytes: int, timing: Timing) -> tuple[int, ...]:
    """The beats of each burst of one row of `nbytes` bytes, `offset` bytes past an aligned address."""
    first_word, head = divmod(offset % timing.burst_bytes, timing.bus_bytes)
    words = -(-(head + nbytes) // timing.bus_bytes)
    first = min(words, timing.burst_beats - first_word)
    full, rest = divmod(words - first, timing.burst_beats)
    return (first, *(timing.burst_beats,) * full, *((rest,) if rest else ()))


def block_bursts(address: int, rows: int, row_bytes: int, stride_bytes: int, timing: Timing) -> list[int]:
    """The beats of each burst of `rows` rows, in the order in which a load asks for them."""
    bursts: list[int] = []
    for row in range(rows):
        bursts.extend(row_bursts((address + row * stride_bytes) % timing.burst_bytes, row_bytes, timing))
    return bursts


@lru_cache(maxsize=4096)
def _row_store_cycles(offset: int, tiles: int, config: VTAConfig, timing: Timing) -> int:
    """Cycles of one row of a store: each burst is commanded, written and acknowledged before the next.

    Tiles wider than the bus are read line by line (`block_out` bytes) while the burst is on the bus.
    """
    bursts = row_bursts(offset, tiles * config.out_element_bytes, timing)
    cycles = sum(4 + beats for beats in bursts)
    if config.out_element_bytes > timing.bus_bytes:
        line_beats = max(1, config.block_out // timing.bus_bytes)
        cycles += sum(-(-beats // line_beats) - 1 for beats in bursts)
    return cycles


class StoreBlock(NamedTuple):
    """The DRAM side of a STORE: `rows` rows of `columns` tiles, `stride` tiles apart.

    `offset` is the first byte's distance from an aligned address.
    """

    offset: int
    rows: int
    columns: int
    stride: int


@lru_cache(maxsize=4096)
def store_cycles(block: StoreBlock, config: VTAConfig, timing: Timing) -> int:
    """Cycles of a STORE from its start to the unit's next. The 16-bit row counter makes 65,536 rows of 0."""
    rows = block.rows or 1 << 16
    stride_bytes = block.stride * config.out_element_bytes
    # Row addresses repeat modulo the burst after at most `burst_bytes` rows.
    period = min(rows, timing.burst_bytes)
    costs = [
        _row_store_cycles((block.offset + row * stride_bytes) % timing.burst_bytes, block.columns, config, timing)
        for row in range(period)
    ]
    whole, rest = divmod(rows, period)
    return 1 + whole * sum(costs) + sum(costs[:rest])
