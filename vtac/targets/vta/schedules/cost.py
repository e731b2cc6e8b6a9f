"""A quick estimate of tilings: DRAM bytes and cycles, without building the programs."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.memory_bus import BURST_BYTES
from vtac.targets.vta.schedules.contraction_cost import BUS, LOAD_START, ContractionCost, kernels_of
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.stages import Product
from vtac.targets.vta.schedules.tile_regions import TileRegion
from vtac.targets.vta.schedules.tilings import (
    Column,
    Tile,
    Tilings,
    counts_of,
    extent_of,
    loaded_by_piece,
    loads_of,
    piece_tiles,
    product_of,
    tiles_in,
)

_KERNEL_START = 7
_UOP_START = 24


class Estimate(NamedTuple):
    """DRAM bytes and cycles of one layer, and about how many instructions the program has."""

    nbytes: int
    cycles: int
    instructions: int = 0


@dataclass(frozen=True)
class Estimates:
    """The estimates of many tilings, row by row."""

    nbytes: Column
    cycles: Column
    instructions: Column

    def rows(self, chosen: Column | slice) -> Estimates:
        """Some of them, by their numbers or by a slice."""
        return Estimates(self.nbytes[chosen], self.cycles[chosen], self.instructions[chosen])

    def listed(self) -> list[Estimate]:
        """One by one."""
        columns = (self.nbytes.tolist(), self.cycles.tolist(), self.instructions.tolist())
        return [Estimate(*row) for row in zip(*columns, strict=True)]


def estimates(layer: Layer, tilings: Tilings, config: VTAConfig) -> Estimates:
    """Bytes and cycles of tilings that fit."""
    counts = counts_of(layer, tilings.tile)
    tiles = np.ones(len(tilings), np.int64) * product_of(counts)
    tail = _tail(layer, tilings, tiles, config)
    if layer.contraction is None:
        return _without_contraction(layer, tilings, tiles, tail, config)
    parts = ContractionCost(layer, layer.contraction, tilings, config, counts)
    outputs, store = prod(layer.extents), _store_cycles(layer, config)
    compute = parts.outputs + tail.vector + parts.work + _KERNEL_START * (tail.kernels + parts.kernels + tiles)
    compute = compute + LOAD_START * tail.wide_loads + parts.uop_loads * _UOP_START + parts.micro_ops // 2
    load = (parts.load_bytes + tail.nbytes) // BUS + LOAD_START * (parts.loads + tail.loads)
    start = 2 * LOAD_START + 45
    before = np.maximum(0, parts.first_bytes // BUS + start - outputs // tiles)
    # Where all tiles share the weights, as sums of a pooling do, loads never rest: the last tile waits for all of them.
    behind = before if any(layer.contraction.by_weight) else start + compute // tiles
    cycles = np.maximum(np.maximum(compute, store) + before, load + behind)
    cycles = cycles + parts.waiting + _waiting(layer, tilings, tiles, store // tiles)
    cycles = cycles + np.where(tilings.operands == 1, tail.moving_bytes // BUS + LOAD_START * tail.moving_loads, 0)
    nbytes = _stored(layer, config) + tail.wide_bytes + tail.nbytes + parts.load_bytes + 4 * parts.micro_ops
    instructions = tail.kernels + parts.kernels + parts.loads + tail.loads + tail.wide_loads
    return Estimates(nbytes, cycles, instructions + tiles * (1 + tilings.pieces * layer.results))


def _stored(layer: Layer, config: VTAConfig) -> int:
    """Bytes of the results."""
    return prod(layer.extents) * config.out_element_bytes * layer.results


def _store_cycles(layer: Layer, config: VTAConfig) -> int:
    """Cycles in which the results are stored."""
    outputs, bursts = prod(layer.extents), max(1, BURST_BYTES // config.out_element_bytes)
    return ((3 * outputs * config.out_element_bytes) // 16 + (3 * outputs) // bursts) * layer.results


def _waiting(layer: Layer, tilings: Tilings, tiles: Column, last: Column) -> Column:
    """Cycles in which a tile waits for the stores of its accumulators; `last` are those of one tile's."""
    if layer.results > 1:
        return _exposed(layer, tilings, last, tiles)
    behind = last if layer.alu == 0 else layer.alu * prod(layer.extents) // tiles
    shared = last // tilings.pieces + np.maximum(0, last - behind)
    return shared * np.where(tilings.acc == 1, tiles, 1)


