"""What no schedule of a layer can go below: bytes that must move, and the busiest unit's cycles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod

import numpy as np
import numpy.typing as npt

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.memory_bus import BUS_BYTES
from vtac.targets.vta.programs.work import least_store_cycles
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.tile_regions import tiles_of
from vtac.targets.vta.schedules.tiled_contraction import InputDimension, TiledContraction


@dataclass(frozen=True)
class Roof:
    """`nbytes`: inputs touched, weights and outputs once each. `cycles`: the largest of compute
    (GEMM, reset and ALU tile-cycles, products with padding left out), load beats and stores.
    """

    nbytes: int
    cycles: int


@lru_cache(maxsize=256)
def roof(layer: Layer, config: VTAConfig) -> Roof:
    """The limits of one layer."""
    outputs = prod(layer.extents)
    stored = outputs * config.out_element_bytes * layer.results
    compute = 0
    nbytes = sum(tiles_of(operand.region, layer.extents) for operand in layer.operands) * config.acc_element_bytes
    for stage in layer.stages:
        tiles = tiles_of(stage.region, layer.extents)
        compute += stage.least_alu * tiles
        nbytes += stage.least_loaded(layer.extents) * config.acc_element_bytes
        for one in stage.products:
            compute += (2 if one.starts else 1) * tiles
            nbytes += one.touched(layer.extents) * config.inp_element_bytes
            nbytes += tiles_of(one.weights, layer.extents) * config.wgt_element_bytes
    contraction = layer.contraction
    if contraction is not None:
        needed = needed_of(contraction, layer.extents)
        inputs = needed.inputs
        selected = prod(e for e, weight in zip(layer.extents, contraction.by_weight, strict=True) if weight)
        weights = selected * contraction.channels * needed.positions
        compute += needed.outputs + needed.products
        nbytes += inputs * config.inp_element_bytes + weights * config.wgt_element_bytes
    return Roof(max(1, nbytes + stored), max(1, compute, nbytes // BUS_BYTES, least_store_cycles(stored, config)))


@dataclass(frozen=True)
class Needed:
    """What results of those extents need of a contraction: no gaps of windows behind it, and no padding.

    Input dimensions that move with the same loops, as on a diagonal, are gone along together.
    """

    contraction: TiledContraction
    extents: tuple[int, ...]

    @property
    def outputs(self) -> int:
        """Tiles of its output."""
        contraction = self.contraction
        return tiles_of(contraction.region, self.extents) if contraction.region else prod(contraction.extents)

    @property
    def inputs(self) -> int:
        """Tiles of its input."""
        contraction = self.contraction
        still = [d for d in contraction.dimensions if d.spatial is None and d.window is None]
        return contraction.channels ** len(still) * prod(group.reached for group in self._groups)

    @property
    def products(self) -> int:
        """Products of tiles: input dimensions leave out their padding."""
        total = self.outputs * self.contraction.channels * prod(self.contraction.window)
        for group in self._groups:
            total = total // group.count * group.inside
        return total

    @cached_property
    def positions(self) -> int:
        """Positions of the window at which some output meets data, so that their weights are needed."""
        total = prod(self.contraction.window)
        for group in self._groups:
            if group.windows:
                total = total // prod(self.contraction.window[number] for number in group.windows) * group.met
            elif not group.inside:
                return 0
        return total

    @cached_property
    def _groups(self) -> list[_Group]:
        """Input dimensions that share a loop stand together."""
        found: list[list[InputDimension]] = []
        for dimension in self.contraction.dimensions:
            if dimension.spatial is None and dimension.window is None:
                continue
            shared = [group for group in found if any(_share(dimension, other) for other in group)]
            found = [group for group in found if group not in shared]
            found.append([other for group in shared for other in group] + [dimension])
        return [self._group(dimensions) for dimensions in found]

    def _group(self, dimensions: Sequence[InputDimension]) -> _Group:
        outer = sorted({d.spatial for d in dimensions if d.spatial is not None})
        windows = sorted({d.window for d in dimensions if d.window is not None})
        ranges = [np.array(sorted(self._places(number)), np.int64) for number in outer]
        ranges += [np.arange(self.contraction.window[number]) for number in windows]
        return _Group(tuple(dimensions), tuple(outer), tuple(windows), ranges)

    def _places(self, number: int) -> set[int]:
        """Indices along an outer loop."""
        if self.contraction.region:
            return self.contraction.region[number].touched(self.extents)
        return set(range(self.contraction.extents[number]))


@lru_cache(maxsize=64)
def needed_of(contraction: TiledContraction, extents: tuple[int, ...]) -> Needed:
    """What results of those extents need, found once."""
    return Needed(contraction, extents)


@dataclass(frozen=True)
class _Group:
    """Input dimensions, the outer loops and those of the window that move them, and the places along each of these."""

    dimensions: tuple[InputDimension, ...]
    outer: tuple[int, ...]
    windows: tuple[int, ...]
    ranges: list[npt.NDArray[np.int64]]

    @property
    def count(self) -> int:
        """Steps of all loops."""
        return prod(map(len, self.ranges))

    @property
    def inside(self) -> int:
        """The steps that meet data."""
        return int(np.count_nonzero(self._meets))

    @property
    def reached(self) -> int:
        """The indices of data along these dimensions, each counted once."""
        places = np.zeros((1,) * len(self.ranges), np.int64)
        for dimension, index in zip(self.dimensions, self._indices, strict=True):
            places = places * dimension.size + index
        touched = np.zeros(prod(dimension.size for dimension in self.dimensions), np.bool_)
        touched[np.broadcast_to(places, self._meets.shape)[self._meets]] = True
        return int(np.count_nonzero(touched))

    @property
    def met(self) -> int:
        """The window positions at which data is met."""
        return int(np.count_nonzero(self._meets.any(axis=tuple(range(len(self.outer))))))

    @cached_property
    def _indices(self) -> list[npt.NDArray[np.int64]]:
        """The index along each dimension, by an axis per loop: padding has one below 0, or from the size on."""
        loops = dict(zip((*self.outer, *(~number for number in self.windows)), np.ix_(*self.ranges), strict=True))
        still = np.zeros((1,) * len(self.ranges), np.int64)
        return [
            d.index(
                still if d.spatial is None else loops[d.spatial],
                still if d.window is None else loops[~d.window],
            )
            for d in self.dimensions
        ]

    @cached_property
    def _meets(self) -> npt.NDArray[np.bool_]:
        """Whether each step meets data, by an axis per loop."""
        found = np.ones(tuple(map(len, self.ranges)), np.bool_)
        for dimension, index in zip(self.dimensions, self._indices, strict=True):
            found &= (index >= 0) & (index < dimension.size)
        return found


def _share(one: InputDimension, other: InputDimension) -> bool:
    """Whether a loop moves both."""
    spatial = one.spatial is not None and one.spatial == other.spatial
    return spatial or (one.window is not None and one.window == other.window)
