"""pool-accumulators: the maxima of windows are taken of a product's sums, before these are requantised.

before: %s = product ...                      after: %s = product ...
        %y = linalg.generic ins(%s, %b)              %m = maxima of windows of %s, in i32
             { (s + b) >> 7, bounded, as i8 }        %p = linalg.generic ins(%m, %b) { (m + b) >> 7, ... }
        %p = maxima of windows of %y
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt, prod

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, TensorType, i8, i32
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import FillOp, GenericOp
from xdsl.dialects.tensor import EmptyOp, PadOp
from xdsl.ir import BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.ir.target import config_of
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.analysis.values.rising import is_rising
from vtac.analysis.values.tensor_ranges import TensorRanges
from vtac.dialects.hardware import VTAConfig
from vtac.partition.alu_operations import alu_difference, alu_size, operand_loops
from vtac.partition.anchors import every_window_holds_data, is_by_alu, match_anchor, start_of
from vtac.partition.convolutions import Convolution
from vtac.partition.maxima import maxima
from vtac.partition.pads import Pads, unpadded
from vtac.partition.repeated_edges import can_repeat, repeated
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once

_IDENTITY = 2
"""Cycles of the product that brings a tile of i8 to the ALU, and of the reset before it."""


@dataclass
class PoolSums:
    """A pooling, the elementwise operation that it pools, and the product that this works on.

    `pads` is padding around what is pooled, which is never the largest of a window.
    """

    pooling: Convolution
    tail: GenericOp
    product: Convolution
    argument: BlockArgument
    pads: Pads


@dataclass
class PoolAccumulatorsOfProduct(RewritePattern):
    """One pooling behind an elementwise operation behind a product changes places with the elementwise operation."""

    ranges: TensorRanges
    config: VTAConfig

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        found = match_sums(op, self.ranges)
        if found is None or saved_cycles(found, self.config) <= 0:
            return
        shape = shape_of(op.res[0])
        start, window = arith.ConstantOp(IntegerAttr(-(1 << 31), i32)), EmptyOp([], TensorType(i32, _sizes(found)))
        empty = EmptyOp([], TensorType(i32, shape))
        filled = FillOp([start.result], [empty.tensor], [empty.tensor.type])
        old = found.tail.inputs[found.argument.index]
        made: list[Operation] = []
        if any((*found.pads.low, *found.pads.high)):
            made += repeated(found.product, found.pads)
        sums = made[-1].results[0] if made else old
        pooled = maxima(found.pooling, sums, window.tensor, filled.res[0])
        result = EmptyOp([], TensorType(i8, shape))
        inputs = [pooled.res[0] if value is old else value for value in found.tail.inputs]
        tail = GenericOp(
            inputs,
            [result.tensor],
            found.tail.body.clone(),
            found.tail.indexing_maps,
            found.tail.iterator_types,
            [result.tensor.type],
        )
        for new in made:
            new.location = found.product.op.location
        others: list[Operation] = [start, window, empty, filled, pooled, result]
        for new in others:
            new.location = op.location
        tail.location, tail.attributes = found.tail.location, {**found.tail.attributes, **op.attributes}
        tail.res[0].name_hint = op.res[0].name_hint
        rewriter.insert([*made, *others], InsertPoint.before(op))
        rewriter.replace(op, tail)


def match_sums(op: Operation, ranges: TensorRanges, *, folded: bool = False) -> PoolSums | None:
    """The pooling that an operation is and what is in front of it, where these may change places.

    With `folded` as if the host laid out the product's data, so that it can repeat what lies at the edge.
    """
    pooling = match_anchor(op)
    if not isinstance(pooling, Convolution) or pooling.kind != "max" or element_of(pooling.data) != i8:
        return None
    value, pads, edge = unpadded(pooling.data, pooling.data_dims[2:])
    tail = value.owner
    if not isinstance(tail, GenericOp) or alu_difference(tail) or not tail.res[0].has_one_use():
        return None
    start, least = start_of(pooling), ranges.of(tail.res[0])[0]
    if start is None or start > least:
        return None
    found = [(argument, product) for argument in tail.body.block.args if (product := _product(tail, argument))]
    if len(found) != 1:
        return None
    argument, product = found[0]
    if value is not pooling.data and not (
        pooling.data.has_one_use() and edge <= least and _holds_data(pooling) and (folded or can_repeat(product))
    ):
        return None
    spatial = set(pooling.data_dims[2:])
    for value, loops in zip(tail.inputs, operand_loops(tail), strict=True):
        if value is not product.op.res[0] and spatial & set(loops):
            return None
    if not is_rising(tail.body.block, argument, ranges.scalars(tail)):
        return None
    return PoolSums(pooling, tail, product, argument, pads)


def _holds_data(pooling: Convolution) -> bool:
    """Whether the edge of the image is in each window that reaches over it."""
    return all(window.dilation == 1 for window in pooling.windows) and every_window_holds_data(pooling)


def _product(tail: GenericOp, argument: BlockArgument) -> Convolution | None:
    """The product whose sums an argument of an elementwise body is, at the same indices, and which it alone reads."""
    if argument.index >= len(tail.inputs):
        return None
    value: SSAValue = tail.inputs[argument.index]
    found = match_anchor(value.owner) if isinstance(value.owner, Operation) else ""
    if not isinstance(found, Convolution) or found.kernel is None or is_by_alu(found) or not value.has_one_use():
        return None
    loops = operand_loops(tail)[argument.index]
    return found if loops == tuple(range(len(shape_of(value)))) else None


def saved_cycles(found: PoolSums, config: VTAConfig) -> float:
    """Cycles that taking maxima first saves, less what overlapping windows compute twice; none where sums do not fit.

    A tile of maxima saves, for each tile of sums that it alone needs, the elementwise operation and the product that
    brings what it gives back to the ALU; the elementwise operation is taken once.
    """
    windows = found.pooling.windows
    reach = [(window.size - 1) * window.dilation + 1 for window in windows]
    room = config.capacity("acc") // 2
    if prod(reach) * 2 > room:
        return 0
    own = prod(window.stride for window in windows)
    tail = alu_size(found.tail)
    saved = own * (_IDENTITY + tail) - tail
    side = isqrt(room)
    twice = 1.0
    for window, whole in zip(windows, reach, strict=True):
        along = max(1, (side - whole) // window.stride + 1)
        twice *= max(1.0, ((along - 1) * window.stride + whole) / (along * window.stride))
    blocks = 1 if found.product.depthwise else found.product.terms / config.block_in
    tiles = prod(shape_of(found.pooling.op.res[0])) / (config.batch * config.block_out)
    return tiles * (saved - own * (twice - 1) * (blocks + 1))


def _sizes(found: PoolSums) -> list[int]:
    return [window.size for window in found.pooling.windows]


@dataclass(frozen=True)
class PoolAccumulators(ModulePass):
    """Take maxima of windows before what is computed of each element, so that this is computed of the maxima only.

    What never falls where a sum rises gives the same of a maximum as the maximum of what it gives: adding a bias,
    shifts, bounds, and sums of these. No sum may wrap, and nothing else may differ within a window.

    requires: host functions at the integer level.
    ensures:  a pooling of an elementwise operation of a product's sums, which is read by nothing else, pools the
              sums, where that takes fewer cycles: of windows that overlap, tiles compute some sums twice.
    declines: nothing; other poolings stay. Padding that is never the largest is taken where the host lays out
              the product's data (fold-windows): it repeats what lies at the edge, which every such window holds.
    """

    name = "pool-accumulators"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            ranges = TensorRanges(function.body.block)
            rewrite_once(function, PoolAccumulatorsOfProduct(ranges, config_of(op)))
            rewrite_once(function, DropUnread((GenericOp, FillOp, EmptyOp, PadOp, arith.ConstantOp)), backwards=True)
