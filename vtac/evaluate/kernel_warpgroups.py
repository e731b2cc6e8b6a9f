"""Operations of the wgmma level: products of four warps that read shared memory by descriptors, and finish later."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from xdsl.ir import Operation, SSAValue

from vtac.analysis.kernels.shared_matrices import layout_of
from vtac.dialects import wgmma
from vtac.dialects.gpu_hardware import ELEMENT_BYTES, WARP_SIZE
from vtac.dialects.mma.declared import PLACED
from vtac.dialects.mma.shared_layouts import CHUNK
from vtac.dialects.wgmma.layouts import COLUMNS, DEPTH_BYTES, WARP_ROWS, WARPS
from vtac.dialects.wgmma.matrices import SharedMatrix
from vtac.dialects.wgmma.ops import matrix_of
from vtac.evaluate.kernel_memory import KernelMemory, Users
from vtac.evaluate.kernel_tiles import LaneTiles, TileOperations
from vtac.evaluate.numbers import Array, Integers, Mask
from vtac.evaluate.refusals import refused

_TF32_BITS = np.uint32(0xFFFFE000)


@dataclass(frozen=True)
class Matrix:
    """A matrix in shared memory from an element on, by thread; `pitch`, in elements, where rows are plain still."""

    record: SharedMatrix
    memory: KernelMemory
    offset: Array
    pitch: int | None


@dataclass(frozen=True)
class Pending:
    """A product under way: what to read again when it is waited for, and what was read when it began."""

    op: wgmma.MmaAsyncOp
    tiles: LaneTiles
    chosen: Integers
    warps: Integers
    reads: tuple[tuple[KernelMemory, Integers, Users, Array], ...]


@dataclass
class GroupOperations:
    """Executes operations of warpgroups for all active warps of the blocks under execution."""

    tiles: TileOperations
    matrices: dict[SSAValue, Matrix] = field(default_factory=dict[SSAValue, Matrix])
    begun: list[Pending] = field(default_factory=list[Pending])
    groups: list[list[Pending]] = field(default_factory=list[list[Pending]])
    fenced: bool = False

    def execute(
        self,
        op: Operation,
        values: dict[SSAValue, Array],
        memories: dict[SSAValue, KernelMemory],
        active: Mask | None,
    ) -> bool:
        """Do what an operation of the wgmma level says; whether it is one."""
        if isinstance(op, wgmma.DescriptorOp):
            self._name(op, memories[op.memory], values[op.offset])
        elif isinstance(op, wgmma.MmaAsyncOp):
            self._begin(op, values[op.index], active)
        elif isinstance(op, wgmma.WaitGroupOp):
            self._wait(op.pending.value.data)
        elif isinstance(op, wgmma.CommitGroupOp):
            self.groups.append(self.begun)
            self.begun = []
        elif isinstance(op, wgmma.FenceOp):
            self.fenced = True
        elif not isinstance(op, wgmma.FenceProxyAsyncOp):
            return False
        return True

    def _name(self, op: wgmma.DescriptorOp, memory: KernelMemory, offset: Array) -> None:
        layout, owner = layout_of(op.memory), op.memory.owner
        record = matrix_of(op.descriptor)
        is_placed = layout is None or (isinstance(owner, Operation) and PLACED.is_on(owner))
        pitch = None if is_placed or layout is None else layout.pitch // ELEMENT_BYTES[record.element]
        self.matrices[op.descriptor] = Matrix(record, memory, offset, pitch)

    def _begin(self, op: wgmma.MmaAsyncOp, index: Array, active: Mask | None) -> None:
        warps = self.tiles.warps.active_warps(active, op)
        self._check_groups(warps, op)
        if not self.fenced:
            raise refused(f"'{op.name}' without a wgmma.fence before the first one", op)
        tiles = self.tiles.tiles[op.accumulator]
        first = self.tiles.warps.uniform(index, warps, op)
        chosen = first[:, None] + np.arange(op.count)
        if chosen.size and chosen.max() >= tiles.record.count:
            raise refused(f"'{op.name}' names tile {int(chosen.max())} of an array of {tiles.record.count}", op)
        where = (warps[:, None], chosen)
        if not (tiles.defined[where] | tiles.pending[where]).all():
            raise refused(f"'{op.name}' adds to sums that nothing has started", op)
        left = self._read(op, op.a, warps, WARP_ROWS, warps % WARPS * WARP_ROWS)
        right = self._read(op, op.b, warps, op.n.value.data, np.zeros_like(warps))
        tiles.data[where] = self._added(tiles, where, left[-1], right[-1])
        tiles.defined[where] = False
        tiles.pending[where] = True
        self.begun.append(Pending(op, tiles, chosen, warps, (left, right)))

    def _check_groups(self, warps: Integers, op: Operation) -> None:
        groups, counts = np.unique(warps // WARPS, return_counts=True)
        if groups.size and (counts != WARPS).any():
            raise refused(f"'{op.name}' is met by {int(counts.min())} of the four warps of a group", op)

    def _added(self, tiles: LaneTiles, where: tuple[Integers, Integers], left: Array, right: Array) -> Array:
        """The sums of each lane, with the products of 16 rows and n columns added."""
        wide = np.int32 if tiles.data.dtype.kind == "i" else np.float32
        products = left.astype(wide) @ right.astype(wide).swapaxes(-1, -2)
        parts = products.reshape(*products.shape[:-1], -1, COLUMNS).swapaxes(1, 2)
        places = np.array(tiles.record.layout.places, np.int64)
        of_lanes = parts[..., places[..., 0], places[..., 1]]
        return (tiles.data[where].astype(wide) + of_lanes).astype(tiles.data.dtype)

    def _read(
        self, op: wgmma.MmaAsyncOp, descriptor: SSAValue, warps: Integers, rows: int, first: Integers
    ) -> tuple[KernelMemory, Integers, Users, Array]:
        """Rows of an operand for each warp, by 32 bytes of k: (warps, rows, k), and how to read them again."""
        matrix = self.matrices[descriptor]
        starts = self.tiles.warps.uniform(matrix.offset, warps, op)
        width = ELEMENT_BYTES[matrix.record.element]
        if matrix.pitch is None:
            self._check_start(op, matrix, starts * width)
        table = _places(matrix.record, int(first.max(initial=0)) + rows, matrix.pitch)
        own = table[first[:, None] + np.arange(rows)] + starts[:, None, None] * width
        if matrix.pitch is None and matrix.record.swizzle:
            own = own ^ (own >> 7 & (matrix.record.swizzle // CHUNK - 1)) * CHUNK
        block_warps = self.tiles.warps.block_threads // WARP_SIZE
        numbers = warps.reshape(-1, 1, 1)
        users = Users(self.tiles.warps.threads + numbers, numbers // block_warps)
        places = own // width
        return matrix.memory, places, users, _converted(matrix.memory.read(places, users, None, op), matrix.record)

    def _check_start(self, op: Operation, matrix: Matrix, starts: Integers) -> None:
        rows = starts % matrix.record.alignment // max(matrix.record.swizzle, CHUNK)
        if rows.any() or (starts % CHUNK).any():
            raise refused(
                f"'{op.name}' reads a matrix from byte {int(starts[0])} of '{matrix.memory.name}' on; it begins in the "
                f"first of 8 rows, so at a multiple of {matrix.record.alignment}",
                op,
            )

    def _wait(self, pending: int) -> None:
        done = max(len(self.groups) - pending, 0)
        for one in [one for group in self.groups[:done] for one in group]:
            for memory, places, users, before in one.reads:
                now = memory.read(places, users, None, one.op)
                if not np.array_equal(_converted(now, matrix_of(one.op.a)), before, equal_nan=now.dtype.kind == "f"):
                    raise refused(f"'{memory.name}' was written while '{one.op.name}' was under way", one.op)
        self.groups = self.groups[done:]
        open_products = [*(one for group in self.groups for one in group), *self.begun]
        for tiles in self.tiles.tiles.values():
            tiles.defined |= tiles.pending
        for one in open_products:
            one.tiles.defined[one.warps[:, None], one.chosen] = False
        for tiles in self.tiles.tiles.values():
            tiles.pending &= ~tiles.defined


@cache
def _places(record: SharedMatrix, rows: int, pitch: int | None) -> Integers:
    """Bytes from a matrix's start to its elements: (rows, k); in plain rows of a pitch, or as a descriptor says."""
    width = ELEMENT_BYTES[record.element]
    row, k = np.arange(rows)[:, None], np.arange(DEPTH_BYTES // width)[None, :]
    if pitch is not None:
        return np.asarray((row * pitch + k if record.major == "k_major" else k * pitch + row) * width)
    found = [[record.place(one, other) for other in range(k.size)] for one in range(rows)]
    return np.array(found, np.int64)


def _converted(values: Array, record: SharedMatrix) -> Array:
    """Elements as products take them: bytes without a sign, and floats without the bits that tf32 lacks."""
    if record.element == "u8":
        return values.view(np.uint8)
    if record.element == "tf32":
        return (np.ascontiguousarray(values, np.float32).view(np.uint32) & _TF32_BITS).view(np.float32)
    return values