def _exposed(layer: Layer, tilings: Tilings, store: Column, tiles: Column) -> Column:
    """Cycles in which the accumulators of a tile wait for its stores: for all but the last result, or for all."""
    behind = np.where(tilings.acc > 1, 0, 1)
    return store + (tiles - 1) * (store * (layer.results - 1 + behind) // layer.results)


def _without_contraction(layer: Layer, tilings: Tilings, tiles: Column, tail: _Tail, config: VTAConfig) -> Estimates:
    turns, kernels, store = np.minimum(tilings.acc, tiles), kernels_of(layer), _store_cycles(layer, config)
    nbytes = _stored(layer, config) + tail.wide_bytes + tail.nbytes + 4 * kernels * tilings.pieces * turns
    compute = tail.vector + _KERNEL_START * tail.kernels + LOAD_START * tail.wide_loads
    compute = compute + _UOP_START * kernels * turns + _exposed(layer, tilings, store // tiles, tiles)
    load = tail.nbytes // BUS + LOAD_START * tail.loads
    exposed = np.where(tilings.operands == 1, load, load // tiles)
    cycles = np.maximum(np.maximum(compute + exposed, load), store)
    return Estimates(nbytes, cycles, tail.kernels + tail.wide_loads + tail.loads + tiles * layer.results)


class _Tail:
    """What everything but the contraction adds, over all tiles.

    `cycles` of the compute unit, its `kernels`, bytes and number of its loads (int32), and bytes
    and number of the load unit's (int8): those that move with each tile, and others.
    """

    def __init__(self, tilings: Tilings) -> None:
        none = np.zeros(len(tilings), np.int64)
        self.cycles = self.kernels = self.wide_bytes = self.wide_loads = none
        self.moving_bytes = self.moving_loads = self.narrow_bytes = self.narrow_loads = none

    @property
    def nbytes(self) -> Column:
        """Bytes of the load unit's loads."""
        return self.narrow_bytes + self.moving_bytes

    @property
    def loads(self) -> Column:
        """The load unit's loads."""
        return self.narrow_loads + self.moving_loads

    @property
    def vector(self) -> Column:
        """Cycles of the compute unit, those of its loads among them."""
        return self.cycles + self.wide_bytes // BUS


def _tail(layer: Layer, tilings: Tilings, tiles: Column, config: VTAConfig) -> _Tail:
    piece, parts = piece_tiles(layer, tilings), tiles * tilings.pieces
    found = _Tail(tilings)
    for stage in layer.stages:
        whole = stage.kind == "contraction"
        number = tiles if whole else parts
        size = tiles_in(stage.region, tilings.tile if whole else piece)
        found.cycles = found.cycles + stage.alu * size * number
        found.kernels = found.kernels + stage.kernels * number
        if stage.kind == "load":
            found.wide_bytes = found.wide_bytes + size * number * config.acc_element_bytes
            found.wide_loads = found.wide_loads + number * _lines(stage.region, tilings.tile)
        for product in stage.products:
            runs = 2 if product.starts else 1
            found.cycles = found.cycles + runs * size * number
            found.kernels = found.kernels + runs * number
            _add_loads(found, layer, tilings, tiles, config, product)
    for operand in layer.operands:
        by_piece = loaded_by_piece(layer, tilings, operand.region)
        times = np.where(by_piece, parts, loads_of(layer, tilings, operand.region))
        size = np.where(by_piece, tiles_in(operand.region, piece), tiles_in(operand.region, tilings.tile))
        found.wide_bytes = found.wide_bytes + times * size * config.acc_element_bytes
        found.wide_loads = found.wide_loads + times
    return found


def _add_loads(
    found: _Tail, layer: Layer, tilings: Tilings, tiles: Column, config: VTAConfig, product: Product
) -> None:
    """Tiles that move with the result are loaded for each tile of it; one tile, and what it is multiplied by, stay."""
    if product.is_bias:
        times = loads_of(layer, tilings, product.weights)
        weights = times * tiles_in(product.weights, tilings.tile) * config.wgt_element_bytes
        found.narrow_bytes = found.narrow_bytes + config.inp_element_bytes + weights
        found.narrow_loads = found.narrow_loads + 1 + times
        return
    moving = tiles * tiles_in(product.region, tilings.tile) * config.inp_element_bytes
    found.moving_bytes = found.moving_bytes + moving
    found.moving_loads = found.moving_loads + tiles * _lines(product.region, tilings.tile)
    found.narrow_bytes = found.narrow_bytes + config.wgt_element_bytes


def _lines(region: TileRegion, tile: Tile) -> Column | int:
    """Transfers of a region: rows of a plane are one, planes that are no whole ones several."""
    sides = [side for side in region if side.size > 1]
    extents = [extent_of(side, tile) for side in sides]
    left: Column | int = len(sides)
    for number in range(len(sides) - 1, 0, -1):
        whole = np.equal(extents[number], sides[number].size)
        left = np.where(np.equal(left, number + 1) & whole, number, left)
    return product_of(np.where(np.less(number, left - 2), extent, 1) for number, extent in enumerate(extents))
