"""The algebra of index expressions against brute force: every value at every point."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.ir.affine import AffineBinaryOpExpr, AffineBinaryOpKind, AffineExpr

from vtac.analysis.expressions.affine_expressions import affine_text, dimension_of, from_affine, to_affine
from vtac.analysis.expressions.linear import Linear, relax

EXTENTS: Mapping[Hashable, int] = {0: 4, 1: 3, 2: 5}


def points() -> Iterator[tuple[int, ...]]:
    """Every point of the box."""
    return product(*(range(extent) for extent in EXTENTS.values()))


def leaves() -> st.SearchStrategy[AffineExpr]:
    """Dimensions and small constants."""
    return st.one_of(
        st.integers(0, len(EXTENTS) - 1).map(AffineExpr.dimension), st.integers(-6, 6).map(AffineExpr.constant)
    )


def added(left: AffineExpr, right: AffineExpr) -> AffineExpr:
    """left + right."""
    return left + right


def scaled(left: AffineExpr, factor: int) -> AffineExpr:
    """left * factor."""
    return left * factor


def divided(left: AffineExpr, divisor: int, kind: str) -> AffineExpr:
    """The quotient, rounded down or up, or the remainder."""
    if kind == "up":
        return left.ceil_div(divisor)
    return left // divisor if kind == "down" else left % divisor


def extended(inner: st.SearchStrategy[AffineExpr]) -> st.SearchStrategy[AffineExpr]:
    """Sums, multiples, quotients and remainders of expressions."""
    return st.one_of(
        st.builds(added, inner, inner),
        st.builds(scaled, inner, st.integers(-5, 5)),
        st.builds(divided, inner, st.integers(1, 7), st.sampled_from(["down", "up", "rest"])),
    )


EXPRESSIONS = st.recursive(leaves(), extended, max_leaves=8)


def linear(expression: AffineExpr) -> Linear:
    """The normal form over the box."""
    return from_affine(expression, [Linear.variable(v) for v in EXTENTS], [], EXTENTS)


def values(expression: Linear) -> list[int]:
    """The value at every point, by way of xDSL's own evaluation."""
    affine = to_affine(expression, dimension_of)
    return [affine.eval(list(point), []) for point in points()]


@given(EXPRESSIONS)
def test_the_normal_form_has_the_same_values(expression: AffineExpr) -> None:
    assert values(linear(expression)) == [expression.eval(list(point), []) for point in points()]


@given(EXPRESSIONS)
def test_bounds_hold_every_value(expression: AffineExpr) -> None:
    found = linear(expression)
    low, high = found.bounds(EXTENTS)
    every = values(found)
    assert low <= min(every)
    assert max(every) <= high
    if all(found.is_linear_in(variable) for variable in EXTENTS):
        assert (low, high) == (min(every), max(every))


@given(EXPRESSIONS, EXPRESSIONS, st.integers(-4, 4))
def test_sums_and_multiples(left: AffineExpr, right: AffineExpr, factor: int) -> None:
    first, second = linear(left), linear(right)
    pairs = list(zip(values(first), values(second), strict=True))
    assert values(first + second * factor) == [a + b * factor for a, b in pairs]
    assert values(first - second) == [a - b for a, b in pairs]
    assert (first + second) - second == first + (second - second)


@given(EXPRESSIONS, st.integers(1, 9))
def test_quotients_and_remainders_recombine(expression: AffineExpr, divisor: int) -> None:
    found = linear(expression)
    quotient, remainder = found.floor_divide(divisor, EXTENTS), found.modulo(divisor, EXTENTS)
    assert values(quotient) == [value // divisor for value in values(found)]
    assert values(remainder) == [value % divisor for value in values(found)]
    assert values(quotient * divisor + remainder) == values(found)


@given(EXPRESSIONS, st.integers(0, 2), st.integers(0, 3))
def test_substitution_of_a_number(expression: AffineExpr, variable: int, number: int) -> None:
    found = linear(expression)
    number = min(number, EXTENTS[variable] - 1)
    fixed = found.substitute({variable: Linear(number)}, EXTENTS)
    assert variable not in fixed.variables()
    every = dict(zip(points(), values(found), strict=True))
    for point, value in zip(points(), values(fixed), strict=True):
        assert value == every[(*point[:variable], number, *point[variable + 1 :])]


@given(EXPRESSIONS, st.sets(st.integers(0, 2)))
def test_relaxed_expressions_hold_every_value(expression: AffineExpr, inner: set[Hashable]) -> None:
    found = linear(expression)
    base, low, high = relax(found, inner, EXTENTS)
    assert not base.variables() & inner
    for value, start in zip(values(found), values(base), strict=True):
        assert start + low <= value <= start + high


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ((AffineExpr.dimension(0) * 3 + AffineExpr.dimension(1)) // 3, "d0"),
        ((AffineExpr.dimension(0) * 3 + AffineExpr.dimension(1)) % 3, "d1"),
        (AffineExpr.dimension(2) // 5, "0"),
        (AffineExpr.dimension(2) // 2 * 2 + AffineExpr.dimension(2) % 2, "d2"),
        (AffineExpr.dimension(2) // 2 // 2, "(d2 floordiv 4)"),
    ],
)
def test_ranges_take_quotients_away(expression: AffineExpr, text: str) -> None:
    assert affine_text(linear(expression)) == text


def test_division_by_a_variable_is_refused() -> None:
    with pytest.raises(ValueError, match="is not affine: it multiplies or divides by a variable"):
        linear(AffineBinaryOpExpr(AffineBinaryOpKind.Mul, AffineExpr.dimension(0), AffineExpr.dimension(1)))
    with pytest.raises(ValueError, match="divides by 0"):
        linear(AffineBinaryOpExpr(AffineBinaryOpKind.FloorDiv, AffineExpr.dimension(0), AffineExpr.constant(0)))


def test_equal_expressions_in_normal_form_are_equal() -> None:
    first = Linear.variable(0) * 2 + Linear.variable(1) + 3
    second = Linear(3) + Linear.variable(1) + Linear.variable(0) + Linear.variable(0)
    assert first == second
    assert hash(first) == hash(second)
    assert first.as_variable() is None
    assert (first - second + Linear.variable(1)).as_variable() == 1
