"""What the kernels of an attention have in common: blocks and warps, copies to shared memory, which scores count."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import inf, prod
from typing import cast

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import AnyFloat, f32
from xdsl.dialects.utils.fast_math import FastMathFlag
from xdsl.ir import SSAValue

from vtac.analysis.attention.attention_tiles import PITCH, AttentionTiling
from vtac.analysis.expressions.affine_expressions import from_affine
from vtac.analysis.expressions.linear import ZERO, Linear
from vtac.analysis.kernels.alignment import lane_step, multiple_of
from vtac.analysis.nests.nest import element_type_of, strides_of
from vtac.analysis.nests.tiles import strided_index
from vtac.dialects.gpu_hardware import ELEMENT_BYTES, WARP_SIZE
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.wmma.attention import AttentionOp
from vtac.rewriting.kernel_writer import KernelWriter

LEAST = -3.4028234663852886e38
"""The least number of f32: the largest score before there is one, from which minus infinity is infinitely far."""
_VECTOR_BYTES = 16


@dataclass
class Memory:
    """An operand or the result: its buffer as one dimension, and the place of (batch, row, column) in it."""

    flat: SSAValue
    indices: Sequence[Linear]
    strides: Sequence[int]
    extents: dict[Hashable, int]

    def place(self, coordinates: Sequence[Linear], extents: dict[Hashable, int]) -> Linear:
        """A coordinate of extent 1 counts as 0: a tile steps through it, but loads nothing from beyond."""
        offset = strided_index(self.indices, self.strides)
        inside: dict[Hashable, Linear] = {
            dim: ZERO if self.extents[dim] == 1 else one for dim, one in enumerate(coordinates)
        }
        return offset.substitute(inside, extents)

    @property
    def element(self) -> AnyFloat:
        return cast("AnyFloat", element_type_of(self.flat))

    def lanes(self, rank: int) -> int:
        """Neighbours along the last coordinate that can be moved as one; 1 where they lie apart or unaligned."""
        most = _VECTOR_BYTES // ELEMENT_BYTES[str(self.element)]
        if self.extents[rank - 1] % most:
            return 1
        piece, lane = Linear.variable("piece") * most, Linear.variable("lane")
        extents = {**self.extents, "piece": self.extents[rank - 1] // most, "lane": most}
        coordinates = [Linear.variable(dim) for dim in range(rank - 1)]
        offset = self.place([*coordinates, piece + lane], extents)
        first = offset.substitute({"lane": ZERO}, extents)
        return most if lane_step(offset, "lane", extents) == 1 and multiple_of(first, extents) % most == 0 else 1


@dataclass
class Tile:
    """A matrix in shared memory, its rows `pitch` elements apart."""

    memory: SSAValue
    pitch: int

    def place(self, row: Linear, column: Linear) -> Linear:
        return row * self.pitch + column


def memories_of(writer: KernelWriter, op: AttentionOp, buffers: Sequence[SSAValue]) -> list[Memory]:
    """The buffers of an operation's operands, and last of its result, with where they have their elements."""
    memories: list[Memory] = []
    for buffer, (_, access, sizes) in zip(buffers, op.accesses(), strict=True):
        extents: dict[Hashable, int] = dict(enumerate(sizes))
        dims = [Linear.variable(dim) for dim in range(len(sizes))]
        indices = [from_affine(one, dims, [], extents) for one in access.results]
        memories.append(Memory(writer.flat(buffer), indices, strides_of(buffer), extents))
    return memories


def joined_extents(op: AttentionOp, heads: Sequence[int]) -> tuple[int, int, int, int]:
    """Rows, keys, features and columns, where heads of queries lie below each other as rows of one."""
    rows, keys, features, columns = op.extents
    return prod(op.batch[at] for at in heads) * rows, keys, features, columns


