"""Threads of a kernel under execution in warps, which have fragments and tiles in registers."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np
from xdsl.ir import Operation, SSAValue

from vtac.dialects import mma, wmma
from vtac.evaluate.kernel_threads import Threads, column
from vtac.evaluate.kernel_tiles import TileOperations
from vtac.evaluate.kernel_warpgroups import GroupOperations
from vtac.evaluate.kernel_warps import Fragments, WarpOperations
from vtac.evaluate.numbers import Mask


@dataclass
class WarpThreads(Threads):
    """Threads whose warps multiply: on fragments, on tiles of single lanes, and as groups of four warps."""

    fragments: dict[SSAValue, Fragments] = field(default_factory=dict[SSAValue, Fragments])

    def __post_init__(self) -> None:
        super().__post_init__()
        self.warps = WarpOperations(self.threads.size, prod(self.block))
        self.tiles = TileOperations(self.warps)
        self.groups = GroupOperations(self.tiles)

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
            found = memory.read(places, self.lane_users, column(active), op)
            self.values[op.first], self.values[op.second] = found[:, 0], found[:, 1]
            return
        shape = (self.threads.size,)
        pair = [np.broadcast_to(self.values[value], shape) for value in (op.first, op.second)]
        memory.write(places, np.stack(pair, axis=1), self.lane_users, column(active), op)
