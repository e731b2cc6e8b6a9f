"""Tokens that follow the data: each instruction waits for those whose tiles it needs, and no others.

Instructions come in program order. Where one unit needs what another did (it reads what was
written, or writes what was read or written), a token passes from the last such instruction to
this one, unless an earlier token implies the order already. Per queue, pushing and popping
instructions both rise, so the n-th push meets the n-th pop; a wait is for an earlier
instruction only, so in-order fetch cannot deadlock.

Two things happen to loads first. One that must wait for the compute unit lets those behind it
pass that need not wait as long, as far as their tiles are apart. Then loads of tiles that are
on chip already, at the same place, are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa.instructions import Memory, Opcode
from vtac.targets.vta.stream.footprints import PAD, Footprints, Issued, Touched, offsets
from vtac.targets.vta.stream.load_order import order_loads

LOAD, COMPUTE, STORE = 1, 2, 3
MAX_TOKENS = 250
"""Tokens that a queue may hold at once; the hardware's counters reach 255."""
ROUND = 100
"""Instructions between full synchronisations where tokens would pile up otherwise."""


@dataclass(slots=True)
class Placed:
    """An instruction in the final stream: the number of the issued one, or an empty one (None)."""

    source: int | None
    stage: int
    pops: tuple[int, ...] = ()
    pushes: tuple[int, ...] = ()


TokenPlan: TypeAlias = Callable[[Sequence[Issued], NDArray[np.int64], VTAConfig], list[Placed]]
"""What `plan_tokens` does, in another way."""


def plan_tokens(issued: Sequence[Issued], micro_ops: NDArray[np.int64], config: VTAConfig) -> list[Placed]:
    """The stream with tokens, redundant loads left out; it ends with all units known to be done.

    The last entry belongs to the compute unit, after which FINISH may follow.
    """
    footprints = Footprints(issued, micro_ops, config)
    order = order_loads(footprints, issued)
    planner = _Planner(footprints, issued, order, every=0)
    planner.run()
    if not planner.bounded():
        planner = _Planner(footprints, issued, order, every=ROUND)
        planner.run()
    return planner.placed


@dataclass(frozen=True, slots=True)
class _Meetings:
    """Sets of tiles that an instruction touches, by number, and those that have a tile in common with them.

    `reads` are inputs and weights, `sums` accumulators that are written, `writes` all that is. What meets `reads` and
    is written are `operands`, what meets accumulators that are read, and is written, `stored`; what meets inputs and
    weights that are written, and is read, `filled`.
    """

    reads: tuple[int, ...]
    sums: tuple[int, ...]
    writes: tuple[int, ...]
    operands: tuple[int, ...]
    stored: tuple[int, ...]
    filled: tuple[int, ...]

    @staticmethod
    def of(touched: Touched, footprints: Footprints) -> _Meetings:
        read, written = footprints.read, footprints.written
        reads = tuple(tiles for memory, tiles in touched.reads if memory is not Memory.ACC)
        stored = [tiles for memory, tiles in touched.reads if memory is Memory.ACC]
        sums = tuple(tiles for memory, tiles in touched.writes if memory is Memory.ACC)
        filled = [tiles for memory, tiles in touched.writes if memory is not Memory.ACC]
        meeting = ((written, reads), (written, stored), (read, filled))
        met = [tuple(dict.fromkeys(chain(*map(of.__getitem__, some)))) for of, some in meeting]
        return _Meetings(reads, sums, (*filled, *sums), *met)


