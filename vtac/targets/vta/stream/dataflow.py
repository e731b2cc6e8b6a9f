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

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa.instructions import Memory, MicroOp, Opcode
from vtac.targets.vta.stream.footprints import Footprints, Issued, Touched, contents
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


TokenPlan: TypeAlias = Callable[[Sequence[Issued], Sequence[MicroOp], VTAConfig], list[Placed]]
"""What `plan_tokens` does, in another way."""


def plan_tokens(issued: Sequence[Issued], micro_ops: Sequence[MicroOp], config: VTAConfig) -> list[Placed]:
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

    `reads` are inputs and weights, `stores` results, `writes` what is written. What meets them are `operands` and
    `stored`, and of what is written `filled` (inputs and weights) and `sums`.
    """

    reads: tuple[int, ...]
    stores: tuple[int, ...]
    writes: tuple[int, ...]
    operands: tuple[int, ...]
    stored: tuple[int, ...]
    filled: tuple[int, ...]
    sums: tuple[int, ...]

    @staticmethod
    def of(touched: Touched, met: Sequence[tuple[int, ...]]) -> _Meetings:
        reads = tuple(tiles for memory, tiles in touched.reads if memory is not Memory.ACC)
        stores = tuple(tiles for memory, tiles in touched.reads if memory is Memory.ACC)
        sums = [tiles for memory, tiles in touched.writes if memory is Memory.ACC]
        filled = [tiles for memory, tiles in touched.writes if memory is not Memory.ACC]
        meeting = [tuple(dict.fromkeys(chain(*(met[one] for one in some)))) for some in (reads, stores, filled, sums)]
        return _Meetings(reads, stores, (*filled, *sums), *meeting)


class _Planner:
    def __init__(self, footprints: Footprints, issued: Sequence[Issued], order: Sequence[int], *, every: int) -> None:
        self.footprints = footprints
        self.issued = issued
        self.order = order
        self.every = every
        config = footprints.config
        self.meetings: dict[int, _Meetings] = {}
        self.wrote = [-1] * len(footprints.sets)
        self.read = [-1] * len(footprints.sets)
        self.holds: dict[int, NDArray[np.int64]] = {
            Memory.INP: np.full(config.capacity("inp"), -1, dtype=np.int64),
            Memory.WGT: np.full(config.capacity("wgt"), -1, dtype=np.int64),
        }
        self.spans: dict[tuple[int, int], tuple[int, int]] = {}
        """Bytes of DRAM that tiles hold at most, by the memory and the first tile that they were loaded to."""
        self.sizes = (config.inp_element_bytes, config.wgt_element_bytes)
        self.placed: list[Placed] = []
        self.clocks: list[tuple[int, int, int]] = []
        self.known = {stage: [-1, -1, -1] for stage in (LOAD, COMPUTE, STORE)}
        self.last = {LOAD: -1, COMPUTE: -1, STORE: -1}
        self.queues: dict[tuple[int, int], list[tuple[int, int]]] = {}
        pages = footprints.page_count
        self.page_written: NDArray[np.int64] = np.full(pages, -1, dtype=np.int64)
        self.page_read: dict[int, NDArray[np.int64]] = {
            stage: np.full(pages, -1, dtype=np.int64) for stage in (LOAD, COMPUTE)
        }

    def _pages(self, number: int) -> slice:
        """Pages that an instruction transfers; none where it touches no shared one."""
        if not self.footprints.shares[number]:
            return slice(0)
        pages = self.footprints.pages[number]
        return slice(pages.start, pages.stop)

    def run(self) -> None:
        for count, number in enumerate(self.order):
            item = self.issued[number]
            if item.stage != LOAD or not self._is_redundant(number, item):
                self._place(number, item, meet=bool(self.every) and count % self.every < 3)
        end = self._append(None, COMPUTE)
        for stage in (LOAD, STORE):
            self._wait(end, COMPUTE, stage, self.last[stage])
        self._complete(end, COMPUTE)

    def bounded(self) -> bool:
        """No queue can hold more than its counter does: a push waits for the pop far enough back."""
        for (_, target), pairs in self.queues.items():
            for (pushing, _), (_, popped) in zip(pairs[MAX_TOKENS:], pairs, strict=False):
                if self.clocks[pushing][target - 1] < popped:
                    return False
        return True

    def _is_redundant(self, number: int, item: Issued) -> bool:
        """A load of what its tiles hold; records what they hold from now on otherwise."""
        memory, base = item.row[0], item.row[1]
        new = contents(item.row)
        held = self.holds[memory][base : base + new.size]
        is_other = held.size and held[0] != new[0]
        if not is_other and held.tobytes() == new.tobytes():  # quicker than numpy for so few
            return True
        held[:] = new[: held.size]
        start, stop = self.footprints.spans[number]
        # A shorter load leaves the tiles behind it as they were.
        first, last = self.spans.get((memory, base), (start, stop))
        self.spans[memory, base] = min(first, start), max(last, stop)
        return False

    def _place(self, number: int, item: Issued, *, meet: bool) -> None:
        meetings = self._meetings(number)
        stage, pages = item.stage, self._pages(number)
        load, compute, store = self._needs(item, meetings, pages)
        if meet:
            load, compute, store = self.last[LOAD], self.last[COMPUTE], self.last[STORE]
        if stage == LOAD and store > self.known[LOAD][STORE - 1]:
            compute = max(compute, self._relay(STORE, store))
        elif stage == STORE and load > self.known[STORE][LOAD - 1]:
            compute = max(compute, self._relay(LOAD, load))
        position = self._append(number, stage)
        if stage == COMPUTE:
            known = self.known[COMPUTE]
            if load > known[LOAD - 1]:
                self._wait(position, COMPUTE, LOAD, load)
            if store > known[STORE - 1]:
                self._wait(position, COMPUTE, STORE, store)
        elif compute > self.known[stage][COMPUTE - 1]:
            self._wait(position, stage, COMPUTE, compute)
        self._complete(position, stage)
        self._stamp(position, number, meetings, pages)

    def _meetings(self, number: int) -> _Meetings:
        touched = self.footprints.touched[number]
        found = self.meetings.get(id(touched))
        if found is None:
            found = self.meetings[id(touched)] = _Meetings.of(touched, self.footprints.sets.met)
        return found

    def _needs(self, item: Issued, meetings: _Meetings, pages: slice) -> tuple[int, int, int]:
        """Of the load, compute and store unit, the last instruction that must be over before this one starts.

        Of the instruction's own unit that may be too early: it is in order.
        """
        load = compute = store = -1
        if item.stage == COMPUTE:
            load = max([self.wrote[other] for other in meetings.operands], default=-1)
            store = max([self.read[other] for other in meetings.sums], default=-1)
        elif item.stage == LOAD:
            compute = max([self.read[other] for other in meetings.filled], default=-1)
        else:
            compute = max([self.wrote[other] for other in meetings.stored], default=-1)
        if pages.stop:
            store = max(store, int(self.page_written[pages].max()))
            if item.opcode is Opcode.STORE:
                load = max(load, int(self.page_read[LOAD][pages].max()))
                compute = max(compute, int(self.page_read[COMPUTE][pages].max()))
        return load, compute, store

    def _stamp(self, position: int, number: int, meetings: _Meetings, pages: slice) -> None:
        item = self.issued[number]
        for tiles in meetings.reads if item.stage != STORE else meetings.stores:
            self.read[tiles] = position
        for tiles in meetings.writes:
            self.wrote[tiles] = position
        if not pages.stop:
            return
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
        if not any(first < stop and start < last for first, last in self.spans.values()):
            return
        for memory, size in ((Memory.INP, self.sizes[0]), (Memory.WGT, self.sizes[1])):
            holds = self.holds[memory]
            holds[(holds >= 0) & (holds * size + size > start) & (holds * size < stop)] = -1

    def _relay(self, far: int, needed: int) -> int:
        """Load and store share no queue: a compute instruction that knows of `needed`."""
        last = self.last[COMPUTE]
        if last >= 0 and self.clocks[last][far - 1] >= needed:
            return last
        empty = self._append(None, COMPUTE)
        self._wait(empty, COMPUTE, far, needed)
        self._complete(empty, COMPUTE)
        return empty

    def _append(self, source: int | None, stage: int) -> int:
        self.placed.append(Placed(source, stage))
        self.clocks.append((-1, -1, -1))
        return len(self.placed) - 1

    def _wait(self, position: int, stage: int, other: int, needed: int) -> None:
        """Let an instruction wait for another unit's, by a token unless that order is known."""
        known = self.known[stage]
        if needed <= known[other - 1]:
            return
        self.placed[needed].pushes += (stage,)
        self.placed[position].pops += (other,)
        self.queues.setdefault((other, stage), []).append((needed, position))
        known[:] = map(max, known, self.clocks[needed])

    def _complete(self, position: int, stage: int) -> None:
        self.known[stage][stage - 1] = position
        self.last[stage] = position
        known = self.known[stage]
        self.clocks[position] = (known[0], known[1], known[2])
