"""Quotients and remainders without what never carries into them: of the same values, and of fewer terms."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from vtac.analysis.expressions.coarse_divisions import coarse
from vtac.analysis.expressions.linear import Linear

EXTENTS: dict[Hashable, int] = {"s": 7, "l": 8}
STEP, LANE = Linear.variable("s"), Linear.variable("l")


def value(expression: Linear, at: dict[Hashable, int]) -> int:
    found = expression.substitute({name: Linear(number) for name, number in at.items()}, {})
    assert found.is_constant
    return found.constant


def test_lanes_that_never_carry_go() -> None:
    numerator = STEP * 64 + LANE * 8 + 128
    assert coarse(numerator.floor_divide(256, EXTENTS), EXTENTS) == (STEP + 2).floor_divide(4, EXTENTS)
    wanted = (STEP + 2).modulo(4, EXTENTS) * 64 + LANE * 8
    assert coarse(numerator.modulo(256, EXTENTS), EXTENTS) == wanted


def test_lanes_that_carry_stay() -> None:
    numerator = STEP * 64 + LANE * 16
    for found in (numerator.floor_divide(256, EXTENTS), numerator.modulo(256, EXTENTS)):
        assert coarse(found, EXTENTS) == found


def test_a_quotient_inside_a_remainder_is_settled_first() -> None:
    inner = (STEP * 64 + LANE * 8).floor_divide(128, EXTENTS)
    assert coarse(inner.modulo(3, EXTENTS), EXTENTS) == STEP.floor_divide(2, EXTENTS).modulo(3, EXTENTS)


@settings(max_examples=200)
@given(st.lists(st.integers(-40, 40), min_size=2, max_size=2), st.integers(-50, 50), st.integers(2, 48), st.booleans())
def test_every_value_is_kept(factors: list[int], constant: int, divisor: int, quotient: bool) -> None:
    numerator = STEP * factors[0] + LANE * factors[1] + constant
    divided = numerator.floor_divide(divisor, EXTENTS) if quotient else numerator.modulo(divisor, EXTENTS)
    found = coarse(divided, EXTENTS)
    for step, lane in product(range(7), range(8)):
        at: dict[Hashable, int] = {"s": step, "l": lane}
        assert value(found, at) == value(divided, at)
