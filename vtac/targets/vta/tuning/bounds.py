"""What no program of a tiling can go below: so a search may leave tilings out, and say how far it may be off."""

from __future__ import annotations

from math import prod

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.roof import roof
from vtac.targets.vta.schedules.tile_regions import tiles_of
from vtac.targets.vta.schedules.tiled_contraction import TiledContraction
from vtac.targets.vta.schedules.tilings import (
    Column,
    Tilings,
    contraction_tile,
    counts_of,
    input_extents,
    product_of,
    selected_tiles,
)

BUS = 8
LOAD_START = 23
"""Cycles of a LOAD beside its beats: 7 and the memory's latency."""
KERNEL_START = 7


def least_bytes(layer: Layer, tilings: Tilings, config: VTAConfig) -> Column:
    """DRAM bytes: what must move once, and a micro-op for each kind of kernel."""
    kernels = 2 if layer.contraction is not None else 1
    return np.full(len(tilings), roof(layer, config).nbytes + config.uop_element_bytes * kernels, np.int64)


def cycle_bounds(layer: Layer, tilings: Tilings, config: VTAConfig) -> Column:
    """Cycles on `Timing.de10()`, the largest of three chains.

    The compute unit executes everything one after the other; but for the reset of the first tile and the loads of its
    operands it begins when inputs and weights of the first kernel are there, and the last piece is stored behind it.
    The load unit brings every chunk at least once. The store unit stores everything.
    """
    stored = prod(layer.extents) * config.out_element_bytes * layer.results
    last = _last_piece(layer, tilings) * config.out_element_bytes // BUS
    compute = _compute(layer, tilings, config)
    if layer.contraction is None:
        return np.maximum(compute + last, stored // BUS)
    first, loads = _loads(layer, layer.contraction, tilings, config)
    return np.maximum(np.maximum(first + compute + last, loads + last), stored // BUS)


def _compute(layer: Layer, tilings: Tilings, config: VTAConfig) -> Column:
    """Cycles of the compute unit behind the first kernel's loads: products, ALU, starts of kernels, operands."""
    tiles = np.ones(len(tilings), np.int64) * product_of(counts_of(layer, tilings.tile))
    cycles: Column = np.zeros(len(tilings), np.int64)
    operands = sum(tiles_of(operand.region, layer.extents) for operand in layer.operands)
    for stage in layer.stages:
        size = tiles_of(stage.region, layer.extents)
        operands += size if stage.kind == "load" else 0
        cycles = cycles + stage.alu * size + KERNEL_START * stage.kernels * tiles
    contraction = layer.contraction
    if contraction is None:
        return cycles + operands * config.acc_element_bytes // BUS
    dense = prod(contraction.extents) * contraction.channels * prod(contraction.window)
    passes = -(-contraction.channels // tilings.channels)
    groups = np.where(tilings.splits_window, prod(contraction.window), 1)
    size = product_of(contraction_tile(contraction, tilings.tile))
    resets = np.maximum(0, prod(contraction.extents) - size)
    cycles = cycles + np.where(tilings.skip, contraction.products, dense) + resets
    return cycles + KERNEL_START * (tiles * passes * groups + tiles - 1)


def _loads(layer: Layer, contraction: TiledContraction, tilings: Tilings, config: VTAConfig) -> tuple[Column, Column]:
    """When the first kernel's inputs and weights are there; and cycles of all loads of inputs and weights."""
    windows = prod(contraction.window)
    passes = -(-contraction.channels // tilings.channels)
    counts = counts_of(layer, tilings.tile)
    weights = passes * product_of(c for c, weight in zip(counts, contraction.by_weight, strict=True) if weight)
    inputs = passes * product_of(c for c, moves in zip(counts, contraction.selecting, strict=True) if moves)
    first_weights = selected_tiles(contraction, tilings) * tilings.channels
    first_weights = first_weights * np.where(tilings.splits_window, 1, windows)
    first_inputs = _first_inputs(contraction, tilings)
    first = first_inputs * config.inp_element_bytes + first_weights * config.wgt_element_bytes
    selected = prod(e for e, weight in zip(layer.extents, contraction.by_weight, strict=True) if weight)
    touched = prod(_touched(contraction, number) for number in range(len(contraction.dimensions)))
    nbytes = touched * config.inp_element_bytes
    nbytes += selected * contraction.channels * windows * config.wgt_element_bytes
    return 2 * LOAD_START + first // BUS, LOAD_START * (weights + inputs) + nbytes // BUS


def _first_inputs(contraction: TiledContraction, tilings: Tilings) -> Column:
    """Input tiles of the first kernel that are no padding."""
    total: Column = tilings.channels
    for dimension in contraction.dimensions:
        if dimension.spatial is None and dimension.window is None:
            continue
        extent = input_extents(contraction, dimension, tilings.tile) - dimension.before
        if dimension.window is not None:
            split = extent - (contraction.window[dimension.window] - 1) * dimension.dilation
            extent = np.where(tilings.splits_window, split, extent)
        total = total * np.maximum(1, np.minimum(extent, dimension.size))
    return total


def _touched(contraction: TiledContraction, number: int) -> int:
    """Indices of an input dimension that some output needs."""
    dimension = contraction.dimensions[number]
    if dimension.spatial is None and dimension.window is None:
        return contraction.channels
    whole = contraction.extents[dimension.spatial] if dimension.spatial is not None else 1
    window = contraction.window[dimension.window] if dimension.window is not None else 1
    reached = {
        i * dimension.stride + w * dimension.dilation - dimension.before for i in range(whole) for w in range(window)
    }
    return len(reached & set(range(dimension.size)))


def _last_piece(layer: Layer, tilings: Tilings) -> Column:
    """Tiles of the result that are stored behind everything else."""
    total: Column = np.ones(len(tilings), np.int64)
    for extent, size in zip(layer.extents, tilings.tile, strict=True):
        total = total * np.where(extent % size, extent % size, size)
    return total // tilings.pieces
