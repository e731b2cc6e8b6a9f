"""fuse-attention: a product, a softmax of its rows and a second product -> one operation.

before: %s = product %q, %k               after: %r = wmma.attention %q, %k, %v scale ...
        %p = softmax(scale * %s + %mask)
        %r = product %p, %v
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.attention.attention_products import Attention, NoAttention, match_attention
from vtac.analysis.attention.attention_tiles import attention_tiling
from vtac.analysis.ir.gpu_architecture import architecture_of
from vtac.analysis.ir.locations import location_of
from vtac.analysis.operations.reshapes import RESHAPES
from vtac.dialects.gpu_hardware import GpuArchitecture
from vtac.dialects.wmma.attention import AttentionOp
from vtac.dialects.wmma.declared import FUSED
from vtac.errors import CompileError
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once

_REMEDY = "; no other kernel computes a mask by indices: add one that is a tensor"


@dataclass
class FuseProducts(RewritePattern):
    """The second product of an attention -> the whole of it, where one kernel can compute it."""

    architecture: GpuArchitecture | None

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, LinalgStructuredOperation) or not op.res:
            return
        found = _fitting(match_attention(op), self.architecture)
        if isinstance(found, NoAttention):
            if FUSED.is_on(op) or (found.softmax and found.at_indices):
                remedy = _REMEDY if found.at_indices else ""
                raise CompileError(f"cannot compute '{op.name}' as attention: {found.reason}{remedy}", location_of(op))
            return
        root = found.root
        made = AttentionOp.get(
            found.operands, found.maps, found.sizes, found.scale, found.diagonal, root.results[0].type
        )
        made.location = op.location
        made.result.name_hint = root.results[0].name_hint
        rewriter.insert(made, InsertPoint.before(root))
        rewriter.replace(root, [], [made.result])


def _fitting(found: Attention | NoAttention, architecture: GpuArchitecture | None) -> Attention | NoAttention:
    """An attention that a block has room for."""
    if isinstance(found, NoAttention):
        return found
    if min(found.sizes) < 1:
        return NoAttention("it has no elements", softmax=True, at_indices=found.at_indices)
    rows, keys, features, columns = found.sizes[-4:]
    if attention_tiling((rows, keys, features, columns), architecture) is not None:
        return found
    where = "every architecture" if architecture is None else architecture.name
    reason = f"heads of {features} and {columns} features do not fit the shared memory and registers of a block"
    return NoAttention(f"{reason} on {where}", softmax=True, at_indices=found.at_indices)


_UNREAD = (LinalgStructuredOperation, BroadcastOp, ConstantOp, tensor.EmptyOp, tensor.ExtractSliceOp, *RESHAPES)


@dataclass(frozen=True)
class FuseAttention(ModulePass):
    """Compute attention in one operation, which keeps no scores.

    requires: functions on tensors (normalize-linalg); softmax over the keys of scale * q k^T, or of that and a mask.
    ensures:  two products of f16 or bf16, added up from zero, with a softmax between them that nothing else reads are
              one wmma.attention, with moves and reshapes of the operands, and a truncation of the result, taken in.
    declines: products that are marked with `wmma.fused`, or multiply a softmax that is masked by linalg.index, which no
              other kernel computes, and are no attention that a block has room for.
    """

    name = "fuse-attention"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in [one for one in op.ops if isinstance(one, FuncOp) and one.body.blocks]:
            rewrite_once(function, FuseProducts(architecture_of(op)))
            if any(isinstance(inner, AttentionOp) for inner in function.body.block.ops):
                rewrite_once(function, DropUnread(_UNREAD), backwards=True)
