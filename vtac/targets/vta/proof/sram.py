"""On-chip races, reads of what nothing wrote, and stores of what no arithmetic produced.

Inputs and weights are written by load and read by compute, accumulators written by compute and
read by store; micro-ops are compute's alone. So each SRAM has one writing and at most one other
reading unit, and for each read the writes that no token orders with it are one stretch of the
writing unit's program. The sets of tiles that instructions touch are few; which of them have a tile in common says
which reads may race. A sweep over both programs, which keeps the last write of each tile, says with what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtac.dialects.hardware import MemoryName
from vtac.targets.vta import rules
from vtac.targets.vta.isa import Alu, Gemm
from vtac.targets.vta.machine.stream import UnitIndex
from vtac.targets.vta.proof.accesses import UNKNOWN
from vtac.targets.vta.proof.finding import Report
from vtac.targets.vta.proof.kernels import Footprint
from vtac.targets.vta.proof.order import Order
from vtac.targets.vta.proof.stream import COMPUTE, LOAD, STORE, UNIT_NAMES, Stream
from vtac.targets.vta.proof.tiles import select, spell
from vtac.targets.vta.proof.touches import Positions, Touches, UnitTouches, meetings

_NEVER = np.iinfo(np.int64).max

_SHARED: tuple[tuple[MemoryName, int, int], ...] = (
    ("inp", LOAD, COMPUTE),
    ("wgt", LOAD, COMPUTE),
    ("acc", COMPUTE, STORE),
)


def check_sram(stream: Stream, order: Order, footprints: Sequence[Footprint], report: Report) -> None:
    """Report races and unwritten reads among the instructions that execute."""
    units = [UnitTouches.of(stream.programs[unit][: order.executed[unit]], footprints) for unit in UnitIndex]
    for memory, writer, reader in _SHARED:
        touches = units[reader].of_memory(memory, writing=False), units[writer].of_memory(memory, writing=True)
        own = units[COMPUTE].of_memory(memory, writing=False)
        _SramCheck(stream, order, footprints, *touches, own, report, memory, writer, reader).run()


@dataclass(frozen=True, eq=False)
class _SramCheck:
    """`reads` are those of the reader, `writes` those of the writer, `own` what the compute unit reads."""

    stream: Stream
    order: Order
    footprints: Sequence[Footprint]
    reads: Touches
    writes: Touches
    own: Touches
    report: Report
    memory: MemoryName
    writer: int
    reader: int

    def run(self) -> None:
        first = self._first_writes()
        if self.memory == "acc":
            # Compute reads accumulators too, in its own order.
            self._check_written(COMPUTE, self.own, self.own.positions, first)
        starts, ends = self.order.unordered(self.reader, self.reads.positions, self.writer)
        raced = self._check_races(starts, ends) if self._may_race(starts, ends) else set[int]()
        self._check_written(self.reader, self.reads, ends, first)
        if self.memory == "acc":
            self._check_computed(starts, raced)

    def _index(self, unit: int, position: int) -> int:
        return self.stream.programs[unit][position]

    def _array(self, value: int) -> Positions:
        return np.full(self.stream.config.capacity(self.memory), value, np.int64)

    def _unknown_kernels(self) -> list[int]:
        """Positions of the kernels that may write any accumulator tile."""
        if self.memory != "acc":
            return []
        program = self.stream.programs[COMPUTE][: self.order.executed[COMPUTE]]
        return [position for position, index in enumerate(program) if self.footprints[index] is UNKNOWN]

    def _first_writes(self) -> Positions:
        """For each element, the position of the first instruction that writes it, or may."""
        first = self._array(_NEVER)
        sets, places = np.unique(self.writes.sets, return_index=True)
        for place, number in sorted(zip(places.tolist(), sets.tolist(), strict=True), reverse=True):
            first[self.writes.tiles[number]] = self.writes.positions[place]
        return np.minimum(first, min(self._unknown_kernels(), default=_NEVER))

    def _check_written(self, unit: int, reads: Touches, limits: Positions, first: Positions) -> None:
        """Report reads of what nothing writes before the position of the writer that is the limit of each."""
        latest = np.array([int(first[tiles].max(initial=-1)) for tiles in reads.tiles], np.int64)
        for place in np.flatnonzero(latest[reads.sets] >= limits).tolist():
            tiles, index = reads.tiles[int(reads.sets[place])], self._index(unit, int(reads.positions[place]))
            span = select(tiles, first[tiles] >= limits[place])
            self.report.add(
                "unwritten",
                f"{self.stream.name(index)} {rules.never_written(spell(self.memory, span))}",
                index,
                buffer=self.memory,
                span=span,
            )

    def _may_race(self, starts: Positions, ends: Positions) -> bool:
        """Whether a write has a tile in common with a read that no order separates from it."""
        reads, writes = self.reads, self.writes
        begin, behind = np.searchsorted(writes.positions, starts), np.searchsorted(writes.positions, ends)
        meets = meetings(reads.tiles, writes.tiles, self.stream.config.capacity(self.memory))
        for number, met in enumerate(meets):
            before = np.concatenate([[0], np.cumsum(met[writes.sets])])
            of_set = reads.sets == number
            if (before[behind[of_set]] > before[begin[of_set]]).any():
                return True
        return False

    def _check_races(self, starts: Positions, ends: Positions) -> set[int]:
        """Report unordered writes; the result holds the positions of the reads that race."""
        last = self._array(-1)
        writes = self.writes.each()
        applied = 0
        raced: set[int] = set()
        for (position, tiles), start, end in zip(self.reads.each(), starts.tolist(), ends.tolist(), strict=True):
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

    def _check_computed(self, starts: Positions, raced: set[int]) -> None:
        """A STORE takes its tiles from the OUT buffer, which only GEMM and ALU fill."""
        tiles = [*self.writes.tiles, slice(0, self.stream.config.capacity("acc"))]
        changes = [*zip(self.writes.positions.tolist(), self.writes.sets.tolist(), strict=True)]
        unknown = self._unknown_kernels()
        changes = sorted([*changes, *((position, len(tiles) - 1) for position in unknown)])
        is_stale = np.array([*(at not in unknown and not self._computes(at) for at, _ in changes), False])
        limits = np.searchsorted([at for at, _ in changes], starts).tolist()
        last = self._array(-1)
        applied = 0
        for (position, read), limit in zip(self.reads.each(), limits, strict=True):
            # Of writes of the same tiles one behind the other, the last one counts.
            latest: dict[int, int] = {}
            for place in range(applied, limit):
                latest.pop(changes[place][1], None)
                latest[changes[place][1]] = place
            for number, place in latest.items():
                last[tiles[number]] = place
            applied = max(applied, limit)
            stale = is_stale[last[read]]
            if position not in raced and stale.any():
                span = select(read, stale)
                self._report_stale(position, changes[int(last[span[0]])][0], span)

    def _computes(self, position: int) -> bool:
        instruction = self.stream.firsts[self.stream.alike[self._index(COMPUTE, position)]]
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
