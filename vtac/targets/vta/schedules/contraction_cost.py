"""What the contraction of a layer costs under tilings: work, traffic, instructions."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from math import prod

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.roof import needed_of
from vtac.targets.vta.schedules.room import micro_op_counts
from vtac.targets.vta.schedules.staying import chunks_loaded, chunks_shared
from vtac.targets.vta.schedules.tile_regions import Side
from vtac.targets.vta.schedules.tiled_contraction import InputDimension, TiledContraction
from vtac.targets.vta.schedules.tilings import (
    Column,
    Tilings,
    input_extents,
    product_of,
    selected_tiles,
    weight_tiles,
)

BUS = 8
LOAD_START = 23


class ContractionCost:
    """What the contraction of a layer adds, tiling by tiling: work, traffic, instructions."""

    def __init__(
        self, layer: Layer, contraction: TiledContraction, tilings: Tilings, config: VTAConfig, counts: list[Column]
    ) -> None:
        one = np.ones(len(tilings), np.int64)
        sides = list(zip(counts, contraction.by_weight, strict=True))
        passes = -(-contraction.channels // tilings.channels)
        by_weight = one * product_of(count for count, weight in sides if weight)
        by_input = one * product_of(count for count, weight in sides if not weight)
        windows = prod(contraction.window)
        total = by_weight * by_input * passes
        self.outputs = one * covered_outputs(layer, contraction, tilings)
        dense = self.outputs * contraction.channels * windows
        self.work = np.where(tilings.skip, (dense * contraction.useful).astype(np.int64), dense)
        # A window that lies in the padding alone still makes a kernel, which clears the result.
        met = max(needed_of(contraction, layer.extents).positions, 1)
        positions = np.where(tilings.skip, met, windows)
        groups = np.where(tilings.splits_window, positions, 1)
        self.kernels = total * groups
        inputs, weights = chunks_loaded(contraction, tilings, counts, passes)
        if contraction.tied:
            inputs = -(-total // chunks_shared(contraction, tilings, counts, passes))
        chunks = product_of(c for c, selects in zip(counts, contraction.selecting, strict=True) if selects)
        row = one * _loaded_tiles(layer, contraction, tilings) / (chunks * passes)
        input_bytes = (row * config.inp_element_bytes).astype(np.int64)
        weight = weight_tiles(contraction, tilings) * config.wgt_element_bytes
        weight = np.where(tilings.taps, weight // windows * positions, weight)
        self.load_bytes = (inputs * row * config.inp_element_bytes).astype(np.int64) + weights * weight
        lines = _lines(contraction, tilings)
        slices = positions * np.where(tilings.channels > 1, selected_tiles(contraction, tilings), 1)
        self.loads = inputs * lines + weights * np.where(tilings.taps, slices, 1)
        self.waiting = np.where(tilings.inp == 1, (inputs - 1) * (LOAD_START * lines + input_bytes // BUS), 0)
        once = (tilings.wgt == 1) & ~tilings.taps
        self.waiting = self.waiting + np.where(once, (weights - 1) * (LOAD_START + weight // BUS), 0)
        self.first_bytes = input_bytes + weight // np.where(tilings.taps, positions, 1)
        turns = [np.minimum(copies, total) for copies in (tilings.inp, tilings.wgt)]
        last = np.minimum(tilings.acc, by_weight * by_input)
        variants = np.minimum(np.lcm(np.lcm(turns[0], turns[1]), last), total) * groups
        others = 1 + kernels_of(layer) * tilings.pieces * last
        self.uop_loads = variants + others
        per_kernel = np.abs(micro_op_counts(contraction, tilings))
        share = np.where(tilings.skip, contraction.useful**0.5, 1.0)
        self.micro_ops = (variants * per_kernel * share).astype(np.int64) + others


def covered_outputs(layer: Layer, contraction: TiledContraction, tilings: Tilings) -> Column | int:
    """Tiles that are computed for all tiles of the result together; what several of them need is, each time."""
    if not contraction.region:
        return prod(layer.extents)
    rank = len(layer.extents)
    sides = zip(contraction.region, tilings.tile, layer.extents, strict=True)
    return product_of(_each(partial(_covered_along, side, rank, extent), sizes) for side, sizes, extent in sides)


def _covered_along(side: Side, rank: int, extent: int, size: int) -> int:
    """Tiles along a dimension of that extent that all tiles of one size need, each what it needs."""
    return sum(side.extent([min(size, extent - start)] * rank) for start in range(0, extent, size))


def _each(function: Callable[[int], int], values: Column) -> Column:
    """A function of every value, called once for equal ones."""
    kinds, places = np.unique(values, return_inverse=True)
    return np.array([function(kind) for kind in kinds.tolist()], np.int64)[places]


def _loaded_tiles(layer: Layer, contraction: TiledContraction, tilings: Tilings) -> Column | int:
    """Input tiles that one sweep over all output tiles loads, without padding."""
    total: Column | int = 1
    for dimension in contraction.dimensions:
        if dimension.spatial is None and dimension.window is None:
            total = total * contraction.channels
        else:
            total = total * _swept(layer, contraction, dimension, tilings)
    return total


def _swept(layer: Layer, contraction: TiledContraction, dimension: InputDimension, tilings: Tilings) -> Column | int:
    extent = input_extents(contraction, dimension, tilings.tile)
    if dimension.spatial is None:
        return np.minimum(extent, dimension.size)
    window = contraction.window[dimension.window] if dimension.window is not None else 1
    step = contraction.step(dimension.spatial)
    tile, whole = tilings.tile[dimension.spatial], layer.extents[dimension.spatial]
    if window == 1 and dimension.stride > 1 and contraction.pad is None:
        if step == 1:
            return whole
        return np.minimum(contraction.extents[dimension.spatial], -(-whole // tile) * extent)
    reach = dict(zip(tile.tolist(), (extent + 0 * tile).tolist(), strict=True))
    return _each(lambda size: _covered(dimension, reach[size], size * step, whole * step), tile)


@lru_cache(maxsize=4096)
def _covered(dimension: InputDimension, extent: int, tile: int, whole: int) -> int:
    """Indices loaded by all tiles along a dimension, those between two tiles twice, padding not."""
    total = 0
    for start in range(0, whole, tile):
        low = dimension.index(start, 0)
        total += max(0, min(low + extent, dimension.size) - max(low, 0))
    return total


def _lines(contraction: TiledContraction, tilings: Tilings) -> Column:
    """LOADs per input chunk: one per channel block, and per row where columns are gathered."""
    moving = [d for d in contraction.dimensions if d.spatial is not None or d.window is not None]
    if not contraction.steps or len(moving) < 2:
        return tilings.channels
    gathered = product_of(input_extents(contraction, d, tilings.tile) for d in moving[:-1])
    return tilings.channels * np.where(tilings.skip | np.bool_(contraction.pad is None), gathered, 1)


def kernels_of(layer: Layer) -> int:
    """ALU kernels of one piece of a tile."""
    return sum(stage.kernels for stage in layer.stages)
