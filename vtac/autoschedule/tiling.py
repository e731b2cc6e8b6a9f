"""The choices that a schedule of one layer leaves open, and what they mean in tiles."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import prod

from vtac.autoschedule.contraction import Contraction, InputDimension
from vtac.autoschedule.layers import Layer

SPATIAL, CHANNEL, WINDOW = "spatial", "channel", "window"


@dataclass(frozen=True)
class Tiling:
    """How a layer is cut.

    `tile`: output tiles per outer dimension; `channels`: input-channel blocks per pass;
    `weights_inside`: the loop over output channels is the innermost tile loop; `inp`, `wgt`,
    `acc`: copies of each buffer; `pieces`: parts in which a tile is finished and stored;
    `skip`: iterations that read padding are left out; `taps`: each position of the window has
    a kernel and weights of its own; `streamed`: inputs and weights of one window position are
    on chip at a time.
    """

    tile: tuple[int, ...]
    channels: int = 1
    weights_inside: bool = False
    inp: int = 1
    wgt: int = 1
    acc: int = 1
    pieces: int = 1
    skip: bool = False
    taps: bool = False
    streamed: bool = False

    @property
    def splits_window(self) -> bool:
        """Window positions stand outside the kernel."""
        return self.skip or self.taps or self.streamed


@dataclass(frozen=True)
class KernelLoop:
    """A loop inside one GEMM kernel: a spatial dimension, the channel blocks, or a window position."""

    kind: str
    number: int
    extent: int

    @property
    def reduces(self) -> bool:
        return self.kind != SPATIAL


def kernel_loops(contraction: Contraction, tiling: Tiling) -> list[KernelLoop]:
    """The loops of a kernel that run more than once, spatial ones first."""
    loops = [KernelLoop(SPATIAL, number, extent) for number, extent in enumerate(tiling.tile) if extent > 1]
    if tiling.channels > 1:
        loops.append(KernelLoop(CHANNEL, 0, tiling.channels))
    if not tiling.splits_window:
        loops += [KernelLoop(WINDOW, number, e) for number, e in enumerate(contraction.window) if e > 1]
    return loops


def kernel_order(contraction: Contraction, tiling: Tiling) -> tuple[list[KernelLoop], int] | None:
    """The loops of a kernel, hardware loops first, with the fewest micro-ops; and how many those are.

    No micro-op may write the tile of either of the two before it, so a reduction among the
    micro-ops needs three tiles below it. None when no choice of hardware loops gives that.
    """
    loops = kernel_loops(contraction, tiling)
    best: tuple[list[KernelLoop], int] | None = None
    for hardware in combinations(loops, min(2, len(loops))):
        rest = [loop for loop in loops if loop not in hardware]
        reducing = [loop for loop in rest if loop.reduces]
        spatial = [loop for loop in rest if not loop.reduces]
        count = prod(loop.extent for loop in rest)
        if reducing and prod(loop.extent for loop in spatial) < 3:
            continue
        if best is None or count < best[1]:
            best = [*hardware, *reducing, *spatial], count
    return best


def input_extent(contraction: Contraction, dimension: InputDimension, tile: tuple[int, ...]) -> int:
    """Indices of an input dimension that one output tile needs, padding included."""
    spatial = tile[dimension.spatial] if dimension.spatial is not None else 1
    window = contraction.window[dimension.window] if dimension.window is not None else 1
    if window == 1 and dimension.stride > 1:
        return spatial
    return (spatial - 1) * dimension.stride + (window - 1) * dimension.dilation + 1


def input_tiles(contraction: Contraction, tiling: Tiling) -> int:
    """Tiles of one copy of the input buffer."""
    if tiling.streamed:
        moving = [t for t, weight in zip(tiling.tile, contraction.by_weight, strict=True) if not weight]
        return prod(moving) * tiling.channels
    total = 1
    for dimension in contraction.dimensions:
        if dimension.spatial is None and dimension.window is None:
            total *= tiling.channels
            continue
        extent = input_extent(contraction, dimension, tiling.tile)
        total *= min(extent, dimension.size) if tiling.skip else extent
    return total


def weight_tiles(contraction: Contraction, tiling: Tiling) -> int:
    """Tiles of one copy of the weight buffer, all window positions together."""
    selected = prod(t for t, weight in zip(tiling.tile, contraction.by_weight, strict=True) if weight)
    return selected * tiling.channels * (1 if tiling.streamed else prod(contraction.window))


def tile_counts(layer: Layer, tiling: Tiling) -> list[int]:
    """How many tiles cover each outer dimension of the output."""
    return [-(-extent // tile) for extent, tile in zip(layer.extents, tiling.tile, strict=True)]
