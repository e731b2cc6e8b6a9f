"""The program of a tiling as steps, tile by tile, without lowering it.

A step is what a pass over the channels, or one piece of a tile, does. Of loops over many tiles only the first few
iterations are followed; the last but one of these stand for those that are not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import product, zip_longest
from math import prod
from typing import TypeAlias

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.steps import KERNEL_START, KernelStep, Outline, StepWriter
from vtac.targets.vta.schedules.tile_passes import TilePasses
from vtac.targets.vta.schedules.tile_tails import TileTails
from vtac.targets.vta.schedules.tiling import Tiling, tile_counts, tile_loops
from vtac.targets.vta.schedules.transfers import NOTHING, together

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
    loops = _TileLoops(layer, tiling)
    before = -1
    for turn, weight in _followed_tiles(loops, tiles.count, tiles.period):
        for skipped in range(max(before + 1, turn - tiles.lasting * loops.around), turn):
            tiles.pass_over(*loops.places(skipped))
        tiles.write(*loops.places(turn))
        writer.end_tile(weight)
        before = turn
    writer.outline.stored = prod(layer.extents) * layer.results * config.out_element_bytes
    return writer.outline


_Place: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]
"""A tile's numbers in the loops over tiles, outermost first, and along each dimension."""


class _Tiles:
    """Writes a tile unit by unit; where tiles run as virtual threads, the next one has its turn after each unit."""

    def __init__(self, layer: Layer, tiling: Tiling, config: VTAConfig, writer: StepWriter) -> None:
        contraction = layer.contraction
        self.layer, self.tiling, self.writer = layer, tiling, writer
        self.tails = TileTails(layer, tiling, config, writer)
        self.passes = None if contraction is None else TilePasses(layer, contraction, tiling, config, writer)
        self.count, self.period = (1, 1) if self.passes is None else (self.passes.count, self.passes.period)
        self.lasting = 0 if self.passes is None else self.passes.lasting
        """Of how many tiles something stays on chip."""
        stored = [space.stage for space in layer.accumulators if space.stored and space.stage is not None]
        self._stores_sums = any(layer.stages[stage].kind == "contraction" for stage in stored)

    def write(self, turn: int, places: Sequence[_Place]) -> None:
        """The tiles of all threads, one unit of each after the other."""
        deque(zip_longest(*(self._write(turn, thread, *place) for thread, place in enumerate(places))), maxlen=0)

    def pass_over(self, turn: int, places: Sequence[_Place]) -> None:
        """Tiles of all threads that are not followed: what they leave on chip."""
        for thread, (_, at) in enumerate(places):
            if self.passes is not None:
                self.passes.pass_over(turn, thread, at, self._size(at))

    def _size(self, at: tuple[int, ...]) -> tuple[int, ...]:
        layer, tile = self.layer, self.tiling.tile
        return tuple([min(t, whole - t * i) for t, whole, i in zip(tile, layer.extents, at, strict=True)])

    def _write(self, turn: int, thread: int, place: tuple[int, ...], at: tuple[int, ...]) -> Iterator[None]:
        """The tile of a thread, which has had so many of that size, as these have buffers of their own; its place in
        each loop over tiles, and along each dimension."""
        tiling, passes, size = self.tiling, self.passes, self._size(at)
        slot = turn % tiling.acc * tiling.threads + thread
        store, (wide, behind) = self.tails.stored(size, slot), self.tails.outside(size, place)
        if passes is not None:
            until = store if self._stores_sums else -1
            reset = KernelStep(KERNEL_START + prod(passes.contraction.tile(size)), wide=wide, store=until)
            self.writer.kernel((slot, size), reset)
            yield
            yield from passes.write(turn, thread, at, size, slot)
            store, wide = -1 if self._stores_sums else store, NOTHING
        yield from self.tails.write(turn, thread, at, size, slot, store, together([wide, behind]))


class _TileLoops:
    """The loops over tiles, outermost first: how many iterations each has, of the innermost those of one thread."""

    def __init__(self, layer: Layer, tiling: Tiling) -> None:
        self.order = tile_loops(layer, tiling)
        self.threads, self.counts = tiling.threads, tile_counts(layer, tiling)
        self.inner = next((number for number in reversed(self.order) if self.counts[number] > 1), None)
        if self.inner is not None:
            self.counts[self.inner] //= tiling.threads
        self.is_ragged = [whole % tile > 0 for whole, tile in zip(layer.extents, tiling.tile, strict=True)]
        self._where = [self.order.index(number) for number in range(len(self.order))]
        first = next((place for place, number in enumerate(self.order) if self.is_ragged[number]), len(self.order))
        self.around = prod([self.counts[number] for number in self.order[first:]])
        """Of how many tiles in a row one at least has the size of the next."""

    def places(self, turn: int) -> tuple[int, list[_Place]]:
        """Where the tiles are that threads write when each has had so many; and how many of these were of that size."""
        indices = [0] * len(self.order)
        for place in range(len(indices) - 1, -1, -1):
            turn, indices[place] = divmod(turn, self.counts[self.order[place]])
        alike = 0
        for number, index in zip(self.order, indices, strict=True):
            whole = self.counts[number] - self.is_ragged[number]
            alike = alike * whole + index if index < whole else alike
        found: list[_Place] = []
        for thread in range(self.threads):
            place = [
                index * self.threads + thread if number == self.inner else index
                for number, index in zip(self.order, indices, strict=True)
            ]
            found.append((tuple(place), tuple([place[one] for one in self._where])))
        return alike, found


def _followed_tiles(loops: _TileLoops, passes: int, period: int) -> Iterator[tuple[int, float]]:
    """The tiles that are followed, of all threads at once: how many each thread had before, and how many tiles these
    stand for."""
    counts = loops.counts
    sides: list[list[tuple[int, float]]] = []
    steps = passes
    for number in reversed(loops.order):
        followed = counts[number] if prod(counts) * passes <= _WHOLE else max(_FOLLOWED, -(-_STEPS // steps))
        if number == loops.inner:
            followed += (counts[number] - followed) % period
        sides.append(_followed(counts[number], followed, is_ragged=loops.is_ragged[number]))
        steps *= len(sides[-1])
    for some in product(*reversed(sides)):
        turn = 0
        for number, (index, _) in zip(loops.order, some, strict=True):
            turn = turn * counts[number] + index
        yield turn, prod([weight for _, weight in some])


def _followed(count: int, followed: int, *, is_ragged: bool) -> list[tuple[int, float]]:
    """Iterations that are followed, and how many each stands for. A smaller one at the end stands for itself."""
    if count <= followed + is_ragged:
        return [(index, 1.0) for index in range(count)]
    share = 1 + (count - is_ragged - followed) / _REPEATED
    last = followed - (1 if followed <= _FOLLOWED else _LAST)
    found = [(index, share if 0 < last - index <= _REPEATED else 1.0) for index in range(followed)]
    return [*found, (count - 1, 1.0)] if is_ragged else found
