"""Cycles of loads and stores that no program of a tiling goes below."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from math import prod
from typing import TypeAlias

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.roof import Needed
from vtac.targets.vta.schedules.tile_regions import tiles_of
from vtac.targets.vta.schedules.tiled_contraction import InputDimension
from vtac.targets.vta.schedules.tilings import (
    Column,
    Tilings,
    input_extents,
    product_of,
    selected_tiles,
)
from vtac.targets.vta.tuning.bound_cut import Cut, reach_of
from vtac.targets.vta.tuning.bound_reloads import Reloads
from vtac.targets.vta.tuning.bound_starts import BUS, Starts

_BURST_BYTES = 128
_Extents: TypeAlias = Callable[[InputDimension], Column | int]
"""Indices along an input dimension."""


def store_cycles(tiles: Column | int, config: VTAConfig) -> Column:
    """Cycles of a STORE of so many tiles: the beats, and a read of each of their rows; three more for each burst.

    Tiles no wider than the bus are not read row by row, which leaves four for each burst.
    """
    nbytes = np.asarray(tiles, np.int64) * config.out_element_bytes
    beats, rows = nbytes // BUS, max(1, config.block_out // BUS)
    bursts = -(-nbytes // _BURST_BYTES)
    return beats + (4 * bursts if config.out_element_bytes <= BUS else beats // rows + 3 * bursts)


def last_piece(layer: Layer, tilings: Tilings) -> Column:
    """Tiles of the result that are stored behind everything else."""
    total: Column = np.ones(len(tilings), np.int64)
    for extent, size in zip(layer.extents, tilings.tile, strict=True):
        total = total * np.where(extent % size, extent % size, size)
    return total // tilings.pieces


class LoadBounds:
    """Columns of cycles of the load unit, and when it is done with what."""

    def __init__(self, cut: Cut) -> None:
        self.cut, self.tilings, self.contraction = cut, cut.tilings, cut.contraction
        self._starts = Starts(cut.config)
        self._weights = selected_tiles(cut.contraction, cut.tilings) * cut.tilings.channels
        """Tiles of the weights of a pass, of one window position."""

    @property
    def first_kernel(self) -> Column:
        """When the first kernel's inputs and weights are there: those of a whole pass, if they are loaded together."""
        one_by_one = self.tilings.taps | self.tilings.streamed
        weights = self._weights * np.where(one_by_one, 1, self.cut.positions)
        inputs = self._inputs(self._first_extent)
        return self._first_load(inputs) + self._start(inputs) + self._beats(inputs, weights)

    @property
    def first_tiles(self) -> Column:
        """When the inputs and weights of all passes of the first tile are there, of that of each virtual thread."""
        weights = self._weights * self.cut.positions
        first, others = (self._inputs(extent) for extent in (self._tile_extent, self._least_extent))
        behind = (self.tilings.threads - 1) * (self._start(others) + self._beats(others, weights))
        return self._first_load(first) + self.cut.passes * (self._start(first) + self._beats(first, weights) + behind)

    @property
    def all(self) -> Column:
        """All loads of inputs and weights, those that tiles repeat among them."""
        lines = np.where(self.cut.ragged, 1, self._lines)
        parts = np.where(self.tilings.taps & ~self.tilings.streamed, self.cut.positions, 1)
        least = self._inputs(self._least_extent)
        inputs, weights = self._reloads.inputs * lines * (least > 0), self._reloads.weights * parts
        starts = self._first_load(least) + self._starts.inputs * inputs + self._starts.weights * weights
        return starts + self._beats(self._loaded_inputs, self._loaded_weights)

    @property
    def repeated_bytes(self) -> Column:
        """Bytes of inputs and weights that are loaded again."""
        config = self.cut.config
        inputs, weights = self._loaded_inputs - self._touched, self._loaded_weights - self._once
        return inputs * config.inp_element_bytes + weights * config.wgt_element_bytes

    @cached_property
    def _reloads(self) -> Reloads:
        return Reloads(self.cut)

    @cached_property
    def _loaded_inputs(self) -> Column:
        return self._loaded(self._touched, self._reloads.inputs * self._inputs(self._least_extent))

    @cached_property
    def _loaded_weights(self) -> Column:
        return self._loaded(self._once, self._reloads.weights * self._weights * self.cut.positions)

    def _loaded(self, once: Column | int, by_chunks: Column) -> Column:
        """Tiles that are loaded: all of them once, or as often as chunks are, where these are of one size."""
        return np.maximum(once, np.where(self._reloads.even, by_chunks, 0))

    @cached_property
    def _touched(self) -> int:
        """Tiles of the inputs that some result needs."""
        return Needed(self.contraction, self.cut.layer.extents).inputs

    @cached_property
    def _once(self) -> Column:
        """Tiles of all weights that are read."""
        layer, contraction = self.cut.layer, self.contraction
        selected = prod(e for e, side in zip(layer.extents, contraction.by_weight, strict=True) if side)
        return np.asarray(selected * contraction.channels * self.cut.positions, np.int64)

    @property
    def behind_last(self) -> Column:
        """What comes behind the last load: the kernel that reads it, and the ALU's work on its tile."""
        cut, layer = self.cut, self.cut.layer
        kernel = cut.size * self.tilings.channels * np.where(self.tilings.splits_window, 1, cut.windows)
        alu = sum(stage.least_alu * tiles_of(stage.region, layer.extents) for stage in layer.stages) // cut.tiles
        return np.where(cut.ragged | self.tilings.skip | np.bool_(not cut.plain), 0, kernel + alu)

    @property
    def single_copies(self) -> Column:
        """Loads between the passes of each tile where inputs, or weights, have one copy: nothing else is done then.

        Where each position of the window has weights of its own, these are loaded while kernels of others are done.
        """
        cut, tilings = self.cut, self.tilings
        least = self._inputs(self._least_extent)
        inputs = self._starts.inputs * self._lines * (least > 0) + self._beats(least, 0)
        inputs = np.where(tilings.inp == 1, inputs, 0)
        weights = self._starts.weights + self._beats(0, self._weights * cut.positions)
        weights = np.where((tilings.wgt == 1) & ~tilings.taps, weights, 0)
        apart = tilings.streamed | (tilings.threads > 1)
        return np.where(apart, 0, cut.full * (cut.passes - 1) * (inputs + weights))

    def _start(self, inputs: Column) -> Column:
        """Cycles beside the beats of a chunk of so many inputs, none if all is padding, and one of weights."""
        return self._starts.inputs * self._lines * (inputs > 0) + self._starts.weights

    def _first_load(self, inputs: Column) -> Column:
        """What the first LOAD takes more, where nothing but padding is written before it."""
        return self._starts.first_load * (inputs > 0)

    @cached_property
    def _lines(self) -> Column:
        """LOADs of a chunk of inputs: one; where columns and rows are gathered, one for each row of each channel."""
        contraction = self.contraction
        one = np.ones(len(self.tilings), np.int64)
        moving = [d for d in contraction.dimensions if d.spatial is not None or d.window is not None]
        gathered = [d.stride > 1 and d.spatial is not None and reach_of(contraction, d)[1] == 1 for d in moving[-2:]]
        if len(gathered) < 2 or not all(gathered) or contraction.pad is not None:
            return one
        rows, columns = (one * input_extents(contraction, d, self.tilings.tile) for d in moving[-2:])
        return np.where(columns > 1, self.tilings.channels * rows, 1)

    def _inputs(self, extents: _Extents) -> Column:
        """Input tiles of one pass of a tile that are no padding, by their indices along each dimension."""
        moving = [d for d in self.contraction.dimensions if d.spatial is not None or d.window is not None]
        return self.tilings.channels * product_of(np.clip(extents(d), 0, d.size) for d in moving)

    def _tile_extent(self, dimension: InputDimension) -> Column | int:
        """Of the first tile: all window positions."""
        return input_extents(self.contraction, dimension, self.tilings.tile, self.tilings.skip) - dimension.before

    def _first_extent(self, dimension: InputDimension) -> Column | int:
        """Of the first kernel: one window position where each has inputs of its own."""
        extent, (_, window) = self._tile_extent(dimension), reach_of(self.contraction, dimension)
        return np.where(self.tilings.streamed, extent - (window - 1) * dimension.dilation, extent)

    def _least_extent(self, dimension: InputDimension) -> Column | int:
        """Of any tile, one with all padding of the layer; below 1 where that may be nothing else."""
        whole, window = reach_of(self.contraction, dimension)
        end = (whole - 1) * dimension.stride + (window - 1) * dimension.dilation + 1
        return self._tile_extent(dimension) - max(0, end - dimension.before - dimension.size)

    def _beats(self, inputs: Column | int, weights: Column | int) -> Column:
        config = self.cut.config
        nbytes = inputs * config.inp_element_bytes + weights * config.wgt_element_bytes
        return np.asarray(nbytes, np.int64) // BUS
