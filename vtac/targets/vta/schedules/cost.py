"""A quick estimate of a tiling: DRAM bytes and cycles, without building the program."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

from vtac.analysis.kernel_shapes import micro_op_limit
from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.contraction_cost import BUS, LOAD_START, ContractionCost, kernels_of
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.stages import Product, Stage
from vtac.targets.vta.schedules.tile_regions import TileRegion, tiles_of
from vtac.targets.vta.schedules.tiling import (
    Tiling,
    input_tiles,
    kernel_order,
    operand_level,
    piece_tile,
    rests,
    runs_on_rest,
    tile_counts,
    tile_level,
    tile_loops,
    weight_tiles,
)

_KERNEL_START = 7
_UOP_START = 24
_STORE_BURST = 128


@dataclass(frozen=True)
class Estimate:
    """DRAM bytes and cycles of one layer, and about how many instructions the program has."""

    nbytes: int
    cycles: int
    instructions: int = 0


def fits(layer: Layer, tiling: Tiling, config: VTAConfig) -> bool:
    """Every buffer with its copies fits its memory, and every kernel the micro-op memory.

    Where sizes do not divide, the smaller tiles at the ends have buffers of their own.
    """
    shapes = [replace(tiling, tile=tile) for tile in rests(layer, tiling)]
    if sum(accumulator_tiles(layer, shape) for shape in shapes) > config.capacity("acc"):
        return False
    needed = [_operand_tiles(layer, shape) for shape in shapes]
    if sum(inputs for inputs, _ in needed) > config.capacity("inp"):
        return False
    if sum(weights for _, weights in needed) > config.capacity("wgt"):
        return False
    if layer.contraction is None:
        return True
    order = kernel_order(layer.contraction, tiling)
    if order is None or order[1] > micro_op_limit(config):
        return False
    return len(shapes) == 1 or all(runs_on_rest(order[0], layer.contraction.tile(shape.tile)) for shape in shapes)


def _operand_tiles(layer: Layer, tiling: Tiling) -> tuple[int, int]:
    """Tiles of inputs and of weights, with their copies."""
    products = [
        tiles_of(one.region, tiling.tile) * (1 if one.is_bias else tiling.operands) for _, one in products_of(layer)
    ]
    others = [tiles_of(one.weights, tiling.tile) for _, one in products_of(layer)]
    inputs, weights = 0, 0
    if layer.contraction is not None:
        inputs = input_tiles(layer.contraction, tiling) * tiling.inp
        weights = weight_tiles(layer.contraction, tiling) * tiling.wgt
    if tiling.streamed:
        return max(inputs, *products, 0), max(weights, *others, 0)
    return inputs + sum(products), weights + sum(others)


def products_of(layer: Layer) -> list[tuple[Stage, Product]]:
    """Every product with one tile of weights or inputs, and the stage it writes."""
    return [(stage, product) for stage in layer.stages for product in stage.products]


def accumulator_tiles(layer: Layer, tiling: Tiling) -> int:
    """Accumulators that a tiling needs: those with copies, and the most that others take at once."""
    tile, piece = tiling.tile, piece_tile(layer, tiling)
    total, passing = 0, [0] * (len(layer.stages) + 1)
    taken = {space.operand for space in layer.accumulators}
    for space in layer.accumulators:
        whole = space.stage is not None and layer.stages[space.stage].kind == "contraction"
        size = tiles_of(space.region, tile if whole else piece)
        if whole or space.stored:
            total += size * (1 if layer.pools_sums and not space.stored else tiling.acc)
        else:
            for number in range(space.first, space.last + 1):
                passing[number] += size
    for number, operand in enumerate(layer.operands):
        if number not in taken:
            by_piece = operand_level(layer, tiling, operand) is None
            total += tiles_of(operand.region, piece if by_piece else tile)
    return total + max(passing)


def _exposed(layer: Layer, tiling: Tiling, store: int, tiles: int) -> int:
    """Cycles in which the accumulators of a tile wait for its stores: for all but the last result, or for all."""
    behind = 0 if tiling.acc > 1 else 1
    return store + (tiles - 1) * (store * (layer.results - 1 + behind) // layer.results)


@dataclass
class _Tail:
    """What everything but the contraction adds, over all tiles.

    `cycles` of the compute unit, its `kernels`, bytes and number of its loads (int32), and bytes
    and number of the load unit's (int8): those that move with each tile, and others.
    """

    cycles: int = 0
    kernels: int = 0
    wide_bytes: int = 0
    wide_loads: int = 0
    moving_bytes: int = 0
    moving_loads: int = 0
    narrow_bytes: int = 0
    narrow_loads: int = 0


def _tail(layer: Layer, tiling: Tiling, config: VTAConfig) -> _Tail:
    counts = tile_counts(layer, tiling)
    tiles, piece = prod(counts), piece_tile(layer, tiling)
    found = _Tail()
    for stage in layer.stages:
        whole = stage.kind == "contraction"
        number = tiles if whole else tiles * tiling.pieces
        size = tiles_of(stage.region, tiling.tile if whole else piece)
        found.cycles += stage.alu * size * number
        found.kernels += stage.kernels * number
        if stage.kind == "load":
            found.wide_bytes += size * number * config.acc_element_bytes
            found.wide_loads += number * _lines(stage.region, tiling.tile)
        for product in stage.products:
            runs = 2 if product.starts else 1
            found.cycles += runs * size * number
            found.kernels += runs * number
            _add_loads(found, layer, tiling, config, product)
    loops = tile_loops(layer, tiling)
    for operand in layer.operands:
        level = operand_level(layer, tiling, operand)
        times = tiles * tiling.pieces if level is None else prod(counts[loop] for loop in loops[: level + 1])
        found.wide_bytes += (
            times * tiles_of(operand.region, piece if level is None else tiling.tile) * (config.acc_element_bytes)
        )
        found.wide_loads += times
    return found


def _add_loads(found: _Tail, layer: Layer, tiling: Tiling, config: VTAConfig, product: Product) -> None:
    """Tiles that move with the result are loaded for each tile of it; one tile, and what it is multiplied by, stay."""
    counts = tile_counts(layer, tiling)
    if product.is_bias:
        level = tile_level(layer, tiling, product.weights)
        times = prod(counts[loop] for loop in tile_loops(layer, tiling)[: level + 1])
        found.narrow_bytes += config.inp_element_bytes
        found.narrow_bytes += times * tiles_of(product.weights, tiling.tile) * config.wgt_element_bytes
        found.narrow_loads += 1 + times
        return
    tiles = prod(counts)
    found.moving_bytes += tiles * tiles_of(product.region, tiling.tile) * config.inp_element_bytes
    found.moving_loads += tiles * _lines(product.region, tiling.tile)
    found.narrow_bytes += config.wgt_element_bytes


def _lines(region: TileRegion, tile: tuple[int, ...]) -> int:
    """Transfers of a region: rows of a plane are one, planes that are no whole ones several."""
    sides = [side for side in region if side.size > 1]
    extents = [side.extent(tile) for side in sides]
    while len(extents) > 1 and extents[-1] == sides[len(extents) - 1].size:
        extents.pop()
    return prod(extents[:-2])


def estimate(layer: Layer, tiling: Tiling, config: VTAConfig) -> Estimate:
    """Bytes and cycles of a tiling that fits."""
    counts = tile_counts(layer, tiling)
    tiles, outputs = prod(counts), prod(layer.extents)
    bursts = max(1, _STORE_BURST // config.out_element_bytes)
    store = ((3 * outputs * config.out_element_bytes) // 16 + (3 * outputs) // bursts) * layer.results
    stored = outputs * config.out_element_bytes * layer.results
    tail = _tail(layer, tiling, config)
    tail_bytes, tail_loads = tail.narrow_bytes + tail.moving_bytes, tail.narrow_loads + tail.moving_loads
    kernels = kernels_of(layer)
    vector = tail.cycles + tail.wide_bytes // BUS
    if layer.contraction is None:
        turns = min(tiling.acc, tiles)
        nbytes = stored + tail.wide_bytes + tail_bytes + 4 * kernels * tiling.pieces * turns
        compute = vector + _KERNEL_START * tail.kernels + LOAD_START * tail.wide_loads
        compute += _UOP_START * kernels * turns + _exposed(layer, tiling, store // tiles, tiles)
        load = tail_bytes // BUS + LOAD_START * tail_loads
        exposed = load if tiling.operands == 1 else load // tiles
        loads = tail.wide_loads + tail_loads
        return Estimate(nbytes, max(compute + exposed, load, store), tail.kernels + loads + tiles * layer.results)
    parts = ContractionCost(layer, layer.contraction, tiling, config, counts)
    compute = parts.outputs + vector + parts.work + _KERNEL_START * (tail.kernels + parts.kernels + tiles)
    compute += LOAD_START * tail.wide_loads + parts.uop_loads * _UOP_START + parts.micro_ops // 2
    load = (parts.load_bytes + tail_bytes) // BUS + LOAD_START * (parts.loads + tail_loads)
    first = parts.first_bytes // BUS + 2 * LOAD_START + 45
    last = store // tiles
    shared = last // tiling.pieces + max(0, last - (last if layer.alu == 0 else layer.alu * outputs // tiles))
    waiting = shared * (tiles if tiling.acc == 1 else 1)
    if layer.results > 1:
        waiting = _exposed(layer, tiling, last, tiles)
    if tiling.operands == 1:
        waiting += tail.moving_bytes // BUS + LOAD_START * tail.moving_loads
    waiting += parts.waiting
    cycles = max(compute, load, store) + max(0, first - outputs // tiles) + waiting
    nbytes = stored + tail.wide_bytes + tail_bytes + parts.load_bytes + 4 * parts.micro_ops
    instructions = tail.kernels + parts.kernels + parts.loads + tail_loads + tail.wide_loads
    return Estimate(nbytes, cycles, instructions + tiles * (1 + tiling.pieces * layer.results))
