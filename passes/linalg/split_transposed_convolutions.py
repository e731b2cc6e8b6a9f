"""split-transposed-convolutions: a convolution over data with zeros between -> small ones over the data itself.

before: %wide = tensor.insert_slice %x into %zeros[0, 0, 0, 0] [..] [1, 1, 2, 2]
        %y = linalg.conv_2d_nchw_fchw ins(pad(%wide), %w) ...
        %z = elementwise(%y)
after:  %y_0_1 = linalg.generic ins(pad(%x), every 2nd tap of %w) ...     and three others
        %z_0_1 = elementwise(%y_0_1)
        %z = tensor.insert_slice %z_0_1 into ...[0, 0, 0, 1] [..] [1, 1, 2, 2]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, GenericOp
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.operations.elementwise import is_elementwise
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.dialects.packing import BlockDiagonalOp
from vtac.partition.convolutions import match_convolution
from vtac.partition.phase_parts import PhasePart
from vtac.partition.zero_insertion import Phase, extents_of, insertion_in, phases_of, zero_point_of
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once

_UNREAD = (tensor.EmptyOp, FillOp, BroadcastOp, tensor.PadOp, tensor.InsertSliceOp, ConstantOp, BlockDiagonalOp)


class SplitTransposedConvolution(RewritePattern):
    """One convolution whose data lies apart, with the elementwise operations behind it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        found = match_convolution(op)
        if isinstance(found, str) or found.kind != "product" or len(found.windows) != 2 or found.kernel is None:
            return
        insertion = insertion_in(found)
        if insertion is None or zero_point_of(found) != insertion.number:
            return
        chain = [op, *_tail(op)]
        last = chain[-1].results[0]
        whole: SSAValue = _empty_like(last)
        made: list[Operation] = [whole.owner] if isinstance(whole.owner, Operation) else []
        axes = [
            phases_of(*axis)
            for axis in zip(extents_of(found), found.windows, insertion.steps, insertion.firsts, strict=True)
        ]
        for phases in product(*axes):
            part = PhasePart(found, insertion, phases, made)
            value = part.of_chain(chain)
            made.append(_inserted(value, whole, part.spatial, phases))
            whole = made[-1].results[0]
        for one in made:
            one.location = op.location
        whole.name_hint = last.name_hint
        rewriter.insert(made, InsertPoint.before(chain[-1]))
        rewriter.replace_all_uses_with(last, whole)
        for one in reversed(chain):
            rewriter.erase(one)


def _tail(op: LinalgStructuredOperation) -> list[GenericOp]:
    """The elementwise operations behind one, each the only reader of the one before it, up to the first of 8 bits."""
    found: list[GenericOp] = []
    value = op.res[0]
    while len(readers := list(value.uses)) == 1:
        user = readers[0].operation
        if not isinstance(user, GenericOp) or user.parent is not op.parent or not is_elementwise(user):
            break
        maps = [attribute.data for attribute in user.get_indexing_maps()]
        identity = AffineMap.identity(maps[-1].num_dims)
        if maps[-1] != identity or maps[readers[0].index] != identity or user.outputs[0] is value:
            break
        found.append(user)
        value = user.res[0]
        if getattr(element_of(value), "bitwidth", 64) <= 8:
            break
    return found


def _empty_like(value: SSAValue) -> SSAValue:
    return tensor.EmptyOp([], TensorType(element_of(value), list(shape_of(value)))).tensor


def _inserted(value: SSAValue, whole: SSAValue, axes: Sequence[int], phases: Sequence[Phase]) -> Operation:
    """The results of some phases where they belong."""
    shape = shape_of(value)
    offsets, strides = [0] * len(shape), [1] * len(shape)
    for dim, phase in zip(axes, phases, strict=True):
        offsets[dim], strides[dim] = phase.first, phase.step
    return tensor.InsertSliceOp.from_static_parameters(value, whole, offsets, list(shape), strides)


@dataclass(frozen=True)
class SplitTransposedConvolutions(ModulePass):
    """Let convolutions of data with zeros between its elements multiply the data alone.

    requires: functions on tensors in the form of normalize-linalg.
    ensures:  as many convolutions as there are remainders of an index by the steps between elements, each with the taps
              that meet data, the elementwise operations behind them up to 8 bits, and `tensor.insert_slice` of their
              results, each element once.
    declines: data with something else between its elements than around it, or than the zero point of the data;
              zeros that do not come from `tensor.insert_slice` with constant steps.
    """

    name = "split-transposed-convolutions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            if rewrite_once(function, SplitTransposedConvolution()):
                rewrite_once(function, DropUnread(_UNREAD), backwards=True)
