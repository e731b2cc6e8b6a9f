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

from collections.abc import Sequence
from dataclasses import dataclass

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


class _Planner:
    def __init__(self, footprints: Footprints, issued: Sequence[Issued], order: Sequence[int], *, every: int) -> None:
        self.footprints = footprints
        self.issued = issued
        self.order = order
        self.every = every
        config = footprints.config
        self.met = footprints.sets.met
        self.wrote = [-1] * len(self.met)
        self.read = [-1] * len(self.met)
        self.holds: dict[int, NDArray[np.int64]] = {
            Memory.INP: np.full(config.capacity("inp"), -1, dtype=np.int64),
            Memory.WGT: np.full(config.capacity("wgt"), -1, dtype=np.int64),
        }
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
            if not self._is_redundant(item):
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

    def _is_redundant(self, item: Issued) -> bool:
        """A load of what its tiles hold; records what they hold from now on otherwise."""
        if item.opcode is not Opcode.LOAD or item.row[0] not in (Memory.INP, Memory.WGT):
            return False
        new = contents(item.row)
        held = self.holds[item.row[0]][item.row[1] : item.row[1] + new.size]
        if held.size == new.size and bool((held == new).all()):
            return True
        held[:] = new[: held.size]
        return False

    def _place(self, number: int, item: Issued, *, meet: bool) -> None:
        touched = self.footprints.touched[number]
        pages = self._pages(number)
        needs = self._needs(item, touched, pages)
        if meet:
            for stage in (LOAD, COMPUTE, STORE):
                needs[stage] = self.last[stage]
        stage = item.stage
        far = LOAD + STORE - stage
        if stage != COMPUTE and needs[far] > self.known[stage][far - 1]:
            needs[COMPUTE] = max(needs[COMPUTE], self._relay(far, needs[far]))
        position = self._append(number, stage)
        for other in (LOAD, COMPUTE, STORE):
            if abs(other - stage) == 1:
                self._wait(position, stage, other, needs[other])
        self._complete(position, stage)
        self._stamp(position, item, touched, pages)

    def _needs(self, item: Issued, touched: Touched, pages: slice) -> dict[int, int]:
        """Per unit, the last instruction that must be over before this one starts."""
        needs, met, wrote, read = {LOAD: -1, COMPUTE: -1, STORE: -1}, self.met, self.wrote, self.read
        for memory, tiles in touched.reads:
            producer = COMPUTE if memory is Memory.ACC else LOAD
            needs[producer] = max(needs[producer], *[wrote[other] for other in met[tiles]], -1)
        for memory, tiles in touched.writes:
            consumer = STORE if memory is Memory.ACC else COMPUTE
            needs[consumer] = max(needs[consumer], *[read[other] for other in met[tiles]], -1)
        if pages.stop:
            needs[STORE] = max(needs[STORE], int(self.page_written[pages].max()))
            if item.opcode is Opcode.STORE:
                for unit, readers in self.page_read.items():
                    needs[unit] = max(needs[unit], int(readers[pages].max()))
        return needs

    def _stamp(self, position: int, item: Issued, touched: Touched, pages: slice) -> None:
        for memory, tiles in touched.reads:
            if memory is not Memory.ACC or item.opcode is Opcode.STORE:
                self.read[tiles] = position
        for _, tiles in touched.writes:
            self.wrote[tiles] = position
        if not pages.stop:
            return
        if item.opcode is not Opcode.STORE:
            self.page_read[item.stage][pages] = position
            return
        self.page_written[pages] = position
        for readers in self.page_read.values():
            readers[pages] = -1
        self._forget(item)

    def _forget(self, item: Issued) -> None:
        """Tiles that hold what a store overwrites in DRAM hold nothing known."""
        start, stop = self.footprints.span(item)
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
