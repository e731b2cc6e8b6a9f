"""What the contraction of a layer costs under a tiling: work, traffic, instructions."""

from __future__ import annotations

from functools import lru_cache
from math import lcm, prod

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.tiled_contraction import InputDimension, TiledContraction
from vtac.targets.vta.schedules.tiling import Tiling, input_extent, kernel_order, weight_tiles

BUS = 8
LOAD_START = 23
_FOLLOWED = 2000
"""Chunks beyond which none is expected to stay on chip."""


class ContractionCost:
    """What the contraction of a layer adds: work, traffic, instructions."""

    def __init__(
        self, layer: Layer, contraction: TiledContraction, tiling: Tiling, config: VTAConfig, counts: list[int]
    ) -> None:
        selecting = [c for c, weight in zip(counts, contraction.by_weight, strict=True) if weight]
        moving = [c for c, weight in zip(counts, contraction.by_weight, strict=True) if not weight]
        self.passes = -(-contraction.channels // tiling.channels)
        by_weight, by_input = prod(selecting), prod(moving)
        windows = prod(contraction.window)
        self.outputs = contraction.covered(tiling.tile, layer.extents)
        dense = self.outputs * contraction.channels * windows
        self.work = int(dense * contraction.useful) if tiling.skip else dense
        split = tiling.splits_window
        self.kernels = by_weight * by_input * self.passes * (windows if split else 1)
        inputs, weights = _traffic(tiling, by_weight, by_input, self.passes)
        chunks = prod(c for c, selects in zip(counts, contraction.selecting, strict=True) if selects)
        if contraction.tied:
            inputs = by_weight * by_input * self.passes
        row = _loaded_tiles(layer, contraction, tiling) / (chunks * self.passes)
        self.input_bytes = int(row * config.inp_element_bytes)
        weight = weight_tiles(contraction, tiling) * config.wgt_element_bytes
        self.load_bytes = int(inputs * row * config.inp_element_bytes) + weights * weight
        lines = _lines(contraction, tiling)
        slices = windows * (_selected(contraction, tiling) if tiling.channels > 1 else 1) if tiling.taps else 1
        self.loads = inputs * lines + weights * slices
        self.waiting = 0
        if tiling.inp == 1:
            self.waiting += (inputs - 1) * (LOAD_START * lines + self.input_bytes // BUS)
        if tiling.wgt == 1 and not tiling.taps:
            self.waiting += (weights - 1) * (LOAD_START + weight // BUS)
        self.first_bytes = self.input_bytes + weight // (windows if tiling.taps else 1)
        order = kernel_order(contraction, tiling)
        per_kernel = order[1] if order else 1
        total = by_weight * by_input * self.passes
        turns = [min(copies, total) for copies in (tiling.inp, tiling.wgt)] + [min(tiling.acc, by_weight * by_input)]
        variants = min(lcm(lcm(turns[0], turns[1]), turns[2]), total)
        groups = windows if split else 1
        self.uop_loads = variants * groups + 1 + kernels_of(layer) * tiling.pieces * turns[2]
        share = contraction.useful if tiling.skip else 1.0
        self.micro_ops = (
            int(variants * groups * per_kernel * share**0.5) + 1 + kernels_of(layer) * tiling.pieces * turns[2]
        )


def _selected(contraction: TiledContraction, tiling: Tiling) -> int:
    return prod(t for t, weight in zip(tiling.tile, contraction.by_weight, strict=True) if weight)


def _traffic(tiling: Tiling, by_weight: int, by_input: int, passes: int) -> tuple[int, int]:
    """Chunks of input and of weights that are loaded, given what stays on chip."""
    weights_inside = by_input == 1 or (tiling.weights_inside and by_weight > 1)
    outer, inner = (by_input, by_weight) if weights_inside else (by_weight, by_input)
    kept = tiling.inp if weights_inside else tiling.wgt
    step = passes - kept if 1 < kept < passes else 0
    if outer * inner * passes > _FOLLOWED:
        return outer * inner * passes, outer * inner * passes
    inputs = _chunks_loaded(outer, inner, passes, step, tiling.inp, by_outer=weights_inside)
    return inputs, _chunks_loaded(outer, inner, passes, step, tiling.wgt, by_outer=not weights_inside)


@lru_cache(maxsize=16384)
def _chunks_loaded(outer: int, inner: int, passes: int, step: int, copies: int, *, by_outer: bool) -> int:
    """Loads of a buffer with copies used in turn: a chunk that its place holds already is not loaded again.

    Chunks differ by the outer tile loop or by the inner one, and by the pass, which starts
    `step` later for each inner tile.
    """
    held: list[int] = [-1] * copies
    loads = turn = 0
    for i in range(outer):
        for j in range(inner):
            base, start = (i if by_outer else j) * passes, step * j
            for number in range(start, start + passes):
                chunk = base + number % passes
                if held[turn] != chunk:
                    held[turn] = chunk
                    loads += 1
                turn = turn + 1 if turn + 1 < copies else 0
    return loads


def _loaded_tiles(layer: Layer, contraction: TiledContraction, tiling: Tiling) -> int:
    """Input tiles that one sweep over all output tiles loads, without padding."""
    total = 1
    for dimension in contraction.dimensions:
        if dimension.spatial is None and dimension.window is None:
            total *= contraction.channels
        else:
            total *= _swept(layer, contraction, dimension, tiling)
    return total


def _swept(layer: Layer, contraction: TiledContraction, dimension: InputDimension, tiling: Tiling) -> int:
    extent = input_extent(contraction, dimension, tiling.tile)
    if dimension.spatial is None:
        return min(extent, dimension.size)
    window = contraction.window[dimension.window] if dimension.window is not None else 1
    step = contraction.step(dimension.spatial)
    tile, whole = tiling.tile[dimension.spatial], layer.extents[dimension.spatial]
    if window == 1 and dimension.stride > 1:
        return whole if step == 1 else min(contraction.extents[dimension.spatial], -(-whole // tile) * extent)
    return _covered(dimension, extent, tile * step, whole * step)


@lru_cache(maxsize=4096)
def _covered(dimension: InputDimension, extent: int, tile: int, whole: int) -> int:
    """Indices loaded by all tiles along a dimension, those between two tiles twice, padding not."""
    total = 0
    for start in range(0, whole, tile):
        low = start * dimension.stride - dimension.before
        total += max(0, min(low + extent, dimension.size) - max(low, 0))
    return total


def _lines(contraction: TiledContraction, tiling: Tiling) -> int:
    """LOADs per input chunk: one per channel block, and per row where columns are gathered."""
    moving = [d for d in contraction.dimensions if d.spatial is not None or d.window is not None]
    lines = tiling.channels
    if contraction.steps and len(moving) > 1:
        lines *= prod(input_extent(contraction, d, tiling.tile) for d in moving[:-1])
    return lines


def kernels_of(layer: Layer) -> int:
    """ALU kernels of one piece of a tile."""
    return sum(stage.kernels for stage in layer.stages)
