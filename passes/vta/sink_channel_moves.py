"""sink-channel-moves: what is computed channel by channel is computed before channels are joined, cut or shuffled.

before: %c = tensor.concat dim(1) %a, %b              : (24 and 20 channels) -> 44
        %y = linalg.pooling_nchw_max ins(%c, ..)
after:  %0 = linalg.pooling_nchw_max ins(%a, ..)
        %1 = linalg.pooling_nchw_max ins(%b, ..)
        %y = tensor.concat dim(1) %0, %1
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.ir.target import config_of
from vtac.partition.moved_operations import PerChannel
from vtac.partition.unread_moves import UNREAD_MOVES
from vtac.rewriting.edits import replace_by
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_greedily, rewrite_once


@dataclass
class SinkChannelMove(RewritePattern):
    """An elementwise operation, pooling or convolution by channel, of channels that are moved within tiles."""

    block: int

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        if isinstance(op.parent_op(), FuncOp) and (found := PerChannel.match(op, self.block)) is not None:
            replace_by(op, found.before_move(), rewriter)


@dataclass(frozen=True)
class SinkChannelMoves(ModulePass):
    """Move channels behind what computes each of them alone, until a product reads them.

    A product takes the order of its channels into its kernel (absorb-channel-moves); nothing else can, and the host
    would have to move channels from lane to lane before it.

    requires: host functions at the integer level; the module's `vta.config`.
    ensures:  no elementwise operation, pooling or convolution by channel reads channels that a concatenation or a
              slice cuts within tiles of BLOCK_IN, or that are permuted, if what it reads is computed and its other
              operands are given or have their channels moved likewise.
    declines: nothing; operands whose channels are moved otherwise stay as they are.
    """

    name = "sink-channel-moves"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        block = config_of(op).block_in
        for function in host_functions(op):
            if rewrite_greedily(function, SinkChannelMove(block)):
                rewrite_once(function, DropUnread(UNREAD_MOVES), backwards=True)
