"""Every STORE's bytes in DRAM, and which loads touch them without an order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from vtac.targets.vta.proof.dram import Block, overlap
from vtac.targets.vta.proof.finding import Report
from vtac.targets.vta.proof.order import Order
from vtac.targets.vta.proof.stream import COMPUTE, LOAD, STORE, UNIT_NAMES, Stream


class StoreLog:
    """The stores that write DRAM, by position in the store unit's program."""

    def __init__(self, stream: Stream, order: Order, sound: Sequence[bool]) -> None:
        self._stream = stream
        self._order = order
        blocks: list[Block] = []
        positions: list[int] = []
        for position, index in enumerate(stream.programs[STORE]):
            block = stream.blocks[index] if sound[index] else None
            if block is not None:
                blocks.append(block)
                positions.append(position)
        self._blocks = blocks
        self._positions = positions
        self._ordered = [order.before[STORE][:, unit].tolist() for unit in (LOAD, COMPUTE)]
        self._starts = np.array([block.start for block in blocks], np.int64)
        self._ends = np.array([block.end for block in blocks], np.int64)
        self._low = min((block.start for block in blocks), default=0)
        self._high = max((block.end for block in blocks), default=0)

    def possibly_before(self, position: int, index: int) -> int | None:
        """A store that may write bytes that load `index`, at `position` of compute's program, reads: its index."""
        block = self._stream.blocks[index]
        if block is None:
            return None
        found = self._first_overlap(block, 0, self._end(COMPUTE, position))
        return None if found is None else found[0]

    def check_races(self, sound: Sequence[bool], report: Report) -> None:
        """Report each load that touches bytes that a store writes, with no order between the two."""
        for unit in (LOAD, COMPUTE):
            begin: list[int] = self._order.before[unit][:, STORE].tolist()
            for position, index in enumerate(self._stream.programs[unit][: self._order.executed[unit]]):
                block = self._stream.blocks[index]
                if block is None or not sound[index] or block.end <= self._low or self._high <= block.start:
                    continue
                found = self._first_overlap(block, begin[position], self._end(unit, position))
                if found is not None:
                    self._report(unit, index, *found, report)

    def _end(self, unit: int, position: int) -> int:
        """The position of the first store that is ordered after an instruction; all of them if it never runs."""
        if position >= self._order.executed[unit]:
            return len(self._stream.programs[STORE])
        return bisect_left(self._ordered[unit], position + 1)

    def _first_overlap(self, block: Block, start: int, end: int) -> tuple[int, tuple[int, int]] | None:
        if start >= end or block.end <= self._low or self._high <= block.start:
            return None
        low, high = bisect_left(self._positions, start), bisect_left(self._positions, end)
        if low == high:
            return None
        near = (self._starts[low:high] < block.end) & (self._ends[low:high] > block.start)
        for number in (near.nonzero()[0] + low).tolist():
            span = overlap(block, self._blocks[number])
            if span is not None:
                return self._stream.programs[STORE][self._positions[number]], span
        return None

    def _report(self, unit: int, index: int, store: int, span: tuple[int, int], report: Report) -> None:
        names = UNIT_NAMES
        if store < index:
            tokens = f"from store to compute after #{store}"
            tokens += f" and on to {names[unit]} before #{index}" if unit == LOAD else f" and before #{index}"
        else:
            tokens = f"from {names[unit]} to " + ("compute and on to store" if unit == LOAD else "store")
            tokens += f" after #{index} and before #{store}"
        report.add(
            "dram-race",
            f"{self._stream.name(store)} writes DRAM bytes {span[0]} to {span[1] - 1} that {self._stream.name(index)} "
            f"reads, in no fixed order: a token {tokens} is missing",
            store,
            index,
            buffer="dram",
            span=span,
        )
