"""What a zero point of the data adds to the accumulators: sums of a kernel's numbers, computed on the host.

They depend on the kernel alone, so those of constant kernels are constants of the program.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, DenseIntOrFPElementsAttr, IntegerAttr, TensorType, i32
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from vtac.analysis.types.tensor_types import shape_of
from vtac.partition.convolutions import Convolution
from vtac.partition.pads import Pads
from vtac.rewriting.edits import append


@dataclass(frozen=True)
class WeightSum:
    """For each index of dimension `feature` of a kernel, the sum of its numbers times `factor`.

    With padding around the data, for each place of the result: `taps` are then the kernel's
    spatial dimensions, and `reached` says per axis and place which taps read data.
    """

    kernel: SSAValue
    feature: int
    factor: int
    taps: tuple[int, ...] = ()
    reached: tuple[tuple[tuple[bool, ...], ...], ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return (shape_of(self.kernel)[self.feature], *(len(places) for places in self.reached))


def weight_sum(convolution: Convolution, factor: int, pads: Pads) -> WeightSum:
    """The sum that a product or convolution needs, of which `pads` indices around the data are not read."""
    kernel = cast("SSAValue", convolution.kernel)
    feature = convolution.kernel_dims[0]
    if not any((*pads.low, *pads.high)):
        return WeightSum(kernel, feature, factor)
    reached: list[tuple[tuple[bool, ...], ...]] = []
    for axis, window in enumerate(convolution.windows):
        low, high = pads.low[axis], pads.high[axis]
        data = range(low, shape_of(convolution.data)[convolution.data_dims[2 + axis]] - high)
        extent = shape_of(convolution.op.res[0])[convolution.result_kept[convolution.result_dims[2 + axis]]]
        taps = [tap * window.dilation for tap in range(window.size)]
        reached.append(tuple(tuple(at * window.stride + tap in data for tap in taps) for at in range(extent)))
    return WeightSum(kernel, feature, factor, convolution.kernel_dims[-len(convolution.windows) :], tuple(reached))


def weight_sum_ops(found: WeightSum, kernel: SSAValue) -> list[Operation]:
    """Operations on the host's `kernel`; the last one's result is the sum."""
    rank = len(shape_of(kernel))
    kept = (found.feature, *found.taps)
    body = Block(arg_types=[cast("TensorType[Attribute]", kernel.type).get_element_type(), i32])
    wide, scale = arith.ExtSIOp(body.args[0], i32), arith.ConstantOp(IntegerAttr(found.factor, i32))
    product = arith.MuliOp(wide.result, scale.result)
    total = arith.AddiOp(body.args[1], product.result)
    append([wide, scale, product, total, YieldOp(total.result)], body)
    shape = [shape_of(kernel)[dim] for dim in kept]
    per_tap = _reduction([kernel], [AffineMap.identity(rank)], shape, kept, body)
    if not found.reached:
        return per_tap
    return [*per_tap, *_sum_of_reached(found, per_tap[-1].results[0])]


def _sum_of_reached(found: WeightSum, per_tap: SSAValue) -> list[Operation]:
    """(F, KH, KW) times what is reached, (H, KH) and (W, KW), as (F, H, W)."""
    masks = [_mask(places) for places in found.reached]
    f, h, w, kh, kw = (AffineDimExpr(dim) for dim in range(5))
    maps = [AffineMap(5, 0, indices) for indices in ((f, kh, kw), (h, kh), (w, kw))]
    body = Block(arg_types=[i32] * 4)
    rows = arith.MuliOp(body.args[0], body.args[1])
    both = arith.MuliOp(rows.result, body.args[2])
    total = arith.AddiOp(body.args[3], both.result)
    append([rows, both, total, YieldOp(total.result)], body)
    inputs = [per_tap, *(mask.result for mask in masks)]
    return [*masks, *_reduction(inputs, maps, found.shape, (0, 1, 2), body)]


def _mask(places: Sequence[Sequence[bool]]) -> arith.ConstantOp:
    kind = TensorType(i32, [len(places), len(places[0])])
    numbers = [int(reached) for place in places for reached in place]
    return arith.ConstantOp(DenseIntOrFPElementsAttr.from_list(kind, numbers))


def _reduction(
    inputs: Sequence[SSAValue], maps: Sequence[AffineMap], shape: Sequence[int], kept: Sequence[int], body: Block
) -> list[Operation]:
    """A generic that adds up over the loops that are not kept."""
    loops = maps[0].num_dims
    kind = TensorType(i32, list(shape))
    start = arith.ConstantOp(DenseIntOrFPElementsAttr.from_list(kind, [0]))
    everywhere = [*maps, AffineMap(loops, 0, tuple(AffineDimExpr(dim) for dim in kept))]
    kinds = [IteratorTypeAttr.parallel() if dim in kept else IteratorTypeAttr.reduction() for dim in range(loops)]
    attributes = ArrayAttr([AffineMapAttr(m) for m in everywhere])
    generic = GenericOp(inputs, [start.result], Region(body), attributes, ArrayAttr(kinds), [kind])
    return [start, generic]
