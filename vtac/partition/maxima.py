"""Maxima of windows on plain tensors."""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, i32
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp, YieldOp
from xdsl.ir import Block, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap

from vtac.partition.convolutions import Convolution
from vtac.rewriting.edits import append


def maxima(pooling: Convolution, data: SSAValue, window: SSAValue, start: SSAValue) -> GenericOp:
    """The pooling's maxima of i32 data instead of its own; `window` has the extents of its windows."""
    rank = len(pooling.result_dims)
    taps = [AffineDimExpr(rank + number) for number in range(len(pooling.windows))]
    indices: dict[int, AffineExpr] = {}
    for place, (dim, source) in enumerate(zip(pooling.result_dims, pooling.data_dims, strict=True)):
        at: AffineExpr = AffineDimExpr(dim)
        if place >= rank - len(taps):
            moved, tap = pooling.windows[place - rank + len(taps)], taps[place - rank + len(taps)]
            at = (at * moved.stride if moved.stride > 1 else at) + (tap * moved.dilation if moved.dilation > 1 else tap)
        indices[source] = at
    count = rank + len(taps)
    read = tuple(indices[source] for source in range(rank))
    maps = [
        AffineMap(count, 0, read),
        AffineMap(count, 0, tuple(taps)),
        AffineMap(count, 0, tuple(AffineDimExpr(dim) for dim in range(rank))),
    ]
    kinds = [IteratorTypeAttr.parallel()] * rank + [IteratorTypeAttr.reduction()] * len(taps)
    body = Block(arg_types=[i32, i32, i32])
    largest = arith.MaxSIOp(body.args[2], body.args[0])
    append([largest, YieldOp(largest.result)], body)
    return GenericOp(
        [data, window],
        [start],
        Region(body),
        ArrayAttr([AffineMapAttr(one) for one in maps]),
        ArrayAttr(kinds),
        [start.type],
    )
