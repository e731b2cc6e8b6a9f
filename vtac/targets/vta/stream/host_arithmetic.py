"""What the host computes, as functions of numbers, or of arrays of them for all iterations of a nest of loops."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import TypeAlias

import numpy as np
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

from vtac.analysis.ir.locations import location_of
from vtac.errors import CompileError

Function: TypeAlias = Callable[[Sequence[int]], int]
"""From the values of a host function, each at its place, to another one; any of them may be a numpy array as well."""

_Operator: TypeAlias = Callable[[int, int], int]

_BINARY: dict[type[Operation], _Operator] = {
    arith.AddiOp: operator.add,
    arith.SubiOp: operator.sub,
    arith.MuliOp: operator.mul,
    arith.MaxSIOp: max,
    arith.MinSIOp: min,
    arith.AndIOp: lambda left, right: left & right,
    arith.OrIOp: lambda left, right: left | right,
}
_BINARY_OF_ARRAYS: dict[type[Operation], _Operator] = {
    **_BINARY,
    arith.MaxSIOp: np.maximum,
    arith.MinSIOp: np.minimum,
}
_COMPARISONS: tuple[_Operator, ...] = (
    operator.eq,
    operator.ne,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
)
_AFFINE: dict[AffineBinaryOpKind, _Operator] = {
    AffineBinaryOpKind.Add: operator.add,
    AffineBinaryOpKind.Mul: operator.mul,
    AffineBinaryOpKind.FloorDiv: lambda left, right: left // right,
    AffineBinaryOpKind.CeilDiv: lambda left, right: -(-left // right),
    AffineBinaryOpKind.Mod: operator.mod,
}

ARITHMETIC: frozenset[type[Operation]] = frozenset({*_BINARY, arith.ConstantOp, arith.CmpiOp, affine.ApplyOp})
"""Operations that compute a number of others, and call nothing."""


def arithmetic(op: Operation, place: Callable[[SSAValue], int], *, of_arrays: bool) -> Function | None:
    """What an operation computes, of values at their places; None for one that is no arithmetic, or constant.

    `of_arrays` says that values may be numpy arrays. Raises `CompileError` as `affine_function` does.
    """
    if type(op) in _BINARY:
        left, right = op.operands
        return _applied((_BINARY_OF_ARRAYS if of_arrays else _BINARY)[type(op)], place(left), place(right))
    if type(op) is affine.ApplyOp:
        return affine_function(op.map.data.results[0], op.map.data.num_dims, list(map(place, op.mapOperands)), op)
    if type(op) is arith.CmpiOp and op.predicate.value.data < len(_COMPARISONS):
        return _applied(_COMPARISONS[op.predicate.value.data], place(op.lhs), place(op.rhs))
    return None


def _applied(function: _Operator, left: int, right: int) -> Function:
    return lambda values: function(values[left], values[right])


def affine_function(expr: AffineExpr, num_dims: int, places: Sequence[int], user: Operation) -> Function:
    """An affine expression over values at places: those of its dimensions, then those of its symbols.

    Raises `CompileError` where it divides by a constant that is not positive, with the place of its user.
    """
    if type(expr) is AffineConstantExpr:
        constant = expr.value
        return lambda _: constant
    if type(expr) is AffineDimExpr:
        return itemgetter(places[expr.position])
    if type(expr) is AffineSymExpr:
        return itemgetter(places[num_dims + expr.position])
    if type(expr) is not AffineBinaryOpExpr:
        raise CompileError(f"unknown affine expression {expr}", location_of(user))
    function, left = _AFFINE[expr.kind], affine_function(expr.lhs, num_dims, places, user)
    if type(expr.rhs) is not AffineConstantExpr:
        right = affine_function(expr.rhs, num_dims, places, user)
        return lambda values: function(left(values), right(values))
    amount = expr.rhs.value
    if expr.kind not in (AffineBinaryOpKind.Add, AffineBinaryOpKind.Mul) and amount < 1:
        raise CompileError(f"the index {expr} divides by {amount}; a positive divisor is required", location_of(user))
    return lambda values: function(left(values), amount)
