"""Many tilings of one layer at once, a column for each field, and what they mean in tiles.

A search looks at thousands of tilings, so that what is asked of them is asked of all at once; every function
here has a row of its results for each tiling. What is a number for all of them stays one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.tile_regions import Side, TileRegion
from vtac.targets.vta.schedules.tiled_contraction import InputDimension, TiledContraction
from vtac.targets.vta.schedules.tiling import Tiling

Column: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
Tile: TypeAlias = Sequence[Column]
"""Sizes along each outer dimension."""


@dataclass(frozen=True)
class Tilings:
    """Columns of the fields of `Tiling`; `tile` has one for each outer dimension."""

    tile: tuple[Column, ...]
    channels: Column
    weights_inside: Mask
    inp: Column
    wgt: Column
    acc: Column
    pieces: Column
    skip: Mask
    taps: Mask
    streamed: Mask
    operands: Column
    outside: Column
    threads: Column

    def __len__(self) -> int:
        return len(self.channels)

    @property
    def splits_window(self) -> Mask:
        """Window positions stand outside the kernel."""
        return self.skip | self.taps | self.streamed

    def rows(self, chosen: Column | Mask | slice) -> Tilings:
        """Some of the tilings, by their numbers, by a mask or by a slice."""
        return Tilings(
            tuple(sizes[chosen] for sizes in self.tile),
            self.channels[chosen],
            self.weights_inside[chosen],
            self.inp[chosen],
            self.wgt[chosen],
            self.acc[chosen],
            self.pieces[chosen],
            self.skip[chosen],
            self.taps[chosen],
            self.streamed[chosen],
            self.operands[chosen],
            self.outside[chosen],
            self.threads[chosen],
        )

    def joined(self, others: Tilings) -> Tilings:
        """These, and others behind them."""
        return Tilings(
            tuple(np.concatenate(both) for both in zip(self.tile, others.tile, strict=True)),
            np.concatenate([self.channels, others.channels]),
            np.concatenate([self.weights_inside, others.weights_inside]),
            np.concatenate([self.inp, others.inp]),
            np.concatenate([self.wgt, others.wgt]),
            np.concatenate([self.acc, others.acc]),
            np.concatenate([self.pieces, others.pieces]),
            np.concatenate([self.skip, others.skip]),
            np.concatenate([self.taps, others.taps]),
            np.concatenate([self.streamed, others.streamed]),
            np.concatenate([self.operands, others.operands]),
            np.concatenate([self.outside, others.outside]),
            np.concatenate([self.threads, others.threads]),
        )

    def sized(self, tile: Tile) -> Tilings:
        """The same with tiles of other sizes."""
        return replace(self, tile=tuple(tile))

    def listed(self) -> list[Tiling]:
        """The tilings one by one."""
        columns = (self.channels, self.weights_inside, self.inp, self.wgt, self.acc, self.pieces)
        rest = (self.skip, self.taps, self.streamed, self.operands, self.outside, self.threads)
        tiles = zip(*(sizes.tolist() for sizes in self.tile), strict=True)
        fields = zip(*(column.tolist() for column in (*columns, *rest)), strict=True)
        return [Tiling(tile, *row) for tile, row in zip(tiles, fields, strict=True)]


def tilings_of(tilings: Sequence[Tiling], rank: int) -> Tilings:
    """The columns of tilings of a layer whose results have `rank` outer dimensions."""
    return Tilings(
        tuple(_column(one.tile[number] for one in tilings) for number in range(rank)),
        _column(one.channels for one in tilings),
        _mask(one.weights_inside for one in tilings),
        _column(one.inp for one in tilings),
        _column(one.wgt for one in tilings),
        _column(one.acc for one in tilings),
        _column(one.pieces for one in tilings),
        _mask(one.skip for one in tilings),
        _mask(one.taps for one in tilings),
        _mask(one.streamed for one in tilings),
        _column(one.operands for one in tilings),
        _column(one.outside for one in tilings),
        _column(one.threads for one in tilings),
    )


def _column(values: Iterable[int]) -> Column:
    return np.fromiter(values, np.int64)


def _mask(values: Iterable[bool]) -> Mask:
    return np.fromiter(values, np.bool_)


def product_of(columns: Iterable[Column | int]) -> Column | int:
    """Their product, row by row; 1 where there are none."""
    product: Column | int = 1
    for column in columns:
        product = product * column
    return product


def extent_of(side: Side, tile: Tile) -> Column | int:
    """Tiles that an output tile needs along one dimension, at most all there are."""
    if side.spatial is None:
        return min(side.size, side.reach)
    return np.minimum(side.size, (tile[side.spatial] - 1) * side.stride + side.reach)


def tiles_in(region: TileRegion, tile: Tile) -> Column | int:
    """Tiles of a region for one output tile."""
    return product_of(extent_of(side, tile) for side in region)


def contraction_tile(contraction: TiledContraction, tile: Tile) -> list[Column]:
    """What of the contraction a tile of the layer's result needs, per outer spatial loop."""
    if not contraction.region:
        return list(tile)
    one = np.ones_like(tile[0])
    return [one * extent_of(side, tile) for side in contraction.region]


