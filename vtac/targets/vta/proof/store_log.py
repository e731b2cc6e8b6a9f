"""Every STORE's bytes in DRAM, and which loads touch them without an order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.proof.dram import Block, overlap
from vtac.targets.vta.proof.finding import Report
from vtac.targets.vta.proof.order import Order
from vtac.targets.vta.proof.stream import COMPUTE, LOAD, STORE, UNIT_NAMES, Stream

Positions = NDArray[np.int64]
_AT_ONCE = 1 << 20
"""Pairs of a load and a store that are looked at together."""


class StoreLog:
    """The stores that write DRAM, by position in the store unit's program."""

    def __init__(self, stream: Stream, order: Order, sound: Sequence[bool]) -> None:
        self._stream = stream
        self._order = order
        blocks: list[Block] = []
        positions: list[int] = []
        for position, index in enumerate(stream.programs[STORE]):
            block = stream.block(index) if sound[index] else None
            if block is not None:
                blocks.append(block)
                positions.append(position)
        self._blocks = blocks
        self._positions = positions
        self._ordered: list[int] = order.before[STORE][:, COMPUTE].tolist()
        self._starts = np.array([block.start for block in blocks], np.int64)
        self._ends = np.array([block.end for block in blocks], np.int64)
        self._low = min((block.start for block in blocks), default=0)
        self._high = max((block.end for block in blocks), default=0)

    def possibly_before(self, position: int, index: int) -> int | None:
        """A store that may write bytes that load `index`, at `position` of compute's program, reads: its index."""
        if self._stream.ends[index] <= self._low or self._stream.starts[index] >= self._high:
            return None
        block = self._stream.block(index)
        return None if block is None else self._first_overlap(block, self._end(position))

    def check_races(self, sound: Sequence[bool], report: Report) -> None:
        """Report each load that touches bytes that a store writes, with no order between the two."""
        for unit in (LOAD, COMPUTE):
            program = self._stream.programs[unit][: self._order.executed[unit]]
            raced = -1
            for position, number in self._near(unit, np.array(program, np.int64)):
                index = program[position]
                block = self._stream.block(index)
                if position == raced or block is None or not sound[index]:
                    continue
                span = overlap(block, self._blocks[number])
                if span is not None:
                    raced = position
                    self._report(unit, index, self._index(number), span, report)

    def _near(self, unit: int, program: Positions) -> Iterator[tuple[int, int]]:
        """Positions of a unit's transfers, each with the number of a store with no order to it that may meet it."""
        starts, ends = self._stream.starts[program], self._stream.ends[program]
        near = np.flatnonzero((ends > self._low) & (starts < self._high))
        first, behind = (np.searchsorted(self._positions, ends) for ends in self._order.unordered(unit, near, STORE))
        counts = np.maximum(behind - first, 0)
        groups = np.cumsum(counts) // _AT_ONCE
        for group in np.unique(groups[counts > 0]).tolist():
            here = groups == group
            count = counts[here]
            load = np.repeat(near[here], count)
            store = np.arange(len(load)) + np.repeat(first[here] - np.cumsum(count) + count, count)
            meets = (self._starts[store] < ends[load]) & (self._ends[store] > starts[load])
            yield from zip(load[meets].tolist(), store[meets].tolist(), strict=True)

    def _end(self, position: int) -> int:
        """The position of the first store that is ordered after one of compute's; all of them if that never runs."""
        if position >= self._order.executed[COMPUTE]:
            return len(self._stream.programs[STORE])
        return bisect_left(self._ordered, position + 1)

    def _first_overlap(self, block: Block, end: int) -> int | None:
        """The index of the first store before position `end` that writes bytes of a block."""
        before = bisect_left(self._positions, end)
        near = (self._starts[:before] < block.end) & (self._ends[:before] > block.start)
        met = (n for n in np.flatnonzero(near).tolist() if overlap(block, self._blocks[n]) is not None)
        return next(map(self._index, met), None)

    def _index(self, number: int) -> int:
        return self._stream.programs[STORE][self._positions[number]]

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
