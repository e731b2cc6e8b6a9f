"""What no schedule of a layer can go below: bytes that must move, and the busiest unit's cycles."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from vtac.dialects.hardware import VTAConfig
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
            sides = zip(product.region, product.sizes, strict=True)
            touched = prod(min(side.extent(layer.extents), size) for side, size in sides)
            nbytes += touched * config.inp_element_bytes
            nbytes += tiles_of(product.weights, layer.extents) * config.wgt_element_bytes
    contraction = layer.contraction
    if contraction is not None:
        inputs = prod(_touched(contraction, d) for d in contraction.dimensions)
        selected = prod(e for e, weight in zip(layer.extents, contraction.by_weight, strict=True) if weight)
        weights = selected * contraction.channels * _positions(contraction)
        compute += prod(contraction.extents) + contraction.products
        nbytes += inputs * config.inp_element_bytes + weights * config.wgt_element_bytes
    store = (3 * stored) // 16 + 3 * (stored // 128)
    return Roof(max(1, nbytes + stored), max(1, compute, nbytes // _BUS, store))


def _positions(contraction: TiledContraction) -> int:
    """Positions of the window at which some output meets data, so that their weights are needed."""
    total = prod(contraction.window)
    for dimension in contraction.dimensions:
        if dimension.window is None:
            continue
        window = contraction.window[dimension.window]
        whole = contraction.extents[dimension.spatial] if dimension.spatial is not None else 1
        met = {w for w in range(window) for i in range(whole) if 0 <= dimension.index(i, w) < dimension.size}
        total = total // window * len(met)
    return total


def _touched(contraction: TiledContraction, dimension: InputDimension) -> int:
    """Indices of an input dimension that some output needs."""
    if dimension.spatial is None and dimension.window is None:
        return contraction.channels
    whole = contraction.extents[dimension.spatial] if dimension.spatial is not None else 1
    window = contraction.window[dimension.window] if dimension.window is not None else 1
    reached = {dimension.index(i, w) for i in range(whole) for w in range(window)}
    return len(reached & set(range(dimension.size)))
