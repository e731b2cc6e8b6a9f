"""Index expressions from affine expressions of MLIR, as such, and as texts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import cast

from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
    AffineSymExpr,
)

from vtac.analysis.expressions.linear import Extents, Linear, Quotient, Remainder

_KEPT_SUM = "_vtac_sum"
"""Where an affine expression, which never changes, keeps what `_sum_of` says of it."""


def from_affine(expr: AffineExpr, dims: Sequence[Linear], symbols: Sequence[Linear], extents: Extents) -> Linear:
    """Evaluate an affine expression over expressions; `extents` bounds their variables.

    Raises `ValueError` for semi-affine terms, which multiply or divide by a variable, and for divisors that are not
    positive.
    """
    if type(expr) is AffineDimExpr:
        return dims[expr.position]
    if type(expr) is AffineConstantExpr:
        return Linear(expr.value)
    if type(expr) is AffineSymExpr:
        return symbols[expr.position]
    if type(expr) is not AffineBinaryOpExpr:
        raise ValueError(f"unknown affine expression {expr}")
    sum_of_dims = _sum_of(expr)
    found = None if sum_of_dims is None else _summed(sum_of_dims, dims)
    if found is not None:
        return found
    left = from_affine(expr.lhs, dims, symbols, extents)
    right = from_affine(expr.rhs, dims, symbols, extents)
    if expr.kind is AffineBinaryOpKind.Add:
        return left + right
    if expr.kind is AffineBinaryOpKind.Mul and left.is_constant:
        return right * left.constant
    if not right.is_constant:
        raise ValueError(f"{expr} is not affine: it multiplies or divides by a variable")
    if expr.kind is AffineBinaryOpKind.Mul:
        return left * right.constant
    if right.constant <= 0:
        raise ValueError(f"{expr} divides by {right.constant}")
    if expr.kind is AffineBinaryOpKind.FloorDiv:
        return left.floor_divide(right.constant, extents)
    if expr.kind is AffineBinaryOpKind.Mod:
        return left.modulo(right.constant, extents)
    return (left + (right.constant - 1)).floor_divide(right.constant, extents)


def mentions(expr: AffineExpr, dimension: int) -> bool:
    """Whether a dimension, by its number, counts in an affine expression."""
    sum_of_dims = _sum_of(expr)
    return dimension in (expr.used_dims() if sum_of_dims is None else sum_of_dims.terms)


def _sum_of(expr: AffineExpr) -> Linear | None:
    """An affine expression over the numbers of its dimensions; None where it divides, or has symbols."""
    if type(expr) is AffineDimExpr:
        return Linear.variable(expr.position)
    if type(expr) is AffineConstantExpr:
        return Linear(expr.value)
    if type(expr) is not AffineBinaryOpExpr:
        return None
    kept = cast("dict[str, Linear | None]", vars(expr))
    if _KEPT_SUM not in kept:
        left, right = _sum_of(expr.lhs), _sum_of(expr.rhs)
        kept[_KEPT_SUM] = None if left is None or right is None else _combined(expr.kind, left, right)
    return kept[_KEPT_SUM]


def _combined(kind: AffineBinaryOpKind, left: Linear, right: Linear) -> Linear | None:
    if kind is AffineBinaryOpKind.Add:
        return left + right
    if kind is AffineBinaryOpKind.Mul and left.is_constant:
        return right * left.constant
    return left * right.constant if kind is AffineBinaryOpKind.Mul and right.is_constant else None


def _summed(weights: Linear, dims: Sequence[Linear]) -> Linear | None:
    """The sum of expressions, each times the weight of its number; None where a remainder may find its quotient in it.

    That `+` sees to, at each step.
    """
    constant, terms = weights.constant, dict[Hashable, int]()
    for number, weight in weights.terms.items():
        dim = dims[cast(int, number)]
        constant += dim.constant * weight
        for atom, coefficient in dim.terms.items():
            if type(atom) is Remainder:
                return None
            total = terms.get(atom, 0) + coefficient * weight
            if total:
                terms[atom] = total
            else:
                del terms[atom]
    return Linear(constant, terms)


@lru_cache(maxsize=256)
def dimension(position: int) -> AffineExpr:
    """The dimension of that number."""
    return AffineExpr.dimension(position)


def to_affine(expression: Linear, place: Callable[[Hashable], AffineExpr]) -> AffineExpr:
    """The expression as an affine expression; `place` gives each variable's dimension or symbol."""
    variable = expression.as_variable()
    if variable is not None:
        return place(variable)
    terms: list[tuple[AffineExpr, int]] = []
    for atom, coefficient in expression.terms.items():
        if isinstance(atom, Quotient):
            term = to_affine(atom.numerator, place) // atom.divisor
        elif isinstance(atom, Remainder):
            term = to_affine(atom.numerator, place) % atom.divisor
        else:
            term = place(atom)
        terms.append((term, coefficient))
    return _affine_sum(expression.constant, tuple(terms))


@lru_cache(maxsize=4096)
def _affine_sum(constant: int, terms: tuple[tuple[AffineExpr, int], ...]) -> AffineExpr:
    """A constant plus expressions, each times a number."""
    result: AffineExpr | None = None
    for term, coefficient in terms:
        scaled = term if coefficient == 1 else term * coefficient
        result = scaled if result is None else _sum(result, scaled)
    if result is None:
        return AffineExpr.constant(constant)
    return result + constant if constant else result


def _sum(left: AffineExpr, right: AffineExpr) -> AffineExpr:
    """Two dimensions, or two symbols, stand in the order of their positions, as MLIR orders them."""
    match left, right:
        case (AffineDimExpr(), AffineDimExpr()) | (AffineSymExpr(), AffineSymExpr()) if left.position > right.position:
            return right + left
        case _:
            return left + right


def dimension_of(variable: Hashable) -> AffineExpr:
    """The dimension of a variable that is a number, for `to_affine`. Raises `TypeError` for any other variable."""
    if not isinstance(variable, int):
        raise TypeError(f"{variable} is no number of a dimension")
    return AffineExpr.dimension(variable)


def affine_text(expression: Linear) -> str:
    """An expression over numbered variables for a message: `d0 * 2 + d1`."""
    return str(to_affine(expression, dimension_of))
