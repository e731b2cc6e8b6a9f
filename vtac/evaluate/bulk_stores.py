"""Boxes that warps of a kernel under execution store: read when they are begun, by the first lane of their warp."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from xdsl.ir import Operation, SSAValue

from vtac.dialects import tma
from vtac.evaluate.boxes import swizzled_places, tiled_places
from vtac.evaluate.kernel_memory import NOBODY, KernelMemory, Users
from vtac.evaluate.numbers import Array, Integers, Mask
from vtac.evaluate.refusals import refused

LANES = 32
"""Threads of a warp."""


class StoringBlocks(Protocol):
    """What of blocks under execution stores need."""

    @property
    def values(self) -> dict[SSAValue, Array]: ...
    @property
    def memories(self) -> dict[SSAValue, KernelMemory]: ...
    @property
    def threads(self) -> Integers: ...


class BulkStores:
    """What each thread has begun to store and not committed, committed, and still has to wait for."""

    def __init__(self, threads_of_block: int) -> None:
        self._size = threads_of_block
        self._open: dict[int, int] = {}
        self._groups: dict[int, int] = {}

    def execute(self, op: Operation, running: StoringBlocks, active: Mask | None) -> bool:
        """Execute an operation of stores; False for any other."""
        if not isinstance(op, tma.PublishOp | tma.StoreOp | tma.CommitStoresOp | tma.WaitStoresOp):
            return False
        threads = running.threads if active is None else running.threads[np.broadcast_to(active, running.threads.shape)]
        if isinstance(op, tma.PublishOp):
            _publish(threads, running)
            return True
        for thread in (int(one) for one in threads if one % LANES == 0):
            if isinstance(op, tma.StoreOp):
                self._store(op, running, thread)
            elif isinstance(op, tma.CommitStoresOp):
                self._groups[thread] = self._groups.get(thread, 0) + (1 if self._open.pop(thread, 0) else 0)
            elif thread in self._groups:
                self._groups[thread] = min(self._groups[thread], op.groups.value.data)
        return True

    def check_end(self, op: Operation) -> None:
        """Raises `EvaluationError` where a block would end while its shared memory is still read."""
        if self._open:
            raise refused("a box is stored, and its group is never committed", op)
        if any(self._groups.values()):
            raise refused("a box is stored, and its group is not waited for before the block ends", op)

    def _store(self, op: tma.StoreOp, running: StoringBlocks, thread: int) -> None:
        one, source, target = op.map, running.memories[op.source], running.memories[op.target]

        def number(value: SSAValue) -> int:
            return int(np.broadcast_to(running.values[value], running.threads.shape)[thread])

        places = tiled_places(one, [number(c) for c in op.coordinates])
        inside = np.logical_and.reduce([(at >= 0) & (at < end) for at, end in zip(places, one.extents, strict=True)])
        pitches = (one.element_bytes, *one.strides)
        flat = np.asarray(sum(at * (pitch // one.element_bytes) for at, pitch in zip(places, pitches, strict=True)))
        chunks = swizzled_places(one, number(op.offset)).reshape(inside.shape)
        kept = inside.reshape(-1)
        users = Users(np.array([thread]), np.array([thread // self._size]))
        values = source.read(chunks.reshape(-1)[kept], users, None, op)
        target.write(flat.reshape(-1)[kept], values, users, None, op)
        self._open[thread] = 1


def _publish(threads: Integers, running: StoringBlocks) -> None:
    """What the lanes of a warp have written counts as written by its first lane."""
    for memory in set(running.memories.values()):
        if memory.shared is not None:
            writers = memory.shared.writers
            known = (writers != NOBODY) & np.isin(writers, threads)
            writers[known] = writers[known] // LANES * LANES
