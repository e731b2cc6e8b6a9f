"""What no program of a tiling can go below: so a search may leave tilings out, and say how far it may be off."""

from __future__ import annotations

from math import prod

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.roof import roof
from vtac.targets.vta.schedules.tile_regions import tiles_of
from vtac.targets.vta.schedules.tilings import Column, Tilings
from vtac.targets.vta.tuning.bound_cut import Cut, tile_count
from vtac.targets.vta.tuning.bound_ends import EndBounds
from vtac.targets.vta.tuning.bound_kernels import KERNEL_START, KernelBounds
from vtac.targets.vta.tuning.bound_loads import LoadBounds, last_piece, store_cycles
from vtac.targets.vta.tuning.bound_starts import BUS

FETCHED = 38
"""When the first eight instructions have been read, before which none begins; a contraction has no fewer."""


def least_bytes(layer: Layer, tilings: Tilings, config: VTAConfig) -> Column:
    """DRAM bytes: what must move once, and a micro-op for each kind of kernel."""
    contraction = layer.contraction
    if contraction is None:
        return np.full(len(tilings), roof(layer, config).nbytes + config.uop_element_bytes, np.int64)
    cut = Cut(layer, contraction, tilings, config)
    again = LoadBounds(cut).repeated_bytes
    micro_ops = np.where(tilings.skip & np.bool_(cut.needed == 0), 1, 2)
    return roof(layer, config).nbytes + micro_ops * config.uop_element_bytes + again


def cycle_bounds(layer: Layer, tilings: Tilings, config: VTAConfig) -> Column:
    """Cycles on `Timing.de10()`, the largest of several chains of what must happen one after the other.

    *Compute*: the compute unit executes everything one after the other, beginning with the first kernel, which waits
    for its inputs and weights, and for the reset of its tile; the last piece is stored behind it. Kernels whose
    operands have other places need other micro-ops, which it loads itself. *Single*: between the passes of a tile,
    single copies are loaded while nothing is done but to load micro-ops. *Tile*: the last kernel of the first tile has
    all loads of that tile before it. *Loads*: the load unit brings every chunk at least once. *Stores*: everything is
    stored. Of virtual threads *single* says nothing, as while one of them loads, another has work. Their *tile* is the
    first one of each; where tiles have one pass, a thread may finish its own while another loads, so that nothing but
    the last piece is sure to come behind.
    """
    stored = store_cycles(prod(layer.extents) * layer.results, config)
    elementwise = _elementwise(layer, tilings, config)
    if layer.contraction is None:
        return np.maximum(elementwise + store_cycles(last_piece(layer, tilings), config), stored)
    cut = Cut(layer, layer.contraction, tilings, config)
    loads, kernels = LoadBounds(cut), KernelBounds(cut)
    ends = EndBounds(cut, kernels)
    last = ends.last
    begin = FETCHED + np.maximum(loads.first_kernel, kernels.before_first)
    rest = elementwise + kernels.products + kernels.later_resets + kernels.alu_micro_ops
    rest = rest + ends.between + last
    is_mixed = (tilings.threads > 1) & (cut.passes == 1)
    chains = (
        begin + rest + kernels.micro_ops,
        begin + rest + loads.single_copies,
        FETCHED + loads.first_tiles + np.where(is_mixed, last, rest - kernels.before_last_pass),
        FETCHED + loads.all + loads.behind_last + store_cycles(last_piece(layer, tilings), config),
        np.full(len(tilings), FETCHED + stored, np.int64),
    )
    is_idle = tilings.skip & np.bool_(cut.needed == 0)  # no products, so that no kernel waits for anything
    return np.where(is_idle, chains[-1], np.maximum.reduce(chains))


def _elementwise(layer: Layer, tilings: Tilings, config: VTAConfig) -> Column:
    """Cycles of the ALU, with the starts of its kernels, and of the loads of what it reads."""
    parts, cycles = tile_count(layer, tilings) * tilings.pieces, np.zeros(len(tilings), np.int64)
    operands = sum(tiles_of(operand.region, layer.extents) for operand in layer.operands)
    for stage in layer.stages:
        size = tiles_of(stage.region, layer.extents)
        operands += stage.least_loaded(layer.extents)
        cycles = cycles + stage.least_alu * size + KERNEL_START * stage.least_kernels * parts
    return cycles + operands * config.acc_element_bytes // BUS