class _Planner:
    def __init__(self, footprints: Footprints, issued: Sequence[Issued], order: Sequence[int], *, every: int) -> None:
        self.footprints = footprints
        self.issued = issued
        self.order = order
        self.every = every
        config = footprints.config
        meetings = {key: _Meetings.of(one, footprints) for key, one in footprints.kinds.items()}
        self.meetings = [meetings[id(one)] for one in footprints.touched]
        self.wrote = [-1] * len(footprints.sets)
        self.read = [-1] * len(footprints.sets)
        self.emptied = [-1] * len(footprints.sets)
        """Of each set of accumulators that is written, the last store of a tile of it."""
        self.holds: dict[int, NDArray[np.int64]] = {
            Memory.INP: np.full(config.capacity("inp"), -1, dtype=np.int64),
            Memory.WGT: np.full(config.capacity("wgt"), -1, dtype=np.int64),
        }
        self.spans: dict[int, tuple[int, int]] = {}
        """Bytes of DRAM between which all lies that tiles of a memory hold."""
        self.sizes: dict[int, int] = {Memory.INP: config.inp_element_bytes, Memory.WGT: config.wgt_element_bytes}
        self.placed: list[Placed] = []
        self.clocks: list[tuple[int, int, int, int]] = []
        """Of each instruction placed, the last of every unit that is over when it is; units count from 1."""
        self.known = {stage: [-1, -1, -1, -1] for stage in (LOAD, COMPUTE, STORE)}
        self.last = {LOAD: -1, COMPUTE: -1, STORE: -1}
        self.queues: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        pages = footprints.page_count
        self.page_written: NDArray[np.int64] = np.full(pages, -1, dtype=np.int64)
        self.page_read: dict[int, NDArray[np.int64]] = {
            stage: np.full(pages, -1, dtype=np.int64) for stage in (LOAD, COMPUTE)
        }

    def run(self) -> None:
        for count, number in enumerate(self.order):
            item = self.issued[number]
            if item.stage != LOAD or not self._is_redundant(number, item):
                self._place(number, item, meet=bool(self.every) and count % self.every < 3)
        self._append(None, COMPUTE, ((LOAD, self.last[LOAD]), (STORE, self.last[STORE])))

    def bounded(self) -> bool:
        """No queue can hold more than its counter does: a push waits for the pop far enough back."""
        for (_, target), pairs in self.queues.items():
            for (pushing, _), (_, popped) in zip(pairs[MAX_TOKENS:], pairs, strict=False):
                if self.clocks[pushing][target] < popped:
                    return False
        return True

    def _is_redundant(self, number: int, item: Issued) -> bool:
        """A load of what its tiles hold; records what they hold from now on otherwise."""
        memory, base, dram = item.row[:3]
        behind, padded = offsets(item.row[3:])
        held = self.holds[memory][base : base + behind.size]
        if padded is None and held.size and held[0] != dram:
            held[:] = behind[: held.size] + dram
        else:
            new = behind + dram if padded is None else np.where(padded, PAD, behind + dram)
            if held.tobytes() == new.tobytes():  # quicker than numpy for so few
                return True
            held[:] = new[: held.size]
        start, stop = self.footprints.spans[number]
        first, last = self.spans.get(memory, (start, stop))
        self.spans[memory] = min(first, start), max(last, stop)
        return False

    def _place(self, number: int, item: Issued, *, meet: bool) -> None:
        meetings, pages, stage = self.meetings[number], self.footprints.shared[number], item.stage
        load, compute, store = self._needs(item, meetings, pages)
        if meet:
            load, compute, store = self.last[LOAD], self.last[COMPUTE], self.last[STORE]
        if stage == COMPUTE:
            position = self._append(number, COMPUTE, ((LOAD, load), (STORE, store)))
        else:
            if stage == LOAD and store > self.known[LOAD][STORE]:
                compute = max(compute, self._relay(STORE, store))
            elif stage == STORE and load > self.known[STORE][LOAD]:
                compute = max(compute, self._relay(LOAD, load))
            position = self._append(number, stage, ((COMPUTE, compute),))
        for tiles in meetings.reads:
            self.read[tiles] = position
        if stage == STORE:
            for tiles in meetings.stored:
                self.emptied[tiles] = position
        for tiles in meetings.writes:
            self.wrote[tiles] = position
        if pages is not None:
            self._stamp(position, number, item, pages)

    def _needs(self, item: Issued, meetings: _Meetings, pages: slice | None) -> tuple[int, int, int]:
        """Of the load, compute and store unit, the last instruction that must be over before this one starts.

        Of the instruction's own unit that may be too early: it is in order.
        """
        load = compute = store = -1
        if item.stage == COMPUTE:
            load = max(map(self.wrote.__getitem__, meetings.operands), default=-1)
            store = max(map(self.emptied.__getitem__, meetings.sums), default=-1)
        elif item.stage == LOAD:
            compute = max(map(self.read.__getitem__, meetings.filled), default=-1)
        else:
            compute = max(map(self.wrote.__getitem__, meetings.stored), default=-1)
        if pages is not None:
            store = max(store, int(self.page_written[pages].max()))
            if item.opcode is Opcode.STORE:
                load = max(load, int(self.page_read[LOAD][pages].max()))
                compute = max(compute, int(self.page_read[COMPUTE][pages].max()))
        return load, compute, store

    def _stamp(self, position: int, number: int, item: Issued, pages: slice) -> None:
        """Note that the instruction at a position has transferred pages."""
        if item.opcode is not Opcode.STORE:
            self.page_read[item.stage][pages] = position
            return
        self.page_written[pages] = position
        for readers in self.page_read.values():
            readers[pages] = -1
        self._forget(number)

    def _forget(self, number: int) -> None:
        """Tiles that hold what a store overwrites in DRAM hold nothing known."""
        start, stop = self.footprints.spans[number]
        for memory, (first, last) in self.spans.items():
            if first < stop and start < last:
                holds, size = self.holds[memory], self.sizes[memory]
                holds[(holds >= start // size) & (holds < -(-stop // size))] = -1

    def _relay(self, far: int, needed: int) -> int:
        """Load and store share no queue: a compute instruction that knows of `needed`."""
        last = self.last[COMPUTE]
        if last >= 0 and self.clocks[last][far] >= needed:
            return last
        return self._append(None, COMPUTE, ((far, needed),))

    def _append(self, source: int | None, stage: int, needs: tuple[tuple[int, int], ...]) -> int:
        """Place an instruction behind the others; it waits for instructions of other units, given with their units."""
        position, known = len(self.placed), self.known[stage]
        pops: tuple[int, ...] = ()
        for other, needed in needs:
            if needed > known[other]:
                pops += (other,)
                self._wait(position, stage, other, needed)
        known[stage] = position
        self.last[stage] = position
        self.placed.append(Placed(source, stage, pops))
        self.clocks.append((known[0], known[1], known[2], known[3]))
        return position

    def _wait(self, position: int, stage: int, other: int, needed: int) -> None:
        """Let a token pass from an instruction of another unit to the one that comes at a position."""
        self.placed[needed].pushes += (stage,)
        self.queues[other, stage].append((needed, position))
        known = self.known[stage]
        for unit, at in enumerate(self.clocks[needed]):
            known[unit] = max(known[unit], at)
