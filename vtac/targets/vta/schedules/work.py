"""The least that a layer takes on the VTA: products, resets, ALU operations and bytes, whatever the schedule."""

from __future__ import annotations

from math import prod

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.programs.work import Work
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.roof import Needed, roof
from vtac.targets.vta.schedules.tile_regions import tiles_of


def work_of(layer: Layer, config: VTAConfig) -> Work:
    """What no schedule of a layer can leave out; products with padding are none of it."""
    products = resets = alu = 0
    for stage in layer.stages:
        tiles = tiles_of(stage.region, layer.extents)
        alu += stage.least_alu * tiles
        for product in stage.products:
            products += tiles
            resets += tiles if product.starts else 0
    if layer.contraction is not None:
        needed = Needed(layer.contraction, layer.extents)
        resets += needed.outputs
        products += needed.products
    stored = prod(layer.extents) * config.out_element_bytes * layer.results
    return Work(products, resets, alu, roof(layer, config).nbytes - stored, stored)
