"""The loops over output tiles, cut out of the nest of a store or of the stage that all results depend on."""

from __future__ import annotations

from dataclasses import dataclass

from vtac.schedule import LoopRef, Schedule
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.tiling import Tiling, piece_dimension, thread_loop, tile_loops


@dataclass(frozen=True)
class TileNest:
    """`around`: the loops over tiles, the threads of one with virtual threads; `inside`: the loop over pieces of a
    tile, or the last of those around; `inner`: the outermost of what is left of the nest that was cut.
    """

    around: list[LoopRef]
    inside: LoopRef
    inner: LoopRef


def cut_nest(schedule: Schedule, layer: Layer, tiling: Tiling) -> TileNest:
    """Split the loops of the results (of what they all depend on) into those over tiles, pieces, and inside."""
    anchor = None if layer.anchor is None else layer.stages[layer.anchor]
    name = layer.store if anchor is None else anchor.block
    loops = list(schedule.get_loops(schedule.get_block(name)))
    rank = len(layer.extents)
    pairs = [
        schedule.split(loop, factor=size, tail="guard" if loop.extent % size else "error")
        for loop, size in zip(loops[:rank], tiling.tile, strict=True)
    ]
    around = [pairs[number][0] for number in tile_loops(layer, tiling)]
    every = list(around)
    thread = thread_loop(layer, tiling)
    if tiling.threads > 1 and thread is not None:
        place = around.index(pairs[thread][0])
        every[place : place + 1] = schedule.split(around[place], factor=tiling.threads)
        around[place] = every[place + 1]
        schedule.bind(around[place], "cthread")
    inner = [pair[1] for pair in pairs]
    if anchor is not None and anchor.kind in ("contraction", "product"):
        schedule.reorder(*every, *inner, *loops[rank:])
        return TileNest(around, around[-1], inner[0])
    cut = piece_dimension(layer, tiling)
    part, inner[cut] = schedule.split(inner[cut], nparts=tiling.pieces)
    schedule.reorder(*every, part, *inner, *loops[rank:])
    return TileNest(around, part, inner[0])
