"""Threads of a kernel under execution: what each computes for itself, and what it reads and writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
from xdsl.dialects import arith, gpu, memref, vector
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import BFloat16Type, DenseIntOrFPElementsAttr, FloatAttr, VectorType
from xdsl.ir import Operation, SSAValue

from vtac.analysis.nests.nest import buffer_name
from vtac.dialects import wmma
from vtac.evaluate.affine import evaluate_map
from vtac.evaluate.arith import compute
from vtac.evaluate.kernel_memory import KernelMemory, Users
from vtac.evaluate.numbers import Array, Integers, Mask, dense
from vtac.evaluate.refusals import refused

Extents = tuple[int, int, int]


@dataclass
class Threads:
    """Threads of blocks under execution: values are arrays over all of them, or of one element where all agree."""

    numbers: Sequence[int]
    grid: Extents
    block: Extents
    memories: dict[SSAValue, KernelMemory]
    cluster: int = 1
    values: dict[SSAValue, Array] = field(default_factory=dict[SSAValue, Array])

    def __post_init__(self) -> None:
        size = prod(self.block)
        self.threads: Integers = np.arange(size * len(self.numbers))
        self.users = Users(self.threads, self.threads // size)
        self.lane_users = Users(self.threads[:, None], self.threads[:, None] // size)

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
            self.values[op.result] = memory.read(places, self.lane_users, column(active), op)
        elif isinstance(op, vector.StoreOp):
            memory, places = self.memories[op.base], self._lanes(op.base, op.indices, op.vector.type, op)
            memory.write(places, self.values[op.vector], self.lane_users, column(active), op)
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


def column(active: Mask | None) -> Mask | None:
    """A mask of threads, to be spread over what each of them accesses."""
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
