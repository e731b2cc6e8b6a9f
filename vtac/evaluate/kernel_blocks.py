"""Blocks of a kernel under execution: control flow of all of their threads at once, and what orders them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from xdsl.dialects import func, gpu, scf
from xdsl.ir import Block, Operation

from vtac.dialects import tma, wmma
from vtac.dialects.frontend_scf import UNSIGNED
from vtac.dialects.tma.declared import ROLES
from vtac.dialects.wmma.routines import routine_of
from vtac.evaluate.kernel_bulk import BulkCopies
from vtac.evaluate.kernel_memory import CopyGroups
from vtac.evaluate.kernel_threads import column
from vtac.evaluate.kernel_warp_threads import WarpThreads
from vtac.evaluate.numbers import Array, Mask
from vtac.evaluate.refusals import refused


@dataclass
class Blocks(WarpThreads):
    """Blocks under execution: which of their threads execute what, how they meet, and copies that are under way."""

    copies: CopyGroups = field(default_factory=CopyGroups)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.bulk = BulkCopies(self.block, self.cluster)

    def run(self, body: Block, active: Mask | None = None) -> None:
        """Execute every operation of a body for the active threads.

        Raises `EvaluationError` at the first that breaks a rule.
        """
        for op in body.ops:
            if isinstance(op, scf.ForOp):
                self._loop(op, active)
            elif isinstance(op, scf.IfOp) and ROLES.is_on(op):
                self._roles(op, active)
            elif isinstance(op, scf.IfOp):
                self._choice(op, active)
            elif isinstance(op, wmma.CallOp):
                self._call(op, active)
            elif not (
                self._scalar(op)
                or self._memory(op, active)
                or self._warp(op, active)
                or self._order(op, active)
                or self.bulk.execute(op, self, active)
            ):
                raise refused(f"cannot execute '{op.name}' in a kernel", op)

    def _loop(self, op: scf.ForOp, active: Mask | None) -> None:
        if UNSIGNED in op.properties:
            raise refused("a loop of a kernel compares signed numbers: write it without 'unsigned'", op)
        bounds = [self.values[value] for value in (op.lb, op.ub, op.step)]
        if any(bound.size != 1 for bound in bounds):
            raise refused("threads of a block disagree about the bounds of a loop", op)
        variable, *arguments = op.body.block.args
        carried = [self.values[value] for value in op.iter_args]
        for iteration in range(*(int(bound[0]) for bound in bounds)):
            self.values[variable] = np.array([iteration])
            self.values.update(zip(arguments, carried, strict=True))
            self.run(op.body.block, active)
            last = op.body.block.last_op
            carried = [self.values[value] for value in last.operands] if last is not None else []
        self.values.update(zip(op.results, carried, strict=True))

    def _call(self, op: wmma.CallOp, active: Mask | None) -> None:
        routine = routine_of(op)
        body = routine.body.block
        for argument, value, extent in zip(body.args, op.arguments, routine.extents.get_values(), strict=True):
            given = np.broadcast_to(self._integers(value), self.threads.shape)
            outside = given[active if active is not None else slice(None)]
            outside = outside[(outside < 0) | (outside >= extent)]
            if outside.size:
                raise refused(f"a routine is called with {outside[0]} for an index from 0 to below {extent}", op)
            self.values[argument] = self.values[value]
        self.run(body, active)

    def _choice(self, op: scf.IfOp, active: Mask | None) -> None:
        condition = self.values[op.cond].astype(np.bool_)
        branches: list[tuple[Mask, list[Array] | None]] = []
        for region, taken in ((op.true_region, condition), (op.false_region, ~condition)):
            mask = taken if active is None else taken & active
            results: list[Array] | None = None
            if region.blocks and mask.any():
                self.run(region.block, None if mask.all() and active is None else mask)
                last = region.block.last_op
                results = [self.values[value] for value in last.operands] if last is not None else []
            branches.append((taken, results))
        (taken, first), (_, second) = branches
        for position, result in enumerate(op.results):
            chosen = [values[position] for values in (first, second) if values is not None]
            if len(chosen) == 2:
                where = taken.reshape(-1, *(1,) * (max(value.ndim for value in chosen) - 1))
                self.values[result] = np.where(where, *chosen)
            elif chosen:
                self.values[result] = chosen[0]

    def _roles(self, op: scf.IfOp, active: Mask | None) -> None:
        """Both branches at the same time, each by its threads."""
        condition = np.broadcast_to(self.values[op.cond].astype(np.bool_), self.threads.shape)
        masks = [one if active is None else one & active for one in (condition, ~condition)]
        consumers, producers = op.true_region.block, op.false_region.block
        self.bulk.in_turns(lambda: self.run(consumers, masks[0]), lambda: self.run(producers, masks[1]))

    def _order(self, op: Operation, active: Mask | None) -> bool:
        """Barriers and asynchronous copies."""
        if isinstance(op, wmma.AsyncCopyOp):
            self._begin_copy(op, active)
        elif isinstance(op, gpu.BarrierOp):
            passing = self._whole_blocks(op, active)
            for memory in self.memories.values():
                memory.pass_barrier(passing)
        elif isinstance(op, tma.ClusterArriveOp | tma.ClusterWaitOp):
            self._meet(op, active)
        elif isinstance(op, wmma.AsyncCommitOp | wmma.AsyncWaitOp):
            if active is not None and not active.all():
                raise refused(f"'{op.name}' is met by a part of the threads only", op)
            if isinstance(op, wmma.AsyncCommitOp):
                self.copies.commit()
            else:
                self.copies.wait(op.pending.value.data)
        elif not isinstance(op, func.ReturnOp | scf.YieldOp | wmma.RoutineOp):
            return False
        return True

    def _meet(self, op: tma.ClusterArriveOp | tma.ClusterWaitOp, active: Mask | None) -> None:
        """All threads of clusters arrive, or wait for each other."""
        passing = self._whole_blocks(op, active)
        if not passing.all():
            raise refused(f"'{op.name}' is met by a part of a cluster's blocks only", op)
        self.bulk.meet(op)
        if isinstance(op, tma.ClusterWaitOp):
            for memory in self.memories.values():
                memory.pass_barrier(passing)

    def _whole_blocks(self, op: Operation, active: Mask | None) -> Mask:
        """Which blocks meet an op, each with all of its threads."""
        threads = np.broadcast_to(True if active is None else active, self.threads.shape)
        by_block = threads.reshape(len(self.numbers), -1)
        if (by_block.any(axis=1) != by_block.all(axis=1)).any():
            raise refused(f"'{op.name}' is met by a part of a block's threads only", op)
        return np.asarray(by_block.all(axis=1))

    def _begin_copy(self, op: wmma.AsyncCopyOp, active: Mask | None) -> None:
        count = op.elements.value.data
        target, source = self.memories[op.target], self.memories[op.source]
        to, start = self._places([op.target_offset]), self._places([op.source_offset])
        self._refuse_unaligned(to, count, op.target, op)
        present = np.ones(1, np.bool_) if op.present is None else self.values[op.present].astype(np.bool_)
        reads = present if active is None else present & active
        self._refuse_unaligned(np.where(reads, start, 0), count, op.source, op)
        lanes = np.arange(count)
        places, origins = to[:, None] + lanes, start[:, None] + lanes
        source.read(origins, self.lane_users, reads.reshape(-1, 1), op)
        raw = source.raw(origins)
        values = np.where(np.broadcast_to(present.reshape(-1, 1), raw.shape), raw, np.zeros(1, raw.dtype))
        self.copies.begin(target.begin_copy(places, values, self.lane_users, column(active), op))
