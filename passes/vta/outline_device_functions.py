"""outline-device-functions: what the VTA computes becomes private functions on plain tensors, which the host calls.

before: %p = linalg.matmul ins(%x, %w ...     after: %y = func.call @net_0(%x, %w, %b)
        %y = linalg.generic ins(%p, %b ...           func.func private @net_0(...) attributes {packing.device} {
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, TransposeOp
from xdsl.ir import Block, Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.operations.reshapes import RESHAPES
from vtac.analysis.values.tensor_ranges import TensorRanges
from vtac.dialects.packing import (
    BlockDiagonalOp,
    FoldOp,
    HostOp,
    InterleaveOp,
    JoinOp,
    PackOp,
    ReshapeOp,
    TransposeTilesOp,
    UnpackOp,
)
from vtac.dialects.packing.declared import CHOICE
from vtac.partition.clusters import Clusters
from vtac.partition.host_segments import reason_of, segment_of
from vtac.partition.outlines import Outline
from vtac.partition.pads import pad_value
from vtac.rewriting.edits import before_end, move_ops
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once

_UNREAD = (tensor.EmptyOp, FillOp, tensor.PadOp, ConstantOp, BlockDiagonalOp, FoldOp, *RESHAPES)
"""What is gone when nothing reads it any more."""

_DEAD = (
    LinalgStructuredOperation,
    *_UNREAD,
    tensor.ExtractSliceOp,
    tensor.InsertSliceOp,
    tensor.ConcatOp,
    JoinOp,
)
"""What is gone at once when nothing has ever read it."""

_LAYOUTS = (
    FillOp,
    BroadcastOp,
    TransposeOp,
    CallOp,
    HostOp,
    tensor.PadOp,
    tensor.CollapseShapeOp,
    tensor.ExpandShapeOp,
    tensor.ExtractSliceOp,
    tensor.InsertSliceOp,
    tensor.ConcatOp,
    JoinOp,
    ReshapeOp,
    TransposeTilesOp,
    BlockDiagonalOp,
    FoldOp,
    InterleaveOp,
    PackOp,
    UnpackOp,
)
"""What changes a layout and no number, which the host does between calls."""


@dataclass
class OutlineCluster(RewritePattern):
    """The last operation of a device function's, and all that belong to it, become that function and its call."""

    function: FuncOp
    clusters: Clusters
    number: int = 0

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        cluster = self.clusters.of.get(op)
        if cluster is None or cluster.ops[-1] is not op:
            return
        outline = Outline(cluster, self.clusters.escaping(cluster))
        name = f"{self.function.sym_name.data}_{self.number}"
        self.number += 1
        call = outline.call(name)
        rewriter.insert(outline.function(name), InsertPoint.at_end(cast(Block, self.function.parent)))
        rewriter.insert(call, InsertPoint.before(op))
        for old, new in zip(outline.results, call.res, strict=True):
            new.name_hint = old.name_hint
            rewriter.replace_all_uses_with(old, new)
        for member in reversed(cluster.ops):
            rewriter.erase(member)


@dataclass
class KeepOnHost(RewritePattern):
    """An operation that the VTA does not have goes into a host segment, with the reason."""

    clusters: Clusters
    ranges: TensorRanges

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        reason = self.clusters.reasons.get(op)
        if reason is None or isinstance(op, _LAYOUTS) or not isinstance(op.parent_op(), FuncOp):
            return
        segment = segment_of(op, reason_of(op, self.ranges, reason))
        rewriter.replace(op, segment, segment.outputs)


class NoteHostPadding(RewritePattern):
    """Padding that no device function takes over says so among the choices."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.PadOp, rewriter: PatternRewriter) -> None:
        if CHOICE.is_on(op) or not isinstance(op.parent_op(), FuncOp):
            return
        number = pad_value(op)
        what = f"padding with {number}" if number is not None else "padding"
        text = f"{what} ('tensor.pad'): loads put zeros around rows and columns, which do not stand for it here"
        CHOICE.set(op, text)
        rewriter.notify_op_modified(op)


def sort_block(block: Block) -> None:
    """Put what reads a value after what computes it; otherwise the order stays."""
    order: dict[Operation, None] = {}
    for op in block.ops:
        waiting = [op]
        while waiting:
            current = waiting[-1]
            before = [one for one in _needs(current, block) if one not in order] if current not in order else []
            waiting.extend(before)
            if not before:
                order.setdefault(waiting.pop())
    if list(order) != list(block.ops):
        move_ops([op for op in order if op is not block.last_op], before_end(block))


def _needs(op: Operation, block: Block) -> list[Operation]:
    """The operations of a block that one of it reads from."""
    found = [value.owner for inner in op.walk() for value in inner.operands]
    return [owner for owner in found if isinstance(owner, Operation) and owner.parent is block]


@dataclass(frozen=True)
class OutlineDeviceFunctions(ModulePass):
    """Give each product and pooling, with what follows it elementwise, and each other elementwise operation a function.

    Which operations belong together is a plan of the whole host function (`Clusters`).

    requires: host functions at the integer level, whose intermediates are split (split-intermediates).
    ensures:  private functions marked `packing.device` and `packing.plain`, on plain tensors, each called once,
              with the padding that loads do; the host function calls them, and holds layouts, constants and
              host segments besides.
    declines: nothing; what no device function computes goes into a host segment that says why.
    """

    name = "outline-device-functions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            rewrite_once(function, DropUnread(_DEAD), backwards=True)
            clusters = Clusters(function.body.block)
            rewrite_once(function, KeepOnHost(clusters, TensorRanges(function.body.block)))
            rewrite_once(function, OutlineCluster(function, clusters))
            sort_block(function.body.block)
            rewrite_once(function, DropUnread(_UNREAD), backwards=True)
            rewrite_once(function, NoteHostPadding())
