"""How tilings cut a contraction, as far as their bounds need to know: passes, kernels, tiles."""

from __future__ import annotations

from functools import cached_property
from math import prod

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.tiled_contraction import InputDimension, TiledContraction
from vtac.targets.vta.schedules.tilings import Column, Mask, Tilings, contraction_tile, counts_of, product_of, rests_of


def tile_count(layer: Layer, tilings: Tilings) -> Column:
    """Tiles that cover the results."""
    return np.ones(len(tilings), np.int64) * product_of(counts_of(layer, tilings.tile))


class Cut:
    """Tilings of a layer with a contraction."""

    def __init__(self, layer: Layer, contraction: TiledContraction, tilings: Tilings, config: VTAConfig) -> None:
        self.layer, self.contraction, self.tilings, self.config = layer, contraction, tilings, config
        self.windows = prod(contraction.window)
        self.passes: Column = -(-contraction.channels // tilings.channels)
        self.tiles = tile_count(layer, tilings)
        self.ragged: Mask = np.logical_or.reduce(rests_of(layer, tilings))
        self.size = np.ones(len(tilings), np.int64) * product_of(contraction_tile(contraction, tilings.tile))
        """Tiles of the contraction that a full tile of the results needs."""
        self.plain = layer.results == 1 and not layer.pools_sums
        """Whether one result is stored, from as many accumulators as the contraction has."""

    @property
    def full(self) -> Column:
        """Tiles of the full size that come one after the other; where some are smaller the first one alone."""
        return np.where(self.ragged, 1, self.tiles)

    @property
    def turns(self) -> Column:
        """Copies of the accumulators of each virtual thread that come to use."""
        return np.where(self.plain, np.minimum(self.tilings.acc, np.maximum(1, self.full // self.tilings.threads)), 1)

    @cached_property
    def kernels(self) -> Column:
        """Kernels of a pass: one, or one for each window position that some result needs."""
        return np.where(self.tilings.skip, self.needed, np.where(self.tilings.splits_window, self.windows, 1))

    @property
    def positions(self) -> Column:
        """Window positions whose weights are read: with padding skipped, there may be some that meet nothing else."""
        return np.where(self.tilings.skip, self.needed, self.windows)

    @cached_property
    def needed(self) -> int:
        """Window positions that meet data for some result; 0 where no result meets any, for padding along any side."""
        moving = [one for one in self.contraction.dimensions if one.spatial is not None or one.window is not None]
        if not all(map(self._meeting, moving)):
            return 0
        return prod(self._needed(number) for number in range(len(self.contraction.window)))

    def _needed(self, window: int) -> int:
        dimensions = [one for one in self.contraction.dimensions if one.window == window]
        return min((self._meeting(one) for one in dimensions), default=self.contraction.window[window])

    def _meeting(self, dimension: InputDimension) -> int:
        whole, window = reach_of(self.contraction, dimension)
        starts = [w * dimension.dilation - dimension.before for w in range(window)]
        return sum(any(0 <= start + i * dimension.stride < dimension.size for i in range(whole)) for start in starts)


def reach_of(contraction: TiledContraction, dimension: InputDimension) -> tuple[int, int]:
    """How many results and window positions an input dimension serves."""
    whole = -(-contraction.extents[dimension.spatial] // dimension.shared) if dimension.spatial is not None else 1
    return whole, contraction.window[dimension.window] if dimension.window is not None else 1
