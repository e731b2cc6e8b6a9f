"""Data whose elements lie apart, with one number between and around them, and what a convolution makes of such data.

A transposed convolution of stride 2 is a convolution over such data (s = 2, `.` the number between):

    data    . a . b . c .
    kernel  0 1 2 3

Result o reads positions o, o + 1, ... of it, so that all o with the same remainder by s meet data under the same
taps: those results are a convolution of a b c by every s-th tap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, FloatAttr, IntegerAttr
from xdsl.dialects.linalg.ops import FillOp
from xdsl.ir import SSAValue

from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.types.tensor_types import shape_of
from vtac.analysis.values.dense_numbers import numbers_of
from vtac.partition.convolutions import Convolution
from vtac.partition.pads import unpadded
from vtac.partition.windows import Window


@dataclass(frozen=True)
class Insertion:
    """`source` stands in larger data: for each spatial axis, how far apart, and where its first element is."""

    source: SSAValue
    steps: tuple[int, ...]
    firsts: tuple[int, ...]
    number: int | float


@dataclass(frozen=True)
class Phase:
    """Along one axis: the results from `first` on, `step` apart, and the taps from `tap` on, `tap_step` apart.

    Result q and tap j of them meet element q * stride + j * dilation + start of the source.
    """

    first: int
    step: int
    count: int
    tap: int
    tap_step: int
    taps: int
    stride: int
    dilation: int
    start: int

    @property
    def end(self) -> int:
        """One more than the last element of the source that is met, if there were such."""
        return (self.count - 1) * self.stride + (self.taps - 1) * self.dilation + self.start + 1

    def meets(self, extent: int) -> bool:
        """Whether any tap meets one of so many elements."""
        return self.taps > 0 and self.start < extent and self.end > 0


def insertion_in(found: Convolution) -> Insertion | None:
    """The insertion that a convolution's data is, with more than one step along some axis and one number around."""
    spatial = found.data_dims[-2:]
    whole, pads, edge = unpadded(found.data, spatial)
    op = whole.owner
    if not isinstance(op, tensor.InsertSliceOp) or op.offsets or op.sizes or op.strides:
        return None
    number = number_in(op.dest)
    is_padded = any((*pads.low, *pads.high))
    if number is None or (is_padded and number != edge) or shape_of(op.source) != op.static_sizes.get_values():
        return None
    offsets, strides = op.static_offsets.get_values(), op.static_strides.get_values()
    others = [dim for dim in range(len(offsets)) if dim not in spatial]
    if any(offsets[dim] or strides[dim] != 1 or shape_of(op.source)[dim] != shape_of(op.dest)[dim] for dim in others):
        return None
    steps = tuple(strides[dim] for dim in spatial)
    firsts = tuple(offsets[dim] + low for dim, low in zip(spatial, pads.low, strict=True))
    return Insertion(op.source, steps, firsts, number) if max(steps) > 1 else None


def number_in(value: SSAValue) -> int | float | None:
    """The number that every element of a tensor is, when it is filled with a constant."""
    owner = value.owner
    if isinstance(owner, FillOp):
        owner = owner.inputs[0].owner
    if not isinstance(owner, ConstantOp):
        return None
    if isinstance(owner.value, IntegerAttr | FloatAttr):
        return owner.value.value.data
    values = numbers_of(owner.value) if isinstance(owner.value, DenseIntOrFPElementsAttr) else None
    if values is None or not values.size or not (values == values.reshape(-1)[0]).all():
        return None
    return values.reshape(-1)[0].item()


def phases_of(extent: int, window: Window, step: int, first: int) -> list[Phase]:
    """The parts of `extent` results along an axis whose data starts at `first` and lies `step` apart."""
    apart = step // gcd(step, window.stride)
    return [_phase(start, apart, extent, window, step, first) for start in range(min(apart, extent))]


def _phase(start: int, apart: int, extent: int, window: Window, step: int, first: int) -> Phase:
    tap_step = step // gcd(step, window.dilation)
    count = (extent - start + apart - 1) // apart
    stride, dilation = apart * window.stride // step, tap_step * window.dilation // step
    for tap in range(min(tap_step, window.size)):
        position = start * window.stride + tap * window.dilation - first
        if position % step == 0:
            taps = (window.size - tap + tap_step - 1) // tap_step
            return Phase(start, apart, count, tap, tap_step, taps, stride, dilation, position // step)
    return Phase(start, apart, count, 0, tap_step, 0, stride, dilation, 0)


def zero_point_of(found: Convolution) -> int | float | None:
    """What the convolution takes off its data before it multiplies; None where that is no constant."""
    if not found.zero_points:
        return 0
    return number_of(found.zero_points[0])


def extents_of(found: Convolution) -> Sequence[int]:
    """The spatial extents of a convolution's result."""
    shape = shape_of(found.op.res[0])
    return [shape[found.result_kept[dim]] for dim in found.result_dims[-2:]]
