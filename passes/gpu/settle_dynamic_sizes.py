"""settle-dynamic-sizes: a number stands for a size that is known when the program runs.

before: func @f(%x: tensor<?x8xf32>)      after: module {wmma.dynamic_size = 32512}
          %n = tensor.dim %x, %c0                  func @f(%x: tensor<32512x8xf32>)
          %e = tensor.empty(%n)                      %e = tensor.empty()
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import FunctionType, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.kernels.dynamic_sizes import SIZE_CASTS, check_dynamic, dynamic_values, settled, stand_in
from vtac.dialects.wmma.declared import DYNAMIC_SIZE
from vtac.rewriting.edits import stand_for
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once


@dataclass
class SettleEmpty(RewritePattern):
    """tensor.empty of a size -> one of the stand-in."""

    size: int

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.EmptyOp, rewriter: PatternRewriter) -> None:
        if op.dynamic_sizes:
            made = tensor.EmptyOp([], settled(op.tensor.type, self.size))
            stand_for(made, op)
            made.tensor.name_hint = op.tensor.name_hint
            rewriter.replace(op, made)


@dataclass
class SettleResult(RewritePattern):
    """A tensor of a size -> one of the stand-in."""

    size: int

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        for result in op.results:
            kind = settled(result.type, self.size)
            if kind != result.type:
                rewriter.replace_value_with_new_type(result, kind)


@dataclass
class SettleFunction(RewritePattern):
    """Arguments and results of a size -> of the stand-in."""

    size: int

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FuncOp, rewriter: PatternRewriter) -> None:
        for argument in op.body.block.args:
            rewriter.replace_value_with_new_type(argument, settled(argument.type, self.size))
        kinds = op.function_type
        inputs, outputs = ([settled(one, self.size) for one in side.data] for side in (kinds.inputs, kinds.outputs))
        op.function_type = FunctionType.from_lists(inputs, outputs)
        rewriter.notify_op_modified(op)


@dataclass(frozen=True)
class SettleDynamicSizes(ModulePass):
    """Let a number stand for the one dynamic size of a function: an outermost dimension.

    The number is a multiple of all tiles, and of a prime by which numbers that come from it are known. Whether it may
    stand for the size depends on the whole function (`vtac.analysis.kernels.dynamic_sizes`).

    requires: a function on tensors.
    ensures:  all types are static; the module says the number, `wmma.dynamic_size`. Static modules stay as they are.
    declines: dynamic dimensions that are not outermost, or are reduced, moved, padded or reshaped; an empty tensor with
              an extent of its own for one.
    """

    name = "settle-dynamic-sizes"

    size: int | None = None
    """The size itself, where it is known: then nothing stands for it."""
    passed: int = 0
    """Numbers that might stand for it, and do not, as kernels happened to have them."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in [one for one in op.ops if isinstance(one, FuncOp) and one.body.blocks]:
            if not any(True for _ in dynamic_values(function)):
                continue
            check_dynamic(function)
            size = self.size or stand_in(function, self.passed)
            rewrite_once(function, SettleEmpty(size))
            rewrite_once(op, SettleFunction(size))
            rewrite_once(function, SettleResult(size))
            rewrite_once(function, DropUnread((*SIZE_CASTS, tensor.DimOp, ConstantOp)), backwards=True)
            if self.size is None:
                DYNAMIC_SIZE.set(op, size)
