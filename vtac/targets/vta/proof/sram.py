"""On-chip races, reads of what nothing wrote, and stores of what no arithmetic produced.

Inputs and weights are written by load and read by compute, accumulators written by compute and
read by store; micro-ops are compute's alone. So each SRAM has one writing and at most one other
reading unit, and for each read the writes that no token orders with it are one stretch of the
writing unit's program. A sweep over both programs keeps the last write of each tile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import MemoryName
from vtac.targets.vta import rules
from vtac.targets.vta.isa import Alu, Gemm
from vtac.targets.vta.proof.accesses import UNKNOWN
from vtac.targets.vta.proof.finding import Report
from vtac.targets.vta.proof.kernels import Footprint
from vtac.targets.vta.proof.order import Order
from vtac.targets.vta.proof.stream import COMPUTE, LOAD, STORE, UNIT_NAMES, Stream
from vtac.targets.vta.proof.tiles import Tiles, select, spell

_NEVER = np.iinfo(np.int64).max
_UNWRITTEN, _STALE, _COMPUTED = 0, 1, 2

_SHARED: tuple[tuple[MemoryName, int, int], ...] = (
    ("inp", LOAD, COMPUTE),
    ("wgt", LOAD, COMPUTE),
    ("acc", COMPUTE, STORE),
)

Touch: TypeAlias = "tuple[int, Tiles]"
_Touches: TypeAlias = "dict[tuple[int, MemoryName, bool], list[Touch]]"
Positions = NDArray[np.int64]


def check_sram(stream: Stream, order: Order, footprints: Sequence[Footprint], report: Report) -> None:
    """Report races and unwritten reads among the instructions that execute."""
    touches = _touches(stream, order, footprints)
    for memory, writer, reader in _SHARED:
        _SramCheck(stream, order, footprints, touches, report, memory, writer, reader).run()


def _touches(stream: Stream, order: Order, footprints: Sequence[Footprint]) -> _Touches:
    """What the instructions that execute touch, by unit, memory and whether it is written."""
    found: _Touches = {}
    for unit in (LOAD, COMPUTE, STORE):
        for position, index in enumerate(stream.programs[unit][: order.executed[unit]]):
            footprint = footprints[index]
            for touched, writing in ((footprint.reads, False), (footprint.writes, True)):
                for memory, tiles in touched:
                    found.setdefault((unit, memory, writing), []).append((position, tiles))
    return found


@dataclass(frozen=True, eq=False)
class _SramCheck:
    stream: Stream
    order: Order
    footprints: Sequence[Footprint]
    touches: _Touches
    report: Report
    memory: MemoryName
    writer: int
    reader: int

    def run(self) -> None:
        reads = self._touched(self.reader, writing=False)
        writes = self._touched(self.writer, writing=True)
        first = self._first_writes(writes)
        if self.memory == "acc":
            self._check_own_reads(first)
        positions = np.array([position for position, _ in reads], np.int64)
        starts, ends = self.order.unordered(self.reader, positions, self.writer)
        windows = list(zip(reads, starts.tolist(), ends.tolist(), strict=True))
        raced = self._check_races(windows, writes)
        latest = _Latest(first)
        for (position, tiles), _, end in windows:
            if latest.of(tiles) >= end:
                self._check_written(self._index(self.reader, position), tiles, first[tiles] >= end)
        if self.memory == "acc":
            self._check_computed(windows, writes, raced)

    def _index(self, unit: int, position: int) -> int:
        return self.stream.programs[unit][position]

    def _touched(self, unit: int, *, writing: bool) -> Sequence[Touch]:
        return self.touches.get((unit, self.memory, writing), ())

    def _array(self, value: int) -> Positions:
        return np.full(self.stream.config.capacity(self.memory), value, np.int64)

    def _unknown_kernels(self) -> list[int]:
        """Positions of the kernels that may write any accumulator tile."""
        if self.memory != "acc":
            return []
        program = self.stream.programs[COMPUTE][: self.order.executed[COMPUTE]]
        return [position for position, index in enumerate(program) if self.footprints[index] is UNKNOWN]

    def _first_writes(self, writes: Sequence[Touch]) -> Positions:
        """For each element, the position of the first instruction that writes it, or may."""
        first = self._array(_NEVER)
        for position, tiles in reversed(writes):
            first[tiles] = position
        return np.minimum(first, min(self._unknown_kernels(), default=_NEVER))

    def _check_own_reads(self, first: Positions) -> None:
        """Compute reads accumulators too, in its own order."""
        latest = _Latest(first)
        for position, tiles in self._touched(COMPUTE, writing=False):
            if latest.of(tiles) >= position:
                self._check_written(self._index(COMPUTE, position), tiles, first[tiles] >= position)

    def _check_written(self, index: int, tiles: Tiles, missing: NDArray[np.bool_]) -> None:
        if not missing.any():
            return
        span = select(tiles, missing)
        self.report.add(
            "unwritten",
            f"{self.stream.name(index)} {rules.never_written(spell(self.memory, span))}",
            index,
            buffer=self.memory,
            span=span,
        )

    def _check_races(self, windows: Sequence[tuple[Touch, int, int]], writes: Sequence[Touch]) -> set[int]:
        """Report unordered writes; the result holds the positions of the reads that race."""
        last = self._array(-1)
        applied = 0
        raced: set[int] = set()
        for (position, tiles), start, end in windows:
            while applied < len(writes) and writes[applied][0] < end:
                last[writes[applied][1]] = writes[applied][0]
                applied += 1
            if start >= end:
                continue
            seen = last[tiles]
            if seen.max() >= start:
                write = int(seen[seen >= start].min())
                self._report_race(position, write, select(tiles, seen == write))
                raced.add(position)
        return raced

    def _report_race(self, position: int, write: int, span: tuple[int, int]) -> None:
        reading, writing = self._index(self.reader, position), self._index(self.writer, write)
        source, target = (self.writer, self.reader) if writing < reading else (self.reader, self.writer)
        early, late = sorted((reading, writing))
        self.report.add(
            "race",
            f"{self.stream.name(writing)} writes and {self.stream.name(reading)} reads {spell(self.memory, span)} in "
            f"no fixed order: a token from {UNIT_NAMES[source]} to {UNIT_NAMES[target]} after #{early} and before "
            f"#{late} is missing",
            early,
            late,
            buffer=self.memory,
            span=span,
        )

    def _check_computed(
        self, windows: Sequence[tuple[Touch, int, int]], writes: Sequence[Touch], raced: set[int]
    ) -> None:
        """A STORE takes its tiles from the OUT buffer, which only GEMM and ALU fill."""
        state, last = self._array(_UNWRITTEN), self._array(-1)
        unknown = set(self._unknown_kernels())
        whole = slice(0, len(state))
        changes = sorted([*writes, *((position, whole) for position in unknown)], key=_position)
        applied = 0
        for (position, tiles), start, _ in windows:
            while applied < len(changes) and changes[applied][0] < start:
                write, written = changes[applied]
                state[written] = _COMPUTED if write in unknown or self._computes(write) else _STALE
                last[written] = write
                applied += 1
            stale = state[tiles] == _STALE
            if position not in raced and stale.any():
                span = select(tiles, stale)
                self._report_stale(position, int(last[span[0]]), span)

    def _computes(self, position: int) -> bool:
        instruction = self.stream.instructions[self._index(COMPUTE, position)]
        return isinstance(instruction, Alu) or (isinstance(instruction, Gemm) and not instruction.reset)

    def _report_stale(self, position: int, write: int, span: tuple[int, int]) -> None:
        store, writing = self._index(STORE, position), self._index(COMPUTE, write)
        self.report.add(
            "store-source",
            f"{self.stream.name(store)} {rules.not_computed(spell(self.memory, span))}; "
            f"{self.stream.name(writing)} is the last that wrote there",
            writing,
            store,
            buffer=self.memory,
            span=span,
        )


class _Latest:
    """For sets of tiles, the position of the first write of that tile which is written last of them.

    Footprints are shared, so that a set is met again and again, as the same object.
    """

    def __init__(self, first: Positions) -> None:
        self._first = first
        self._found: dict[int, tuple[Tiles, int]] = {}

    def of(self, tiles: Tiles) -> int:
        found = self._found.get(id(tiles))
        if found is None:
            found = self._found[id(tiles)] = (tiles, int(self._first[tiles].max(initial=-1)))
        return found[1]


def _position(touch: Touch) -> int:
    return touch[0]
