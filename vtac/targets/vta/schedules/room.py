"""What tilings need on chip: accumulators, inputs, weights and micro-ops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, product

import numpy as np

from vtac.analysis.vta.kernel_shapes import micro_op_limit
from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.stages import Product, Stage
from vtac.targets.vta.schedules.tiled_contraction import TiledContraction
from vtac.targets.vta.schedules.tiling import KernelLoop, runs_on_rest, shortest_kernel
from vtac.targets.vta.schedules.tilings import (
    Column,
    Mask,
    Tile,
    Tilings,
    contraction_tile,
    input_tiles,
    loaded_by_piece,
    piece_tiles,
    product_of,
    rests_of,
    tiles_in,
    weight_tiles,
)

NO_KERNEL = -1


def fits(layer: Layer, tilings: Tilings, config: VTAConfig) -> Mask:
    """Where every buffer with its copies fits its memory, and every kernel the micro-op memory.

    Where sizes do not divide, the smaller tiles at the ends have buffers of their own.
    """
    return buffers_fit(layer, tilings, config) & _kernels_fit(layer, tilings, config)


def buffers_fit(layer: Layer, tilings: Tilings, config: VTAConfig) -> Mask:
    """The same of buffers alone, where kernels are known to fit: they do not depend on copies."""
    found = _needed(layer, tilings)
    accumulators, inputs, weights = found
    rests = rests_of(layer, tilings)
    ragged = np.flatnonzero(rests.any(axis=0))
    if len(ragged):
        for rows, shapes in _smaller(layer, tilings.rows(ragged), rests[:, ragged]):
            for total, part in zip(found, _needed(layer, shapes), strict=True):
                total[ragged[rows]] += part
    fit = (accumulators <= config.longest_load("acc")) & (inputs <= config.longest_load("inp"))
    return fit & (weights <= config.longest_load("wgt"))


def _kernels_fit(layer: Layer, tilings: Tilings, config: VTAConfig) -> Mask:
    if layer.contraction is None:
        return np.ones(len(tilings), np.bool_)
    micro_ops = micro_op_counts(layer.contraction, tilings)
    fit = (micro_ops != NO_KERNEL) & (micro_ops <= micro_op_limit(config))
    rests = rests_of(layer, tilings)
    ragged = np.flatnonzero(rests.any(axis=0))
    if len(ragged):
        fit[ragged] &= _kernels_run(layer, layer.contraction, tilings.rows(ragged), rests[:, ragged])
    skipping = np.flatnonzero(fit & tilings.skip)
    if len(skipping):
        fit[skipping] = _skipping_kernels_run(layer, layer.contraction, tilings.rows(skipping))
    return fit


def _needed(layer: Layer, tilings: Tilings) -> tuple[Column, Column, Column]:
    """Accumulators, inputs and weights that tiles of these sizes need."""
    inputs, weights = _operand_tiles(layer, tilings)
    return tilings.threads * accumulator_tiles(layer, tilings), tilings.threads * inputs, tilings.threads * weights


def _smaller(layer: Layer, tilings: Tilings, rests: Mask) -> Iterator[tuple[Column, Tilings]]:
    """The tiles at the ends, shape by shape: which tilings have one, and these with its sizes."""
    for ends in product((False, True), repeat=len(layer.extents)):
        if not any(ends):
            continue
        rows = np.flatnonzero(np.logical_and.reduce([rests[number] for number, end in enumerate(ends) if end]))
        if len(rows):
            some = tilings.rows(rows)
            sizes = zip(ends, layer.extents, some.tile, strict=True)
            yield rows, some.sized([extent % size if end else size for end, extent, size in sizes])


def _kernels_run(layer: Layer, contraction: TiledContraction, tilings: Tilings, rests: Mask) -> Mask:
    """Where a kernel writes no tile twice within three micro-ops on the tiles at the ends either."""
    orders = _kernels_of(contraction, tilings)
    runs = np.ones(len(tilings), np.bool_)
    everywhere = np.arange(len(tilings))
    for rows, shapes in ((everywhere, tilings), *_smaller(layer, tilings, rests)):
        tile = contraction_tile(contraction, shapes.tile)
        for place, row in enumerate(rows.tolist()):
            order = orders[row]
            runs[row] &= order is not None and _runs(order[0], tile, place)
    return runs


def _skipping_kernels_run(layer: Layer, contraction: TiledContraction, tilings: Tilings) -> Mask:
    """The same where padding is skipped: each position of the window has a kernel for what meets data there."""
    kinds, which = np.unique(np.stack([*tilings.tile, tilings.channels]), axis=1, return_inverse=True)
    met = _met_extents(contraction)
    runs = [_runs_where_met(layer, contraction, tuple(tile), channels, met) for *tile, channels in kinds.T.tolist()]
    return np.array(runs, np.bool_)[which.reshape(-1)]


def _runs_where_met(
    layer: Layer, contraction: TiledContraction, tile: tuple[int, ...], channels: int, met: Mapping[int, set[int]]
) -> bool:
    order = shortest_kernel(contraction.tile(tile), channels, (), contraction.shares)
    if order is None:
        return False
    ends = [{size, extent % size or size} for size, extent in zip(tile, layer.extents, strict=True)]
    for end in product(*ends):
        sizes = [met.get(number, {size}) for number, size in enumerate(contraction.tile(end))]
        if not all(runs_on_rest(list(order[0]), shape) for shape in product(*sizes)):
            return False
    return True


def _met_extents(contraction: TiledContraction) -> dict[int, set[int]]:
    """Of loops with padding: how many of their results meet data, at any position of the window."""
    found: dict[int, set[int]] = {}
    for dimension in contraction.padded:
        if dimension.spatial is not None and dimension.window is not None:
            results = range(contraction.extents[dimension.spatial])
            counts = {
                sum(0 <= dimension.index(result, position) < dimension.size for result in results)
                for position in range(contraction.window[dimension.window])
            }
            found[dimension.spatial] = counts - {0} or {len(results)}
    return found


def _runs(order: tuple[KernelLoop, ...], tile: Tile, row: int) -> bool:
    return runs_on_rest(list(order), tuple(int(size[row]) for size in tile))


def micro_op_counts(contraction: TiledContraction, tilings: Tilings) -> Column:
    """Micro-ops of a kernel of each tiling; `NO_KERNEL` where no loops give one.

    As `shortest_kernel` finds them: below the best two loops in hardware, none of which runs only once.
    """
    one = np.ones(len(tilings), np.int64)
    spatial, apart = _spatial_loops(contraction, tilings)
    windows = [np.where(tilings.splits_window, 1, extent) for extent in contraction.window]
    loops = [*spatial, *((extent, one) for extent in (tilings.channels, *windows))]
    loops = [(extent, moving) for extent, moving in loops if (extent > 1).any()]
    loops += [(one, one)] * (2 - len(loops))
    total = apart * product_of(extent for extent, _ in loops)
    moved = apart * product_of(moving for _, moving in loops)
    runs = [(extent > 1).astype(np.int64) for extent, _ in loops]
    in_hardware = np.minimum(2, sum(runs))
    fewest = np.full(len(tilings), np.iinfo(np.int64).max)
    for one_loop, other in combinations(range(len(loops)), 2):
        count = total // (loops[one_loop][0] * loops[other][0])
        below = moved // (loops[one_loop][1] * loops[other][1])
        legal = (runs[one_loop] + runs[other] == in_hardware) & ((count <= below) | (below >= 3))
        fewest = np.where(legal & (count < fewest), count, fewest)
    return np.where(fewest == np.iinfo(np.int64).max, NO_KERNEL, fewest)


def _spatial_loops(contraction: TiledContraction, tilings: Tilings) -> tuple[list[tuple[Column, Column]], Column]:
    """Iterations of the spatial loops, twice, and those of loops that hardware cannot run: within groups cut short."""
    loops: list[Column] = []
    apart = np.ones(len(tilings), np.int64)
    for size, share in zip(contraction_tile(contraction, tilings.tile), contraction.shares, strict=True):
        if share == 1:
            loops.append(size)
            continue
        whole = size % share == 0
        loops += [np.where(whole, size // share, 1), np.where(whole, share, 1)]
        apart = apart * np.where(whole, 1, size)
    return [(size, size) for size in loops], apart


def _kernels_of(contraction: TiledContraction, tilings: Tilings) -> list[tuple[tuple[KernelLoop, ...], int] | None]:
    """The loops of the kernel of each tiling, and its micro-ops."""
    tiles = zip(*(size.tolist() for size in contraction_tile(contraction, tilings.tile)), strict=True)
    rows = zip(tiles, tilings.channels.tolist(), tilings.splits_window.tolist(), strict=True)
    return [
        shortest_kernel(tile, channels, () if split else contraction.window, contraction.shares)
        for tile, channels, split in rows
    ]


def _operand_tiles(layer: Layer, tilings: Tilings) -> tuple[Column | int, Column | int]:
    """Tiles of inputs and of weights, with their copies."""
    inputs: Column | int = 0
    weights: Column | int = 0
    if layer.contraction is not None:
        inputs = input_tiles(layer.contraction, tilings) * tilings.inp
        weights = weight_tiles(layer.contraction, tilings) * tilings.wgt
    all_inputs, all_weights = inputs, weights
    for _, one in products_of(layer):
        needed = tiles_in(one.region, tilings.tile) * (1 if one.is_bias else tilings.operands)
        others = tiles_in(one.weights, tilings.tile)
        all_inputs, inputs = all_inputs + needed, np.maximum(inputs, needed)
        all_weights, weights = all_weights + others, np.maximum(weights, others)
    return np.where(tilings.streamed, inputs, all_inputs), np.where(tilings.streamed, weights, all_weights)


def products_of(layer: Layer) -> list[tuple[Stage, Product]]:
    """Every product with one tile of weights or inputs, and the stage it writes."""
    return [(stage, product) for stage in layer.stages for product in stage.products]


def accumulator_tiles(layer: Layer, tilings: Tilings) -> Column | int:
    """Accumulators that tilings need: those with copies, and the most that others take at once."""
    tile, piece = tilings.tile, piece_tiles(layer, tilings)
    total: Column | int = 0
    passing: list[Column | int] = [0] * (len(layer.stages) + 1)
    taken = {space.operand for space in layer.accumulators}
    for space in layer.accumulators:
        whole = space.stage is not None and layer.stages[space.stage].kind == "contraction"
        size = tiles_in(space.region, tile if whole else piece)
        if whole or space.stored:
            total = total + size * (1 if layer.pools_sums and not space.stored else tilings.acc)
        else:
            for number in range(space.first, space.last + 1):
                passing[number] = passing[number] + size
    for number, operand in enumerate(layer.operands):
        if number not in taken:
            by_piece = loaded_by_piece(layer, tilings, operand.region)
            total = total + np.where(by_piece, tiles_in(operand.region, piece), tiles_in(operand.region, tile))
    most = passing[0]
    for size in passing[1:]:
        most = np.maximum(most, size)
    return total + most
