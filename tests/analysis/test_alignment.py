"""What alignment analysis proves of index expressions, against all values that they take."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtac.analysis.expressions.linear import Linear, Quotient, Remainder
from vtac.analysis.kernels.alignment import NoVector, VectorAccess, lane_step, multiple_of, vector_access

LANE = "lane"
EXTENTS: Mapping[Hashable, int] = {"x": 5, "y": 3, LANE: 4}
X, Y, V = (Linear.variable(name) for name in ("x", "y", LANE))


def value(expression: Linear, at: Mapping[Hashable, int]) -> int:
    """An expression at one point, worked out from its definition."""
    total = expression.constant
    for atom, coefficient in expression.terms.items():
        if isinstance(atom, Quotient):
            total += coefficient * (value(atom.numerator, at) // atom.divisor)
        elif isinstance(atom, Remainder):
            total += coefficient * (value(atom.numerator, at) % atom.divisor)
        else:
            total += coefficient * at[atom]
    return total


POINTS: list[dict[Hashable, int]] = [
    dict(zip(EXTENTS, point, strict=True)) for point in product(*(range(extent) for extent in EXTENTS.values()))
]


@st.composite
def expressions(draw: st.DrawFn, depth: int = 2) -> Linear:
    """Sums of multiples of variables and of quotients and remainders of such sums."""
    result = Linear(draw(st.integers(-3, 12)))
    for variable in (X, Y, V):
        result = result + variable * draw(st.sampled_from((0, 1, -1, 2, 4, 8, 12)))
    if depth and draw(st.booleans()):
        inner, divisor = draw(expressions(depth - 1)), draw(st.sampled_from((2, 3, 4, 8, 12)))
        whole = inner.floor_divide(divisor, EXTENTS)
        part = inner.modulo(divisor, EXTENTS)
        result = result + (whole if draw(st.booleans()) else part) * draw(st.sampled_from((1, 4, 24)))
    return result


@settings(max_examples=300)
@given(expressions())
def test_what_is_proven_is_true(expression: Linear) -> None:
    multiple = multiple_of(expression, EXTENTS)
    values = [value(expression, point) for point in POINTS]
    assert all(found % multiple == 0 if multiple else found == 0 for found in values)
    step = lane_step(expression, LANE, EXTENTS)
    if step is not None:
        assert all(
            value(expression, point) == value(expression, point | {LANE: 0}) + step * int(point[LANE])
            for point in POINTS
        )


@pytest.mark.parametrize(
    ("expression", "multiple"),
    [
        (X * 12 + Y * 8 + 4, 4),
        (Linear(0), 0),
        ((X * 24).floor_divide(16, EXTENTS) * 6, 6),
        ((X * 48).modulo(32, EXTENTS), 16),
        ((X * 4 + Y).modulo(8, EXTENTS) * 2, 2),
        (Linear.variable(Quotient(X * 32, 8)), 4),
    ],
    ids=str,
)
def test_multiples(expression: Linear, multiple: int) -> None:
    assert multiple_of(expression, EXTENTS) == multiple


@pytest.mark.parametrize(
    ("expression", "step"),
    [
        (X * 4 + V, 1),
        (X, 0),
        (V * 3 - X, 3),
        ((X * 4 + V).floor_divide(8, EXTENTS), 0),
        ((X * 4 + V).modulo(8, EXTENTS), 1),
        ((X * 4 + V + 1).modulo(8, EXTENTS), None),
        ((X * 2 + V).floor_divide(8, EXTENTS), None),
        ((X * 8 - V + 3).modulo(8, EXTENTS), -1),
        ((X * 8 - V).modulo(16, EXTENTS), None),
    ],
    ids=str,
)
def test_steps_from_lane_to_lane(expression: Linear, step: int | None) -> None:
    assert lane_step(expression, LANE, EXTENTS) == step


def access(rows: Linear, columns: Linear, *, pitch: int = 16, padded: bool = False) -> VectorAccess | NoVector:
    """Four lanes of a buffer of 3 x 16 elements."""
    return vector_access((rows, columns), (3, 16), (pitch, 1), LANE, EXTENTS, padded=padded)


def test_a_vector_of_a_window() -> None:
    """Channels of two pixels of a window, one above the other: lanes stay within a pixel."""
    depth = X * 4 + V
    found = access(Y + depth.floor_divide(8, EXTENTS), depth.modulo(8, EXTENTS), padded=True)
    assert isinstance(found, VectorAccess)
    assert found.indices == (Y + (X * 4).floor_divide(8, EXTENTS), (X * 4).modulo(8, EXTENTS))


@pytest.mark.parametrize(
    ("rows", "columns", "pitch", "padded", "reason"),
    [
        (Y, V * 2, 16, False, NoVector(2, 16)),
        (Y, V + 2, 16, False, NoVector(1, 2)),
        (Y, V, 18, False, NoVector(1, 18)),
        (V, Y, 16, False, NoVector(16, 1)),
        (Y, X * 4 + V - 8, 16, True, VectorAccess((Y, X * 4 - 8), Y * 16 + X * 4 - 8)),
        (Y - 1, X * 4 + V - 6, 18, True, NoVector(1, 2)),
    ],
    ids=["stride", "start", "pitch", "rows", "whole vectors of padding", "padding within a vector"],
)
def test_lanes_that_are_a_vector(
    rows: Linear, columns: Linear, pitch: int, *, padded: bool, reason: VectorAccess | NoVector
) -> None:
    assert access(rows, columns, pitch=pitch, padded=padded) == reason


def test_a_vector_over_the_edge() -> None:
    """Aligned as a whole, but rows of 18 elements end within a vector."""
    found = vector_access((Y, X * 4 + V), (3, 18), (20, 1), LANE, EXTENTS, padded=True)
    assert found == NoVector(1, 4, splits_edge=True)
