"""The passes of a tile over the channels: chunks that they read, kernels, and where both have their places."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, prod

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.chunks import Chunks, Tile, tap_shares
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.steps import INPUTS, KERNEL_START, WEIGHTS, KernelStep, StepWriter
from vtac.targets.vta.schedules.tiled_contraction import TiledContraction
from vtac.targets.vta.schedules.tiling import Tiling, kernel_order, tile_counts, tile_loops


class TilePasses:
    """Writes the passes of each tile. Smaller tiles at the ends have buffers of their own."""

    def __init__(
        self, layer: Layer, contraction: TiledContraction, tiling: Tiling, config: VTAConfig, writer: StepWriter
    ) -> None:
        self.contraction, self.tiling, self.writer = contraction, tiling, writer
        self.chunks = Chunks(layer, contraction, tiling, config)
        self.windows = prod(contraction.window)
        self.count = -(-contraction.channels // tiling.channels)
        order = kernel_order(contraction, tiling)
        self._micro_ops = 1 if order is None else order[1]
        self._shares = tap_shares(contraction, tiling) if tiling.splits_window else [float(self.windows)]
        counts = tile_counts(layer, tiling)
        self._inner = next((n for n in reversed(tile_loops(layer, tiling)) if counts[n] > 1), None)
        self._copies = tiling.inp * tiling.threads, tiling.wgt * tiling.threads
        self._rotation = self._rotated()

    def _rotated(self) -> int:
        """How many passes later each tile of the innermost loop begins: with what the one before left on chip."""
        if self._inner is None or self.tiling.threads > 1:
            return 0
        kept = self.tiling.inp if self.contraction.by_weight[self._inner] else self.tiling.wgt
        return self.count - kept if 1 < kept < self.count else 0

    def write(self, tile: int, at: Sequence[int], size: Tile, slot: int) -> None:
        """The passes of a tile: its number in the program and along each dimension, its size, its accumulators."""
        contraction, tiling = self.contraction, self.tiling
        first = 0 if self._inner is None else self._rotation * at[self._inner]
        tiles, step = prod(contraction.tile(size)), tile * self.count
        for number in range(self.count):
            turn = (first + number) % self.count
            channels = min(tiling.channels, contraction.channels - turn * tiling.channels)
            places = (0, 0) if tiling.streamed else (step % self._copies[0], step % self._copies[1])
            step += 1
            if tiling.taps or tiling.streamed:
                self._tap_by_tap(turn, places, at, size, tiles * channels, (slot, channels))
            else:
                self._at_once(turn, places, at, size, tiles * channels, (slot, channels))

    def _at_once(
        self, turn: int, places: tuple[int, int], at: Sequence[int], size: Tile, tiles: int, kind: tuple[int, int]
    ) -> None:
        """A pass with the weights of all window positions in one chunk."""
        weights = (WEIGHTS, places[1], size)
        data = self._inputs(turn, places[0], at, size, kind[1])
        what = turn, *[at[n] for n in self.chunks.selected]
        chunk = self.chunks.weights(size, kind[1], self.windows)
        both = data, self.writer.load(weights, WEIGHTS, what, chunk)
        cycles = KERNEL_START * len(self._shares) + sum([ceil(tiles * share) for share in self._shares])
        step = KernelStep(cycles, len(self._shares), self._micro_ops, chunks=both)
        self.writer.kernel((places, size, kind), step, ((INPUTS, places[0], size), weights))

    def _tap_by_tap(
        self, turn: int, places: tuple[int, int], at: Sequence[int], size: Tile, tiles: int, kind: tuple[int, int]
    ) -> None:
        """A pass that loads the weights of each window position, and its inputs where they are streamed."""
        streamed = self.tiling.streamed
        for tap, share in enumerate(self._shares):
            place = 0 if streamed else tap
            weights = (WEIGHTS, places[1], size, place)
            data = self._inputs(turn, places[0], at, size, kind[1], tap if streamed else 0)
            what = turn, tap, *[at[n] for n in self.chunks.selected]
            both = data, self.writer.load(weights, WEIGHTS, what, self.chunks.weights(size, kind[1], 1))
            step = KernelStep(KERNEL_START + ceil(tiles * share), 1, self._micro_ops, chunks=both)
            self.writer.kernel((places, place, size, kind), step, ((INPUTS, places[0], size), weights))

    def _inputs(self, turn: int, place: int, at: Sequence[int], size: Tile, channels: int, tap: int = 0) -> int:
        what = turn, tap, *[at[n] for n in self.chunks.moving]
        return self.writer.load((INPUTS, place, size), INPUTS, what, self.chunks.inputs(at, size, channels))
