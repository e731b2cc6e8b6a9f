"""The kernel of an attention on mma.sync: scores, weights and sums stay in the registers of the lanes that make them.

A lane holds, of two rows of its warp's 16, two neighbours of every eight keys. Four lanes share a row: its largest
score and the sum of its weights are found by shuffles among them. What a lane holds of two tiles of scores side by side
are the registers of a tile of weights: only queries, keys and values pass through shared memory.

    for step                                          barrier between writing and reading shared memory
      copy keys                                       zeros beyond the last key; in a pipeline those of a later step,
      scores = query x keys                           and values, before this one's products
      copy values                                     else here, so that one barrier serves both reads
      of each row: most, by 4 lanes                   shuffles
      weights = exp(scores - most); sums = sums * exp(old most - most)
      sums = sums + weights x values                  values are loaded transposed
    sums / total                                      stored two at a time
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from xdsl.dialects import arith, gpu
from xdsl.dialects.builtin import FloatAttr, IntegerAttr, UnitAttr, f32, i64
from xdsl.ir import Operation, SSAValue

from vtac.analysis.expressions.linear import ZERO, Linear
from vtac.analysis.kernels.alignment import multiple_of
from vtac.analysis.kernels.lanes import address_of_lane
from vtac.dialects.gpu_hardware import WARP_SIZE
from vtac.dialects.mma import (
    ExtractOp,
    FillOp,
    InsertOp,
    LdmatrixOp,
    PackOp,
    ShuffleXorOp,
    StorePairOp,
    SyncOp,
    Tiles,
)
from vtac.dialects.mma.layouts import COLUMNS, CORE_ROWS, ROWS
from vtac.dialects.mma.ops import tiles_of
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.declared import PIPELINE
from vtac.rewriting.attention_parts import LEAST, AttentionWriter, Tile, larger

_DEPTH = 16
_SHAPE = f"m{ROWS}n{COLUMNS}k{_DEPTH}"
_PIECES = ROWS // CORE_ROWS
"""Rows of a tile that a lane holds elements of."""
_PAIR = 2
_LANES_OF_A_ROW = 4
_MASKS = (1, 2)
"""By which a row's lanes exchange values until each has met all."""


