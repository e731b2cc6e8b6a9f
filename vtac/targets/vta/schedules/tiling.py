"""The choices that a schedule of one layer leaves open, and what they mean in tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, takewhile
from math import prod

from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.stages import Operand
from vtac.targets.vta.schedules.tile_regions import TileRegion
from vtac.targets.vta.schedules.tiled_contraction import TiledContraction

SPATIAL, CHANNEL, WINDOW = "spatial", "channel", "window"


@dataclass(frozen=True)
class Tiling:
    """How a layer is cut.

    `tile`: output tiles per outer dimension; `channels`: input-channel blocks per pass;
    `weights_inside`: the loop over output channels is the innermost tile loop; `inp`, `wgt`,
    `acc`: copies of each buffer; `pieces`: parts in which a tile is finished and stored;
    `skip`: iterations that read padding are left out; `taps`: each position of the window has
    a kernel and weights of its own; `streamed`: inputs and weights of one window position are
    on chip at a time; `operands`: copies of the tiles of each int8 operand; `outside`: which loops
    over tiles that select no weights stand outside of those that do, a bit for each such dimension,
    where `weights_inside` does not put all of them there; `threads`: tiles of the innermost loop that
    run as virtual threads, pass by pass side by side, each with buffers of its own.
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
    operands: int = 1
    outside: int = 0
    threads: int = 1

    @property
    def splits_window(self) -> bool:
        """Window positions stand outside the kernel."""
        return self.skip or self.taps or self.streamed


@dataclass(frozen=True)
class KernelLoop:
    """A loop inside one GEMM kernel: a spatial dimension, the channel blocks, or a window position.

    Of a dimension along which results share inputs, two loops stand for groups of `step` results, and for those of
    a group; where a tile is no whole groups, one loop, which indices are not `linear` in.
    """

    kind: str
    number: int
    extent: int
    step: int = 1
    linear: bool = True

    @property
    def reduces(self) -> bool:
        return self.kind != SPATIAL

    def runs_on(self, tile: Sequence[int]) -> int:
        """Iterations on another tile."""
        if self.reduces:
            return self.extent
        return tile[self.number] // self.step if self.step > 1 else min(self.extent, tile[self.number])


def kernel_loops(
    tile: tuple[int, ...], channels: int, window: tuple[int, ...], shares: tuple[int, ...] = ()
) -> list[KernelLoop]:
    """The loops of a kernel that run more than once, spatial ones first; `shares` are those of the contraction."""
    sides = enumerate(zip(tile, shares or (1,) * len(tile), strict=True))
    loops = [loop for number, (extent, share) in sides for loop in _spatial_loops(number, extent, share)]
    if channels > 1:
        loops.append(KernelLoop(CHANNEL, 0, channels))
    return loops + [KernelLoop(WINDOW, number, extent) for number, extent in enumerate(window) if extent > 1]