class AttentionWriter(ABC):
    """Writes the kernel of one operation; `buffers` are those of its operands, and last of its result."""

    query_tile: Tile

    def __init__(
        self,
        writer: KernelWriter,
        op: AttentionOp,
        buffers: Sequence[SSAValue],
        tiling: AttentionTiling,
        heads: Sequence[int] = (),
    ) -> None:
        self.writer = writer
        self.op = op
        self.tiling = tiling
        self.heads = heads
        self.rows, self.keys, self.features, self.columns = joined_extents(op, heads)
        self.rank = len(op.batch) + 2
        self.query, self.key, self.value, *masks, self.result = memories_of(writer, op, buffers)
        self.mask = masks[0] if masks else None

    def write(self) -> None:
        """The whole kernel."""
        writer, tiling = self.writer, self.tiling
        others = [1 if at in self.heads else extent for at, extent in enumerate(self.op.batch)]
        blocks, products = -(-self.rows // tiling.rows), prod(others)
        with (
            writer.loop(blocks, "block_x", LoopKind.BLOCK_X) as block,
            writer.loop(products, "block_y", LoopKind.BLOCK_Y) as number,
            writer.loop(tiling.warps, "warp", LoopKind.THREAD_Y) as self.warp,
            writer.loop(WARP_SIZE, "lane", LoopKind.THREAD_X) as self.lane,
        ):
            self.first_row = block * tiling.rows
            self.batch = _apart(number, others, writer.extents)
            self._declare()
            self._copy(self.query, self.query_tile, self.first_row, self.rows, (tiling.rows, self.features))
            self._start()
            with writer.loop(-(-self.keys // tiling.keys), "step") as step:
                self._take(step * tiling.keys)
            self._finish()

    def _take(self, first_key: Linear) -> None:
        """One iteration of the loop over steps."""
        with self.writer.when(*self._counting(first_key)):
            self._step(first_key)

    def _counting(self, first_key: Linear) -> list[Linear]:
        """What is 0 or more where one of a step's keys counts for a row of the block."""
        diagonal = self.op.diagonal
        last = Linear(self.op.extents[0] - 1) if self.heads else self.first_row + (self.tiling.rows - 1)
        return [] if diagonal is None else [last + diagonal.value.data - first_key]

    @abstractmethod
    def _declare(self) -> None:
        """Shared memory and registers."""

    @abstractmethod
    def _start(self) -> None:
        """What is done before the first step."""

    @abstractmethod
    def _step(self, first_key: Linear) -> None:
        """What some keys add."""

    @abstractmethod
    def _finish(self) -> None:
        """sums / total, to the result."""

    def _tile(self, name: str, shape: tuple[int, int], kind: AnyFloat, padding: int = PITCH) -> Tile:
        pitch = shape[1] + padding
        return Tile(self.writer.buffer(name, shape, kind, "shared", pitch), pitch)

    def _copy(self, source: Memory, tile: Tile, first: Linear, limit: int, shape: tuple[int, int]) -> None:
        """Rows of a matrix from one on to shared memory; zeros beyond the last."""
        writer, (rows, columns) = self.writer, shape
        lanes = source.lanes(self.rank)
        pieces, threads = rows * columns // lanes, self.tiling.threads
        with writer.loop(-(-pieces // threads), "piece") as piece:
            number = piece * threads + self._thread
            with writer.when(Linear(pieces - 1) - number):
                row = number.floor_divide(columns // lanes, writer.extents)
                column = number.modulo(columns // lanes, writer.extents) * lanes
                of_row = self._of_row(first + row) if source is self.query else [*self.batch, first + row]
                place = source.place([*of_row, column], writer.extents)
                inside = writer.holds(Linear(limit - 1) - first - row)
                found = writer.chosen(
                    inside,
                    lambda: writer.load(source.flat, place, lanes),
                    lambda: writer.zeros(source.element, lanes),
                )
                writer.store(found, tile.memory, tile.place(row, column))

    def _of_row(self, row: Linear) -> list[Linear]:
        """The indices of the batch, and the row of its head, that a row of a block's tile is."""
        if not self.heads:
            return [*self.batch, row]
        rows, extents = self.op.extents[0], self.writer.extents
        found = list(self.batch)
        sizes = [self.op.batch[at] for at in self.heads]
        for at, index in zip(self.heads, _apart(row.floor_divide(rows, extents), sizes, extents), strict=True):
            found[at] = index
        return [*found, row.modulo(rows, extents)]

    @property
    def _thread(self) -> Linear:
        return self.warp * WARP_SIZE + self.lane

    def _counted(self, score: SSAValue, row: Linear, key: Linear) -> SSAValue:
        """scale * score + mask; minus infinity where there is no such key, or it does not count."""
        writer = self.writer
        found = writer.add(arith.MulfOp(score, writer.number(self.op.scale.value.data)))
        inside = [Linear(self.keys - 1) - key]
        if self.op.diagonal is not None:
            inside.append(self._of_row(self.first_row + row)[-1] + self.op.diagonal.value.data - key)
        if self.mask is not None:
            found = writer.add(arith.AddfOp(found, self._masked(row, key)))
        counts = writer.holds(*inside)
        return found if counts is None else writer.add(arith.SelectOp(counts, found, writer.number(-inf)))

    def _masked(self, row: Linear, key: Linear) -> SSAValue:
        writer, mask = self.writer, cast("Memory", self.mask)
        inside = writer.holds(Linear(self.rows - 1) - self.first_row - row, Linear(self.keys - 1) - key)
        place = mask.place([*self._of_row(self.first_row + row), key], writer.extents)
        found = writer.chosen(inside, lambda: writer.load(mask.flat, place), lambda: writer.number(0.0, mask.element))
        return found if mask.element == f32 else writer.add(arith.ExtFOp(found, f32))

    def _exponential(self, value: SSAValue, most: SSAValue) -> SSAValue:
        return self.writer.add(math.ExpOp(self.writer.add(arith.SubfOp(value, most))))


def _apart(number: Linear, shape: Sequence[int], extents: dict[Hashable, int]) -> list[Linear]:
    """A number of an element as its indices in a shape."""
    found: list[Linear] = []
    for extent in reversed(shape):
        found.insert(0, number.modulo(extent, extents))
        number = number.floor_divide(extent, extents)
    return found


def larger(one: SSAValue, other: SSAValue) -> arith.MaximumfOp:
    """The larger of two scores; which of two zeros is open, as exp(score - largest) is the same for both."""
    return arith.MaximumfOp(one, other, arith.FastMathFlagsAttr([FastMathFlag.NO_SIGNED_ZEROS]))
