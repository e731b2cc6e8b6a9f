"""Affine maps and sets evaluated on integers and on arrays of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineConstraintKind,
    AffineDimExpr,
    AffineExpr,
    AffineMap,
    AffineSet,
    AffineSymExpr,
)

from vtac.evaluate.numbers import Integers, Mask
from vtac.evaluate.refusals import refused

Index: TypeAlias = int | Integers
"""One index, or an array of them that broadcasts against the others."""


def evaluate_map(indices: AffineMap, dims: Sequence[Index], symbols: Sequence[Index] = ()) -> list[Index]:
    """The results of a map."""
    return [evaluate_expr(result, dims, symbols) for result in indices.results]


def evaluate_expr(expr: AffineExpr, dims: Sequence[Index], symbols: Sequence[Index] = ()) -> Index:
    """The value of an expression; quotients round down, remainders are >= 0.

    Raises `EvaluationError` for symbols that are not given, and for other divisors than positive numbers.
    """
    if isinstance(expr, AffineConstantExpr):
        return expr.value
    if isinstance(expr, AffineDimExpr):
        return dims[expr.position]
    if isinstance(expr, AffineSymExpr) and expr.position < len(symbols):
        return symbols[expr.position]
    if not isinstance(expr, AffineBinaryOpExpr):
        raise refused(f"cannot compute the index {expr}: it has a symbol; indices are over dimensions")
    left, right = evaluate_expr(expr.lhs, dims, symbols), evaluate_expr(expr.rhs, dims, symbols)
    if expr.kind is AffineBinaryOpKind.Add:
        return left + right
    if expr.kind is AffineBinaryOpKind.Mul:
        return left * right
    if not isinstance(right, int) or right <= 0:
        raise refused(f"cannot compute the index {expr}: it divides by something other than a positive number")
    if expr.kind is AffineBinaryOpKind.FloorDiv:
        return left // right
    if expr.kind is AffineBinaryOpKind.Mod:
        return left % right
    return -(-left // right)


def holds(constraints: AffineSet, dims: Sequence[Index], symbols: Sequence[Index] = ()) -> bool | Mask:
    """Where every constraint of a set holds."""
    verdict: bool | Mask = True
    for constraint in constraints.constraints:
        left, right = (evaluate_expr(side, dims, symbols) for side in (constraint.lhs, constraint.rhs))
        difference = left - right
        if constraint.kind is AffineConstraintKind.ge:
            this = difference >= 0
        elif constraint.kind is AffineConstraintKind.le:
            this = difference <= 0
        else:
            this = difference == 0
        verdict = np.logical_and(verdict, this)
    return verdict
