"""What stands behind the contraction of a tile: int8 operands, int32 operands, the ALU's kernels and the stores."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from math import prod
from typing import NamedTuple, TypeAlias

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.chunks import Tile, padded_operand
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.stages import Product, Stage
from vtac.targets.vta.schedules.steps import KERNEL_START, OPERANDS, KernelStep, StepWriter
from vtac.targets.vta.schedules.tile_regions import TileRegion
from vtac.targets.vta.schedules.tiling import Tiling, piece_dimension, tile_counts, tile_level
from vtac.targets.vta.schedules.transfers import NOTHING, Chunk, chunk_of, store_cost, together


class _Part(NamedTuple):
    """Kernels in a row, and what is stored behind them; whether they write accumulators that are stored from."""

    cycles: int
    kernels: int
    stored: tuple[int, int]
    is_stored: bool = True


_Step: TypeAlias = _Part | tuple[Product, Stage]
"""Kernels of the ALU, or a product, with the stage that it is added to."""


class _Piece(NamedTuple):
    """What a piece of a tile of one size takes, in its order."""

    size: Tile
    steps: list[_Step]
    wide: Chunk


class _Factors(NamedTuple):
    """What products of int8 tiles take: the dimensions that move those that do, their chunk and that of the tile that
    stays, and cycles."""

    moved: list[int]
    moving: Chunk
    still: Chunk
    cycles: int


_Turn: TypeAlias = tuple[int, int, int]
"""How many tiles a thread had before, which thread that is, and which accumulators the tile has."""


class TileTails:
    """Writes what is behind the contraction of each tile."""

    def __init__(self, layer: Layer, tiling: Tiling, config: VTAConfig, writer: StepWriter) -> None:
        self.layer, self.tiling, self.config, self.writer = layer, tiling, config, writer
        self._takes_turns = tiling.threads > 1
        self._cut = piece_dimension(layer, tiling)
        self._loops = [number for number, count in enumerate(tile_counts(layer, tiling)) if count > 1]
        self._levels = [tile_level(layer, tiling, operand.region) + 1 for operand in layer.operands]
        self._products = [(one, stage) for stage in layer.stages for one in stage.products]
        anchor = None if layer.anchor is None else layer.stages[layer.anchor]
        cuts_product = anchor is not None and anchor.kind in ("contraction", "product")
        in_pieces = any(stage.kind != "contraction" for _, stage in self._products)
        self._loads_first = in_pieces and not tiling.streamed and not cuts_product
        """Whether int8 operands are loaded before the loop over pieces."""
        self._pieces: dict[Tile, _Piece] = {}
        self._factors: dict[tuple[str, Tile, Tile], _Factors] = {}
        self._pads: dict[tuple[str, tuple[int, ...], Tile], Chunk] = {}
        self._stored: dict[tuple[int, Tile], int] = {}
        """By accumulators and size of a tile, the last store of those that had them before."""
        self._loaded: dict[int, tuple[int, ...]] = {}
        """By int32 operand, the numbers of the loops over tiles for which it was loaded."""

    def stored(self, size: Tile, slot: int) -> int:
        """The last store of a tile of that size which had these accumulators; -1 for none."""
        return self._stored.get((slot, size), -1)

    def outside(self, size: Tile, place: tuple[int, ...]) -> tuple[Chunk, Chunk]:
        """The loads, in a tile at that place of the loops, of int32 operands that do not move with all of these: of
        those for which loops within the one that moves them are over tiles, which stand before the contraction, and of
        the others, which stand behind it."""
        if not self.layer.operands:
            return NOTHING, NOTHING
        found: tuple[list[Chunk], list[Chunk]] = [], []
        for number, operand in enumerate(self.layer.operands):
            level = self._levels[number]
            if not self._moves_with_pieces(operand.region) and self._loaded.get(number) != place[:level]:
                self._loaded[number] = place[:level]
                found[level == len(place)].append(self._wide(operand.region, size))
        return together(found[0]), together(found[1])

    def write(
        self, turn: int, thread: int, at: Sequence[int], size: Tile, slot: int, store: int, wide: Chunk
    ) -> Iterator[None]:
        """Piece by piece: with accumulators that `store` must have left, behind loads of `wide`."""
        piece = self._pieces.get(size)
        if piece is None:
            piece = self._pieces[size] = self._piece(size)
        for one, stage in self._products:
            if stage.kind == "contraction":
                yield from self._multiply(one, stage, (turn, thread, slot), at, size, size, -1)
        if self._loads_first:
            yield from self._load_all((turn, thread, slot), at, size, piece.size)
        if self._takes_turns and self.tiling.pieces > 1:
            yield
        for number in range(self.tiling.pieces):
            if number and self._takes_turns:
                yield
            moved, is_behind = piece.wide, False
            for place, step in enumerate(piece.steps):
                if self._takes_turns and is_behind:
                    yield
                is_behind = isinstance(step, _Part) and step.stored[0] > 0
                if not isinstance(step, _Part):
                    one, stage = step
                    until, first = store if self._is_stored(stage) else -1, wide if self._loads_first else NOTHING
                    yield from self._multiply(one, stage, (turn, thread, slot), at, size, piece.size, until, first)
                    wide = NOTHING if self._loads_first else wide
                    continue
                self._write_part((number, slot, size, place), step, together([wide, moved]), store)
                wide = moved = NOTHING
                if step.stored[0]:
                    store = self.writer.stores - 1
            store = -1
            self._stored[slot, size] = self.writer.stores - 1

    def _write_part(self, operands: Hashable, part: _Part, wide: Chunk, store: int) -> None:
        """Kernels of the ALU behind loads of `wide`; those that write what is stored wait for `store`."""
        until, some = store if part.is_stored else -1, min(1, part.kernels)
        step = KernelStep(part.cycles, part.kernels, some, wide=wide, store=until, stored=part.stored)
        self.writer.kernel(operands, step)

    def _load_all(self, turn: _Turn, at: Sequence[int], size: Tile, part: Tile) -> Iterator[None]:
        """The int8 operands of a tile that its pieces read stand before the loop over these."""
        if self._takes_turns:
            yield
        for one, stage in self._products:
            if stage.kind != "contraction":
                self._load(one, turn, at, size, self._factors_for(one, stage, size, part))
        if self._takes_turns:
            yield

    def _multiply(
        self,
        one: Product,
        stage: Stage,
        turn: _Turn,
        at: Sequence[int],
        size: Tile,
        part: Tile,
        store: int,
        wide: Chunk = NOTHING,
    ) -> Iterator[None]:
        """Int8 tiles through one tile of weights, or one of inputs with weights: loaded by tile, read by piece. Behind
        loads of `wide`, which stand before the loop over pieces."""
        factors = self._factors_for(one, stage, size, part)
        is_there = self._loads_first and stage.kind != "contraction"
        if self._takes_turns and not is_there:
            yield
        chunks, places = self._load(one, turn, at, size, factors)
        if self._takes_turns and not is_there:
            yield
        writer, slot = self.writer, turn[2]
        if one.starts:
            writer.kernel((one.block, slot, part), KernelStep(factors.cycles, wide=wide, store=store))
            wide, store = NOTHING, -1
        step = KernelStep(factors.cycles, wide=wide, chunks=chunks, store=store)
        writer.kernel((one.block, self._copy(one, turn), slot, part), step, places)

    def _load(
        self, one: Product, turn: _Turn, at: Sequence[int], size: Tile, factors: _Factors
    ) -> tuple[tuple[int, ...], tuple[int, int]]:
        """The loads that bring the operands of a product, and the places of these: what moves, what stays."""
        writer, (_, thread, _), copy = self.writer, turn, self._copy(one, turn)
        # What is streamed is dead behind its kernel: the next has the same place, whosever it is.
        names = ("wgt", "inp") if one.is_bias else ("inp", "wgt")
        moves, stays = names if self.tiling.streamed else ((one.block, copy, thread, size), (one.block, thread, size))
        place, other = writer.place((OPERANDS, moves)), writer.place((OPERANDS, stays))
        what = one.block, tuple([at[number] for number in factors.moved])
        moving = factors.moving if one.pad is None else self._padded(one, what[1], at, size)
        both: list[tuple[int, Hashable, Chunk]] = [(other, one.block, factors.still), (place, what, moving)]
        if one.is_bias:
            both.reverse()  # weights come first, and here these are what moves
        return tuple([writer.load(to, OPERANDS, held, chunk) for to, held, chunk in both]), (place, other)

    def _padded(self, one: Product, where: tuple[int, ...], at: Sequence[int], size: Tile) -> Chunk:
        """What a tile there loads of an operand that its load pads."""
        found = self._pads.get((one.block, where, size))
        if found is None:
            found = padded_operand(one, at, self.tiling.tile, size, self.config.inp_element_bytes)
            self._pads[one.block, where, size] = found
        return found

    def _copy(self, one: Product, turn: _Turn) -> int:
        return 0 if one.is_bias else turn[0] % self.tiling.operands

    def _factors_for(self, one: Product, stage: Stage, size: Tile, part: Tile) -> _Factors:
        factors = self._factors.get((one.block, size, part))
        if factors is None:
            factors = self._factors[one.block, size, part] = self._factors_of(one, stage.region, size, part)
        return factors

    def _factors_of(self, one: Product, region: TileRegion, size: Tile, part: Tile) -> _Factors:
        moved = one.weights if one.is_bias else one.region
        both = self.config.inp_element_bytes, self.config.wgt_element_bytes
        other, nbytes = both if one.is_bias else reversed(both)
        return _Factors(
            [side.spatial for side in moved if side.spatial is not None],
            chunk_of([side.extent(size) for side in moved], [side.size for side in moved], nbytes),
            chunk_of((1,), (1,), other),
            KERNEL_START + prod([side.extent(part) for side in region]),
        )

    def _piece(self, size: Tile) -> _Piece:
        layer, pieces = self.layer, self.tiling.pieces
        part = tuple(side // pieces if number == self._cut else side for number, side in enumerate(size))
        wide = [self._wide(one.region, part) for one in layer.operands if self._moves_with_pieces(one.region)]
        # Pieces of rows do not follow one another in the accumulators: each row has STOREs of its own.
        apart = self._cut if pieces > 1 else 0
        stores = prod(part[:apart])
        cost, number = store_cost((1,) * apart + part[apart:], layer.strides, self.config)
        steps: list[_Step] = []
        cycles = kernels = 0
        writes_stored = False
        for stage in layer.stages:
            if stage.kind != "contraction":
                if kernels and not writes_stored and self._is_stored(stage):
                    steps.append(_Part(cycles, kernels, (0, 0), is_stored=False))
                    cycles = kernels = 0
                writes_stored |= self._is_stored(stage)
                cycles += stage.alu * prod(side.extent(part) for side in stage.region) + KERNEL_START * stage.kernels
                kernels += stage.kernels
            if stage.kind == "load":
                wide.append(self._wide(stage.region, part))
            if stage.kind != "contraction" and stage.products:
                if kernels:
                    steps.append(_Part(cycles, kernels, (0, 0), is_stored=writes_stored))
                    cycles = kernels = 0
                steps += [(one, stage) for one in stage.products]
            if stage.results:
                stored = stores * stage.results
                steps.append(_Part(cycles, kernels, (cost * stored, number * stored)))
                cycles = kernels = 0
        return _Piece(part, steps, together(wide))

    def _is_stored(self, stage: Stage) -> bool:
        return self.layer.accumulators[stage.accumulator].stored

    def _wide(self, region: TileRegion, size: Tile) -> Chunk:
        sides = [side.extent(size) for side in region]
        return chunk_of(sides, [side.size for side in region], self.config.acc_element_bytes)

    def _moves_with_pieces(self, region: TileRegion) -> bool:
        moves = {side.spatial for side in region}
        return moves.issuperset(self._loops) and (self.tiling.pieces == 1 or self._cut in moves)
