"""What no schedule of a layer can go below: bytes that must move, and the busiest unit's cycles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.programs.work import least_store_cycles
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.tile_regions import tiles_of
from vtac.targets.vta.schedules.tiled_contraction import InputDimension, TiledContraction

_BUS = 8


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
        compute += stage.alu * tiles
        if stage.kind == "load":
            nbytes += tiles * config.acc_element_bytes
        for product in stage.products:
            compute += (2 if product.starts else 1) * tiles
            nbytes += product.touched(layer.extents) * config.inp_element_bytes
            nbytes += tiles_of(product.weights, layer.extents) * config.wgt_element_bytes
    contraction = layer.contraction
    if contraction is not None:
        needed = Needed(contraction, layer.extents)
        inputs = prod(needed.indices(d) for d in contraction.dimensions)
        selected = prod(e for e, weight in zip(layer.extents, contraction.by_weight, strict=True) if weight)
        weights = selected * contraction.channels * needed.positions
        compute += needed.outputs + needed.products
        nbytes += inputs * config.inp_element_bytes + weights * config.wgt_element_bytes
    return Roof(max(1, nbytes + stored), max(1, compute, nbytes // _BUS, least_store_cycles(stored, config)))


@dataclass(frozen=True)
class Needed:
    """What results of those extents need of a contraction: no gaps of windows behind it, and no padding."""

    contraction: TiledContraction
    extents: tuple[int, ...]

    @property
    def outputs(self) -> int:
        """Tiles of its output."""
        return prod(len(self._places(number)) for number in range(len(self.contraction.extents)))

    @property
    def products(self) -> int:
        """Products of tiles: each dimension with a window leaves out its padding."""
        total = self.outputs * self.contraction.channels * prod(self.contraction.window)
        for dimension in self.contraction.dimensions:
            if dimension.window is not None:
                pairs = self._pairs(dimension)
                met = sum(0 <= dimension.index(i, w) < dimension.size for i, w in pairs)
                total = total // len(pairs) * met
        return total

    @property
    def positions(self) -> int:
        """Positions of the window at which some output meets data, so that their weights are needed."""
        total = prod(self.contraction.window)
        for dimension in self.contraction.dimensions:
            if dimension.window is not None:
                pairs = self._pairs(dimension)
                met = {w for i, w in pairs if 0 <= dimension.index(i, w) < dimension.size}
                total = total // self.contraction.window[dimension.window] * len(met)
        return total

    def indices(self, dimension: InputDimension) -> int:
        """Indices of an input dimension that some output needs."""
        if dimension.spatial is None and dimension.window is None:
            return self.contraction.channels
        reached = {dimension.index(i, w) for i, w in self._pairs(dimension)}
        return len(reached & set(range(dimension.size)))

    def _pairs(self, dimension: InputDimension) -> list[tuple[int, int]]:
        """Indices of an output and of the window that meet along an input dimension."""
        places = {0} if dimension.spatial is None else self._places(dimension.spatial)
        window = 1 if dimension.window is None else self.contraction.window[dimension.window]
        return [(i, w) for i in places for w in range(window)]

    def _places(self, number: int) -> set[int]:
        """Indices along an outer loop."""
        if self.contraction.region:
            return self.contraction.region[number].touched(self.extents)
        return set(range(self.contraction.extents[number]))