def counts_of(layer: Layer, tile: Tile) -> list[Column]:
    """How many tiles cover each outer dimension of the output."""
    return [-(-extent // size) for extent, size in zip(layer.extents, tile, strict=True)]


def rests_of(layer: Layer, tilings: Tilings) -> Mask:
    """Along which dimensions a smaller tile stands at the end: a row for each dimension."""
    found = [extent % size > 0 for extent, size in zip(layer.extents, tilings.tile, strict=True)]
    return np.array(found, np.bool_).reshape(len(layer.extents), len(tilings))


def piece_dimensions(layer: Layer, tilings: Tilings) -> Column:
    """The dimension whose tile is finished in pieces: the first that selects weights."""
    found = np.zeros(len(tilings), np.int64)
    by_weight = layer.contraction.by_weight if layer.contraction else ()
    for number in reversed([number for number, weight in enumerate(by_weight) if weight]):
        found = np.where(tilings.tile[number] > 1, number, found)
    return found


def piece_tiles(layer: Layer, tilings: Tilings) -> list[Column]:
    """The part of an output tile that is finished at once."""
    cut = piece_dimensions(layer, tilings)
    return [np.where(cut == number, size // tilings.pieces, size) for number, size in enumerate(tilings.tile)]


def loaded_by_piece(layer: Layer, tilings: Tilings, region: TileRegion) -> Mask:
    """Where an operand moves with every loop over tiles and with the pieces: it is loaded piece by piece."""
    counts, cut = counts_of(layer, tilings.tile), piece_dimensions(layer, tilings)
    moves = {side.spatial for side in region}
    found = (tilings.pieces == 1) | np.isin(cut, [number for number in range(len(counts)) if number in moves])
    for number, count in enumerate(counts):
        if number not in moves:
            found = found & (count == 1)
    return found


def loads_of(layer: Layer, tilings: Tilings, region: TileRegion) -> Column:
    """How often a region is loaded inside the innermost tile loop that moves it."""
    counts = counts_of(layer, tilings.tile)
    moves = {side.spatial for side in region}
    by_weight = layer.contraction.by_weight if layer.contraction else (True,) * len(counts)
    selecting = [number for number, weight in enumerate(by_weight) if weight]
    moving = [number for number, weight in enumerate(by_weight) if not weight]
    times = _times([*selecting, *moving], counts, moves)
    if not selecting or not moving:
        return times
    for mask in np.unique(tilings.outside[tilings.outside > 0]).tolist():
        first = [number for place, number in enumerate(moving) if mask >> place & 1]
        last = [number for number in moving if number not in first]
        times = np.where(tilings.outside == mask, _times([*first, *selecting, *last], counts, moves), times)
    return np.where(tilings.weights_inside, _times([*moving, *selecting], counts, moves), times)


def _times(loops: Sequence[int], counts: Sequence[Column], moves: set[int | None]) -> Column:
    """Iterations of the tile loops, given outermost first, down to the innermost that moves."""
    around = times = np.ones_like(counts[0])
    for number in loops:
        around = around * counts[number]
        if number in moves:
            times = np.where(counts[number] > 1, around, times)
    return times


def input_extents(
    contraction: TiledContraction, dimension: InputDimension, tile: Tile, skip: Mask | bool = False
) -> Column | int:
    """Indices of an input dimension that one output tile needs, padding included.

    Steps with nothing between them used are loaded alone, unless padding is put around them; `skip` says where none is.
    """
    spatial: Column | int = 1
    if dimension.spatial is not None:
        spatial = -(-contraction_tile(contraction, tile)[dimension.spatial] // dimension.shared)
    window = contraction.window[dimension.window] if dimension.window is not None else 1
    whole = (spatial - 1) * dimension.stride + (window - 1) * dimension.dilation + 1
    if window > 1 or dimension.stride == 1:
        return whole
    return spatial if contraction.pad is None else np.where(skip, spatial, whole)


def input_tiles(contraction: TiledContraction, tilings: Tilings) -> Column:
    """Tiles of one copy of the input buffer."""
    tile = contraction_tile(contraction, tilings.tile)
    moving = product_of(size for size, selects in zip(tile, contraction.selecting, strict=True) if selects)
    total: Column | int = 1
    for dimension in contraction.dimensions:
        if dimension.spatial is None and dimension.window is None:
            total = total * tilings.channels
            continue
        extent = input_extents(contraction, dimension, tilings.tile, tilings.skip)
        total = total * np.where(tilings.skip, np.minimum(extent, dimension.size), extent)
    return np.where(tilings.streamed, moving * tilings.channels, total)


def weight_tiles(contraction: TiledContraction, tilings: Tilings) -> Column:
    """Tiles of one copy of the weight buffer, all window positions together."""
    windows = int(np.prod(contraction.window, dtype=np.int64))
    return selected_tiles(contraction, tilings) * tilings.channels * np.where(tilings.streamed, 1, windows)


def selected_tiles(contraction: TiledContraction, tilings: Tilings) -> Column | int:
    """Tiles of the dimensions that select weights."""
    return product_of(size for size, weight in zip(tilings.tile, contraction.by_weight, strict=True) if weight)
