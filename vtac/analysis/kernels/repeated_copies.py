"""Copies that a pipelined loop begins for a later iteration, and the same ones for the first iterations in front of it.

Both do the same where every index of the one is that of the other with the loop's variable moved by the iterations that
copies run ahead.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from xdsl.dialects import arith, scf
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import IndexType
from xdsl.ir import Block, Operation, SSAValue
from xdsl.traits import is_side_effect_free

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.kernels.kernel_values import KernelValues
from vtac.dialects.wmma import AsyncCommitOp, AsyncCopyOp, AsyncWaitOp, VariableOp

_INDEX = IndexType()
_SCALARS: tuple[type[Operation], ...] = (ApplyOp, VariableOp, arith.ConstantOp, arith.CmpiOp, arith.AndIOp, arith.OrIOp)
"""Operations without effect; two are compared where their results are used."""


@dataclass(frozen=True)
class RepeatedCopies:
    """Statements of a loop that are in front of it too, there for `first` of its iterations from `-ahead` on."""

    loop: scf.ForOp
    statements: Sequence[Operation]
    before: Sequence[Operation]
    ahead: int
    first: Linear


def repeated_copies(loop: scf.ForOp, values: KernelValues) -> RepeatedCopies | None:
    """The copies of a pipelined loop that are in front of it too; None for any other loop, and where they differ."""
    ops = list(loop.body.block.ops)
    found = _first_copies(loop, values) if any(isinstance(op, AsyncWaitOp) for op in ops) else None
    statements = _copies(ops)
    if not statements or found is None:
        return None
    before, ahead, first = found
    if not _is_together(statements) or not _is_together(before):
        return None
    candidate = RepeatedCopies(loop, statements, before, ahead, first)
    return candidate if _Comparison(candidate, values).holds() else None


def _first_copies(loop: scf.ForOp, values: KernelValues) -> tuple[Sequence[Operation], int, Linear] | None:
    """The last copies before a loop that are committed together, of how many iterations, and of which one they are."""
    op = loop.prev_op
    while op is not None and not any(isinstance(inner, AsyncCommitOp) for inner in op.walk()):
        op = op.prev_op
    if isinstance(op, scf.ForOp):
        variable = op.body.block.args[0]
        bounds = [values.expression(value) for value in (op.lb, op.ub, op.step)]
        count = bounds[1]
        if bounds[0] != Linear(0) or bounds[2] != Linear(1) or count is None or not count.is_constant:
            return None
        values.expression(variable)
        first = values.expression(variable) or Linear(0)
        return _copies(list(op.body.block.ops)), count.constant, first
    if not isinstance(op, AsyncCommitOp):
        return None
    ops: list[Operation] = []
    before = op.prev_op
    while before is not None and not isinstance(before, AsyncCommitOp):
        ops.append(before)
        before = before.prev_op
    return _copies(ops[::-1]), 1, Linear(0)


def _copies(ops: Sequence[Operation]) -> list[Operation]:
    """The statements among some that begin copies; those under a condition where one holds them all."""
    found = [op for op in ops if any(isinstance(inner, AsyncCopyOp) for inner in op.walk())]
    if len(found) == 1 and isinstance(found[0], scf.IfOp) and not found[0].results:
        choice = found[0]
        if not choice.false_region.blocks:
            return _copies(list(choice.true_region.block.ops))
    return found


def _is_together(statements: Sequence[Operation]) -> bool:
    """Whether statements of one block have nothing but values between them."""
    between: list[Operation] = []
    op = statements[0] if statements else None
    while op is not None and op is not statements[-1]:
        between.append(op)
        op = op.next_op
    others = [one for one in between if one not in statements]
    return op is not None and all(is_side_effect_free(one) and not one.regions for one in others)


@dataclass
class _Comparison:
    """Whether the statements of both places do the same; `names` gives the loop's values for those before."""

    candidate: RepeatedCopies
    values: KernelValues
    names: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])

    def holds(self) -> bool:
        variable = self.candidate.loop.body.block.args[0]
        if self.values.expression(variable) != Linear.variable(variable):
            return False
        return self._same_ops(self.candidate.statements, self.candidate.before)

    def _same_ops(self, ours: Sequence[Operation], theirs: Sequence[Operation]) -> bool:
        pairs = [[op for op in ops if not isinstance(op, _SCALARS)] for ops in (ours, theirs)]
        return len(pairs[0]) == len(pairs[1]) and all(map(self._same, *pairs))

    def _same(self, ours: Operation, theirs: Operation) -> bool:
        if type(ours) is not type(theirs) or ours.properties != theirs.properties:
            return False
        if len(ours.operands) != len(theirs.operands) or len(ours.results) != len(theirs.results):
            return False
        if not all(map(self._same_values, ours.operands, theirs.operands)):
            return False
        self.names.update(zip(theirs.results, ours.results, strict=True))
        return all(
            self._same_blocks(list(one.blocks), list(other.blocks))
            for one, other in zip(ours.regions, theirs.regions, strict=True)
        )

    def _same_blocks(self, ours: Sequence[Block], theirs: Sequence[Block]) -> bool:
        if len(ours) != len(theirs):
            return False
        for one, other in zip(ours, theirs, strict=True):
            if len(one.args) != len(other.args):
                return False
            self.names.update(zip(other.args, one.args, strict=True))
            if not self._same_ops(list(one.ops), list(other.ops)):
                return False
        return True

    def _same_values(self, ours: SSAValue, theirs: SSAValue) -> bool:
        if ours.type == _INDEX:
            left, right = self.values.expression(ours), self.values.expression(theirs)
            return left is not None and right is not None and self._moved(left) == self._renamed(right)
        if ours is theirs or self.names.get(theirs) is ours:
            return True
        one, other = ours.owner, theirs.owner
        return isinstance(one, _SCALARS) and isinstance(other, _SCALARS) and self._same(one, other)

    def _moved(self, expression: Linear) -> Linear:
        """An index of the loop as the statements before it have it."""
        variable: Hashable = self.candidate.loop.body.block.args[0]
        return expression.substitute({variable: self.candidate.first - self.candidate.ahead}, self.values.extents)

    def _renamed(self, expression: Linear) -> Linear:
        names: dict[Hashable, Linear] = {}
        for theirs, ours in self.names.items():
            known = self.values.expression(theirs) if theirs.type == _INDEX else None
            variable = known.as_variable() if known is not None else None
            renamed = self.values.expression(ours) if variable is not None else None
            if renamed is not None and variable is not None:
                names[variable] = renamed
        return expression.substitute(names, self.values.extents)
