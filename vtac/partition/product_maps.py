"""Where products on tiles touch data, weights and accumulators, by their loops.

The loops are the outer dimensions of the result in layout order, row and lane of a tile, then
what is reduced: channel blocks, the taps of the windows, and the lane `k` of the inputs.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap

from vtac.partition.windows import Window


def product_maps(windows: Sequence[Window], groups: tuple[int, int] | None) -> list[AffineMap]:
    """A matrix product (no windows) or a convolution.

    `groups` are the output blocks of a group, and the input blocks that each of them reads.
    """
    outer = 2 + len(windows)
    loops = _loops(outer + 2 + 1 + len(windows) + 1)
    row, lane, channel, *taps, k = loops[outer:]
    places = _places(loops[2:outer], taps, windows)
    block = channel if groups is None else _first_block(loops[1], *groups) + channel
    return _maps(loops, (loops[0], block, *places, row, k), (loops[1], channel, *taps, lane, k), outer)


def window_sum_maps(windows: Sequence[Window]) -> list[AffineMap]:
    """Products of the data's windows with one weight tile per tap."""
    outer = 2 + len(windows)
    loops = _loops(outer + 2 + len(windows) + 1)
    row, lane, *taps, k = loops[outer:]
    places = _places(loops[2:outer], taps, windows)
    return _maps(loops, (*loops[:2], *places, row, k), (*taps, lane, k), outer)


def tile_maps(outer: int, dims: Sequence[int]) -> list[AffineMap]:
    """Products of data with one weight tile; `dims` are the loops of the data's outer dimensions."""
    loops = _loops(outer + 2 + 1)
    row, lane, k = loops[outer:]
    return _maps(loops, (*(loops[dim] for dim in dims), row, k), (lane, k), outer)


def bias_maps(outer: int, dims: Sequence[int]) -> list[AffineMap]:
    """Products of one input tile with weights; `dims` are the loops of the weights' outer dimensions."""
    loops = _loops(outer + 2 + 1)
    row, lane, k = loops[outer:]
    return _maps(loops, (row, k), (*(loops[dim] for dim in dims), lane, k), outer)


def _loops(count: int) -> list[AffineExpr]:
    return [AffineDimExpr(dim) for dim in range(count)]


def _maps(
    loops: Sequence[AffineExpr], data: tuple[AffineExpr, ...], weights: tuple[AffineExpr, ...], outer: int
) -> list[AffineMap]:
    return [AffineMap(len(loops), 0, results) for results in (data, weights, tuple(loops[: outer + 2]))]


def _first_block(block: AffineExpr, outputs: int, inputs: int) -> AffineExpr:
    """The first input block of the group that an output block belongs to."""
    group = block // outputs if outputs > 1 else block
    return group * inputs if inputs > 1 else group


def _places(loops: Sequence[AffineExpr], taps: Sequence[AffineExpr], windows: Sequence[Window]) -> list[AffineExpr]:
    """Indices of the data that windows read."""
    return [
        (at * window.stride if window.stride > 1 else at) + (tap * window.dilation if window.dilation > 1 else tap)
        for at, tap, window in zip(loops, taps, windows, strict=True)
    ]
