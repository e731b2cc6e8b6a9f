"""Which tilings the search looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, product
from math import isqrt, prod

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.cost import accumulator_tiles, fits, products_of
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.tile_regions import tiles_of
from vtac.targets.vta.schedules.tiled_contraction import TiledContraction
from vtac.targets.vta.schedules.tiling import Tiling, input_tiles, is_ragged, tile_counts, weight_tiles

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


def cuts(layer: Layer, config: VTAConfig) -> Iterator[Tiling]:
    """Tile sizes, loop orders and kernels, each with a plain choice of copies."""
    contraction = layer.contraction
    if contraction is None:
        halo = any(side.reach > 1 for stage in layer.stages for side in stage.region)
        for tile in _blocks(layer.extents, config.capacity("acc"), halo=halo):
            yield Tiling(tile)
        return
    weighted = [n for n, weight in enumerate(contraction.by_weight) if weight]
    moving = [n for n, weight in enumerate(contraction.by_weight) if not weight]
    for by_weight, by_input in product(
        _nested([layer.extents[n] for n in weighted], config.capacity("acc")),
        _blocks(
            [layer.extents[n] for n in moving],
            config.capacity("acc"),
            halo=max(contraction.window, default=1) > 1 or bool(contraction.region),
        ),
    ):
        sizes = dict(zip(weighted, by_weight, strict=True)) | dict(zip(moving, by_input, strict=True))
        tile = tuple(sizes[n] for n in range(len(layer.extents)))
        if prod(contraction.tile(tile)) > config.capacity("acc"):
            continue
        orders = (False, True) if _cuts_both(layer, contraction, tile) else (False,)
        for channels, inside, (skip, taps) in product(
            divisors(contraction.channels), orders, _modes(layer, contraction, tile)
        ):
            plain = Tiling(tile, channels, inside, skip=skip, taps=taps)
            yield _with_rings(layer, contraction, plain, config)


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
    padded = [d for d in contraction.dimensions if d.spatial is not None and d.window is not None]
    whole = all(d.spatial is None or tile[d.spatial] == layer.extents[d.spatial] for d in padded)
    if contraction.pad is not None and whole:
        modes += [(True, False), (True, True)]
    return modes


def _with_rings(layer: Layer, contraction: TiledContraction, tiling: Tiling, config: VTAConfig) -> Tiling:
    """Two copies of each input where they fit."""
    products = products_of(layer)
    extra = sum(tiles_of(product.region, tiling.tile) for _, product in products)
    inp = min(2, (config.capacity("inp") - extra) // max(1, input_tiles(contraction, tiling)))
    wgt = _ring(layer, contraction, tiling, config)
    pieces = _pieces(layer, contraction, tiling)[-1]
    acc = min(2, config.capacity("acc") // prod(tiling.tile))
    if layer.pools_sums and acc > 1:
        acc -= accumulator_tiles(layer, replace(tiling, pieces=pieces, acc=acc)) > config.capacity("acc")
    return replace(tiling, inp=max(1, inp), wgt=max(1, wgt), acc=max(1, acc), pieces=pieces)


def _ring(layer: Layer, contraction: TiledContraction, tiling: Tiling, config: VTAConfig) -> int:
    """As many copies of the weights as fit and are of use."""
    counts = tile_counts(layer, tiling)
    useful = prod(c for c, weight in zip(counts, contraction.by_weight, strict=True) if weight)
    useful *= -(-contraction.channels // tiling.channels)
    room = config.capacity("wgt") - len(products_of(layer))
    return min(useful, room // max(1, weight_tiles(contraction, tiling)))


def _pieces(layer: Layer, contraction: TiledContraction, tiling: Tiling) -> list[int]:
    """Parts of the first tile dimension that selects weights."""
    if not layer.cuts_pieces or is_ragged(layer, tiling):
        return [1]
    size = next((t for t, w in zip(tiling.tile, contraction.by_weight, strict=True) if w and t > 1), tiling.tile[0])
    return [pieces for pieces in PIECES if size % pieces == 0]


def refinements(layer: Layer, cut: Tiling, config: VTAConfig) -> Iterator[Tiling]:
    """One cut with every sensible number of copies and pieces."""
    for tiling in _copied(layer, cut, config):
        for operands in (2, 1) if products_of(layer) else (1,):
            if fits(layer, refined := replace(tiling, operands=operands), config):
                yield refined
                break


def _copied(layer: Layer, cut: Tiling, config: VTAConfig) -> Iterator[Tiling]:
    contraction = layer.contraction
    if contraction is None:
        yield from (replace(cut, acc=acc) for acc in (1, 2))
        return
    counts = tile_counts(layer, cut)
    passes = -(-contraction.channels // cut.channels)
    moving = prod(c for c, selects in zip(counts, contraction.selecting, strict=True) if selects)
    most = min(passes * moving, config.capacity("inp") // max(1, input_tiles(contraction, cut)))
    rings = _ring(layer, contraction, cut, config)
    for inp, wgt, acc, pieces in product(
        sorted({1, min(2, most), min(4, most), min(passes, most)}),
        sorted({1, min(2, rings), min(passes, rings), rings}),
        (1, 2),
        _pieces(layer, contraction, cut),
    ):
        yield replace(cut, inp=max(1, inp), wgt=max(1, wgt), acc=acc, pieces=pieces)


def smallest(layer: Layer, config: VTAConfig) -> list[Tiling]:
    """The tiling of single tiles, which fits every configuration."""
    tiling = Tiling((1,) * len(layer.extents), streamed=True)
    return [tiling] if fits(layer, tiling, config) else []
