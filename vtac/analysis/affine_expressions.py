"""Index expressions as affine expressions of MLIR, and as texts."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache

from xdsl.ir.affine import (
    AffineDimExpr,
    AffineExpr,
    AffineSymExpr,
)

from vtac.analysis.linear import Linear, Quotient, Remainder


def to_affine(expression: Linear, place: Callable[[Hashable], AffineExpr]) -> AffineExpr:
    """The expression as an affine expression; `place` gives each variable's dimension or symbol."""
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
