"""The tilings that tuning looks at: every combination of what is declared here that fits on chip.

The default generator (`schedules/candidates.py`) tries nested tiles, the copies that pay most often, and refines the
best few. Here tiles are cut along every dimension at once, and every cut has every choice of copies and pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product
from math import prod

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.candidates import MAX_TAPS, divisors, sizes
from vtac.targets.vta.schedules.cost import estimates
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.room import buffers_fit, fits, products_of
from vtac.targets.vta.schedules.tiled_contraction import TiledContraction
from vtac.targets.vta.schedules.tiling import Tiling, thread_loop, tile_counts
from vtac.targets.vta.schedules.tilings import Column, Tilings, counts_of, piece_dimensions, rests_of, tilings_of
from vtac.targets.vta.tuning.bounds import cycle_bounds, least_bytes

COPIES = (1, 2, 3, 4)
"""Copies of inputs and of weights, beside as many as there are passes over the channels, or uses of them."""
ACCUMULATORS = (1, 2)
PIECES = (1, 2, 4, 8)
OPERANDS = (1, 2)
"""Copies of int8 operands."""
THREADS = (1, 2)
"""Virtual threads: so many tiles of the innermost loop side by side, where they divide it."""
MOST_ORDERS = 6
"""Orders of the loops over tiles beside weights outside and weights inside."""
LONGEST = 4000
"""Instructions by the estimate beyond which a tiling is not in the space: such programs are bound by fetching them."""


@dataclass(frozen=True)
class Member:
    """A tiling of the space: what no program of it can go below, and what it is thought to take."""

    tiling: Tiling
    least_cycles: int
    least_bytes: int
    cycles: int
    nbytes: int


@dataclass(frozen=True)
class Space:
    """All tilings of a layer that fit, as columns, in the order in which they are declared; `cuts` are refined."""

    tilings: Tilings
    least_cycles: Column
    least_bytes: Column
    cycles: Column
    nbytes: Column
    cuts: int

    def __len__(self) -> int:
        return len(self.cycles)

    def member(self, place: int) -> Member:
        """One of them."""
        columns = (self.least_cycles, self.least_bytes, self.cycles, self.nbytes)
        (tiling,) = self.tilings.rows(np.array([place])).listed()
        return Member(tiling, *(int(column[place]) for column in columns))

    def sorted(self, order: Column) -> Space:
        """The same in another order."""
        least, fewest = self.least_cycles[order], self.least_bytes[order]
        return Space(self.tilings.rows(order), least, fewest, self.cycles[order], self.nbytes[order], self.cuts)


def space_of(layer: Layer, config: VTAConfig) -> Space:
    """The space of one layer: cuts times copies and pieces."""
    cuts = tilings_of(list(_cuts(layer, config)), len(layer.extents))
    cuts = cuts.rows(fits(layer, cuts, config))
    refined = _refined(layer, cuts, config)
    refined = refined.rows(buffers_fit(layer, refined, config))
    refined = refined.rows(estimates(layer, refined, config).instructions <= LONGEST)
    return _space(layer, refined, config, len(cuts))


def member_of(layer: Layer, tiling: Tiling, config: VTAConfig) -> Member:
    """A tiling from elsewhere, with bounds and estimates."""
    return _space(layer, tilings_of([tiling], len(layer.extents)), config, 1).member(0)


def _space(layer: Layer, tilings: Tilings, config: VTAConfig, cuts: int) -> Space:
    guesses = estimates(layer, tilings, config)
    least, fewest = cycle_bounds(layer, tilings, config), least_bytes(layer, tilings, config)
    return Space(tilings, least, fewest, np.maximum(guesses.cycles, least), np.maximum(guesses.nbytes, fewest), cuts)


def _cuts(layer: Layer, config: VTAConfig) -> Iterator[Tiling]:
    """Tile sizes, channels per pass, order of the loops over tiles and kind of kernel, each with single copies."""
    contraction = layer.contraction
    for tile in product(*(sizes(extent) for extent in layer.extents)):
        if prod(tile if contraction is None else contraction.tile(tile)) > config.capacity("acc"):
            continue
        if contraction is None:
            yield Tiling(tile)
            continue
        if not contraction.keeps_groups(tile):
            continue
        kinds = list(_kinds(layer, contraction, tile))
        orders = list(_orders(layer, contraction, tile))
        for channels, (inside, outside), (skip, taps, streamed), threads in product(
            divisors(contraction.channels), orders, kinds, THREADS
        ):
            tiling = Tiling(
                tile, channels, inside, skip=skip, taps=taps, streamed=streamed, outside=outside, threads=threads
            )
            if threads == 1 or _divides(layer, tiling):
                yield tiling


def _divides(layer: Layer, tiling: Tiling) -> bool:
    """Virtual threads divide the tiles of the loop that has them, and no tile is smaller than the others."""
    number = thread_loop(layer, tiling)
    whole = all(extent % size == 0 for extent, size in zip(layer.extents, tiling.tile, strict=True))
    return whole and number is not None and tile_counts(layer, tiling)[number] % tiling.threads == 0


def _orders(layer: Layer, contraction: TiledContraction, tile: tuple[int, ...]) -> Iterator[tuple[bool, int]]:
    """(weights inside, loops outside of theirs): weights outside, inside, and between others wherever that is new."""
    yield False, 0
    if not _cuts_both(layer, contraction, tile):
        return
    yield True, 0
    cut = [size < whole for size, whole in zip(tile, layer.extents, strict=True)]
    moving = [is_cut for is_cut, weight in zip(cut, contraction.by_weight, strict=True) if not weight]
    places = [1 << place for place, is_cut in enumerate(moving) if is_cut]
    masks = [sum(some) for count in range(1, len(places)) for some in combinations(places, count)]
    yield from ((False, mask) for mask in masks[:MOST_ORDERS])


def _cuts_both(layer: Layer, contraction: TiledContraction, tile: tuple[int, ...]) -> bool:
    sides = zip(tile, layer.extents, contraction.by_weight, strict=True)
    return len({weight for size, whole, weight in sides if size < whole}) == 2


def _kinds(layer: Layer, contraction: TiledContraction, tile: tuple[int, ...]) -> Iterator[tuple[bool, bool, bool]]:
    """(skip, taps, streamed): one kernel; one for each position of the window; padding skipped, by either."""
    yield False, False, False
    if not 1 < prod(contraction.window) <= MAX_TAPS:
        return
    yield False, True, False
    whole = all(d.spatial is None or tile[d.spatial] == layer.extents[d.spatial] for d in contraction.padded)
    if contraction.pad is not None and whole:
        yield True, False, False
        yield True, True, False


def _refined(layer: Layer, cuts: Tilings, config: VTAConfig) -> Tilings:
    """Each cut with every number of copies of inputs, weights, accumulators and operands, and of pieces."""
    operands = OPERANDS if products_of(layer) else (1,)
    if layer.contraction is None:
        choices = [(1, 1, acc, 1, two) for acc in ACCUMULATORS for two in operands]
        kept = np.ones((len(choices), len(cuts)), np.bool_)
    else:
        passes = -(-layer.contraction.channels // cuts.channels)
        uses = int(passes.max(initial=1))
        rings = sorted({*COPIES, *divisors(layer.contraction.channels)})
        rings = [copies for copies in rings if copies <= max(uses, COPIES[-1])]
        weights = sorted({*rings, *_weight_uses(layer, layer.contraction, cuts)})
        choices = list(product(rings, weights, ACCUMULATORS, PIECES, operands))
        kept = _sensible(layer, layer.contraction, cuts, passes, np.array(choices, np.int64))
    which, rows = np.nonzero(kept)
    found, columns = cuts.rows(rows), np.array(choices, np.int64)[which].T
    inp, wgt, acc, pieces, operand = columns
    return replace(found, inp=inp, wgt=wgt, acc=acc, pieces=pieces, operands=operand)


def _weight_uses(layer: Layer, contraction: TiledContraction, cuts: Tilings) -> set[int]:
    return {int(count) for count in np.unique(_uses(layer, contraction, cuts, of_weights=True)).tolist()}


def _uses(layer: Layer, contraction: TiledContraction, cuts: Tilings, *, of_weights: bool) -> Column:
    """Different chunks of weights, or of inputs, that tilings read: no more copies than that are of use."""
    passes = -(-contraction.channels // cuts.channels)
    selects = contraction.by_weight if of_weights else contraction.selecting
    total = passes
    for count, chosen in zip(counts_of(layer, cuts.tile), selects, strict=True):
        total = total * (count if chosen else 1)
    return total


def _sensible(
    layer: Layer, contraction: TiledContraction, cuts: Tilings, passes: Column, choices: Column
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Which choices say something of which cuts: a row for each choice."""
    inp, wgt, _, pieces, _ = (column[:, None] for column in choices.T)
    inputs, weights = (_uses(layer, contraction, cuts, of_weights=one) for one in (False, True))
    rings = np.isin(inp, COPIES) | (inp == passes)
    kept = rings & (inp <= inputs)
    kept &= (np.isin(wgt, COPIES) | (wgt == passes) | (wgt == weights)) & (wgt <= weights)
    size = np.choose(piece_dimensions(layer, cuts), cuts.tile)
    whole = ~rests_of(layer, cuts).any(axis=0) & layer.cuts_pieces
    return kept & ((pieces == 1) | ((size % pieces == 0) & whole))
