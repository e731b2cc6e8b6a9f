"""What folding the windows of a layer costs: cycles of its best tiling, bytes, and the host's time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

from vtac.analysis.types.tensor_types import shape_of
from vtac.dialects.hardware import VTAConfig
from vtac.partition.anchors import source_of
from vtac.partition.convolutions import Convolution
from vtac.partition.window_folds import WindowFold, channels_of
from vtac.targets.vta.schedules.cost import Estimate
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.roof import Roof, roof
from vtac.targets.vta.schedules.search import best_estimate

HOST_CYCLES_PER_ELEMENT = 0.1
"""Cycles for each element of an image that the host copies by itself: 1 ns, at 100 MHz."""
HOST_CYCLES_PER_BYTE = 0.02
"""Cycles for each byte that the host writes in runs: 0.2 ns, at 100 MHz."""
BYTES_PER_CYCLE = 64
"""Traffic that counts as much as a cycle: most of it hides behind products, so this is eight times the bus."""


@dataclass(frozen=True)
class HostWork:
    """What the host copies for one call: elements by themselves, and bytes in runs."""

    elements: int
    nbytes: int

    @property
    def cycles(self) -> float:
        """Its time, in cycles of the VTA."""
        return self.elements * HOST_CYCLES_PER_ELEMENT + self.nbytes * HOST_CYCLES_PER_BYTE


@dataclass(frozen=True)
class FoldCost:
    """What a layer takes under one fold, or as it is: `found` of the VTA, `host` of the host."""

    found: Estimate
    host: HostWork

    @property
    def total(self) -> float:
        """Cycles, the host's time among them, and what traffic counts."""
        return self.found.cycles + self.host.cycles + self.found.nbytes / BYTES_PER_CYCLE


def bound_of(layer: Layer, host: HostWork, config: VTAConfig) -> float:
    """What no schedule of a layer goes below, in the units of `FoldCost.total`."""
    limit: Roof = roof(layer, config)
    return limit.cycles + host.cycles + limit.nbytes / BYTES_PER_CYCLE


def cost_of(layer: Layer, host: HostWork, config: VTAConfig) -> FoldCost:
    """What the tiling of the best estimate takes. Raises `NoDefaultScheduleError` where none fits."""
    return FoldCost(best_estimate(layer, config).estimate, host)


def folded_layer(layer: Layer, fold: WindowFold, config: VTAConfig) -> Layer:
    """A layer whose contraction is a convolution, with folded windows."""
    contraction = layer.contraction
    if contraction is None:
        return layer
    row, channel, *image = contraction.dimensions
    axes = [
        replace(old, stride=axis.window.stride, dilation=axis.window.dilation, size=axis.extent, before=0)
        for old, axis in zip(image, fold.axes, strict=True)
    ]
    blocks = -(-fold.channels // config.block_in)
    within = (blocks, *fold.pieces)
    strides = tuple([prod(within[place:]) for place in range(len(within) + 1)])
    folded = replace(
        contraction,
        pad=None,
        channels=blocks,
        window=fold.pieces,
        dimensions=(row, replace(channel, size=blocks), *axes),
        weight_strides=strides if contraction.weight_strides else (),
    )
    return replace(layer, contraction=folded)


def host_work(found: Convolution, fold: WindowFold | None, config: VTAConfig, *, kernel: bool) -> HostWork:
    """What the host copies to pack the data of a convolution, folded or not; and its kernel, if that is no constant."""
    source = shape_of(source_of(found)[0])
    rows = -(-source[found.data_dims[0]] // config.batch) * config.batch
    features = -(-shape_of(found.op.res[0])[found.result_dims[1]] // config.block_out) * config.block_out
    blocks = -(-(fold.channels if fold else channels_of(found)) // config.block_in) * config.block_in
    image = prod(fold.extents if fold else [source[dim] for dim in found.data_dims[2:]])
    window = prod(fold.pieces if fold else [window.size for window in found.windows])
    written = rows * blocks * image * (2 if fold else 1)
    weights = features * blocks * window * (2 if fold else 1) if kernel else 0
    return HostWork(prod(source) + weights, written + weights)
