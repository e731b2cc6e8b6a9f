"""expand-groups: convolutions in groups -> one convolution with a block-diagonal kernel."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import cast

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.linalg.ops import FillOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.dialects.named_windows import (
    Conv2DNchwFchwOp,
    Conv2DNchwFchwQOp,
    Conv2DNgchwGfchwOp,
    Conv2DNgchwGfchwQOp,
)
from vtac.dialects.packing import BlockDiagonalOp, ReshapeOp
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_greedily


class ExpandGroupedConvolution(RewritePattern):
    """One grouped convolution."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: Conv2DNgchwGfchwOp | Conv2DNgchwGfchwQOp, rewriter: PatternRewriter) -> None:
        if len(op.res) != 1:
            return
        data = _merged(op.inputs[0])
        kernel_type = cast("TensorType[Attribute]", op.inputs[1].type)
        groups, features, channels, *taps = kernel_type.get_shape()
        dense = TensorType(kernel_type.get_element_type(), [groups * features, groups * channels, *taps])
        kernel = BlockDiagonalOp(operands=[op.inputs[1]], result_types=[dense])
        start = _start(op.outputs[0])
        kind = Conv2DNchwFchwOp if isinstance(op, Conv2DNgchwGfchwOp) else Conv2DNchwFchwQOp
        inputs = [data.result, kernel.result, *op.inputs[2:]]
        output = start[-1].results[0]
        whole = kind(
            inputs,
            [output],
            [[output.type]],
            properties={"strides": op.strides, "dilations": op.dilations},
            hidden_region=kind.get_hidden_region(inputs, [output]),
        )
        back = ReshapeOp(operands=[whole.res[0]], result_types=[op.res[0].type])
        made = [data, kernel, *start, whole, back]
        for one in made:
            one.location = op.location
        rewriter.replace(op, made)


class DropInverseReshapes(RewritePattern):
    """A reshape of a reshape of a tensor of the same type is that tensor."""

    @op_type_rewrite_pattern
    def match_and_rewrite(
        self, op: ReshapeOp | tensor.CollapseShapeOp | tensor.ExpandShapeOp, rewriter: PatternRewriter
    ) -> None:
        inner = op.operands[0].owner
        if isinstance(inner, ReshapeOp | tensor.CollapseShapeOp | tensor.ExpandShapeOp):
            source = inner.operands[0]
            if source.type == op.results[0].type:
                rewriter.replace(op, [], [source])


def _merged(value: SSAValue) -> ReshapeOp:
    """(N, G, C, H, W) as (N, G * C, H, W)."""
    kind = cast("TensorType[Attribute]", value.type)
    batch, *channels, height, width = kind.get_shape()
    merged = TensorType(kind.get_element_type(), [batch, prod(channels), height, width])
    return ReshapeOp(operands=[value], result_types=[merged])


def _start(value: SSAValue) -> list[Operation]:
    """What the convolution starts from, over all channels: a fill stays one."""
    if not isinstance(value.owner, FillOp):
        return [_merged(value)]
    kind = cast("TensorType[Attribute]", value.type)
    batch, *channels, height, width = kind.get_shape()
    merged = TensorType(kind.get_element_type(), [batch, prod(channels), height, width])
    empty = tensor.EmptyOp([], merged)
    return [empty, FillOp([value.owner.inputs[0]], [empty.tensor], [merged])]


@dataclass(frozen=True)
class ExpandGroups(ModulePass):
    """Make one convolution of each convolution in groups.

    requires: linalg.conv_2d_ngchw_gfchw or its quantised form, on static shapes.
    ensures:  the same numbers from a convolution over all channels, whose kernel is zero
              between groups, as `packing.block_diagonal` says: what packs it leaves out the
              blocks of zeros. Reshapes that undo each other are gone, and so is what nothing reads.
    declines: other operations; a start that is no constant fill stays a reshaped tensor.
    """

    name = "expand-groups"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        unread = DropUnread((ReshapeOp, FillOp, tensor.EmptyOp))
        rewrite_greedily(op, ExpandGroupedConvolution(), DropInverseReshapes(), unread)
