"""gpu-name-numbers: stages, steps, tiles and pitches have names at the head of a kernel, and stand for their numbers.

before: for step < 72                                 after: stages = 4, steps = 72, pitch = 40, stage = 256 * pitch
          x[row * 640 + step % 4 * 10240]                    for step < steps
                                                               x[row * 16 * pitch + step % stages * stage]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineBinaryOpExpr, AffineBinaryOpKind, AffineExpr
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint
from xdsl.transforms.dead_code_elimination import dce

from vtac.analysis.kernels.carried_roles import slot_names
from vtac.analysis.kernels.gpu_indices import whole
from vtac.analysis.kernels.kernel_numbers import buffers_of, kernel_numbers, terms_of
from vtac.dialects.wmma import AsyncCommitOp, AsyncWaitOp, CallOp, LoadMatrixSyncOp, StoreMatrixSyncOp, VariableOp
from vtac.dialects.wmma.declared import COMMENT, KERNEL
from vtac.dialects.wmma.named import known_number
from vtac.rewriting.edits import insert_ops, replace_by
from vtac.rewriting.named_numbers import Names, named_sum
from vtac.rewriting.walker import rewrite_once


@dataclass
class NamePlace(RewritePattern):
    """A place in a buffer with a pitch -> the place with names for pitch, stage and tile."""

    names: Names

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ApplyOp, rewriter: PatternRewriter) -> None:
        buffers = set(buffers_of(op.results[0]))
        if len(buffers) != 1:
            return
        (buffer,) = buffers
        terms = list(terms_of(op.map.data.results[0]))
        named = [self.names.of_term(expr, factor, buffer, op) for expr, factor in terms]
        if any(found is not None for found in named):
            replace_by(op, named_sum(op, terms, named), rewriter)


@dataclass
class NameProperty(RewritePattern):
    """The pitch of a fragment's rows, and the groups of copies that are left under way, by name."""

    names: Names

    @op_type_rewrite_pattern
    def match_and_rewrite(
        self, op: LoadMatrixSyncOp | StoreMatrixSyncOp | AsyncWaitOp, rewriter: PatternRewriter
    ) -> None:
        if op.named is not None:
            return
        stages = self.names.stages
        if isinstance(op, AsyncWaitOp):
            made = self.names.less(stages, 2) if stages is not None else []
            name = made[-1].results[0] if made else None
        else:
            made, name = [], self.names.pitches.get(whole(op.memory))
        if name is None:
            return
        copy = type(op)(operands=[*op.operands, name], properties=op.properties)
        replace_by(op, [*made, copy], rewriter)


