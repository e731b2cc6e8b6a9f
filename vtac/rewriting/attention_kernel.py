"""The kernel of an attention: 16 rows per warp, a step for every so many keys, softmax carried from step to step.

What a thread keeps from step to step, of each of its rows: `most`, the largest score so far, and `total`, its part of
the sum of exp(score - most). When a step has a larger score, what was added up before is multiplied by
exp(old most - new most). The sums of products are fragments, whose layout nobody knows; their factors are therefore
written to shared memory as a tile of 16 columns that are all alike, loaded as a fragment of the same type, and
multiplied element by element.

    for step                                          barrier between writing and reading shared memory
      copy keys                                       zeros beyond the last key
      scores = query x keys                           fragments, stored to shared memory
      copy values                                     here, so that one barrier serves scores and values
      of each row: most, by 8 lanes                   their maxima meet in shared memory
      weights = exp(scores - most), factors           to shared memory
      sums = sums * factors + weights x values        fragments
    sums / total                                      the same way, then staged and stored
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import inf, prod
from typing import cast

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import AnyFloat, FloatAttr, IntegerAttr, f32, i64
from xdsl.ir import SSAValue

from vtac.analysis.alignment import lane_step, multiple_of
from vtac.analysis.attention_tiles import FRAGMENT, LANES_OF_A_ROW, PITCH, AttentionTiling
from vtac.analysis.linear import ZERO, Linear, from_affine
from vtac.analysis.nest import element_type_of, strides_of
from vtac.analysis.tiles import strided_index
from vtac.dialects.gpu_hardware import ELEMENT_BYTES, WARP_SIZE
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.wmma import (
    AttentionOp,
    FillFragmentOp,
    LoadMatrixSyncOp,
    MmaSyncOp,
    MultiplyFragmentOp,
    StoreMatrixSyncOp,
)
from vtac.dialects.wmma.attributes import Fragment
from vtac.rewriting.kernel_writer import KernelWriter

LEAST = -3.4028234663852886e38
"""The least number of f32: the largest score before there is one, from which minus infinity is infinitely far."""
_VECTOR_BYTES = 16
_ROWS_OF_A_LANE = FRAGMENT * LANES_OF_A_ROW // WARP_SIZE
_ROWS_AT_ONCE = WARP_SIZE // LANES_OF_A_ROW


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
class _Tile:
    """A matrix in shared memory, its rows `pitch` elements apart."""

    memory: SSAValue
    pitch: int

    def place(self, row: Linear, column: Linear) -> Linear:
        return row * self.pitch + column


class AttentionKernel:
    """Writes the kernel of one operation; `buffers` are those of its operands, and last of its result."""

    def __init__(
        self, writer: KernelWriter, op: AttentionOp, buffers: Sequence[SSAValue], tiling: AttentionTiling
    ) -> None:
        self.writer = writer
        self.op = op
        self.tiling = tiling
        self.rows, self.keys, self.features, self.columns = op.extents
        self.rank = len(op.batch) + 2
        memories: list[Memory] = []
        for buffer, (_, access, sizes) in zip(buffers, op.accesses(), strict=True):
            extents: dict[Hashable, int] = dict(enumerate(sizes))
            dims = [Linear.variable(dim) for dim in range(len(sizes))]
            indices = [from_affine(one, dims, [], extents) for one in access.results]
            memories.append(Memory(writer.flat(buffer), indices, strides_of(buffer), extents))
        self.query, self.key, self.value, *masks, self.result = memories
        self.mask = masks[0] if masks else None

    def write(self) -> None:
        """The whole kernel."""
        writer, tiling = self.writer, self.tiling
        blocks, products = -(-self.rows // tiling.rows), prod(self.op.batch)
        with (
            writer.loop(blocks, "block_x", LoopKind.BLOCK_X) as block,
            writer.loop(products, "block_y", LoopKind.BLOCK_Y) as number,
            writer.loop(tiling.warps, "warp", LoopKind.THREAD_Y) as self.warp,
            writer.loop(WARP_SIZE, "lane", LoopKind.THREAD_X) as self.lane,
        ):
            self.first_row = block * tiling.rows
            self.batch = _apart(number, self.op.batch, writer.extents)
            self._declare()
            self._copy(self.query, self.query_tile, self.first_row, self.rows, (tiling.rows, self.features))
            self._start()
            with writer.loop(-(-self.keys // tiling.keys), "step") as step:
                first_key = step * tiling.keys
                diagonal = self.op.diagonal
                last = self.first_row + (tiling.rows - 1)
                with writer.when(*([] if diagonal is None else [last + diagonal.value.data - first_key])):
                    self._step(first_key)
            self._finish()

    def _declare(self) -> None:
        writer, tiling, element = self.writer, self.tiling, self.query.element
        rows, keys = tiling.rows, tiling.keys

        def tile(name: str, shape: tuple[int, int], kind: AnyFloat, padding: int = PITCH) -> _Tile:
            pitch = shape[1] + padding
            return _Tile(writer.buffer(name, shape, kind, "shared", pitch), pitch)

        self.query_tile = tile("query_tile", (rows, self.features), element)
        self.key_tile = tile("key_tile", (keys, self.features), element)
        self.value_tile = tile("value_tile", (keys, self.columns), element)
        self.scores = tile("scores", (rows, keys), f32)
        self.weights = tile("weights", (rows, keys), element)
        self.parts = tile("parts", (rows, LANES_OF_A_ROW), f32, 0)
        self.factors = tile("factors", (rows, FRAGMENT), f32, 0)
        self.staged = tile("staged", (rows, self.columns), f32)
        name = str(element)
        shape = (FRAGMENT, FRAGMENT, FRAGMENT)
        operands = [("matrix_a", "row_major", 1), ("matrix_b", "col_major", 1), ("matrix_b", "row_major", 1)]
        self.left, self.transposed, self.right = (
            writer.fragments(role, Fragment(role, *shape, name, layout, count)) for role, layout, count in operands
        )
        self.products, self.sums, self.factor = (
            writer.fragments(what, Fragment("accumulator", *shape, "f32", None, count))
            for what, count in (("scores", keys // FRAGMENT), ("sums", self.columns // FRAGMENT), ("factor", 1))
        )
        self.most, self.total, self.change = (
            writer.buffer(one, [_ROWS_OF_A_LANE], f32, "local") for one in ("most", "total", "change")
        )
        self.numbers = writer.buffer("numbers", [_ROWS_OF_A_LANE * keys // LANES_OF_A_ROW], f32, "local")

    def _copy(self, source: Memory, tile: _Tile, first: Linear, limit: int, shape: tuple[int, int]) -> None:
        """Rows of a matrix from one on to shared memory; zeros beyond the last."""
        writer, (rows, columns) = self.writer, shape
        lanes = source.lanes(self.rank)
        pieces, threads = rows * columns // lanes, self.tiling.threads
        with writer.loop(-(-pieces // threads), "piece") as piece:
            number = piece * threads + self._thread
            with writer.when(Linear(pieces - 1) - number):
                row = number.floor_divide(columns // lanes, writer.extents)
                column = number.modulo(columns // lanes, writer.extents) * lanes
                place = source.place([*self.batch, first + row, column], writer.extents)
                inside = writer.holds(Linear(limit - 1) - first - row)
                found = writer.chosen(
                    inside,
                    lambda: writer.load(source.flat, place, lanes),
                    lambda: writer.zeros(source.element, lanes),
                )
                writer.store(found, tile.memory, tile.place(row, column))

    @property
    def _thread(self) -> Linear:
        return self.warp * WARP_SIZE + self.lane

    def _start(self) -> None:
        writer = self.writer
        with writer.loop(self.columns // FRAGMENT, "column", LoopKind.UNROLLED) as column:
            writer.do(FillFragmentOp.get(self.sums, writer.index(column), FloatAttr(0.0, f32)))
        with self._rows_of_a_lane() as row:
            writer.store(writer.number(LEAST), self.most, row)
            writer.store(writer.number(0.0), self.total, row)

    def _step(self, first_key: Linear) -> None:
        """What some keys add."""
        keys = self.tiling.keys
        self._copy(self.key, self.key_tile, first_key, self.keys, (keys, self.features))
        self._multiply_keys()
        self._copy(self.value, self.value_tile, first_key, self.keys, (keys, self.columns))
        self._find_most(first_key)
        self._weigh()
        self._multiply_sums()
        self._multiply_values()

    def _multiply_keys(self) -> None:
        """scores = query x keys, of the rows of a warp."""
        writer, tiles = self.writer, self.tiling.keys // FRAGMENT
        with writer.loop(tiles, "column", LoopKind.UNROLLED) as column:
            writer.do(FillFragmentOp.get(self.products, writer.index(column), FloatAttr(0.0, f32)))
        with writer.loop(self.features // FRAGMENT, "slice", LoopKind.UNROLLED) as part:
            self._load(self.left, self.query_tile, self._first_of_warp, part * FRAGMENT)
            with writer.loop(tiles, "column", LoopKind.UNROLLED) as column:
                self._load(self.transposed, self.key_tile, column * FRAGMENT, part * FRAGMENT)
                self._multiply(self.products, column, self.transposed)
        with writer.loop(tiles, "column", LoopKind.UNROLLED) as column:
            self._store(self.products, column, self.scores)

    def _find_most(self, first_key: Linear) -> None:
        """The scaled scores as numbers, and the largest one of each lane's part of its rows."""
        writer = self.writer
        with self._rows_of_a_lane() as row:
            writer.store(writer.load(self.most, row), self.change, row)
            with self._keys_of_a_lane() as key:
                column = self._part + key * LANES_OF_A_ROW
                score = self._score(self._row(row), column, first_key + column)
                writer.store(score, self.numbers, self._number(row, key))
                self._keep_larger(row, writer.load(self.numbers, self._number(row, key)))
            most = writer.load(self.most, row)
            writer.store(most, self.parts.memory, self.parts.place(self._row(row), self._part))

    def _score(self, row: Linear, column: Linear, key: Linear) -> SSAValue:
        """scale * score + mask; minus infinity where there is no such key, or it does not count."""
        writer = self.writer
        score = writer.load(self.scores.memory, self.scores.place(row, column))
        found = writer.add(arith.MulfOp(score, writer.number(self.op.scale.value.data)))
        inside = [Linear(self.keys - 1) - key]
        if self.op.diagonal is not None:
            inside.append(self.first_row + row + self.op.diagonal.value.data - key)
        if self.mask is not None:
            found = writer.add(arith.AddfOp(found, self._masked(row, key)))
        counts = writer.holds(*inside)
        return found if counts is None else writer.add(arith.SelectOp(counts, found, writer.number(-inf)))

    def _masked(self, row: Linear, key: Linear) -> SSAValue:
        writer, mask = self.writer, cast("Memory", self.mask)
        inside = writer.holds(Linear(self.rows - 1) - self.first_row - row, Linear(self.keys - 1) - key)
        place = mask.place([*self.batch, self.first_row + row, key], writer.extents)
        found = writer.chosen(inside, lambda: writer.load(mask.flat, place), lambda: writer.number(0.0, mask.element))
        return found if mask.element == f32 else writer.add(arith.ExtFOp(found, f32))

    def _keep_larger(self, row: Linear, value: SSAValue) -> None:
        writer = self.writer
        writer.store(writer.add(arith.MaximumfOp(writer.load(self.most, row), value)), self.most, row)

    def _weigh(self) -> None:
        """The largest score of whole rows, exp(score - most), and by what changes what was added up before."""
        writer = self.writer
        with self._rows_of_a_lane() as row:
            with writer.loop(LANES_OF_A_ROW, "part", LoopKind.UNROLLED) as part:
                self._keep_larger(row, writer.load(self.parts.memory, self.parts.place(self._row(row), part)))
            most = writer.load(self.most, row)
            writer.store(self._exponential(writer.load(self.change, row), most), self.change, row)
            change = writer.load(self.change, row)
            self._write_factor(row, change)
            writer.store(writer.add(arith.MulfOp(writer.load(self.total, row), change)), self.total, row)
            with self._keys_of_a_lane() as key:
                number = self._number(row, key)
                writer.store(self._exponential(writer.load(self.numbers, number), most), self.numbers, number)
                weight = writer.load(self.numbers, number)
                self._add_to_total(row, weight)
                place = self.weights.place(self._row(row), self._part + key * LANES_OF_A_ROW)
                writer.store(writer.add(arith.TruncFOp(weight, self.value.element)), self.weights.memory, place)

    def _exponential(self, value: SSAValue, most: SSAValue) -> SSAValue:
        return self.writer.add(math.ExpOp(self.writer.add(arith.SubfOp(value, most))))

    def _add_to_total(self, row: Linear, value: SSAValue) -> None:
        writer = self.writer
        writer.store(writer.add(arith.AddfOp(writer.load(self.total, row), value)), self.total, row)

    def _write_factor(self, row: Linear, factor: SSAValue) -> None:
        """A row of the tile of factors, by the lanes of the row."""
        with self.writer.loop(FRAGMENT // LANES_OF_A_ROW, "half", LoopKind.UNROLLED) as half:
            place = self.factors.place(self._row(row), self._part + half * LANES_OF_A_ROW)
            self.writer.store(factor, self.factors.memory, place)

    def _multiply_sums(self) -> None:
        """sums = sums * factors, of the rows of a warp."""
        writer = self.writer
        self._load(self.factor, self.factors, self._first_of_warp, ZERO)
        with writer.loop(self.columns // FRAGMENT, "column", LoopKind.UNROLLED) as column:
            operands = [self.sums, writer.index(column), self.factor, writer.index(ZERO)]
            writer.do(MultiplyFragmentOp(operands=operands))

    def _multiply_values(self) -> None:
        """sums += weights x values, of the rows of a warp."""
        writer = self.writer
        with writer.loop(self.tiling.keys // FRAGMENT, "slice", LoopKind.UNROLLED) as part:
            self._load(self.left, self.weights, self._first_of_warp, part * FRAGMENT)
            with writer.loop(self.columns // FRAGMENT, "column", LoopKind.UNROLLED) as column:
                self._load(self.right, self.value_tile, part * FRAGMENT, column * FRAGMENT)
                self._multiply(self.sums, column, self.right)

    def _finish(self) -> None:
        """sums / total, to the result."""
        writer = self.writer
        with self._rows_of_a_lane() as row:
            place = self.parts.place(self._row(row), self._part)
            writer.store(writer.load(self.total, row), self.parts.memory, place)
        with self._rows_of_a_lane() as row:
            writer.store(writer.number(0.0), self.total, row)
            with writer.loop(LANES_OF_A_ROW, "part", LoopKind.UNROLLED) as part:
                self._add_to_total(row, writer.load(self.parts.memory, self.parts.place(self._row(row), part)))
            whole = writer.load(self.total, row)
            writer.store(writer.add(arith.DivfOp(writer.number(1.0), whole)), self.change, row)
            self._write_factor(row, writer.load(self.change, row))
        self._multiply_sums()
        with writer.loop(self.columns // FRAGMENT, "column", LoopKind.UNROLLED) as column:
            self._store(self.sums, column, self.staged)
        self._store_result()

    def _store_result(self) -> None:
        writer, elements, threads = self.writer, self.tiling.rows * self.columns, self.tiling.threads
        with writer.loop(-(-elements // threads), "piece") as piece:
            number = piece * threads + self._thread
            row = number.floor_divide(self.columns, writer.extents)
            column = number.modulo(self.columns, writer.extents)
            with writer.when(Linear(elements - 1) - number, Linear(self.rows - 1) - self.first_row - row):
                found = writer.load(self.staged.memory, self.staged.place(row, column))
                if self.result.element != f32:
                    found = writer.add(arith.TruncFOp(found, self.result.element))
                place = self.result.place([*self.batch, self.first_row + row, column], writer.extents)
                writer.store(found, self.result.flat, place)

    @property
    def _first_of_warp(self) -> Linear:
        return self.warp * FRAGMENT

    @property
    def _part(self) -> Linear:
        """Which of a row's lanes a lane is."""
        return self.lane.modulo(LANES_OF_A_ROW, self.writer.extents)

    def _row(self, row: Linear) -> Linear:
        """The row of a block that one of a lane's rows is."""
        within = self.lane.floor_divide(LANES_OF_A_ROW, self.writer.extents)
        return self._first_of_warp + row * _ROWS_AT_ONCE + within

    def _rows_of_a_lane(self) -> AbstractContextManager[Linear]:
        return self.writer.loop(_ROWS_OF_A_LANE, "row", LoopKind.UNROLLED)

    def _keys_of_a_lane(self) -> AbstractContextManager[Linear]:
        return self.writer.loop(self.tiling.keys // LANES_OF_A_ROW, "key", LoopKind.UNROLLED)

    def _number(self, row: Linear, key: Linear) -> Linear:
        """Where a lane keeps one of its scores."""
        return row * (self.tiling.keys // LANES_OF_A_ROW) + key

    def _load(self, fragment: SSAValue, tile: _Tile, row: Linear, column: Linear) -> None:
        writer = self.writer
        operands = [fragment, writer.index(ZERO), tile.memory, writer.index(tile.place(row, column))]
        writer.do(LoadMatrixSyncOp(operands=[*operands, []], properties={"leading": IntegerAttr(tile.pitch, i64)}))

    def _store(self, fragments: SSAValue, column: Linear, tile: _Tile) -> None:
        """Fragments of a warp's rows, beside each other."""
        writer = self.writer
        place = tile.place(self._first_of_warp, column * FRAGMENT)
        operands = [fragments, writer.index(column), tile.memory, writer.index(place)]
        writer.do(StoreMatrixSyncOp(operands=[*operands, []], properties={"leading": IntegerAttr(tile.pitch, i64)}))

    def _multiply(self, sums: SSAValue, column: Linear, right: SSAValue) -> None:
        zero = self.writer.index(ZERO)
        operands = [sums, self.writer.index(column), self.left, zero, right, zero]
        self.writer.do(MmaSyncOp(operands=operands))


def _apart(number: Linear, shape: Sequence[int], extents: dict[Hashable, int]) -> list[Linear]:
    """A number of an element as its indices in a shape."""
    found: list[Linear] = []
    for extent in reversed(shape):
        found.insert(0, number.modulo(extent, extents))
        number = number.floor_divide(extent, extents)
    return found
