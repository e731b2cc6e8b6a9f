"""convert-attention-to-memory: an attention -> loops over blocks, warps, lanes and keys, on memory and fragments.

before: func @f(%q, %k, %v) -> ...        after: func @f(%q, %k, %v, %result)
          %r = wmma.attention %q, %k, %v           for block_x, block_y, warp, lane
          return %r                                  copy, for step: multiply, softmax, rescale, multiply; store
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.attention.attention_tiles import AttentionTiling, attention_tiling, heads_to_join
from vtac.analysis.ir.gpu_architecture import architecture_of
from vtac.analysis.ir.locations import location_of
from vtac.dialects.gpu_hardware import GpuArchitecture
from vtac.dialects.mma.layouts import FIRST_CAPABILITY
from vtac.dialects.wmma.attention import AttentionOp
from vtac.dialects.wmma.declared import DYNAMIC_SIZE, INSTRUCTIONS
from vtac.errors import CompileError
from vtac.rewriting.attention_kernel import AttentionKernel
from vtac.rewriting.attention_lanes import LaneAttention
from vtac.rewriting.attention_parts import joined_extents, memories_of
from vtac.rewriting.edits import move_body
from vtac.rewriting.kernel_writer import KernelWriter
from vtac.rewriting.payload_builder import PayloadBuilder
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once


@dataclass
class ConvertAttention(RewritePattern):
    """The operation -> its kernel, from the operands' buffers to that of the result."""

    builder: PayloadBuilder
    architecture: GpuArchitecture | None
    on_lanes: bool
    unknown: int | None

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AttentionOp, rewriter: PatternRewriter) -> None:
        operands = [value for value, _, _ in op.accesses()][:-1]
        buffers = [self.builder.buffer_of(value, op, rewriter) for value in operands]
        buffers.append(self.builder.result_buffer(op.result, op, rewriter))
        tiling, heads = self._tiling(op, buffers)
        written = Block()
        kind = LaneAttention if tiling.on_lanes else AttentionKernel
        kind(KernelWriter(written), op, buffers, tiling, heads).write()
        for inner in [found for statement in written.ops for found in statement.walk()]:
            inner.location = op.location
        move_body(written, InsertPoint.before(op), rewriter)
        rewriter.replace(op, [], [buffers[-1]])

    def _tiling(self, op: AttentionOp, buffers: Sequence[SSAValue]) -> tuple[AttentionTiling, tuple[int, ...]]:
        """The tiling on lanes where it is asked for and has room, with heads as rows of one; else that of fragments."""
        if self.on_lanes:
            _, key, value, *_ = memories_of(KernelWriter(Block()), op, buffers)
            ahead = all(one.lanes(len(op.batch) + 2) > 1 for one in (key, value))
            maps = (op.maps.data[1].data, op.maps.data[2].data)
            heads = heads_to_join(op.batch, op.extents[0], *maps, self.unknown)
            extents = joined_extents(op, heads)
            lanes = attention_tiling(extents, self.architecture, on_lanes=True, ahead=ahead)
            if lanes is not None:
                return lanes, heads
        tiling = attention_tiling(op.extents, self.architecture)
        if tiling is None:
            raise _too_large(op, self.architecture)
        return tiling, ()


class DropReturned(RewritePattern):
    """func.return of buffers -> one of nothing: the buffers are arguments."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReturnOp, rewriter: PatternRewriter) -> None:
        if op.operands:
            rewriter.replace(op, ReturnOp())


def _too_large(op: AttentionOp, architecture: GpuArchitecture | None) -> CompileError:
    _, _, features, columns = op.extents
    where = "every architecture" if architecture is None else architecture.name
    return CompileError(
        f"attention with heads of {features} and {columns} features: no tiling of 16 rows and 16 keys or more fits the "
        f"shared memory and the registers of a block on {where}: name one that has more, or use several kernels",
        location_of(op),
    )


def _on_lanes(module: ModuleOp, architecture: GpuArchitecture | None) -> bool:
    """Whether a module asks for mma.sync, or lets the estimate decide on an architecture that has it."""
    wanted = INSTRUCTIONS.get(module)
    has = architecture is not None and architecture.compute_capability >= FIRST_CAPABILITY
    return has if wanted == "estimated" else wanted == "mma.sync"


def _attentions(function: FuncOp) -> list[Operation]:
    return [op for op in function.body.block.ops if isinstance(op, AttentionOp)]


@dataclass(frozen=True)
class ConvertAttentionToMemory(ModulePass):
    """Write the kernel of an attention at the level of memory and fragments.

    The scores of one step are all there is of them: they lie in shared memory, and never in global memory.

    With the module's `wmma.instructions` they are in registers of lanes, and in no memory at all, where heads are such
    that these suffice.

    requires: functions of one wmma.attention on arguments and constants, which they return.
    ensures:  functions on buffers; loops bound to blockIdx and threadIdx around loads, stores and operations of
              warps. Other functions stay as they are.
    declines: heads for which a block has no room.
    """

    name = "convert-attention-to-memory"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in [one for one in op.ops if isinstance(one, FuncOp) and one.body.blocks]:
            if _attentions(function):
                builder = PayloadBuilder(function)
                architecture = architecture_of(op)
                convert = ConvertAttention(builder, architecture, _on_lanes(op, architecture), DYNAMIC_SIZE.get(op))
                rewrite_once(function, convert, DropReturned())
                rewrite_once(function, DropUnread((ConstantOp,)), backwards=True)
                builder.describe()
