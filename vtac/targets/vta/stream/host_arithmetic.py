"""Python source of what the host computes: numbers, or arrays with those of all iterations of a nest of loops."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.dialects import affine, arith
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
    AffineSymExpr,
)

from vtac.errors import CompileError

_BINARY: dict[type[Operation], str] = {
    arith.AddiOp: "{} + {}",
    arith.SubiOp: "{} - {}",
    arith.MuliOp: "{} * {}",
    arith.MaxSIOp: "max({}, {})",
    arith.MinSIOp: "min({}, {})",
    arith.AndIOp: "{} & {}",
    arith.OrIOp: "{} | {}",
}
_BINARY_OF_ARRAYS = {**_BINARY, arith.MaxSIOp: "np.maximum({}, {})", arith.MinSIOp: "np.minimum({}, {})"}
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")

ARITHMETIC: frozenset[type[Operation]] = frozenset({*_BINARY, arith.ConstantOp, arith.CmpiOp, affine.ApplyOp})
"""Operations that compute a number of others, and call nothing."""


def python_arithmetic(op: Operation, name: Callable[[SSAValue], str], *, of_arrays: bool) -> str | None:
    """What an operation computes, of values by their names; None for one that is no arithmetic, or constant.

    With `of_arrays` the names may stand for numpy arrays too. Raises `CompileError` for an affine expression that
    Python does not know.
    """
    if type(op) in _BINARY:
        left, right = op.operands
        return (_BINARY_OF_ARRAYS if of_arrays else _BINARY)[type(op)].format(name(left), name(right))
    if type(op) is affine.ApplyOp:
        names, indices = list(map(name, op.mapOperands)), op.map.data
        return _expression(indices.results[0], names[: indices.num_dims], names[indices.num_dims :])
    if type(op) is arith.CmpiOp and op.predicate.value.data < len(_COMPARISONS):
        return f"{name(op.lhs)} {_COMPARISONS[op.predicate.value.data]} {name(op.rhs)}"
    return None


_SIGNS = {
    AffineBinaryOpKind.Add: "+",
    AffineBinaryOpKind.Mul: "*",
    AffineBinaryOpKind.FloorDiv: "//",
    AffineBinaryOpKind.Mod: "%",
}


def _expression(expr: AffineExpr, dims: list[str], symbols: list[str]) -> str:
    """An affine expression as Python source."""
    if type(expr) is AffineConstantExpr:
        return str(expr.value)
    if type(expr) is AffineDimExpr:
        return dims[expr.position]
    if type(expr) is AffineSymExpr:
        return symbols[expr.position]
    if type(expr) is not AffineBinaryOpExpr:
        raise CompileError(f"unknown affine expression {expr}")
    left, right = _expression(expr.lhs, dims, symbols), _expression(expr.rhs, dims, symbols)
    if expr.kind is AffineBinaryOpKind.CeilDiv:
        return f"(-(-{left} // {right}))"
    return f"({left} {_SIGNS[expr.kind]} {right})"
