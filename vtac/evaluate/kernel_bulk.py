"""Bulk copies and mbarriers of a kernel under execution, and warps that have roles of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Protocol

import numpy as np
from xdsl.ir import Operation, SSAValue

from vtac.analysis.nests.nest import buffer_name
from vtac.dialects import tma
from vtac.evaluate.boxes import pixel_places, problem_of_start, swizzled_places, tiled_places
from vtac.evaluate.bulk_stores import LANES, BulkStores, StoringBlocks
from vtac.evaluate.kernel_memory import NOBODY, KernelMemory, PendingCopy, Users
from vtac.evaluate.numbers import Array, Integers, Mask
from vtac.evaluate.refusals import refused
from vtac.evaluate.turns import Turns


class Running(StoringBlocks, Protocol):
    """What of blocks under execution bulk copies need: who uses their memory, too."""

    @property
    def users(self) -> Users: ...


@dataclass
class _Mbarrier:
    """One mbarrier of a block: its phase, what it misses, and what its completion shows to who waits."""

    arrivals: int
    pending: int
    transactions: int = 0
    phase: int = 0
    copies: list[PendingCopy] = field(default_factory=list[PendingCopy])
    released: list[tuple[KernelMemory, Integers, Integers]] = field(
        default_factory=list[tuple[KernelMemory, Integers, Integers]]
    )

    def settle(self) -> None:
        """Complete the phase where nothing is missing."""
        if self.pending == 0 and self.transactions == 0:
            self.phase += 1
            self.pending = self.arrivals

    def show(self) -> None:
        """Who has waited sees the copies, and may write what was read before others arrived."""
        for copy in self.copies:
            copy.land()
            if copy.memory.shared is not None:
                copy.memory.shared.writers[copy.places] = NOBODY
        for memory, places, readers in self.released:
            if memory.shared is not None:
                same = memory.shared.readers[places] == readers
                memory.shared.readers[places[same]] = NOBODY
        self.copies, self.released = [], []


class BulkCopies:
    """The mbarriers of blocks under execution: what one thread of a block asks for is the same in all blocks' order.

    Blocks of a cluster follow each other, by rank.
    """

    def __init__(self, block: tuple[int, int, int], cluster: int = 1) -> None:
        self._cluster = cluster
        self._has_arrived = self._has_met = False
        self._is_remote = False
        self._size = prod(block)
        self._plane = block[0] * block[1]
        self._barriers: dict[tuple[SSAValue, int, int], _Mbarrier] = {}
        self._turns: Turns | None = None
        self.stores = BulkStores(self._size)

    def execute(self, op: Operation, running: Running, active: Mask | None) -> bool:
        """Execute an operation of the tma level; False for any other."""
        if isinstance(op, tma.ElectOp):
            running.values[op.elected] = self._elected(op, running)
        elif isinstance(op, tma.InitOp):
            self._initialise(op, running, active)
        elif isinstance(op, tma.ArriveOp | tma.ArriveExpectOp):
            self._arrive(op, running, active)
        elif isinstance(op, tma.WaitOp):
            self._wait(op, running, active)
        elif isinstance(op, tma.LoadOp):
            self._load(op, running, active)
        else:
            return isinstance(op, tma.FenceInitOp | tma.SetmaxnregOp) or self.stores.execute(op, running, active)
        return True

    def meet(self, op: tma.ClusterArriveOp | tma.ClusterWaitOp) -> None:
        """All threads of all clusters arrive, or wait.

        Raises `EvaluationError` for threads that arrive or wait out of turn.
        """
        if self._has_arrived == isinstance(op, tma.ClusterArriveOp):
            raise refused(f"'{op.name}': threads arrive at the cluster's barrier, and wait then, in turns", op)
        self._has_arrived = not self._has_arrived
        if not self._has_arrived:
            self._has_met, self._is_remote = True, False

    def end(self, kernel: Operation) -> None:
        """All blocks end. Raises `EvaluationError` where others might still use their memory."""
        if self._is_remote:
            raise refused(
                "blocks end while others of their cluster may use their shared memory: meet at tma.cluster_arrive and "
                "tma.cluster_wait after that",
                kernel,
            )

    def _touch_others(self, op: Operation) -> None:
        """Blocks use each other's memory, where mbarriers must be initialised."""
        if not self._has_met:
            raise refused(
                f"'{op.name}' reaches other blocks of its cluster before all have met at tma.cluster_wait: their "
                "mbarriers may not be initialised yet",
                op,
            )
        self._is_remote = True

    def in_turns(self, consumers: Callable[[], None], producers: Callable[[], None]) -> None:
        """Run what two groups of warps do at the same time: each as far as it comes without the other."""
        self._turns = Turns()
        self._turns.run(producers, consumers)
        self._turns = None

    def _elected(self, op: tma.ElectOp, running: Running) -> Array:
        return running.threads % self._size == op.z.value.data * self._plane

    def _threads(self, running: Running, active: Mask | None) -> Integers:
        """The threads that execute an operation."""
        return running.threads if active is None else running.threads[np.broadcast_to(active, running.threads.shape)]

    def _at(
        self, barriers: SSAValue, index: SSAValue, running: Running, thread: int, op: Operation, rank: int | None = None
    ) -> _Mbarrier:
        """An mbarrier of a thread's own block, or of that of a rank in its cluster."""
        key = self._key(barriers, index, running, thread)
        if rank is not None:
            key = (*key[:2], self._block_of(thread, rank))
        if key not in self._barriers:
            raise refused(f"mbarrier {key[1]} of '{buffer_name(barriers)}' is used before it is initialised", op)
        return self._barriers[key]

    def _block_of(self, thread: int, rank: int) -> int:
        """The position of the block of a rank in the cluster of a thread."""
        return thread // self._size // self._cluster * self._cluster + rank

    def _key(self, barriers: SSAValue, index: SSAValue, running: Running, thread: int) -> tuple[SSAValue, int, int]:
        numbers = np.broadcast_to(running.values[index], running.threads.shape)
        return barriers, int(numbers[thread]), thread // self._size

    def _initialise(self, op: tma.InitOp, running: Running, active: Mask | None) -> None:
        for thread in self._threads(running, active):
            key = self._key(op.barriers, op.index, running, int(thread))
            if key in self._barriers:
                raise refused(f"mbarrier {key[1]} of '{buffer_name(op.barriers)}' is initialised twice", op)
            count = op.arrivals.value.data
            self._barriers[key] = _Mbarrier(count, count)

    def _arrive(self, op: tma.ArriveOp | tma.ArriveExpectOp, running: Running, active: Mask | None) -> None:
        threads = self._threads(running, active)
        ranks: list[int | None] = [None]
        if isinstance(op, tma.ArriveOp):
            threads = threads[threads % LANES == 0]  # each warp arrives once
            if op.blocks is not None:
                ranks = [*range(op.blocks.value.data)]
                self._touch_others(op)
        for thread, rank in product(threads, ranks):
            one = self._at(op.barriers, op.index, running, int(thread), op, rank)
            if not one.pending:
                raise refused(
                    f"phase {one.phase} of an mbarrier of '{buffer_name(op.barriers)}' has all of its {one.arrivals} "
                    "arrivals, and one more comes",
                    op,
                )
            if isinstance(op, tma.ArriveExpectOp):
                one.transactions += op.bytes.value.data
            else:
                one.released += self._read_by(running, int(thread) // self._size)
            one.pending -= 1
            one.settle()

    def _read_by(self, running: Running, block: int) -> list[tuple[KernelMemory, Integers, Integers]]:
        """What a block has read of its shared memory so far."""
        found: list[tuple[KernelMemory, Integers, Integers]] = []
        for memory in set(running.memories.values()):
            if memory.shared is None:
                continue
            readers = memory.shared.readers[block * memory.size : (block + 1) * memory.size]
            places = np.flatnonzero(readers != NOBODY) + block * memory.size
            found.append((memory, places, memory.shared.readers[places].copy()))
        return found

    def _wait(self, op: tma.WaitOp, running: Running, active: Mask | None) -> None:
        parities = np.broadcast_to(running.values[op.parity], running.threads.shape)
        waiting = {
            self._key(op.barriers, op.index, running, int(thread)): int(parities[thread])
            for thread in self._threads(running, active)
        }

        def is_over() -> bool:
            found = [(self._barriers.get(key), parity) for key, parity in waiting.items()]
            return all(one is not None and one.phase % 2 != parity for one, parity in found)

        if not is_over() and not (self._turns is not None and self._turns.wait(is_over)):
            self._refuse(op, waiting)
        for key in waiting:
            self._barriers[key].show()

    def _refuse(self, op: tma.WaitOp, waiting: dict[tuple[SSAValue, int, int], int]) -> None:
        (_, number, block), parity = next(iter(waiting.items()))
        one = self._barriers.get((op.barriers, number, block))
        lacks = (
            "is not initialised"
            if one is None
            else (f"misses {one.pending} of {one.arrivals} arrivals and {one.transactions} bytes of phase {one.phase}")
        )
        raise refused(
            f"deadlock: parity {parity} of mbarrier {number} of '{buffer_name(op.barriers)}' is waited for; it {lacks}"
            ", and nothing is left that could arrive",
            op,
        )

    def _load(self, op: tma.LoadOp, running: Running, active: Mask | None) -> None:
        one, target, source = op.map, running.memories[op.target], running.memories[op.source]
        for thread in self._threads(running, active):
            starts, offsets = (
                [int(np.broadcast_to(running.values[c], running.threads.shape)[thread]) for c in operands]
                for operands in (op.coordinates, op.offsets)
            )
            problem = problem_of_start(one, starts, offsets)
            if problem:
                raise refused(problem, op)
            steps = tiled_places(one, starts) if one.corners is None else pixel_places(one, starts, offsets)
            inside = np.logical_and.reduce(
                [(at >= 0) & (at < extent) for at, extent in zip(steps, one.extents, strict=True)]
            )
            pitches = (one.element_bytes, *one.strides)
            places = sum(at * (pitch // one.element_bytes) for at, pitch in zip(steps, pitches, strict=True))
            values = np.where(inside, source.raw(np.asarray(places)), self._fill(one.fill, source))
            first = int(np.broadcast_to(running.values[op.offset], running.threads.shape)[thread])
            chunks = swizzled_places(one, first)
            for rank in self._ranks(op, int(thread)):
                block = np.array([self._block_of(int(thread), rank)])
                users = Users(running.threads[thread : thread + 1], block)
                copy = target.begin_copy(chunks, values.reshape(-1), users, None, op)
                barrier = self._at(op.barriers, op.index, running, int(thread), op, rank)
                barrier.copies.append(copy)
                barrier.transactions -= one.box_bytes
                barrier.settle()

    def _ranks(self, op: tma.LoadOp, thread: int) -> list[int]:
        """The ranks, in the cluster of a thread, of the blocks that its load comes to."""
        if op.mask is None:
            return [thread // self._size % self._cluster]
        self._touch_others(op)
        return [rank for rank in range(self._cluster) if op.mask.value.data >> rank & 1]

    def _fill(self, fill: str, source: KernelMemory) -> Array:
        return np.full(1, np.nan if fill == "nan" else 0).astype(source.data.dtype)
