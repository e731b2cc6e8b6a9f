"""The chunks of inputs and weights that the passes of a tile read, and what their loads take."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.memory_bus import BUS_BYTES
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.stages import Product
from vtac.targets.vta.schedules.tiled_contraction import InputDimension, TiledContraction
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.schedules.transfers import LOAD_START, Chunk, chunk_of, padded_chunk, strided_chunk

Tile = tuple[int, ...]


class Chunks:
    """Loads of one layer under a tiling; a tile is given by its number along each dimension, and its size."""

    def __init__(self, layer: Layer, contraction: TiledContraction, tiling: Tiling, config: VTAConfig) -> None:
        self.layer, self.contraction, self.tiling, self.config = layer, contraction, tiling, config
        self.selected = [n for n, weight in enumerate(contraction.by_weight) if weight]
        self.moving = [n for n, selects in enumerate(contraction.selecting) if selects]
        moved = [d for d in contraction.dimensions if d.window is not None or d.stride > 1]
        self._pads = contraction.pad is not None and not tiling.skip and bool(moved)
        self._sizes = [d.size for d in contraction.dimensions]
        self._every = [d.stride if self._steps(d) else 1 for d in contraction.dimensions]
        """Along each dimension of the inputs, the step between indices that are loaded."""
        self._inputs: dict[tuple[int, ...], Chunk] = {}
        self._weights: dict[tuple[int, ...], Chunk] = {}

    def inputs(self, at: Sequence[int], size: Tile, channels: int, tap: int = 0) -> Chunk:
        """The inputs of a pass over so many channels; where they are streamed, those of one position of the window."""
        key = (channels, tap, *(at[n] for n in self.moving), *(size[n] for n in self.moving))
        found = self._inputs.get(key)
        if found is None:
            found = self._inputs[key] = self._loaded(at, size, channels, tap)
        return found

    def weights(self, size: Tile, channels: int, windows: int) -> Chunk:
        """The weights of a pass, at so many positions of the window: at all of them, or at one."""
        key = (channels, windows, *(size[n] for n in self.selected))
        found = self._weights.get(key)
        if found is None:
            found = self._weights_of(size, channels, windows)
            self._weights[key] = found
        return found

    def _weights_of(self, size: Tile, channels: int, windows: int) -> Chunk:
        contraction, nbytes = self.contraction, self.config.wgt_element_bytes
        extents, sizes = [size[n] for n in self.selected], [self.layer.extents[n] for n in self.selected]
        if contraction.channel_loop is not None:
            extents, sizes = [*extents, channels], [*sizes, contraction.channels]
        window = contraction.window
        extents += window if windows == prod(window) else [1] * len(window)
        if len(extents) == len(contraction.weight_strides):
            return strided_chunk(extents, contraction.weight_strides, nbytes)
        return chunk_of(extents, [*sizes, *window], nbytes)

    def _loaded(self, at: Sequence[int], size: Tile, channels: int, tap: int) -> Chunk:
        position = np.unravel_index(tap, self.contraction.window) if self.tiling.streamed else None
        extents: list[int] = []
        pads: list[tuple[int, int]] = []
        for dimension in self.contraction.dimensions:
            if dimension.spatial is None and dimension.window is None:
                extents.append(channels)
                pads.append((0, 0))
                continue
            start, span = self._along(dimension, at, size)
            start, span = start // dimension.shared, -(-span // dimension.shared)
            if self._steps(dimension):
                extents.append(span)
                pads.append((0, 0))
                continue
            low = start * dimension.stride - dimension.before
            window = 1 if dimension.window is None else self.contraction.window[dimension.window]
            if position is not None and dimension.window is not None:
                low, window = low + int(position[dimension.window]) * dimension.dilation, 1
            high = low + (span - 1) * dimension.stride + (window - 1) * dimension.dilation + 1
            extents.append(max(0, min(high, dimension.size) - max(low, 0)))
            pads.append((max(0, -low), max(0, high - dimension.size)))
        return self._chunk(extents, pads)

    def _chunk(self, extents: list[int], pads: list[tuple[int, int]]) -> Chunk:
        nbytes, tiles = self.config.inp_element_bytes, prod(extents)
        if self.tiling.streamed:
            count = prod(extents[:-2])
            return Chunk(tiles * nbytes // BUS_BYTES, LOAD_START * count, count)
        sizes, steps = self._sizes, self._every
        if self._pads:
            return padded_chunk(extents, pads, nbytes)
        if max(steps) > 1:
            return strided_chunk(extents, [step * prod(sizes[n + 1 :]) for n, step in enumerate(steps)], nbytes)
        return chunk_of(extents, sizes, nbytes)

    def _steps(self, dimension: InputDimension) -> bool:
        """Whether only every so many-th index is loaded, which loads that pad do not."""
        if self._pads:
            return False
        window = 1 if dimension.window is None else self.contraction.window[dimension.window]
        return dimension.spatial is not None and dimension.stride > 1 and window == 1

    def _along(self, dimension: InputDimension, at: Sequence[int], size: Tile) -> tuple[int, int]:
        """Where what a tile needs of the contraction begins along a dimension, and how much that is."""
        number, tile = dimension.spatial, self.tiling.tile
        if number is None:
            return 0, 1
        if not self.contraction.region:
            return at[number] * tile[number], size[number]
        side = self.contraction.region[number]
        start = 0 if side.spatial is None else at[side.spatial] * tile[side.spatial] * side.stride
        return start, side.extent(size)

    def place(self, at: Sequence[int]) -> tuple[int, ...]:
        """Which inputs a tile reads: neighbours that are parts of one group share theirs."""
        shares, tile = self.contraction.shares, self.tiling.tile
        return tuple([at[n] // shares[n] if tile[n] == 1 else at[n] for n in self.moving])


def padded_operand(one: Product, at: Sequence[int], tile: Tile, size: Tile, element_bytes: int) -> Chunk:
    """The loads of an int8 operand that are padded as they come: what a tile needs at its number along each dimension.

    Tiles are of size `tile`, this one of `size`; an element has so many bytes.
    """
    extents: list[int] = []
    pads: list[tuple[int, int]] = []
    for side, whole, before in zip(one.region, one.sizes, one.before, strict=True):
        start = 0 if side.spatial is None else at[side.spatial] * tile[side.spatial] * side.stride
        low = start + side.offsets[0] - before
        high = low + side.extent(size)
        extents.append(max(0, min(high, whole) - max(low, 0)))
        pads.append((max(0, -low), max(0, high - whole)))
    return padded_chunk(extents, pads, element_bytes)


def tap_shares(contraction: TiledContraction, tiling: Tiling) -> list[float]:
    """For each position of the window that has a kernel of its own, the share of the results that it reads data for."""
    places = product(*(range(extent) for extent in contraction.window))
    if not tiling.skip:
        return [1.0 for _ in places]
    shares = [prod(_met(contraction, d, place) for d in contraction.dimensions) for place in places]
    return [share for share in shares if share] or [1.0]


def _met(contraction: TiledContraction, dimension: InputDimension, place: Sequence[int]) -> float:
    if dimension.window is None:
        return 1.0
    whole = 1 if dimension.spatial is None else contraction.extents[dimension.spatial]
    window = place[dimension.window]
    return sum(0 <= dimension.index(i, window) < dimension.size for i in range(whole)) / whole
