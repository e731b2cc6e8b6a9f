"""multiply-channel-moves: channels that something else than a product reads are moved by one with the unit matrix.

before: %c = tensor.concat dim(1) %a, %b                        : (24 and 20 channels) -> 44
        %y = linalg.generic ins(%c, %d) { c + d }
after:  %p = linalg.generic ins(%c, %unit) { acc + c * unit }   : 44 channels from 44, in i32
        %m = linalg.generic ins(%p) { trunci }
        %y = linalg.generic ins(%m, %d) { c + d }
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.builtin import ModuleOp, i8
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.ir.target import config_of
from vtac.analysis.operations.reshapes import RESHAPES
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.dialects.packing import HostOp
from vtac.dialects.packing.declared import CHOICE
from vtac.partition.channel_dims import channel_dim
from vtac.partition.channel_moves import MOVES, channel_move_of, with_given_kernel
from vtac.partition.unit_products import unit_product
from vtac.rewriting.walker import rewrite_once


@dataclass
class MultiplyChannelMove(RewritePattern):
    """Channels of bytes that are moved within tiles, and read by what cannot take them where they lie."""

    block: int

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: MOVES, rewriter: PatternRewriter) -> None:
        value = op.results[0]
        if element_of(value) != i8 or not isinstance(op.parent_op(), FuncOp):
            return
        dim = channel_dim(value)
        if dim is None or channel_move_of(value, dim, self.block) is None or not self._is_needed(value, dim):
            return
        made = unit_product(value, dim)
        if made is None:
            return
        for one in made:
            one.location = op.location
        CHOICE.set(made[-1], _choice(shape_of(value), dim, self.block))
        rewriter.insert(made, InsertPoint.after(op))
        moved = made[-1].results[0]
        moved.name_hint = value.name_hint
        rewriter.replace_uses_with_if(value, moved, lambda use: use.operation not in made)

    def _is_needed(self, value: SSAValue, dim: int) -> bool:
        """Whether something reads a tensor that can neither read what it is made of nor is the host."""
        return any(not self._takes_move(use.operation, value, dim) for use in value.uses)

    def _takes_move(self, reader: Operation, value: SSAValue, dim: int) -> bool:
        if isinstance(reader, ReturnOp | HostOp):
            return True
        if isinstance(reader, tensor.PadOp):
            return not self._is_needed(reader.result, dim)
        if isinstance(reader, tensor.ConcatOp):
            # Of what is joined again, the parts are; a part that is moved otherwise has to lie in its place.
            return isinstance(value.owner, tensor.ConcatOp) and reader.dim == value.owner.dim
        if isinstance(reader, tensor.ExtractSliceOp):
            return channel_move_of(reader.result, dim, self.block) is not None
        if isinstance(reader, RESHAPES):
            return self._is_shuffled(reader.result, dim)
        found = with_given_kernel(reader) if isinstance(reader, LinalgStructuredOperation) else None
        return found is not None and found.data is value and found.data_dims[1] == dim

    def _is_shuffled(self, grid: SSAValue, dim: int) -> bool:
        """Whether all that reads a tensor with its channels as a grid is a shuffle of them."""
        turned = [result for use in grid.uses for result in use.operation.results]
        collapsed = [use.operation for value in turned for use in value.uses]
        return bool(collapsed) and all(
            isinstance(one, RESHAPES) and channel_move_of(one.results[0], dim, self.block) is not None
            for one in collapsed
        )


def _choice(shape: tuple[int, ...], dim: int, block: int) -> str:
    return (
        f"{shape[dim]} channels that lie across tiles are moved by a product of {prod(shape) * shape[dim]:,} MACs; "
        f"join, cut and shuffle channels in multiples of {block}"
    )


@dataclass(frozen=True)
class MultiplyChannelMoves(ModulePass):
    """Let the VTA move channels from lane to lane, where the host would have to.

    A product with the unit matrix gives each channel as it is; absorb-channel-moves takes the move into that matrix.

    requires: host functions at the integer level, channels moved behind what computes each of them alone
              (sink-channel-moves); the module's `vta.config`.
    ensures:  computed bytes whose channels are moved within tiles are read by products with given kernels, by moves
              that these read, or by the host; else there is such a product, with a choice that says so.
    declines: tensors of other ranks than 2 and 4, and other elements than i8, stay as they are.
    """

    name = "multiply-channel-moves"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        block = config_of(op).block_in
        for function in host_functions(op):
            rewrite_once(function, MultiplyChannelMove(block))