class LaneAttention(AttentionWriter):
    """The kernel with tiles in the registers of lanes."""

    def _declare(self) -> None:
        writer, tiling, name = self.writer, self.tiling, str(self.query.element)
        self.own_lane = writer.add(gpu.LaneIdOp())  # rows that lanes name differ, and all lanes load together
        writer.extents[self.own_lane] = WARP_SIZE
        self.query_tile = self._tile("query_tile", (tiling.rows, self.features), self.query.element)
        if tiling.stages == 1:
            self._declare_step()
        kept = self.features // _DEPTH if tiling.keeps_queries else 1
        self.left = writer.tiles("queries", Tiles("matrix_a", _SHAPE, name, kept))
        self.weights = writer.tiles("weights", Tiles("matrix_a", _SHAPE, name, 1))
        self.right, self.mixed = (
            writer.tiles(what, Tiles("matrix_b", _SHAPE, name, _PAIR)) for what in ("keys", "values")
        )
        self.scores = writer.tiles("scores", Tiles("accumulator", _SHAPE, "f32", tiling.keys // COLUMNS))
        self.sums = writer.tiles("sums", Tiles("accumulator", _SHAPE, "f32", self.columns // COLUMNS))
        self.most, self.total, self.change = (
            writer.buffer(one, [_PIECES], f32, "local") for one in ("most", "total", "change")
        )

    def _declare_step(self) -> None:
        """Shared memory of a step's keys and values: in the loop where a pipeline has several of them."""
        self.key_tile = self._tile("key_tile", (self.tiling.keys, self.features), self.query.element)
        self.value_tile = self._tile("value_tile", (self.tiling.keys, self.columns), self.query.element)

    def _start(self) -> None:
        writer = self.writer
        self._fill(self.sums, self.columns // COLUMNS)
        for piece in range(_PIECES):
            writer.store(writer.number(LEAST), self.most, Linear(piece))
            writer.store(writer.number(0.0), self.total, Linear(piece))
        if self.tiling.keeps_queries:
            with self._unrolled(self.features // _DEPTH, "slice") as part:
                self._load_queries(part, part)

    def _load_queries(self, index: Linear, part: Linear) -> None:
        self._load(self.left, index, self.query_tile, (self.warp * ROWS, part * _DEPTH))

    def _take(self, first_key: Linear) -> None:
        """One iteration; in a pipeline copies come first, under a condition of their own, as they run ahead."""
        loop = self.writer.block.parent_op()
        if self.tiling.stages == 1 or loop is None:
            super()._take(first_key)
            return
        PIPELINE.set(loop, self.tiling.stages)
        self._declare_step()
        with self.writer.when(*self._counting(first_key)):
            self._copy_keys(first_key)
            self._copy_values(first_key)
        with self.writer.when(*self._counting(first_key)):
            self._multiply_keys()
            self._use(first_key)

    def _step(self, first_key: Linear) -> None:
        self._copy_keys(first_key)
        self._multiply_keys()
        self._copy_values(first_key)
        self._use(first_key)

    def _copy_keys(self, first_key: Linear) -> None:
        self._copy(self.key, self.key_tile, first_key, self.keys, (self.tiling.keys, self.features))

    def _copy_values(self, first_key: Linear) -> None:
        self._copy(self.value, self.value_tile, first_key, self.keys, (self.tiling.keys, self.columns))

    def _use(self, first_key: Linear) -> None:
        """What a step's scores and values add."""
        self._find_most(first_key)
        self._weigh()
        self._multiply_sums(self.change)
        self._multiply_values()

    def _multiply_keys(self) -> None:
        """scores = query x keys, two tiles of eight keys at a time."""
        self._fill(self.scores, self.tiling.keys // COLUMNS)
        with self._unrolled(self.features // _DEPTH, "slice") as part:
            held = part if self.tiling.keeps_queries else ZERO
            if not self.tiling.keeps_queries:
                self._load_queries(held, part)
            with self._unrolled(self.tiling.keys // (_PAIR * COLUMNS), "column") as pair:
                self._load(self.right, ZERO, self.key_tile, (pair * (_PAIR * COLUMNS), part * _DEPTH))
                self._multiply_pair(self.scores, pair, (self.left, held), self.right)

    def _find_most(self, first_key: Linear) -> None:
        """The scores as they count, and the largest one of each row."""
        writer = self.writer
        for piece in range(_PIECES):
            writer.store(writer.load(self.most, Linear(piece)), self.change, Linear(piece))
        with self._unrolled(self.tiling.keys // COLUMNS, "column") as column:
            for piece in range(_PIECES):
                for at in range(_PAIR):
                    key = first_key + column * COLUMNS + self._first_column + at
                    score = self._counted(self._element(self.scores, column, piece, at), self._row(piece), key)
                    self._put(score, self.scores, column, piece, at)
                    score = self._element(self.scores, column, piece, at)
                    self._update(self.most, piece, lambda old, new=score: larger(old, new))
        for piece in range(_PIECES):
            self._meet(self.most, piece, larger)

    def _weigh(self) -> None:
        """exp(score - most), their sums, and by what changes what was added up before."""
        writer = self.writer
        for piece in range(_PIECES):
            most = writer.load(self.most, Linear(piece))
            writer.store(self._exponential(writer.load(self.change, Linear(piece)), most), self.change, Linear(piece))
            change = writer.load(self.change, Linear(piece))
            self._update(self.total, piece, lambda old, factor=change: arith.MulfOp(old, factor))
        with self._unrolled(self.tiling.keys // COLUMNS, "column") as column:
            for piece in range(_PIECES):
                for at in range(_PAIR):
                    most = writer.load(self.most, Linear(piece))
                    weight = self._exponential(self._element(self.scores, column, piece, at), most)
                    self._put(weight, self.scores, column, piece, at)
                    weight = self._element(self.scores, column, piece, at)
                    self._update(self.total, piece, lambda old, new=weight: arith.AddfOp(old, new))

    def _multiply_sums(self, factors: SSAValue) -> None:
        """Each row of sums by its factor."""
        writer = self.writer
        with self._unrolled(self.columns // COLUMNS, "column") as column:
            for piece in range(_PIECES):
                for at in range(_PAIR):
                    old, factor = self._element(self.sums, column, piece, at), writer.load(factors, Linear(piece))
                    self._put(writer.add(arith.MulfOp(old, factor)), self.sums, column, piece, at)

    def _multiply_values(self) -> None:
        """sums += weights x values."""
        writer = self.writer
        with self._unrolled(self.tiling.keys // _DEPTH, "slice") as part:
            places = [writer.index(one) for one in (part * _PAIR, part * _PAIR + 1)]
            writer.do(PackOp(operands=[self.scores, *places, self.weights, writer.index(ZERO)]))
            with self._unrolled(self.columns // (_PAIR * COLUMNS), "column") as pair:
                corner = (pair * (_PAIR * COLUMNS), part * _DEPTH)
                self._load(self.mixed, ZERO, self.value_tile, corner, transposed=True)
                self._multiply_pair(self.sums, pair, (self.weights, ZERO), self.mixed)

    def _finish(self) -> None:
        writer = self.writer
        for piece in range(_PIECES):
            self._meet(self.total, piece, arith.AddfOp)
            whole = writer.load(self.total, Linear(piece))
            writer.store(writer.add(arith.DivfOp(writer.number(1.0), whole)), self.change, Linear(piece))
        self._multiply_sums(self.change)
        with self._unrolled(self.columns // COLUMNS, "column") as column:
            for piece in range(_PIECES):
                values = [self._element(self.sums, column, piece, at) for at in range(_PAIR)]
                with writer.when(Linear(self.rows - 1) - self.first_row - self._row(piece)):
                    self._store_pair(values, column, piece)

    def _store_pair(self, values: list[SSAValue], column: Linear, piece: int) -> None:
        """Two neighbours of a row, as one access where they lie side by side at a multiple of two."""
        writer, row, first = self.writer, self.first_row + self._row(piece), column * COLUMNS + self._first_column
        if self.result.element != f32:
            values = [writer.add(arith.TruncFOp(value, self.result.element)) for value in values]
        places = [self.result.place([*self._of_row(row), first + at], writer.extents) for at in range(_PAIR)]
        if places[1] - places[0] == Linear(1) and multiple_of(places[0], writer.extents) % _PAIR == 0:
            writer.do(StorePairOp(values[0], values[1], self.result.flat, writer.index(places[0])))
            return
        for value, place in zip(values, places, strict=True):
            writer.store(value, self.result.flat, place)

    @property
    def _first_column(self) -> Linear:
        """The first of the two neighbours of eight that a lane holds."""
        return self.lane.modulo(_LANES_OF_A_ROW, self.writer.extents) * _PAIR

    def _row(self, piece: int) -> Linear:
        """The row of a block that one of a lane's rows is."""
        within = self.lane.floor_divide(_LANES_OF_A_ROW, self.writer.extents)
        return self.warp * ROWS + within + piece * CORE_ROWS

    def _unrolled(self, count: int, name: str) -> AbstractContextManager[Linear]:
        return self.writer.loop(count, name, LoopKind.UNROLLED)

    def _fill(self, tiles: SSAValue, count: int) -> None:
        with self._unrolled(count, "column") as column:
            self.writer.do(FillOp.get(tiles, self.writer.index(column), FloatAttr(0.0, f32)))

    def _element(self, tiles: SSAValue, column: Linear, piece: int, at: int) -> SSAValue:
        number = IntegerAttr(_PAIR * piece + at, i64)
        operands = [tiles, self.writer.index(column)]
        return self.writer.add(ExtractOp(operands=operands, properties={"element": number}, result_types=[f32]))

    def _put(self, value: SSAValue, tiles: SSAValue, column: Linear, piece: int, at: int) -> None:
        self.writer.do(InsertOp.get(value, tiles, self.writer.index(column), _PAIR * piece + at))

    def _load(
        self, tiles: SSAValue, index: Linear, source: Tile, corner: tuple[Linear, Linear], *, transposed: bool = False
    ) -> None:
        """A tile of A, or two of B along their columns: `corner` is where they start along m or n, and k."""
        writer, record = self.writer, tiles_of(tiles)
        loaded = (1, 1) if record.role == "matrix_a" else (_PAIR, 1)
        major, minor = address_of_lane(self.own_lane, record, loaded, transposed=transposed)
        row, column = corner[0] + major, corner[1] + minor
        place = source.place(column, row) if transposed else source.place(row, column)
        matrices = IntegerAttr(loaded[0] * record.words, i64)
        properties = {"matrices": matrices, **({"transposed": UnitAttr()} if transposed else {})}
        operands = [tiles, writer.index(index), source.memory, writer.index(place)]
        writer.do(LdmatrixOp(operands=operands, properties=properties))

    def _update(self, buffer: SSAValue, piece: int, change: Callable[[SSAValue], Operation]) -> None:
        """A number that a lane keeps of a row becomes another."""
        writer, place = self.writer, Linear(piece)
        writer.store(writer.add(change(writer.load(buffer, place))), buffer, place)

    def _meet(self, buffer: SSAValue, piece: int, join: Callable[[SSAValue, SSAValue], Operation]) -> None:
        """What the lanes of a row keep, joined: each has it then."""
        writer = self.writer
        for mask in _MASKS:
            other = writer.add(ShuffleXorOp(writer.load(buffer, Linear(piece)), mask))
            self._update(buffer, piece, lambda own, other=other: join(own, other))

    def _multiply_pair(self, sums: SSAValue, pair: Linear, left: tuple[SSAValue, Linear], right: SSAValue) -> None:
        """Two tiles of sums side by side, by a tile of A and two of B."""
        writer = self.writer
        for at in range(_PAIR):
            number = writer.index(pair * _PAIR + at)
            operands = [sums, number, left[0], writer.index(left[1]), right, writer.index(Linear(at))]
            writer.do(SyncOp(operands=operands))
