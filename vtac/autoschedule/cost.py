"""A quick estimate of a tiling: DRAM bytes and cycles, without building the program."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm, prod

from vtac.autoschedule.contraction import Contraction, InputDimension
from vtac.autoschedule.layers import Layer
from vtac.autoschedule.tiling import (
    Tiling,
    input_extent,
    input_tiles,
    kernel_order,
    tile_counts,
    weight_tiles,
)
from vtac.dialects.hardware import VTAConfig
from vtac.passes.analysis.kernels import micro_op_limit

_BUS = 8
_LOAD_START = 23
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
    """Every buffer with its copies fits its memory, and every kernel the micro-op memory."""
    tile = prod(tiling.tile)
    operands = sum(operand_tiles(layer, tiling)) * (1 if layer.contraction else tiling.acc)
    if tile * tiling.acc + operands > config.capacity("acc"):
        return False
    contraction = layer.contraction
    if contraction is None:
        return True
    if input_tiles(contraction, tiling) * tiling.inp > config.capacity("inp"):
        return False
    if weight_tiles(contraction, tiling) * tiling.wgt > config.capacity("wgt"):
        return False
    order = kernel_order(contraction, tiling)
    return order is not None and order[1] <= micro_op_limit(config)


def operand_tiles(layer: Layer, tiling: Tiling) -> list[int]:
    """Tiles that each further operand of the elementwise blocks takes per output tile."""
    return [
        prod(t for t, follows in zip(tiling.tile, operand.follows, strict=True) if follows)
        for operand in layer.operands
    ]


def estimate(layer: Layer, tiling: Tiling, config: VTAConfig) -> Estimate:
    """Bytes and cycles of a tiling that fits."""
    counts = tile_counts(layer, tiling)
    tiles, outputs = prod(counts), prod(layer.extents)
    bursts = max(1, _STORE_BURST // config.out_element_bytes)
    store = (3 * outputs * config.out_element_bytes) // 16 + (3 * outputs) // bursts
    stored = outputs * config.out_element_bytes
    extra = sum(operand_tiles(layer, tiling)) * tiles
    vector = outputs * layer.alu + extra * config.acc_element_bytes // _BUS
    kernels = tiles * tiling.pieces * layer.alu
    if layer.contraction is None:
        nbytes = stored + extra * config.acc_element_bytes + 4 * layer.alu * tiling.pieces * min(tiling.acc, tiles)
        waits = tiles if tiling.acc == 1 else 1
        cycles = vector + _KERNEL_START * kernels + _LOAD_START * len(layer.operands) * tiles + waits * store // tiles
        cycles += _UOP_START * layer.alu * min(tiling.acc, tiles)
        return Estimate(nbytes, max(cycles, store), kernels + (1 + len(layer.operands)) * tiles)
    parts = _Contraction(layer, layer.contraction, tiling, config, counts)
    compute = outputs + vector + parts.work + _KERNEL_START * (kernels + parts.kernels + tiles)
    compute += parts.uop_loads * _UOP_START + parts.micro_ops // 2
    load = parts.load_bytes // _BUS + _LOAD_START * parts.loads
    first = parts.first_bytes // _BUS + 2 * _LOAD_START + 45
    last = store // tiles
    shared = last // tiling.pieces + max(0, last - (last if layer.alu == 0 else layer.alu * outputs // tiles))
    waiting = shared * (tiles if tiling.acc == 1 else 1)
    waiting += parts.waiting
    cycles = max(compute, load, store) + max(0, first - outputs // tiles) + waiting
    nbytes = stored + extra * config.acc_element_bytes + parts.load_bytes + 4 * parts.micro_ops
    return Estimate(nbytes, cycles, kernels + parts.kernels + parts.loads + tiles * (1 + tiling.pieces))


class _Contraction:
    """What the contraction of a layer adds: work, traffic, instructions."""

    def __init__(
        self, layer: Layer, contraction: Contraction, tiling: Tiling, config: VTAConfig, counts: list[int]
    ) -> None:
        selecting = [c for c, weight in zip(counts, contraction.by_weight, strict=True) if weight]
        moving = [c for c, weight in zip(counts, contraction.by_weight, strict=True) if not weight]
        self.passes = -(-contraction.channels // tiling.channels)
        by_weight, by_input = prod(selecting), prod(moving)
        windows = prod(contraction.window)
        dense = prod(layer.extents) * contraction.channels * windows
        self.work = int(dense * _useful(layer, contraction)) if tiling.skip else dense
        split = tiling.splits_window
        self.kernels = by_weight * by_input * self.passes * (windows if split else 1)
        inputs, weights = _traffic(tiling, by_weight, by_input, self.passes)
        row = _loaded_tiles(layer, contraction, tiling) / (by_input * self.passes)
        self.input_bytes = int(row * config.inp_element_bytes)
        weight = weight_tiles(contraction, tiling) * config.wgt_element_bytes
        self.load_bytes = int(inputs * row * config.inp_element_bytes) + weights * weight
        lines = _lines(contraction, tiling)
        slices = windows * (_selected(contraction, tiling) if tiling.channels > 1 else 1) if tiling.taps else 1
        self.loads = inputs * lines + weights * slices
        self.waiting = 0
        if tiling.inp == 1:
            self.waiting += (inputs - 1) * (_LOAD_START * lines + self.input_bytes // _BUS)
        if tiling.wgt == 1 and not tiling.taps:
            self.waiting += (weights - 1) * (_LOAD_START + weight // _BUS)
        self.first_bytes = self.input_bytes + weight // (windows if tiling.taps else 1)
        order = kernel_order(contraction, tiling)
        per_kernel = order[1] if order else 1
        total = by_weight * by_input * self.passes
        turns = [min(copies, total) for copies in (tiling.inp, tiling.wgt)] + [min(tiling.acc, by_weight * by_input)]
        variants = min(lcm(lcm(turns[0], turns[1]), turns[2]), total)
        groups = windows if split else 1
        self.uop_loads = variants * groups + 1 + layer.alu * tiling.pieces * turns[2]
        share = _useful(layer, contraction) if tiling.skip else 1.0
        self.micro_ops = int(variants * groups * per_kernel * share**0.5) + 1 + layer.alu * tiling.pieces * turns[2]


def _selected(contraction: Contraction, tiling: Tiling) -> int:
    return prod(t for t, weight in zip(tiling.tile, contraction.by_weight, strict=True) if weight)


def _traffic(tiling: Tiling, by_weight: int, by_input: int, passes: int) -> tuple[int, int]:
    """Chunks of input and of weights that are loaded, given what stays on chip."""
    if tiling.weights_inside or by_input == 1:
        inputs = by_input * _reloaded(passes, by_weight, tiling.inp, steady=True)
        weights = by_input * by_weight * passes
        if tiling.wgt >= by_weight * passes:
            weights = by_weight * passes
        elif by_weight == 1:
            weights = _reloaded(passes, by_input, tiling.wgt, steady=True)
        return inputs, weights
    weights = by_weight * _reloaded(passes, by_input, tiling.wgt, steady=True)
    inputs = by_weight * by_input * passes
    if tiling.inp >= by_input * passes:
        inputs = by_input * passes
    elif by_input == 1:
        inputs = _reloaded(passes, by_weight, tiling.inp, steady=True)
    return inputs, weights


def _reloaded(passes: int, times: int, copies: int, *, steady: bool) -> int:
    """Chunks loaded when `passes` chunks are used `times` times in a row with so many copies."""
    kept = copies if steady and (copies > 1 or passes == 1) else 0
    return passes + (times - 1) * max(0, passes - kept)


def _loaded_tiles(layer: Layer, contraction: Contraction, tiling: Tiling) -> int:
    """Input tiles that one sweep over all output tiles loads, without padding."""
    total = 1
    for dimension in contraction.dimensions:
        if dimension.spatial is None and dimension.window is None:
            total *= contraction.channels
        else:
            total *= _swept(layer, contraction, dimension, tiling)
    return total


def _swept(layer: Layer, contraction: Contraction, dimension: InputDimension, tiling: Tiling) -> int:
    extent = input_extent(contraction, dimension, tiling.tile)
    if dimension.spatial is None:
        return min(extent, dimension.size)
    tile, whole = tiling.tile[dimension.spatial], layer.extents[dimension.spatial]
    window = contraction.window[dimension.window] if dimension.window is not None else 1
    if window == 1 and dimension.stride > 1:
        return whole
    total = 0
    for start in range(0, whole, tile):
        low = start * dimension.stride - dimension.before
        total += max(0, min(low + extent, dimension.size) - max(low, 0))
    return total


def _lines(contraction: Contraction, tiling: Tiling) -> int:
    """LOADs per input chunk: one per channel block, and per row where columns are gathered."""
    moving = [d for d in contraction.dimensions if d.spatial is not None or d.window is not None]
    lines = tiling.channels
    if contraction.steps and len(moving) > 1:
        lines *= prod(input_extent(contraction, d, tiling.tile) for d in moving[:-1])
    return lines


def _useful(layer: Layer, contraction: Contraction) -> float:
    """The share of multiplications that read no padding."""
    share = 1.0
    for dimension in contraction.dimensions:
        if dimension.spatial is None or dimension.window is None:
            continue
        whole, window = layer.extents[dimension.spatial], contraction.window[dimension.window]
        inside = sum(
            0 <= i * dimension.stride + w * dimension.dilation - dimension.before < dimension.size
            for i in range(whole)
            for w in range(window)
        )
        share *= inside / (whole * window)
    return share
