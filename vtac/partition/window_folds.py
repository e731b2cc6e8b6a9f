"""Convolutions whose windows are folded into channels: the arithmetic of windows, and the operations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import gcd, prod
from typing import cast

from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap

from vtac.analysis.types.tensor_types import shape_of
from vtac.dialects.packing import FoldOp
from vtac.dialects.packing.folding import Folding
from vtac.partition.anchors import source_of
from vtac.partition.convolutions import Convolution
from vtac.partition.device_bodies import multiply_accumulate
from vtac.partition.groups import groups_of
from vtac.partition.tile_operations import Made
from vtac.partition.windows import Window


@dataclass(frozen=True)
class AxisFold:
    """One axis of a convolution, its window cut into pieces of `places` that lie in channels.

    `window` is what is left to move: over pieces, along data that has one index per `step` of the old ones;
    `extent` is how many of these there are.
    """

    places: int
    window: Window
    step: int
    extent: int

    @staticmethod
    def of(old: Window, places: int, outputs: int) -> AxisFold:
        """Pieces of so many places; zeros fill the last one. `outputs` windows lie along the axis."""
        pieces = -(-old.size // places)
        between = places * old.dilation
        step = old.stride if pieces == 1 else gcd(old.stride, between)
        new = Window(pieces, old.stride // step, 1 if pieces == 1 else between // step)
        return AxisFold(places, new, step, (outputs - 1) * new.stride + (pieces - 1) * new.dilation + 1)


@dataclass(frozen=True)
class WindowFold:
    """A convolution with pieces of its window in channels; `channels` are those of the folded data."""

    axes: tuple[AxisFold, AxisFold]
    channels: int

    @staticmethod
    def of(found: Convolution, places: Sequence[int]) -> WindowFold:
        """The fold of a convolution by so many rows and columns of its window."""
        outputs = [shape_of(found.op.res[0])[dim] for dim in found.result_dims[2:]]
        rows, columns = (
            AxisFold.of(window, folded, count)
            for window, folded, count in zip(found.windows, places, outputs, strict=True)
        )
        return WindowFold((rows, columns), channels_of(found) * prod(places))

    @property
    def places(self) -> tuple[int, int]:
        """Rows and columns of a piece."""
        return self.axes[0].places, self.axes[1].places

    @property
    def extents(self) -> tuple[int, int]:
        """The folded image."""
        return self.axes[0].extent, self.axes[1].extent

    @property
    def pieces(self) -> tuple[int, int]:
        """The window that is left."""
        return self.axes[0].window.size, self.axes[1].window.size


def fold_difference(found: Convolution) -> str:
    """Why the windows of a product cannot be folded; empty where they can."""
    if found.kind != "product" or found.kernel is None or len(found.windows) != 2:
        return "it is no convolution"
    if found.depthwise:
        return "each channel has a window of its own"
    groups = groups_of(found.kernel)
    if groups is not None and found.kernel_dims != (0, 1, 2, 3):
        return "its groups are in another order"
    return "" if len(found.kernel_dims) == 4 else "its kernel has no window"


def channels_of(found: Convolution) -> int:
    """The channels of a convolution's data."""
    return shape_of(found.data)[found.data_dims[1]]


def folds_of(found: Convolution) -> Iterator[WindowFold]:
    """The folds that differ in what is left of the window, or in the steps of the data: the smallest of each kind.

    Along an axis these are the least number of places for each number of pieces, and the least that lets the
    data keep one index per step of the windows.
    """
    sizes = [sorted({*_least(window), *_in_steps(window)}) for window in found.windows]
    for places in product(*sizes):
        if prod(places) > 1:
            yield WindowFold.of(found, places)


def _least(window: Window) -> Iterator[int]:
    """The least number of places for each number of pieces."""
    for pieces in range(1, window.size + 1):
        yield -(-window.size // pieces)


def _in_steps(window: Window) -> Iterator[int]:
    """Numbers of places between which windows move by whole steps."""
    step = window.stride // gcd(window.stride, window.dilation)
    yield from range(step, window.size, step)


def folded(found: Convolution, fold: WindowFold) -> Made:
    """A convolution over folded data, with a folded kernel, from the same start."""
    made = Made()
    source, pads, _ = source_of(found)
    kernel = cast(SSAValue, found.kernel)
    dilations = cast("tuple[int, int]", tuple(window.dilation for window in found.windows))
    steps = (fold.axes[0].step, fold.axes[1].step)
    places = Folding(fold.places, steps, dilations, cast("tuple[int, int]", pads.low))
    data = made.put(FoldOp.build_from(source, found.data_dims, places, fold.extents), "windows")
    apart = Folding(fold.places, fold.places, (1, 1), (0, 0))
    weights = made.put(FoldOp.build_from(kernel, found.kernel_dims, apart, fold.pieces), "kernel")
    start = found.op.outputs[0]
    loops = [AffineDimExpr(dim) for dim in range(7)]
    row, feature, *image = loops[:4]
    *taps, channel = loops[4:]
    moved = [_moved(at, tap, axis.window) for at, tap, axis in zip(image, taps, fold.axes, strict=True)]
    results = dict(zip(found.result_dims, (row, feature, *image), strict=True))
    indices: list[tuple[AffineExpr, ...]] = [
        (row, *moved, channel),
        (feature, *taps, channel),
        tuple(results[dim] for dim in sorted(results)),
    ]
    maps = ArrayAttr([AffineMapAttr(AffineMap(7, 0, results)) for results in indices])
    kinds = ArrayAttr([IteratorTypeAttr.parallel()] * 4 + [IteratorTypeAttr.reduction()] * 3)
    made.put(GenericOp([data, weights], [start], Region(multiply_accumulate()), maps, kinds, [start.type]))
    return made


def _moved(at: AffineExpr, tap: AffineExpr, window: Window) -> AffineExpr:
    return (at * window.stride if window.stride > 1 else at) + (tap * window.dilation if window.dilation > 1 else tap)
