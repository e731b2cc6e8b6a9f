"""Blocks of a kernel under execution: control flow, scalars and memory of all of their threads at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
from xdsl.dialects import arith, func, gpu, memref, scf, vector
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import BFloat16Type, DenseIntOrFPElementsAttr, FloatAttr, VectorType
from xdsl.ir import Block, Operation, SSAValue

from vtac.analysis.nest import buffer_name
from vtac.dialects import mma, tma, wmma
from vtac.dialects.tma.declared import ROLES
from vtac.dialects.wmma.routines import routine_of
from vtac.evaluate.affine import evaluate_map
from vtac.evaluate.arith import compute
from vtac.evaluate.kernel_bulk import BulkCopies
from vtac.evaluate.kernel_memory import CopyGroups, KernelMemory, Users
from vtac.evaluate.kernel_tiles import TileOperations
from vtac.evaluate.kernel_warpgroups import GroupOperations
from vtac.evaluate.kernel_warps import Fragments, WarpOperations
from vtac.evaluate.numbers import Array, Integers, Mask, dense
from vtac.evaluate.refusals import refused

Extents = tuple[int, int, int]


@dataclass
class Blocks:
    """Blocks under execution: values are arrays over all their threads, or of one element where all agree."""

    numbers: Sequence[int]
    grid: Extents
    block: Extents
    memories: dict[SSAValue, KernelMemory]
    cluster: int = 1
    values: dict[SSAValue, Array] = field(default_factory=dict[SSAValue, Array])
    fragments: dict[SSAValue, Fragments] = field(default_factory=dict[SSAValue, Fragments])
    copies: CopyGroups = field(default_factory=CopyGroups)

    def __post_init__(self) -> None:
        size = prod(self.block)
        self.threads: Integers = np.arange(size * len(self.numbers))
        self.users = Users(self.threads, self.threads // size)
        self.lane_users = Users(self.threads[:, None], self.threads[:, None] // size)
        self.warps = WarpOperations(self.threads.size, size)
        self.tiles = TileOperations(self.warps)
        self.bulk = BulkCopies(self.block, self.cluster)
        self.groups = GroupOperations(self.tiles)

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

    def _scalar(self, op: Operation) -> bool:
        """Operations without effect."""
        if isinstance(op, gpu.BlockIdOp | gpu.ThreadIdOp):
            self.values[op.result] = self._index(op)
        elif isinstance(op, ApplyOp):
            (result,) = evaluate_map(op.map.data, [self._integers(value) for value in op.mapOperands])
            self.values[op.result] = np.atleast_1d(np.asarray(result, np.int64))
        elif isinstance(op, wmma.VariableOp):
            self.values[op.result] = self.values[op.index]
        elif isinstance(op, arith.ConstantOp):
            self.values[op.result] = _constant(op)
        elif op.name.startswith(("arith.", "math.")):
            self.values[op.results[0]] = compute(op, [self.values[value] for value in op.operands], None)
        else:
            return False
        return True

    def _integers(self, value: SSAValue) -> Integers:
        return self.values[value].astype(np.int64, copy=False)

    def _index(self, op: gpu.BlockIdOp | gpu.ThreadIdOp) -> Integers:
        dimension = "xyz".index(f"{op.dimension.data.value}")
        size = prod(self.block)
        if isinstance(op, gpu.ThreadIdOp):
            numbers, extents = self.threads % size, self.block
        else:
            numbers, extents = np.repeat(np.array(self.numbers, np.int64), size), self.grid
        return numbers // prod(extents[:dimension]) % extents[dimension]

    def _memory(self, op: Operation, active: Mask | None) -> bool:
        if isinstance(op, memref.AllocOp):
            self.memories[op.memref] = KernelMemory(op.memref, blocks=len(self.numbers), threads=self.threads.size)
        elif isinstance(op, memref.ReinterpretCastOp):
            self.memories[op.result] = self.memories[op.source]
        elif isinstance(op, memref.LoadOp):
            places = self._places(op.indices)
            self.values[op.res] = self.memories[op.memref].read(places, self.users, active, op)
        elif isinstance(op, memref.StoreOp):
            value, places = self.values[op.value], self._places(op.indices)
            self.memories[op.memref].write(places, value, self.users, active, op)
        elif isinstance(op, vector.LoadOp):
            memory, places = self.memories[op.base], self._lanes(op.base, op.indices, op.result.type, op)
            self.values[op.result] = memory.read(places, self.lane_users, _column(active), op)
        elif isinstance(op, vector.StoreOp):
            memory, places = self.memories[op.base], self._lanes(op.base, op.indices, op.vector.type, op)
            memory.write(places, self.values[op.vector], self.lane_users, _column(active), op)
        else:
            return False
        return True

    def _places(self, indices: Sequence[SSAValue]) -> Integers:
        """Flat places, one per thread."""
        if len(indices) != 1:
            raise refused("memory of kernels is addressed by one flat index: run convert-blocks-to-memory")
        return np.broadcast_to(self.values[indices[0]], self.threads.shape).astype(np.int64)

    def _lanes(self, base: SSAValue, indices: Sequence[SSAValue], kind: object, op: Operation) -> Integers:
        """Flat places of a vector's lanes: (threads, lanes)."""
        if not isinstance(kind, VectorType):
            raise refused("a vector access needs a vector", op)
        (lanes,) = kind.get_shape()
        first = self._places(indices)
        self._refuse_unaligned(first, lanes, base, op)
        return first[:, None] + np.arange(lanes)

    def _refuse_unaligned(self, first: Integers, lanes: int, base: SSAValue, op: Operation) -> None:
        if (first % lanes).any():
            place = int(first[first % lanes != 0][0])
            raise refused(
                f"'{op.name}' of {lanes} elements at element {place} of '{buffer_name(base)}': its place must be a "
                f"multiple of {lanes}",
                op,
            )

    def _warp(self, op: Operation, active: Mask | None) -> bool:
        if isinstance(op, wmma.FragmentsOp):
            self.fragments[op.fragments] = Fragments.declare(op.fragments.type.data, self.warps.warps)
        elif isinstance(op, wmma.FillFragmentOp):
            self.warps.fill(op, self.fragments[op.fragments], self.values[op.index], active)
        elif isinstance(op, wmma.LoadMatrixSyncOp | wmma.StoreMatrixSyncOp):
            operands = (self.fragments[op.fragments], self.values[op.index], self.memories[op.memory])
            if isinstance(op, wmma.LoadMatrixSyncOp):
                self.warps.load(op, *operands, self.values[op.offset], active)
            else:
                self.warps.store(op, *operands, self.values[op.offset], active)
        elif isinstance(op, wmma.MmaSyncOp):
            parts = (self.fragments[op.accumulator], self.fragments[op.a], self.fragments[op.b])
            indices = (self.values[op.accumulator_index], self.values[op.a_index], self.values[op.b_index])
            self.warps.multiply(op, parts, indices, active)
        elif isinstance(op, wmma.MultiplyFragmentOp):
            arrays = (self.fragments[op.fragments], self.fragments[op.factors])
            self.warps.scale(op, arrays, (self.values[op.index], self.values[op.factors_index]), active)
        elif isinstance(op, wmma.MapFragmentOp):
            self.warps.map(op, self.fragments[op.fragments], self.values[op.index], self.values, active)
        else:
            return self._lanes_of_warp(op, active)
        return True

    def _lanes_of_warp(self, op: Operation, active: Mask | None) -> bool:
        """Operations of the mma level."""
        if isinstance(op, mma.TilesOp):
            self.tiles.declare(op)
        elif isinstance(op, mma.FillOp):
            self.tiles.fill(op, self.values[op.index], active)
        elif isinstance(op, mma.LdmatrixOp):
            memory = self.memories[op.memory]
            self.tiles.load(op, self.values[op.index], memory, self.values[op.offset], active)
        elif isinstance(op, mma.SyncOp):
            indices = (self.values[op.accumulator_index], self.values[op.a_index], self.values[op.b_index])
            self.tiles.multiply(op, indices, active)
        elif isinstance(op, mma.ExtractOp):
            self.values[op.result] = self.tiles.extract(op, self.values[op.index], active)
        elif isinstance(op, mma.InsertOp):
            self.tiles.insert(op, self.values[op.index], self.values[op.value], active)
        elif isinstance(op, mma.PackOp):
            self.tiles.pack(op, (self.values[op.first], self.values[op.second], self.values[op.index]), active)
        elif isinstance(op, mma.ShuffleXorOp):
            self.values[op.result] = self.tiles.shuffled(op, self.values[op.value], active)
        elif isinstance(op, mma.LoadPairOp | mma.StorePairOp):
            self._pair(op, active)
        elif isinstance(op, mma.StmatrixOp):
            values = [self.values[value] for value in op.values]
            self.tiles.store(op, values, self.memories[op.memory], self.values[op.offset], active)
        else:
            return self.groups.execute(op, self.values, self.memories, active)
        return True

    def _pair(self, op: mma.LoadPairOp | mma.StorePairOp, active: Mask | None) -> None:
        memory, first = self.memories[op.memory], self._places([op.offset])
        self._refuse_unaligned(first, 2, op.memory, op)
        places = first[:, None] + np.arange(2)
        if isinstance(op, mma.LoadPairOp):
            found = memory.read(places, self.lane_users, _column(active), op)
            self.values[op.first], self.values[op.second] = found[:, 0], found[:, 1]
            return
        shape = (self.threads.size,)
        pair = [np.broadcast_to(self.values[value], shape) for value in (op.first, op.second)]
        memory.write(places, np.stack(pair, axis=1), self.lane_users, _column(active), op)

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
        self.copies.begin(target.begin_copy(places, values, self.lane_users, _column(active), op))


def _column(active: Mask | None) -> Mask | None:
    return None if active is None else active.reshape(-1, 1)


def _constant(op: arith.ConstantOp) -> Array:
    value = op.value
    if isinstance(value, DenseIntOrFPElementsAttr):
        kind = op.result.type
        if isinstance(kind, VectorType):
            return dense(value, kind.get_shape()).reshape(1, -1)
    if isinstance(value, FloatAttr) and isinstance(value.type, BFloat16Type):
        return np.array([value.value.data], np.float32)
    return compute(op, [], None)