@dataclass
class NameIteration(RewritePattern):
    """In the pipelined loop and in front of it: how far copies run ahead, and which slot is whose, by `stages`."""

    names: Names
    stages: SSAValue

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: scf.ForOp | arith.CmpiOp | ApplyOp, rewriter: PatternRewriter) -> None:
        if isinstance(op, scf.ForOp):
            self._loop(op, rewriter)
        elif isinstance(op, arith.CmpiOp):
            self._comparison(op, rewriter)
        else:
            self._index(op, rewriter)

    @property
    def _ahead(self) -> int:
        return (self.names.numbers.stages or 1) - 1

    def _loop(self, op: scf.ForOp, rewriter: PatternRewriter) -> None:
        begins = any(isinstance(inner, AsyncCommitOp) for inner in op.body.block.ops)
        if op is self.names.numbers.loop:
            if self.names.steps is not None and known_number(op.ub) is not None:
                self._set(op, 1, [], self.names.steps, rewriter)
            slots = slot_names(op.body.block.args[1:])
            for position, argument in enumerate(op.body.block.args[1:]):
                if argument in slots and known_number(op.iter_args[position]) == self._ahead:
                    self._less(op, 3 + position, self.stages, 1, rewriter)
        elif begins and known_number(op.ub) == self._ahead:
            self._less(op, 1, self.stages, 1, rewriter)

    def _comparison(self, op: arith.CmpiOp, rewriter: PatternRewriter) -> None:
        loop = self.names.numbers.loop
        number = known_number(op.rhs)
        if loop is None or op.parent is not loop.body.block or number is None:
            return
        variable, *carried = loop.body.block.args
        if op.lhs is variable and number + self._ahead == self.names.numbers.steps and self.names.steps is not None:
            ahead = self.names.less(self.stages, 1)
            left = arith.SubiOp(self.names.steps, ahead[-1].results[0])
            self._set(op, 1, [*ahead, left], left.result, rewriter)
        elif op.lhs in slot_names(carried) and number == self._ahead:
            self._less(op, 1, self.stages, 1, rewriter)

    def _index(self, op: ApplyOp, rewriter: PatternRewriter) -> None:
        """`step % 4` and `(step + 3) % 4` by the stages, and the step `step + 3` that copies are for."""
        loop = self.names.numbers.loop
        if loop is None or list(op.mapOperands) != [loop.body.block.args[0]]:
            return
        expr = op.map.data.results[0]
        is_slot = isinstance(expr, AffineBinaryOpExpr) and expr.kind is AffineBinaryOpKind.Mod
        if is_slot and isinstance(expr, AffineBinaryOpExpr):
            if expr.rhs != AffineExpr.constant(self._ahead + 1):
                return
            expr = expr.lhs
        elif not all(isinstance(use.operation, CallOp) for use in op.results[0].uses):
            return
        value, made = op.mapOperands[0], list[Operation]()
        if expr == AffineExpr.dimension(0) + self._ahead:
            added = arith.AddiOp(value, self.stages)
            made = [added, *self.names.less(added.result, 1)]
            value = made[-1].results[0]
        elif expr != AffineExpr.dimension(0):
            return
        if is_slot:
            made.append(arith.RemSIOp(value, self.stages))
        if made:
            replace_by(op, made, rewriter)

    def _less(self, op: Operation, position: int, name: SSAValue, number: int, rewriter: PatternRewriter) -> None:
        made = self.names.less(name, number)
        self._set(op, position, made, made[-1].results[0], rewriter)

    def _set(
        self, op: Operation, position: int, made: Sequence[Operation], value: SSAValue, rewriter: PatternRewriter
    ) -> None:
        insert_ops(made, InsertPoint.before(op), rewriter)
        op.operands[position] = value
        rewriter.notify_op_modified(op)


class CommentNames(RewritePattern):
    """The first name says what the names are."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FuncOp, rewriter: PatternRewriter) -> None:
        first = next((inner for inner in op.body.block.ops if isinstance(inner, VariableOp)), None)
        if first is not None and known_number(first.index) is not None and not COMMENT.is_on(first):
            COMMENT.set(first, "Sizes; pitches and stages of buffers in elements.")
            rewriter.notify_op_modified(op)


@dataclass(frozen=True)
class GpuNameNumbers(ModulePass):
    """Give the numbers of a kernel names.

    `vtac.analysis.kernels.kernel_numbers` finds the numbers, from the whole kernel.

    requires: kernels (convert-loops-to-gpu) whose places are few terms each (gpu-hoist-indices); the last pass but for
              shared constants.
    ensures:  stages and steps of a pipeline, rows, columns and depth of a block's tile, pitches of buffers and elements
              of a stage are `wmma.variable` of numbers at the start, those that are read; places, loops, waits and
              pitches of fragments read them. Nothing that is computed changes.
    declines: nothing; kernels of several pipelines have no stages by name.
    """

    name = "gpu-name-numbers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [function for function in op.ops if isinstance(function, FuncOp) and KERNEL.is_on(function)]:
            names = Names(kernel, kernel_numbers(kernel))
            if names.stages is not None:
                rewrite_once(kernel, NameIteration(names, names.stages))
            rewrite_once(kernel, NamePlace(names), NameProperty(names))
            dce(op)
            rewrite_once(op, CommentNames())
