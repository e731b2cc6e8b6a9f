"""gpu-simplify-indices: a kernel's indices as few terms, its conditions as comparisons that a reader expects.

before: %a = 14 - p floordiv 14 - k           after: p floordiv 14 + k < 15
        %a >= 0
        p mod 14 + 1 - 1 >= 0                         true, and the test goes
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, gpu, scf
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import IndexType, IntegerAttr, ModuleOp, i1
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint
from xdsl.transforms.dead_code_elimination import dce

from vtac.analysis.expressions.coarse_divisions import coarse
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.kernels.kernel_values import KernelValues
from vtac.dialects.vta.memory import Amount
from vtac.dialects.wmma import AsyncCopyOp
from vtac.dialects.wmma.declared import KERNEL
from vtac.rewriting.edits import erase, move_ops, replace_by
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.walker import rewrite_once

_ORDERED = range(2, 6)
"""arith.cmpi's signed orders: slt, sle, sgt, sge."""


@dataclass
class SimplifyIndex(RewritePattern):
    """An index over others -> one over the launch and the loops, without what their ranges decide."""

    values: KernelValues

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ApplyOp, rewriter: PatternRewriter) -> None:
        expression = self.values.expression(op.results[0])
        if expression is None:
            return
        made = HostValues(self.values.extents)
        value = made.value(coarse(expression, self.values.extents))
        if isinstance(value, SSAValue) and not made.operations:
            rewriter.replace(op, [], [value])
            return
        last = made.materialise(value).owner
        if isinstance(last, ApplyOp) and last.map == op.map and tuple(last.operands) == tuple(op.operands):
            return
        replace_by(op, made.operations, rewriter)


@dataclass
class SimplifyComparison(RewritePattern):
    """An order of two indices -> true or false where ranges decide it, else `sum < sum` or `sum >= number`."""

    values: KernelValues

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.CmpiOp, rewriter: PatternRewriter) -> None:
        if op.predicate.value.data not in _ORDERED or not isinstance(op.lhs.type, IndexType):
            return
        found = self.values.conditions(op.result, holds=True)
        if len(found) != 1:
            return
        expression = coarse(found[0], self.values.extents)
        low, high = expression.bounds(self.values.extents)
        if low >= 0 or high < 0:
            replace_by(op, [arith.ConstantOp(IntegerAttr(int(low >= 0), i1))], rewriter)
            return
        made = HostValues(self.values.extents)
        compared = _compared(expression, made)
        if not _is_same(op, compared):
            replace_by(op, [*made.operations, compared], rewriter)


def _compared(expression: Linear, made: HostValues) -> arith.CmpiOp:
    """`expression >= 0` as a comparison without negative terms."""
    more = Linear(0, {atom: factor for atom, factor in expression.terms.items() if factor > 0})
    less = Linear(0, {atom: -factor for atom, factor in expression.terms.items() if factor < 0})
    number = expression.constant
    if not less.terms:
        return _comparison(made, more, Linear(-number), "sge")
    bound = more + max(number + 1, 0)
    return _comparison(made, less + max(-number - 1, 0), bound, "slt")


def _comparison(made: HostValues, left: Linear, right: Linear, predicate: str) -> arith.CmpiOp:
    sides: list[Amount] = [made.value(left), made.value(right)]
    return arith.CmpiOp(made.materialise(sides[0]), made.materialise(sides[1]), predicate)


def _is_same(op: arith.CmpiOp, other: arith.CmpiOp) -> bool:
    """Whether two comparisons print alike, looking one operation far."""
    return op.predicate == other.predicate and all(
        left is right or _shown(left) == _shown(right) for left, right in zip(op.operands, other.operands, strict=True)
    )


def _shown(value: SSAValue) -> tuple[object, ...]:
    owner = value.owner
    if not isinstance(owner, Operation):
        return (value,)
    return (owner.name, tuple(owner.operands), tuple(sorted(owner.properties.items(), key=lambda one: one[0])))


class SimplifyBoth(RewritePattern):
    """`true and x` -> x; `false and x` -> false."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.AndIOp, rewriter: PatternRewriter) -> None:
        for one, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
            verdict = _verdict(one)
            if verdict is not None:
                rewriter.replace(op, [], [other if verdict else one])
                return


class SettleChoice(RewritePattern):
    """A choice whose condition is decided -> the operations chosen."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: scf.IfOp, rewriter: PatternRewriter) -> None:
        verdict = _verdict(op.cond)
        if verdict is None:
            return
        region = op.true_region if verdict else op.false_region
        if not region.blocks:
            rewriter.erase(op)
            return
        block = region.block
        end = block.last_op
        if not isinstance(end, scf.YieldOp):
            return
        results: Sequence[SSAValue] = tuple(end.operands)
        erase(end, rewriter)
        move_ops(list(block.ops), InsertPoint.before(op), rewriter)
        rewriter.replace(op, [], results)


class SettleCopy(RewritePattern):
    """A copy that is always of what is present -> a copy without a condition."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AsyncCopyOp, rewriter: PatternRewriter) -> None:
        if op.present is not None and _verdict(op.present):
            always: list[SSAValue] = []
            copy = AsyncCopyOp(
                operands=[op.target, op.target_offset, op.source, op.source_offset, always],
                properties={"elements": op.elements},
            )
            replace_by(op, [copy], rewriter)


class DropUnreadIndex(RewritePattern):
    """An index of the launch that nothing reads -> nothing."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: gpu.BlockIdOp | gpu.ThreadIdOp, rewriter: PatternRewriter) -> None:
        if not op.result.uses:
            rewriter.erase(op)


def _verdict(condition: SSAValue) -> bool | None:
    """What a condition is; None where that is not known here."""
    number = number_of(condition)
    return None if number is None else number != 0


@dataclass(frozen=True)
class GpuSimplifyIndices(ModulePass):
    """Write indices and conditions of kernels in few terms.

    requires: kernels (convert-loops-to-gpu) whose loops are scf.for.
    ensures:  each index that is known is one affine.apply over indices of the launch and of loops, or a constant;
              orders are `sum < sum` or `sum >= number` without negative terms; what ranges decide is decided.
              Indices that nothing reads are gone.
    declines: nothing; leaves values as they are that come from data.
    """

    name = "gpu-simplify-indices"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [function for function in op.ops if isinstance(function, FuncOp) and KERNEL.is_on(function)]:
            values = KernelValues(kernel)
            rewrite_once(kernel, SimplifyComparison(values))
            rewrite_once(kernel, SimplifyIndex(values))
            rewrite_once(kernel, SimplifyBoth(), SettleCopy(), SettleChoice())
            dce(op)
            rewrite_once(kernel, DropUnreadIndex())
