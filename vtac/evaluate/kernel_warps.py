"""Operations of warps: fragments as whole matrices, one per warp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from xdsl.ir import Attribute, Operation, SSAValue

from vtac.dialects import wmma
from vtac.dialects.gpu_hardware import WARP_SIZE
from vtac.dialects.wmma.attributes import Fragment
from vtac.evaluate.arith import evaluate_body
from vtac.evaluate.kernel_memory import KernelMemory, Users
from vtac.evaluate.numbers import Array, Integers, Mask, number
from vtac.evaluate.refusals import refused

REGISTER_DTYPES = {
    "f16": "float16",
    "bf16": "float32",
    "tf32": "float32",
    "f32": "float32",
    "s8": "int8",
    "u8": "uint8",
    "s32": "int32",
}
"""What numpy holds elements in registers in; bfloat16 as float32, whose upper half it is."""
_TILE_BYTES = 32
_PITCH_BYTES = 16


@dataclass
class Fragments:
    """An array of fragments of every warp: (warps, count, rows, columns), and which hold values."""

    record: Fragment
    data: Array
    defined: Mask

    @staticmethod
    def declare(record: Fragment, warps: int) -> Fragments:
        """Fragments that hold nothing yet."""
        shape = (warps, record.count, record.rows, record.columns)
        return Fragments(record, np.zeros(shape, REGISTER_DTYPES[record.element]), np.zeros(shape[:2], np.bool_))


@dataclass
class WarpOperations:
    """Executes wmma operations for all warps that are active, of the blocks under execution together."""

    threads: int
    block_threads: int

    @property
    def warps(self) -> int:
        return self.threads // WARP_SIZE

    def active_warps(self, active: Mask | None, op: Operation) -> Integers:
        """Numbers of the warps that take part: with all of their lanes, or not at all.

        Raises `EvaluationError` for a part of one.
        """
        if self.block_threads % WARP_SIZE:
            raise refused(f"'{op.name}' in a block of {self.block_threads} threads: whole warps are required", op)
        if active is None:
            return np.arange(self.warps)
        lanes = np.broadcast_to(active, self.threads).reshape(self.warps, WARP_SIZE)
        if (lanes.any(axis=1) != lanes.all(axis=1)).any():
            raise refused(f"'{op.name}' is met by a part of a warp's lanes only", op)
        return np.flatnonzero(lanes.all(axis=1))

    def uniform(self, value: Array, warps: Integers, op: Operation) -> Integers:
        """A value that all lanes of a warp agree on, one per active warp.

        Raises `EvaluationError` where they differ.
        """
        lanes = np.broadcast_to(value, self.threads).reshape(self.warps, WARP_SIZE)[warps]
        if (lanes != lanes[:, :1]).any():
            raise refused(f"lanes of one warp pass different operands to '{op.name}'", op)
        return lanes[:, 0].astype(np.int64)

    def pick(self, fragments: Fragments, index: Array, warps: Integers, op: Operation) -> Integers:
        """The fragment's index in each warp's array. Raises `EvaluationError` for one outside."""
        chosen = self.uniform(index, warps, op)
        count = fragments.record.count
        if chosen.size and (chosen.min() < 0 or chosen.max() >= count):
            raise refused(f"'{op.name}' names fragment {int(chosen.max())} of an array of {count}", op)
        return chosen

    def fill(self, op: wmma.FillFragmentOp, fragments: Fragments, index: Array, active: Mask | None) -> None:
        warps = self.active_warps(active, op)
        chosen = self.pick(fragments, index, warps, op)
        value: Attribute = op.value
        fragments.data[warps, chosen] = number(value)[0]
        fragments.defined[warps, chosen] = True

    def load(
        self,
        op: wmma.LoadMatrixSyncOp,
        fragments: Fragments,
        index: Array,
        memory: KernelMemory,
        offset: Array,
        active: Mask | None,
    ) -> None:
        warps = self.active_warps(active, op)
        chosen = self.pick(fragments, index, warps, op)
        record = fragments.record
        places = self._places(op, record, record.layout == "col_major", memory, self.uniform(offset, warps, op))
        values = memory.read(places, self._users(warps), None, op)
        if record.element == "tf32":
            values = rounded_to_tf32(values)
        fragments.data[warps, chosen] = values
        fragments.defined[warps, chosen] = True

    def store(
        self,
        op: wmma.StoreMatrixSyncOp,
        fragments: Fragments,
        index: Array,
        memory: KernelMemory,
        offset: Array,
        active: Mask | None,
    ) -> None:
        warps = self.active_warps(active, op)
        chosen = self.pick(fragments, index, warps, op)
        places = self._places(op, fragments.record, False, memory, self.uniform(offset, warps, op))
        memory.write(places, self._values(fragments, warps, chosen, op), self._users(warps), None, op)

    def multiply(
        self,
        op: wmma.MmaSyncOp,
        operands: tuple[Fragments, Fragments, Fragments],
        indices: tuple[Array, Array, Array],
        active: Mask | None,
    ) -> None:
        warps = self.active_warps(active, op)
        accumulator, a, b = operands
        places = [self.pick(part, index, warps, op) for part, index in zip(operands, indices, strict=True)]
        wide = np.int32 if accumulator.data.dtype.kind == "i" else np.float32
        left = self._values(a, warps, places[1], op).astype(wide)
        right = self._values(b, warps, places[2], op).astype(wide)
        total = self._values(accumulator, warps, places[0], op).astype(wide) + left @ right
        accumulator.data[warps, places[0]] = total.astype(accumulator.data.dtype)

    def scale(
        self,
        op: wmma.MultiplyFragmentOp,
        arrays: tuple[Fragments, Fragments],
        indices: tuple[Array, Array],
        active: Mask | None,
    ) -> None:
        warps = self.active_warps(active, op)
        own, factors = (self.pick(array, index, warps, op) for array, index in zip(arrays, indices, strict=True))
        values = self._values(arrays[0], warps, own, op), self._values(arrays[1], warps, factors, op)
        arrays[0].data[warps, own] = np.multiply(*values)

    def map(
        self,
        op: wmma.MapFragmentOp,
        fragments: Fragments,
        index: Array,
        outer: Mapping[SSAValue, Array],
        active: Mask | None,
    ) -> None:
        warps = self.active_warps(active, op)
        chosen = self.pick(fragments, index, warps, op)
        values = self._values(fragments, warps, chosen, op)
        uniform = {value: array for value, array in outer.items() if array.size == 1}
        (result,) = evaluate_body(op.body.block, [values.reshape(-1)], uniform, None)
        fragments.data[warps, chosen] = np.broadcast_to(result, values.size).reshape(values.shape)

    def _values(self, fragments: Fragments, warps: Integers, chosen: Integers, op: Operation) -> Array:
        if not fragments.defined[warps, chosen].all():
            raise refused(f"'{op.name}' uses a fragment that was neither filled nor loaded", op)
        return fragments.data[warps, chosen]

    def _users(self, warps: Integers) -> Users:
        """Warps as users of memory, their names distinct from every thread's."""
        numbers = warps.reshape(-1, 1, 1)
        return Users(self.threads + numbers, numbers * WARP_SIZE // self.block_threads)

    def _places(
        self,
        op: wmma.LoadMatrixSyncOp | wmma.StoreMatrixSyncOp,
        record: Fragment,
        by_column: bool,
        memory: KernelMemory,
        offsets: Integers,
    ) -> Integers:
        """Where each element of each warp's tile lies: (warps, rows, columns)."""
        leading, width = op.leading.value.data, memory.data.dtype.itemsize
        if leading * width % _PITCH_BYTES:
            raise refused(f"'{op.name}': a pitch of {leading} elements is no multiple of 16 bytes", op)
        if (offsets * width % _TILE_BYTES).any():
            raise refused(
                f"'{op.name}': a tile at element {int(offsets[0])} of '{memory.name}' does not start at a multiple of "
                "32 bytes",
                op,
            )
        rows, columns = np.arange(record.rows)[:, None], np.arange(record.columns)[None, :]
        tile = columns * leading + rows if by_column else rows * leading + columns
        return offsets[:, None, None] + tile


def rounded_to_tf32(values: Array) -> Array:
    """The nearest numbers with 10 bits of mantissa; those in the middle away from zero, as CUDA rounds."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + np.uint32(0x1000)) & np.uint32(0xFFFFE000)).view(np.float32)


def cut_to_tf32(values: Array) -> Array:
    """Numbers without the 13 lowest bits of their mantissa, as tensor cores read them."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return (bits & np.uint32(0xFFFFE000)).view(np.float32)
