"""The passes of a tile over the channels: chunks that they read, kernels, and where both have their places."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from math import ceil, gcd, prod
from typing import NamedTuple

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.chunks import Chunks, Tile, tap_shares
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.steps import INPUTS, KERNEL_START, WEIGHTS, KernelStep, StepWriter
from vtac.targets.vta.schedules.tiled_contraction import TiledContraction
from vtac.targets.vta.schedules.tiling import Tiling, kernel_order, tile_counts, tile_loops
from vtac.targets.vta.schedules.transfers import NOTHING, Chunk

_Where = tuple[int, Tile, Tile]
"""A pass: its number among those over the channels, and where its inputs and its weights are."""


class _Pass(NamedTuple):
    """What passes of tiles of one size over so many channels have in common: a number, cycles of each kernel and of
    all, and a chunk of their weights."""

    number: int
    size: Tile
    channels: int
    cycles: list[int]
    total: int
    weights: Chunk


class TilePasses:
    """Writes the passes of each tile. Smaller tiles at the ends have buffers of their own."""

    def __init__(
        self, layer: Layer, contraction: TiledContraction, tiling: Tiling, config: VTAConfig, writer: StepWriter
    ) -> None:
        self.contraction, self.tiling, self.writer = contraction, tiling, writer
        self.chunks = Chunks(layer, contraction, tiling, config)
        self.windows = prod(contraction.window)
        self.count = -(-contraction.channels // tiling.channels)
        self.lasting = -(-max(tiling.inp, tiling.wgt) // self.count)
        """Of how many tiles chunks stay on chip."""
        order = kernel_order(contraction, tiling)
        self._micro_ops = 1 if order is None else order[1]
        self._shares = tap_shares(contraction, tiling) if tiling.splits_window else [float(self.windows)]
        counts = tile_counts(layer, tiling)
        self._inner = next((n for n in reversed(tile_loops(layer, tiling)) if counts[n] > 1), None)
        self._takes_turns = tiling.threads > 1
        self._rotation = self._rotated()
        self.period = self.count // gcd(self.count, self._rotation)
        """After so many tiles of the innermost loop passes begin with the same channels again."""
        self._passes: dict[tuple[Tile, int], _Pass] = {}
        self._kernels: dict[Hashable, int] = {}
        """By the operands of the first kernel of a pass, its number; those of other window positions follow it."""

    def _rotated(self) -> int:
        """How many passes later each tile of the innermost loop begins: with what the one before left on chip."""
        if self._inner is None or self.tiling.threads > 1:
            return 0
        kept = self.tiling.inp if self.contraction.by_weight[self._inner] else self.tiling.wgt
        return self.count - kept if 1 < kept < self.count else 0

    def write(self, tile: int, thread: int, at: Sequence[int], size: Tile, slot: int) -> Iterator[None]:
        """The passes of a tile: its number among those of a virtual thread, that, its number along each dimension, its
        size, its accumulators. Where threads take turns, what one unit does in a row is a turn: the only pass of a tile
        goes on with what stands behind it."""
        write = self._tap_by_tap if self.tiling.taps or self.tiling.streamed else self._at_once
        for number, (where, places, kind) in enumerate(self._turns(tile, thread, at, size)):
            if number and self._takes_turns:
                yield
            yield from write(where, places, at, kind, slot)
        if self._takes_turns and (self.count > 1 or self.tiling.streamed):
            yield

    def pass_over(self, tile: int, thread: int, at: Sequence[int], size: Tile) -> None:
        """A tile that is not followed: its chunks come to their places."""
        writer, apart = self.writer, self.tiling.taps or self.tiling.streamed
        for where, places, kind in self._turns(tile, thread, at, size):
            inputs, weights = self._places(places, kind)
            writer.hold(inputs, (where[0], 0, where[1]))
            if not apart:
                writer.hold(weights, (where[0], where[2]))
                continue
            for tap in range(len(kind.cycles)):
                writer.hold(weights if self.tiling.streamed else weights + tap, (where[0], tap, where[2]))

    def _turns(
        self, tile: int, thread: int, at: Sequence[int], size: Tile
    ) -> Iterator[tuple[_Where, tuple[int, int], _Pass]]:
        """The passes of a tile in their order, and which copies of the buffers each has."""
        contraction, tiling = self.contraction, self.tiling
        first = 0 if self._inner is None else self._rotation * at[self._inner]
        step = tile * self.count
        where = self.chunks.place(at), tuple([at[n] for n in self.chunks.selected])
        for number in range(self.count):
            turn = (first + number) % self.count
            channels = min(tiling.channels, contraction.channels - turn * tiling.channels)
            places = thread * tiling.inp, thread * tiling.wgt
            if not tiling.streamed:
                places = places[0] + step % tiling.inp, places[1] + step % tiling.wgt
            step += 1
            yield (turn, *where), places, self._pass(size, channels)

    def _pass(self, size: Tile, channels: int) -> _Pass:
        found = self._passes.get((size, channels))
        if found is None:
            tiles = prod(self.contraction.tile(size)) * channels
            cycles = [KERNEL_START + ceil(tiles * share) for share in self._shares]
            windows = 1 if self.tiling.taps or self.tiling.streamed else self.windows
            weights = self.chunks.weights(size, channels, windows)
            found = _Pass(len(self._passes), size, channels, cycles, sum(cycles), weights)
            self._passes[size, channels] = found
        return found

    def _at_once(
        self, where: _Where, places: tuple[int, int], at: Sequence[int], kind: _Pass, slot: int
    ) -> Iterator[None]:
        """A pass with the weights of all window positions in one chunk."""
        writer = self.writer
        inputs, weights = self._places(places, kind)
        factor = writer.load(weights, WEIGHTS, (where[0], where[2]), kind.weights)
        both = self._inputs(inputs, (where[0], 0, where[1]), at, kind), factor
        if self._takes_turns:
            yield
        step = KernelStep(kind.total, len(kind.cycles), self._micro_ops, NOTHING, both)
        writer.kernel((places, kind.number, slot), step, (inputs, weights))

    def _tap_by_tap(
        self, where: _Where, places: tuple[int, int], at: Sequence[int], kind: _Pass, slot: int
    ) -> Iterator[None]:
        """A pass that loads the weights of each window position, and its inputs where they are streamed."""
        streamed, writer = self.tiling.streamed, self.writer
        inputs, first = self._places(places, kind)
        kernel = self._kernels.setdefault((places, kind.number, slot), len(self._kernels) * len(kind.cycles))
        data = -1
        for tap, cycles in enumerate(kind.cycles):
            if tap and self._takes_turns:
                yield
            if streamed or tap == 0:
                data = self._inputs(inputs, (where[0], tap, where[1]), at, kind)
            weights = first if streamed else first + tap
            both = data, writer.load(weights, WEIGHTS, (where[0], tap, where[2]), kind.weights)
            if self._takes_turns:
                yield
            step = KernelStep(cycles, 1, self._micro_ops, NOTHING, both)
            writer.kernel(kernel + tap, step, (inputs, weights))

    def _places(self, places: tuple[int, int], kind: _Pass) -> tuple[int, int]:
        """Where the inputs of a pass stand, and its first weights."""
        inputs = self.writer.place((INPUTS, places[0], kind.size))
        return inputs, self.writer.place((WEIGHTS, places[1], kind.size), len(kind.cycles))

    def _inputs(self, place: int, what: tuple[int, int, Tile], at: Sequence[int], kind: _Pass) -> int:
        held = self.writer.held(place, what)
        if held >= 0:
            return held
        return self.writer.load(place, INPUTS, what, self.chunks.inputs(at, kind.size, kind.channels, what[1]))
