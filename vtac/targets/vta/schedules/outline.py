"""The program of a tiling as steps, tile by tile, without lowering it.

A step is what a pass over the channels, or one piece of a tile, does. Of loops over many tiles only the first few
iterations are followed; the last but one of these stand for those that are not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import product, zip_longest
from math import prod
from typing import TypeAlias

from vtac.dialects.hardware import VTAConfig
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
_LAST = 2
"""Iterations behind those that stand for others where more are followed: they wait for no loads of later ones."""
_STEPS = 48
"""Passes of the innermost loop that are followed at least, so that loads have run ahead as far as they can."""


def outline_of(layer: Layer, tiling: Tiling, config: VTAConfig) -> Outline:
    """The program of a layer under a tiling that fits."""
    writer = StepWriter(config)
    tiles = _Tiles(layer, tiling, config, writer)
    for turn, places, weight in _followed_tiles(layer, tiling, tiles.count, tiles.period):
        side_by_side = [tiles.write(turn, thread, *place) for thread, place in enumerate(places)]
        deque(zip_longest(*side_by_side), maxlen=0)
        writer.end_tile(weight)
    writer.outline.stored = prod(layer.extents) * layer.results * config.out_element_bytes
    return writer.outline


class _Tiles:
    """Writes a tile unit by unit; where tiles run as virtual threads, the next one has its turn after each unit."""

    def __init__(self, layer: Layer, tiling: Tiling, config: VTAConfig, writer: StepWriter) -> None:
        contraction = layer.contraction
        self.layer, self.tiling, self.writer = layer, tiling, writer
        self.tails = TileTails(layer, tiling, config, writer)
        self.passes = None if contraction is None else TilePasses(layer, contraction, tiling, config, writer)
        self.count, self.period = (1, 1) if self.passes is None else (self.passes.count, self.passes.period)
        stored = [space.stage for space in layer.accumulators if space.stored and space.stage is not None]
        self._stores_sums = any(layer.stages[stage].kind == "contraction" for stage in stored)

    def write(self, turn: int, thread: int, place: tuple[int, ...], at: tuple[int, ...]) -> Iterator[None]:
        """The tile of a thread, which has had so many; its place in each loop over tiles, and along each dimension."""
        layer, tiling, passes = self.layer, self.tiling, self.passes
        size = tuple([min(t, whole - t * i) for t, whole, i in zip(tiling.tile, layer.extents, at, strict=True)])
        slot = turn % tiling.acc * tiling.threads + thread
        store, wide = self.tails.stored(size, slot), self.tails.outside(size, place)
        if passes is not None:
            until = store if self._stores_sums else -1
            reset = KernelStep(KERNEL_START + prod(passes.contraction.tile(size)), wide=wide, store=until)
            self.writer.kernel((slot, size), reset)
            yield
            yield from passes.write(turn, thread, at, size, slot)
            store, wide = -1 if self._stores_sums else store, NOTHING
        yield from self.tails.write(turn, thread, at, size, slot, store, wide)


_Place: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]


def _followed_tiles(
    layer: Layer, tiling: Tiling, passes: int, period: int
) -> Iterator[tuple[int, list[_Place], float]]:
    """The tiles that are followed, of all threads at once: how many each thread had before, their places in the loops
    and along each dimension, and how many they stand for."""
    counts, loops = tile_counts(layer, tiling), tile_loops(layer, tiling)
    inner = next((number for number in reversed(loops) if counts[number] > 1), None)
    if inner is not None:
        counts[inner] //= tiling.threads
    sides: dict[int, list[tuple[int, float]]] = {}
    steps = passes
    for number in reversed(loops):
        followed = counts[number] if prod(counts) * passes <= _WHOLE else max(_FOLLOWED, -(-_STEPS // steps))
        if number == inner:
            followed += (counts[number] - followed) % period
        is_ragged = layer.extents[number] % tiling.tile[number] > 0
        sides[number] = _followed(counts[number], followed, is_ragged=is_ragged)
        steps *= len(sides[number])
    where = [loops.index(number) for number in range(len(loops))]
    for some in product(*(sides[number] for number in loops)):
        first = [index for index, _ in some]
        turn = 0
        for number, index in zip(loops, first, strict=True):
            turn = turn * counts[number] + index
        places: list[_Place] = []
        for thread in range(tiling.threads):
            place = [
                index * tiling.threads + thread if n == inner else index for n, index in zip(loops, first, strict=True)
            ]
            places.append((tuple(place), tuple([place[one] for one in where])))
        yield turn, places, prod([weight for _, weight in some])


def _followed(count: int, followed: int, *, is_ragged: bool) -> list[tuple[int, float]]:
    """Iterations that are followed, and how many each stands for. A smaller one at the end stands for itself."""
    if count <= followed + is_ragged:
        return [(index, 1.0) for index in range(count)]
    share = 1 + (count - is_ragged - followed) / _REPEATED
    last = followed - (1 if followed <= _FOLLOWED else _LAST)
    found = [(index, share if 0 < last - index <= _REPEATED else 1.0) for index in range(followed)]
    return [*found, (count - 1, 1.0)] if is_ragged else found