def _spatial_loops(number: int, extent: int, share: int) -> list[KernelLoop]:
    if share == 1 or extent % share:
        return [KernelLoop(SPATIAL, number, extent, linear=share == 1)] if extent > 1 else []
    groups = [KernelLoop(SPATIAL, number, extent // share, share)] if extent > share else []
    return [*groups, KernelLoop(SPATIAL, number, share)]


def kernel_order(contraction: TiledContraction, tiling: Tiling) -> tuple[list[KernelLoop], int] | None:
    """The loops of a kernel, hardware loops first, with the fewest micro-ops; and how many those are.

    No micro-op may write the tile of either of the two before it, so a reduction among the
    micro-ops needs three tiles below it. None when no choice of hardware loops gives that.
    """
    window = () if tiling.splits_window else contraction.window
    found = shortest_kernel(contraction.tile(tiling.tile), tiling.channels, window, contraction.shares)
    return None if found is None else (list(found[0]), found[1])


@lru_cache(maxsize=4096)
def shortest_kernel(
    tile: tuple[int, ...], channels: int, window: tuple[int, ...], shares: tuple[int, ...] = ()
) -> tuple[tuple[KernelLoop, ...], int] | None:
    """`kernel_order` of a tile of the contraction itself."""
    loops = kernel_loops(tile, channels, window, shares)
    able = [loop for loop in loops if loop.linear]
    total = prod(loop.extent for loop in loops)
    moving = prod(loop.extent for loop in loops if not loop.reduces)
    best: tuple[tuple[KernelLoop, ...], int] | None = None
    for hardware in combinations(able, min(2, len(able))):
        count = total // prod(loop.extent for loop in hardware)
        spatial = moving // prod(loop.extent for loop in hardware if not loop.reduces)
        if count > spatial and spatial < 3:
            continue
        if best is None or count < best[1]:
            rest = [loop for loop in loops if loop not in hardware]
            reducing = [loop for loop in rest if loop.reduces]
            best = (*hardware, *reducing, *(loop for loop in rest if not loop.reduces)), count
    return best


def runs_on_rest(order: list[KernelLoop], rest: tuple[int, ...]) -> bool:
    """A kernel's loops, in their order, write no tile twice within three micro-ops on a smaller tile either."""
    moving = [(loop, extent) for loop in order if (extent := loop.runs_on(rest)) > 1]
    hardware = list(takewhile(lambda one: one[0].linear, moving[:2]))
    micro = moving[len(hardware) :]
    spatial = prod(extent for loop, extent in micro if not loop.reduces)
    return spatial >= 3 or not any(loop.reduces for loop, _ in micro)


def piece_dimension(layer: Layer, tiling: Tiling) -> int:
    """The dimension whose tile is finished in pieces: the first that selects weights."""
    by_weight = layer.contraction.by_weight if layer.contraction else ()
    weighted = [number for number, weight in enumerate(by_weight) if weight and tiling.tile[number] > 1]
    return weighted[0] if weighted else 0


def tile_loops(layer: Layer, tiling: Tiling) -> list[int]:
    """The dimensions of the loops over tiles, outermost first."""
    if layer.contraction is None:
        return list(range(len(layer.extents)))
    by_weight = layer.contraction.by_weight
    selecting = [number for number, weight in enumerate(by_weight) if weight]
    moving = [number for number, weight in enumerate(by_weight) if not weight]
    if tiling.weights_inside:
        return [*moving, *selecting]
    outside = [number for place, number in enumerate(moving) if tiling.outside >> place & 1]
    return [*outside, *selecting, *(number for number in moving if number not in outside)]


def thread_loop(layer: Layer, tiling: Tiling) -> int | None:
    """The dimension whose tiles run as virtual threads: that of the innermost loop over tiles; None without one."""
    counts = tile_counts(layer, tiling)
    return next((number for number in reversed(tile_loops(layer, tiling)) if counts[number] > 1), None)


def operand_level(layer: Layer, tiling: Tiling, operand: Operand) -> int | None:
    """Inside which tile loop (by place) an operand is loaded: the innermost that moves it; -1 for none of them.

    None where it moves with every loop: such an operand is loaded piece by piece.
    """
    counts = tile_counts(layer, tiling)
    moves = {side.spatial for side in operand.region}
    loops = [number for number in tile_loops(layer, tiling) if counts[number] > 1]
    if moves.issuperset(loops) and (tiling.pieces == 1 or piece_dimension(layer, tiling) in moves):
        return None
    return tile_level(layer, tiling, operand.region)


def tile_level(layer: Layer, tiling: Tiling, region: TileRegion) -> int:
    """The place of the innermost tile loop that moves a region; -1 for none of them."""
    counts = tile_counts(layer, tiling)
    moves = {side.spatial for side in region}
    loops = [(place, number) for place, number in enumerate(tile_loops(layer, tiling)) if counts[number] > 1]
    return max((place for place, number in loops if number in moves), default=-1)


def tile_counts(layer: Layer, tiling: Tiling) -> list[int]:
    """How many tiles cover each outer dimension of the output."""
    return [-(-extent // tile) for extent, tile in zip(layer.extents, tiling.tile, strict=True)]
