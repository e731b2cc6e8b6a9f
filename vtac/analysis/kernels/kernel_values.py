"""Index values of a kernel as expressions over its block, its thread and its loops, and the guards around an operation.

Only what a value is made of by constants, sums, multiples, quotients and remainders is an expression; anything else,
such as data, is not known. The variables are values themselves: indices of the launch and of loops, each from 0.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from xdsl.dialects import arith, gpu, scf
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import IntegerAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue

from vtac.analysis.expressions.affine_expressions import from_affine
from vtac.analysis.expressions.linear import Linear
from vtac.dialects.wmma import RoutineOp, VariableOp
from vtac.dialects.wmma.declared import BLOCK, GRID

_AT_LEAST = 5
_MORE, _AT_MOST, _LESS, _EQUAL = 4, 3, 2, 0


class KernelValues:
    """What values of one kernel are; `extents` are those of the variables met so far."""

    def __init__(self, kernel: FuncOp) -> None:
        self.extents: dict[Hashable, int] = {}
        self._grid = GRID.get(kernel) or (1, 1, 1)
        self._block = BLOCK.get(kernel) or (1, 1, 1)
        self._known: dict[SSAValue, Linear | None] = {}
        self._named: dict[str, SSAValue] = {}

    def expression(self, value: SSAValue) -> Linear | None:
        """A value as an expression; None for one that is not known."""
        if value not in self._known:
            self._known[value] = self._of_loop(value) if isinstance(value.owner, Block) else self._made(value.owner)
        return self._known[value]

    def guards(self, op: Operation) -> list[Linear]:
        """Expressions that are 0 or more wherever an operation is reached: those known of all conditions around it."""
        found: list[Linear] = []
        inner, outer = op, op.parent_op()
        while outer is not None and not isinstance(outer, FuncOp):
            if isinstance(outer, scf.IfOp):
                found += self.conditions(outer.cond, holds=inner.parent_region() is outer.true_region)
            inner, outer = outer, outer.parent_op()
        return found

    def conditions(self, condition: SSAValue, *, holds: bool) -> list[Linear]:
        """Expressions that are 0 or more where a condition holds, or where it does not; those that are known."""
        owner = condition.owner
        if isinstance(owner, arith.AndIOp) and holds:
            return [*self.conditions(owner.lhs, holds=True), *self.conditions(owner.rhs, holds=True)]
        if isinstance(owner, arith.OrIOp) and not holds:
            return [*self.conditions(owner.lhs, holds=False), *self.conditions(owner.rhs, holds=False)]
        return list(self._compared(owner, holds=holds)) if isinstance(owner, arith.CmpiOp) else []

    def _compared(self, op: arith.CmpiOp, *, holds: bool) -> Iterator[Linear]:
        left, right = self.expression(op.lhs), self.expression(op.rhs)
        if left is None or right is None:
            return
        predicate = op.predicate.value.data
        if not holds:
            predicate = {_AT_LEAST: _LESS, _MORE: _AT_MOST, _AT_MOST: _MORE, _LESS: _AT_LEAST}.get(predicate, -1)
        if predicate in (_AT_LEAST, _EQUAL):
            yield left - right
        if predicate in (_AT_MOST, _EQUAL):
            yield right - left
        if predicate == _MORE:
            yield left - right - 1
        if predicate == _LESS:
            yield right - left - 1

    def _variable(self, value: SSAValue, extent: int) -> Linear:
        if extent == 1:
            return Linear(0)
        self.extents[value] = extent
        return Linear.variable(value)

    def _of_loop(self, value: SSAValue) -> Linear | None:
        """The variable of a loop from its first iteration on, an index of a routine; None for any other argument."""
        loop = value.owner.parent_op() if isinstance(value.owner, Block) else None
        if isinstance(loop, RoutineOp):
            return self._variable(value, loop.extents.get_values()[loop.body.block.args.index(value)])
        if not isinstance(loop, scf.ForOp) or value is not loop.body.block.args[0]:
            return None
        bounds = [self.expression(bound) for bound in (loop.lb, loop.ub, loop.step)]
        first, end, step = (bound.constant if bound is not None and bound.is_constant else None for bound in bounds)
        if first is None or end is None or step is None or step < 1:
            return None
        return self._variable(value, max(1, -(-(end - first) // step))) * step + first

    def _made(self, op: Operation | Block) -> Linear | None:
        match op:
            case gpu.BlockIdOp() | gpu.ThreadIdOp():
                return self._of_launch(op)
            case arith.ConstantOp() if isinstance(op.value, IntegerAttr):
                return Linear(op.value.value.data)
            case ApplyOp():
                return self._applied(op)
            case VariableOp():
                return self.expression(op.index)
            case arith.AddiOp() | arith.SubiOp() | arith.MuliOp():
                return self._computed(op)
            case _:
                return None

    def _of_launch(self, op: gpu.BlockIdOp | gpu.ThreadIdOp) -> Linear:
        """One variable for all reads of an index of the launch."""
        dimension = str(op.dimension.data.value)
        extents = self._block if isinstance(op, gpu.ThreadIdOp) else self._grid
        value = self._named.setdefault(f"{op.name} {dimension}", op.result)
        return self._variable(value, extents["xyz".index(dimension)])

    def _applied(self, op: ApplyOp) -> Linear | None:
        operands: list[Linear] = []
        for operand in op.mapOperands:
            known = self.expression(operand)
            if known is None:
                return None
            operands.append(known)
        places, (result,) = op.map.data.num_dims, op.map.data.results
        try:
            return from_affine(result, operands[:places], operands[places:], self.extents)
        except ValueError:
            return None

    def _computed(self, op: arith.AddiOp | arith.SubiOp | arith.MuliOp) -> Linear | None:
        left, right = self.expression(op.lhs), self.expression(op.rhs)
        if left is None or right is None:
            return None
        if isinstance(op, arith.MuliOp):
            left, right = (right, left) if left.is_constant else (left, right)
            return left * right.constant if right.is_constant else None
        return left + right if isinstance(op, arith.AddiOp) else left - right
