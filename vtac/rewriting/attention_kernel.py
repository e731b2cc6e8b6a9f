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

from contextlib import AbstractContextManager

from xdsl.dialects import arith
from xdsl.dialects.builtin import FloatAttr, IntegerAttr, f32, i64
from xdsl.ir import SSAValue

from vtac.analysis.attention.attention_tiles import FRAGMENT, LANES_OF_A_ROW
from vtac.analysis.expressions.linear import ZERO, Linear
from vtac.dialects.gpu_hardware import WARP_SIZE
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.wmma import (
    FillFragmentOp,
    LoadMatrixSyncOp,
    MmaSyncOp,
    MultiplyFragmentOp,
    StoreMatrixSyncOp,
)
from vtac.dialects.wmma.attributes import Fragment
from vtac.rewriting.attention_parts import LEAST, AttentionWriter, Tile, larger

_ROWS_OF_A_LANE = FRAGMENT * LANES_OF_A_ROW // WARP_SIZE
_ROWS_AT_ONCE = WARP_SIZE // LANES_OF_A_ROW


class AttentionKernel(AttentionWriter):
    """The kernel with fragments of WMMA."""

    def _declare(self) -> None:
        writer, tiling, element = self.writer, self.tiling, self.query.element
        rows, keys = tiling.rows, tiling.keys

        self.query_tile = self._tile("query_tile", (rows, self.features), element)
        self.key_tile = self._tile("key_tile", (keys, self.features), element)
        self.value_tile = self._tile("value_tile", (keys, self.columns), element)
        self.scores = self._tile("scores", (rows, keys), f32)
        self.weights = self._tile("weights", (rows, keys), element)
        self.parts = self._tile("parts", (rows, LANES_OF_A_ROW), f32, 0)
        self.factors = self._tile("factors", (rows, FRAGMENT), f32, 0)
        self.staged = self._tile("staged", (rows, self.columns), f32)
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
        """A score of shared memory as it counts."""
        score = self.writer.load(self.scores.memory, self.scores.place(row, column))
        return self._counted(score, row, key)

    def _keep_larger(self, row: Linear, value: SSAValue) -> None:
        writer = self.writer
        writer.store(writer.add(larger(writer.load(self.most, row), value)), self.most, row)

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

    def _load(self, fragment: SSAValue, tile: Tile, row: Linear, column: Linear) -> None:
        writer = self.writer
        operands = [fragment, writer.index(ZERO), tile.memory, writer.index(tile.place(row, column))]
        writer.do(LoadMatrixSyncOp(operands=[*operands, []], properties={"leading": IntegerAttr(tile.pitch, i64)}))

    def _store(self, fragments: SSAValue, column: Linear, tile: Tile) -> None:
        """Fragments of a warp's rows, beside each other."""
        writer = self.writer
        place = tile.place(self._first_of_warp, column * FRAGMENT)
        operands = [fragments, writer.index(column), tile.memory, writer.index(place)]
        writer.do(StoreMatrixSyncOp(operands=[*operands, []], properties={"leading": IntegerAttr(tile.pitch, i64)}))

    def _multiply(self, sums: SSAValue, column: Linear, right: SSAValue) -> None:
        zero = self.writer.index(ZERO)
        operands = [sums, self.writer.index(column), self.left, zero, right, zero]
        self.writer.do(MmaSyncOp(operands=operands))
