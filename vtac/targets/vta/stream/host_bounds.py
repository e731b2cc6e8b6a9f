"""How large what the host computes can be: whether numpy's 64 bits hold it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from xdsl.dialects import affine, arith
from xdsl.dialects.builtin import IndexType, IntegerAttr
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
    AffineSymExpr,
)

from vtac.dialects.vta.memory import Load2DOp, Store2DOp

TOO_LARGE = 1 << 62
"""The magnitude of what is as large, or of unknown size."""

_BINARY: dict[type[Operation], Callable[[int, int], int]] = {
    arith.AddiOp: lambda left, right: left + right,
    arith.SubiOp: lambda left, right: left + right,
    arith.MuliOp: lambda left, right: left * right,
    arith.MaxSIOp: max,
    arith.MinSIOp: max,
    arith.AndIOp: lambda left, right: 2 * max(left, right),
    arith.OrIOp: lambda left, right: 2 * max(left, right),
}


@dataclass(frozen=True)
class HostBounds:
    """The largest magnitude of each value of a host function that was noted, each after those it is computed of."""

    _known: dict[SSAValue, int] = field(default_factory=dict[SSAValue, int])

    def of(self, value: SSAValue) -> int:
        """No magnitude of the value is larger, but where it is `TOO_LARGE`."""
        return self._known.get(value, TOO_LARGE)

    def note_index(self, index: SSAValue, *ends: int) -> None:
        """An index of a loop lies between these."""
        self._known[index] = min(max(map(abs, ends)), TOO_LARGE)

    def note(self, op: Operation) -> None:
        """What an operation computes of indices, if it does."""
        if type(op) in _BINARY and isinstance(op.results[0].type, IndexType):
            left, right = map(self.of, op.operands)
            self._known[op.results[0]] = min(_BINARY[type(op)](left, right), TOO_LARGE)
        elif type(op) is arith.ConstantOp and isinstance(op.value, IntegerAttr):
            self._known[op.result] = min(abs(op.value.value.data), TOO_LARGE)
        elif type(op) is affine.ApplyOp:
            operands = list(map(self.of, op.mapOperands))
            self._known[op.results[0]] = magnitude_of(op.map.data.results[0], op.map.data.num_dims, operands)
        elif type(op) is arith.CmpiOp:
            self._known[op.result] = 1

    def fit(self, ops: Sequence[Operation]) -> bool:
        """Note what operations compute; whether 64 bits hold that, and what transfers among them say."""
        for op in ops:
            self.note(op)
        transfers = [op for op in ops if isinstance(op, Load2DOp | Store2DOp)]
        said = [amount for op in transfers for amount in op.amounts() if isinstance(amount, int)]
        return max(map(abs, said), default=0) < TOO_LARGE and all(
            self.of(result) < TOO_LARGE for op in ops for result in op.results
        )


def magnitude_of(expr: AffineExpr, num_dims: int, operands: Sequence[int]) -> int:
    """The largest magnitude of an affine expression, and of its parts; `operands` are those of dims, then symbols."""
    if isinstance(expr, AffineConstantExpr):
        return min(abs(expr.value), TOO_LARGE)
    if isinstance(expr, AffineDimExpr):
        return operands[expr.position]
    if isinstance(expr, AffineSymExpr):
        return operands[num_dims + expr.position]
    if not isinstance(expr, AffineBinaryOpExpr):
        return TOO_LARGE
    left, right = (magnitude_of(side, num_dims, operands) for side in (expr.lhs, expr.rhs))
    if max(left, right) >= TOO_LARGE:
        return TOO_LARGE
    if expr.kind is AffineBinaryOpKind.Add:
        return min(left + right, TOO_LARGE)
    if expr.kind is AffineBinaryOpKind.Mul:
        return min(left * right, TOO_LARGE)
    return max(left, right) if isinstance(expr.rhs, AffineConstantExpr) else TOO_LARGE
