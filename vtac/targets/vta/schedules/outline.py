"""The program of a tiling as steps, tile by tile, without lowering it.

A step is what a pass over the channels, or one piece of a tile, does. Of loops over many tiles only the first few
iterations are followed; the last but one of these stand for those that are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.chunks import Tile
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.steps import KERNEL_START, KernelStep, Outline, StepWriter
from vtac.targets.vta.schedules.tile_passes import TilePasses
from vtac.targets.vta.schedules.tile_tails import TileTails
from vtac.targets.vta.schedules.tiling import Tiling, tile_counts, tile_loops
from vtac.targets.vta.schedules.transfers import NOTHING

_WHOLE = 64
"""Passes of a program of which every tile is followed."""
_FOLLOWED, _REPEATED = 5, 2
"""Iterations of a loop over tiles that are followed, and how many of them stand for the others."""
_STEPS = 48
"""Passes of the innermost loop that are followed at least, so that loads have run ahead as far as they can."""


def outline_of(layer: Layer, tiling: Tiling, config: VTAConfig) -> Outline:
    """The program of a layer under a tiling that fits; virtual threads count as copies of all buffers."""
    writer = StepWriter(config)
    contraction = layer.contraction
    passes = None if contraction is None else TilePasses(layer, contraction, tiling, config, writer)
    tails = TileTails(layer, tiling, config, writer)
    copies, stores, stored = tiling.acc * tiling.threads, 0, dict[tuple[int, Tile], int]()
    for tile, place, at, weight in _tiles(layer, tiling, 1 if passes is None else passes.count):
        size = tuple([min(t, whole - t * i) for t, whole, i in zip(tiling.tile, layer.extents, at, strict=True)])
        slot = tile % copies
        store, wide = stored.get((slot, size), -1), tails.outside(size, place)
        if passes is not None and contraction is not None:
            reset = KernelStep(KERNEL_START + prod(contraction.tile(size)), wide=wide, store=store)
            writer.kernel((slot, size), reset)
            passes.write(tile, at, size, slot)
            store, wide = -1, NOTHING
        tails.write(tile, at, size, slot, store, wide)
        stores += tiling.pieces
        stored[slot, size] = stores - 1
        writer.end_tile(weight)
    writer.outline.stored = prod(layer.extents) * layer.results * config.out_element_bytes
    return writer.outline


def _tiles(layer: Layer, tiling: Tiling, passes: int) -> Iterator[tuple[int, tuple[int, ...], tuple[int, ...], float]]:
    """The tiles that are followed: their number in the program, in each of its loops, along each dimension; and how
    many they stand for."""
    counts, loops = tile_counts(layer, tiling), tile_loops(layer, tiling)
    inner = next((number for number in reversed(loops) if counts[number] > 1), None)
    sides: list[list[tuple[int, float]]] = []
    for number in loops:
        followed = max(_FOLLOWED, _STEPS // passes) if number == inner else _FOLLOWED
        if prod(counts) * passes <= _WHOLE:
            followed = counts[number]
        is_ragged = layer.extents[number] % tiling.tile[number] > 0
        sides.append(_followed(counts[number], followed, is_ragged=is_ragged))
    where = [loops.index(number) for number in range(len(loops))]
    for some in product(*sides):
        place = tuple([index for index, _ in some])
        tile = 0
        for number, index in zip(loops, place, strict=True):
            tile = tile * counts[number] + index
        yield tile, place, tuple([place[one] for one in where]), prod([weight for _, weight in some])


def _followed(count: int, followed: int, *, is_ragged: bool) -> list[tuple[int, float]]:
    """Iterations that are followed, and how many each stands for. A smaller one at the end stands for itself."""
    if count <= followed + is_ragged:
        return [(index, 1.0) for index in range(count)]
    share = 1 + (count - is_ragged - followed) / _REPEATED
    found = [(index, share if 0 < followed - 1 - index <= _REPEATED else 1.0) for index in range(followed)]
    return [*found, (count - 1, 1.0)] if is_ragged else found
