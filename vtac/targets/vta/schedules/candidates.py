"""Which tilings the search looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, product
from math import isqrt, prod
from typing import NamedTuple

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.room import accumulator_tiles, products_of
from vtac.targets.vta.schedules.tiled_contraction import TiledContraction
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.schedules.tilings import (
    Column,
    Tilings,
    counts_of,
    input_tiles,
    piece_dimensions,
    product_of,
    rests_of,
    tiles_in,
    tilings_of,
    weight_tiles,
)

PIECES = (1, 2, 4, 8)
_SMALL, _APART, _PARTS = 8, 4, (2, 3, 4, 6, 8)
"""Extents above `_SMALL` whose divisors lie a factor of `_APART` apart are also cut into so many parts."""
MAX_TAPS = 9
"""Window positions that get kernels of their own; more make long programs."""


def divisors(number: int) -> list[int]:
    """All divisors, rising."""
    low = [d for d in range(1, isqrt(number) + 1) if number % d == 0]
    return low + [number // d for d in reversed(low) if d * d != number]


def sizes(extent: int) -> list[int]:
    """Tile sizes along a dimension: divisors, and where these lie far apart some that leave a rest."""
    found = divisors(extent)
    if extent <= _SMALL:
        return found
    ragged = {-(-extent // parts) for parts in _PARTS}
    for low, high in pairwise(divisors(extent)):
        if high > _APART * low:
            found += [size for size in ragged if 1.5 * low < size < high / 1.5 and extent % size != 1]
    return sorted(found)


def _sizes_within(extent: int, room: int) -> list[int]:
    """Tile sizes up to so many tiles; where all that divide lie far below, as those of a long prime do, equal parts."""
    found = [size for size in sizes(extent) if size <= room]
    if found and found[-1] * _APART < min(extent, room):
        fewest = -(-extent // room)
        found += [size for size in (-(-extent // (fewest * times)) for times in (4, 3, 2, 1)) if extent % size != 1]
    return found


def cuts(layer: Layer, config: VTAConfig) -> Tilings:
    """Tile sizes, loop orders and kernels, each with a plain choice of copies."""
    plain = _tilings_of_cuts(list(_plain_cuts(layer, config)), len(layer.extents))
    return plain if layer.contraction is None else _with_rings(layer, layer.contraction, plain, config)


class _Cut(NamedTuple):
    """What a tiling is before copies: as the fields of `Tiling`."""

    tile: tuple[int, ...]
    channels: int = 1
    weights_inside: bool = False
    skip: bool = False
    taps: bool = False


def _tilings_of_cuts(found: Sequence[_Cut], rank: int) -> Tilings:
    """Tilings of one copy and one piece."""
    tiles = np.array([cut.tile for cut in found], np.int64).reshape(len(found), rank)
    channels = np.array([cut.channels for cut in found], np.int64)
    inside, skip, taps = (np.array([cut[place] for cut in found], np.bool_) for place in (2, 3, 4))
    one, none = np.ones(len(found), np.int64), np.zeros(len(found), np.int64)
    copies, streamed = (one, one, one, one), none.astype(np.bool_)
    return Tilings(tuple(tiles.T.copy()), channels, inside, *copies, skip, taps, streamed, one, none, one)


def _plain_cuts(layer: Layer, config: VTAConfig) -> Iterator[_Cut]:
    contraction = layer.contraction
    if contraction is None:
        halo = any(side.reach > 1 for stage in layer.stages for side in stage.region)
        for tile in _blocks(layer.extents, config.capacity("acc"), halo=halo):
            yield _Cut(tile)
        return
    channels = divisors(contraction.channels)
    for tile in _tiles(layer, contraction, config):
        if prod(contraction.tile(tile)) > config.capacity("acc") or not contraction.keeps_groups(tile):
            continue
        orders = (False, True) if _cuts_both(layer, contraction, tile) else (False,)
        for blocks, inside, (skip, taps) in product(channels, orders, _modes(layer, contraction, tile)):
            yield _Cut(tile, blocks, inside, skip, taps)


def _tiles(layer: Layer, contraction: TiledContraction, config: VTAConfig) -> Iterator[tuple[int, ...]]:
    """Tile sizes along dimensions that select weights, and along the others."""
    weighted = [n for n, weight in enumerate(contraction.by_weight) if weight]
    moving = [n for n, weight in enumerate(contraction.by_weight) if not weight]
    halo = max(contraction.window, default=1) > 1 or bool(contraction.region)
    for by_weight, by_input in product(
        _nested([layer.extents[n] for n in weighted], config.capacity("acc")),
        _blocks([layer.extents[n] for n in moving], config.capacity("acc"), halo=halo),
    ):
        sizes = dict(zip(weighted, by_weight, strict=True)) | dict(zip(moving, by_input, strict=True))
        yield tuple(sizes[n] for n in range(len(layer.extents)))


def _cuts_both(layer: Layer, contraction: TiledContraction, tile: tuple[int, ...]) -> bool:
    """There are several tiles both along weights and along inputs, so that their order matters."""
    sides = zip(tile, layer.extents, contraction.by_weight, strict=True)
    return len({weight for size, whole, weight in sides if size < whole}) == 2


def _nested(extents: Sequence[int], limit: int) -> Iterator[tuple[int, ...]]:
    """Tiles of several dimensions: whole inner dimensions below one cut dimension below single ones."""
    seen: set[tuple[int, ...]] = set()
    for cut in range(len(extents)):
        for size in _sizes_within(extents[cut], limit // prod(extents[cut + 1 :])):
            tile = (*(1 for _ in extents[:cut]), size, *extents[cut + 1 :])
            if prod(tile) <= limit and tile not in seen:
                seen.add(tile)
                yield tile
    if not extents:
        yield ()


def _blocks(extents: Sequence[int], limit: int, *, halo: bool) -> Iterator[tuple[int, ...]]:
    """Nested tiles, and where tiles overlap also blocks of a few rows and part of the columns."""
    yield from _nested(extents, limit)
    if not halo or len(extents) < 2:
        return
    *outer, rows, columns = extents
    for height, width in product(divisors(rows), divisors(columns)):
        if 1 < height < rows and height <= width < columns and 2 * height >= width and height * width <= limit:
            yield (*(1 for _ in outer), height, width)


def _modes(layer: Layer, contraction: TiledContraction, tile: tuple[int, ...]) -> list[tuple[bool, bool]]:
    """(skip, taps): padding can be skipped where no padded dimension is cut."""
    modes = [(False, False)]
    if not 1 < prod(contraction.window) <= MAX_TAPS:
        return modes
    modes.append((False, True))
    whole = all(d.spatial is None or tile[d.spatial] == layer.extents[d.spatial] for d in contraction.padded)
    if contraction.pad is not None and whole:
        modes += [(True, False), (True, True)]
    return modes


def _with_rings(layer: Layer, contraction: TiledContraction, tilings: Tilings, config: VTAConfig) -> Tilings:
    """Two copies of each input where they fit, or one where the results of a group, tile by tile, share it."""
    extra = sum(tiles_in(product.region, tilings.tile) for _, product in products_of(layer))
    room = (config.capacity("inp") - extra) // np.maximum(1, input_tiles(contraction, tilings))
    sides = zip(tilings.tile, contraction.shares, strict=True)
    is_shared = np.logical_or.reduce([(size == 1) & (share > 1) for size, share in sides])
    room = np.where(is_shared, 1, room)
    acc = np.minimum(2, config.capacity("acc") // product_of(tilings.tile))
    found = replace(
        tilings,
        inp=np.maximum(1, np.minimum(2, room)),
        wgt=np.maximum(1, _rings(layer, contraction, tilings, config)),
        pieces=_most_pieces(layer, tilings),
        acc=acc,
    )
    if layer.pools_sums:
        acc = acc - ((acc > 1) & (accumulator_tiles(layer, found) > config.capacity("acc")))
    return replace(found, acc=np.maximum(1, acc))


def _rings(layer: Layer, contraction: TiledContraction, tilings: Tilings, config: VTAConfig) -> Column:
    """As many copies of the weights as fit and are of use."""
    sides = zip(counts_of(layer, tilings.tile), contraction.by_weight, strict=True)
    useful = product_of(count for count, weight in sides if weight) * -(-contraction.channels // tilings.channels)
    room = config.capacity("wgt") - len(products_of(layer))
    return np.minimum(useful, room // np.maximum(1, weight_tiles(contraction, tilings)))


def _most_pieces(layer: Layer, tilings: Tilings) -> Column:
    """Into how many parts the first tile dimension that selects weights can be cut."""
    found = np.ones(len(tilings), np.int64)
    if not layer.cuts_pieces:
        return found
    size = np.choose(piece_dimensions(layer, tilings), tilings.tile)
    for pieces in PIECES:
        found = np.where(size % pieces == 0, pieces, found)
    return np.where(rests_of(layer, tilings).any(axis=0), 1, found)


def refinements(layer: Layer, tilings: Tilings, config: VTAConfig) -> tuple[Tilings, Column]:
    """Cuts with every sensible number of copies and pieces; and the number of the cut that each refines."""
    rows, copies = _copied(layer, tilings, config)
    columns = np.array(copies, np.int64).reshape(len(rows), 4).T
    chosen = np.array(rows, np.int64)
    refined = tilings.rows(chosen)
    return replace(refined, inp=columns[0], wgt=columns[1], acc=columns[2], pieces=columns[3]), chosen


def _copied(layer: Layer, tilings: Tilings, config: VTAConfig) -> tuple[list[int], list[tuple[int, int, int, int]]]:
    """Numbers of cuts, and the copies of inputs, weights and accumulators and the pieces of each."""
    contraction = layer.contraction
    if contraction is None:
        return [row for row in range(len(tilings)) for _ in (1, 2)], [(1, 1, acc, 1) for acc in (1, 2)] * len(tilings)
    passes = -(-contraction.channels // tilings.channels)
    sides = zip(counts_of(layer, tilings.tile), contraction.selecting, strict=True)
    moving = product_of(count for count, selects in sides if selects)
    most = np.minimum(passes * moving, config.capacity("inp") // np.maximum(1, input_tiles(contraction, tilings)))
    columns = (passes, most, _rings(layer, contraction, tilings, config), _most_pieces(layer, tilings))
    rows: list[int] = []
    copies: list[tuple[int, int, int, int]] = []
    for row, (blocks, inp, wgt, pieces) in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        found = _choices(blocks, inp, wgt, pieces)
        copies += found
        rows += [row] * len(found)
    return rows, copies


def _choices(passes: int, inp: int, wgt: int, pieces: int) -> list[tuple[int, int, int, int]]:
    """Copies of inputs, weights and accumulators, and pieces, up to the most there may be of each."""
    inputs = sorted({max(1, copies) for copies in (1, min(2, inp), min(4, inp), min(passes, inp))})
    weights = sorted({max(1, copies) for copies in (1, min(2, wgt), min(passes, wgt), wgt)})
    return list(product(inputs, weights, (1, 2), [one for one in PIECES if one <= pieces]))


def smallest(layer: Layer) -> Tilings:
    """The tiling of single tiles, which fits every configuration that has room for a tile."""
    return tilings_of([Tiling((1,) * len(layer.extents), streamed=True)], len(layer.extents))
