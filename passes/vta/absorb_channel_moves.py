"""absorb-channel-moves: what is moved along the channels of a product's data is moved in its kernel instead.

before: %c = tensor.concat dim(1) %a, %b              : (24 and 20 channels) -> 44
        %y = linalg.conv_2d_nchw_fchw ins(%c, %w)
after:  %u = packing.unspecified                      : 64 channels
        %0 = tensor.insert_slice %a into %u[0, 0, ...]
        %c = tensor.insert_slice %b into %0[0, 32, ...]
        %v = ...                                      %w with zeros at the channels between
        %y = linalg.conv_2d_nchw_fchw ins(%c, %v)
"""

from __future__ import annotations

from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, i8
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.ir.target import config_of
from vtac.analysis.types.tensor_types import element_of
from vtac.partition.channel_moves import channel_move_of, with_given_kernel
from vtac.partition.moved_channels import WideData, operand_before
from vtac.partition.tile_operations import Made
from vtac.partition.unread_moves import UNREAD_MOVES
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_greedily, rewrite_once


@dataclass
class AbsorbChannelMove(RewritePattern):
    """A product of given weights, of data whose channels are joined, cut or shuffled within tiles."""

    block: int
    made: dict[tuple[SSAValue, int], SSAValue] = field(default_factory=dict[tuple[SSAValue, int], SSAValue])

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        found = with_given_kernel(op)
        if found is None or found.kernel is None or element_of(found.data) != i8:
            return
        move = channel_move_of(found.data, found.data_dims[1], self.block)
        if move is None:
            return
        made = Made()
        data = WideData(rewriter, self.made).before(found.data, move)
        kernel = operand_before(found.kernel, found.kernel_dims[1], move, made)
        product = op.clone({found.data: data, found.kernel: kernel})
        for one in made:
            one.location = op.location
        product.res[0].name_hint = op.res[0].name_hint
        rewriter.replace(op, [*made, product])


@dataclass(frozen=True)
class AbsorbChannelMoves(ModulePass):
    """Let products read concatenated, cut and shuffled channels where they lie in tiles.

    Channels that the host would have to move from lane to lane stay in their lanes; the kernel, which the host packs
    anyway, has its channels in that order, and zeros at lanes that hold something else.

    requires: host functions at the integer level; the module's `vta.config`.
    ensures:  no product with a given kernel and without zero points reads channels that a concatenation or a slice
              cuts within tiles of BLOCK_IN, or that are permuted, if what it reads is computed.
    declines: nothing; where something else reads such channels they stay as they are.
    """

    name = "absorb-channel-moves"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        block = config_of(op).block_in
        for function in host_functions(op):
            if rewrite_greedily(function, AbsorbChannelMove(block)):
                rewrite_once(function, DropUnread(UNREAD_MOVES), backwards=True)
