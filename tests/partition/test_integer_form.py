"""Scalar expressions as ALU trees: the same numbers, for every value where that is claimed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from xdsl.dialects.builtin import f32, i8, i32, i64

from vtac.partition.alu_trees import DeclineError, Number, Step, Tree, low_bits
from vtac.partition.expressions import Apply, Element, Expression, Literal
from vtac.partition.integer_form import integer_form
from vtac.partition.scaled_numbers import round_half_even

X = Element("x", (0,), i32)


def run(tree: Tree | None, x: NDArray[np.int64]) -> NDArray[np.int64]:
    """A tree in 32-bit arithmetic that wraps."""
    if not isinstance(tree, Step):
        return x
    source = run(tree.source, x)
    operand = tree.operand if isinstance(tree.operand, int) else run(tree.operand, x)
    results = {
        "add": lambda: source + operand,
        "max": lambda: np.maximum(source, operand),
        "min": lambda: np.minimum(source, operand),
        "shr": lambda: source >> operand,
        "shl": lambda: source << operand,
        "scale": lambda: source * operand,
    }
    return results[tree.name]().astype(np.int32).astype(np.int64)


@pytest.mark.parametrize("amount", range(1, 24))
def test_half_to_even(amount: int) -> None:
    step = max(1, (1 << amount) // 64)
    x = np.arange(-(1 << (amount + 3)), 1 << (amount + 3), step, dtype=np.int64)
    number = round_half_even(Number(X, -(1 << 28), 1 << 28), amount)
    np.testing.assert_array_equal(run(number.tree, x), np.rint(x / 2.0**amount).astype(np.int64))


def test_half_to_even_without_a_bound_is_declined() -> None:
    with pytest.raises(DeclineError, match="bound the bias, or clamp first"):
        round_half_even(Number(X, -(1 << 31), (1 << 31) - 1), 4)


@settings(max_examples=60)
@given(st.integers(-(1 << 31), (1 << 31) - 1), st.sampled_from([2, 5, 8, 16, 31]))
def test_a_rounded_64_bit_product_stays_within_32_bits(value: int, amount: int) -> None:
    """(x * 2^30 + 2^(n-1)) >> n at 64 bits, as TOSA's rescale has it, also where x + half would wrap."""
    whole = Apply("arith.muli", (Apply("arith.extsi", (X,), i64), Literal(1 << 30, i64)), i64)
    half = Apply("arith.addi", (whole, Literal(1 << (29 + amount), i64)), i64)
    shifted = Apply("arith.shrsi", (half, Literal(30 + amount, i64)), i64)
    number = integer_form(Apply("arith.trunci", (shifted,), i32), lambda _: (-(1 << 31), (1 << 31) - 1))
    expected = (value + (1 << (amount - 1))) >> amount
    assert run(number.tree, np.array([value]))[0] == expected


def test_wrapping_to_8_bits_that_is_looked_at_again() -> None:
    x = np.arange(-1000, 1000, dtype=np.int64)
    number = low_bits(Number(X, -1000, 1000), 8)
    np.testing.assert_array_equal(run(number.tree, x), x.astype(np.int8))


def test_clamps_that_the_bounds_make_idle_go() -> None:
    clamped = Apply("arith.minsi", (Apply("arith.maxsi", (X, Literal(-200, i32)), i32), Literal(127, i32)), i32)
    number = integer_form(clamped, lambda _: (-100, 500))
    assert number.tree == Step("min", X, 127)
    assert (number.low, number.high) == (-100, 127)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (Apply("arith.addf", (X, X), f32), "it takes an integer as a floating-point number"),
        (Apply("arith.sitofp", (X,), f32), "its result is floating point, which the VTA does not have"),
        (Apply("arith.shli", (X, Literal(40, i32)), i32), "'arith.shli' by 40 is undefined for i32"),
        (
            Apply("arith.fptosi", (Apply("arith.sitofp", (X,), f32),), i8),
            "f32 rounds integers above 2^24, and the result is not limited to 16777216",
        ),
        (
            Apply("arith.shrsi", (Apply("arith.addi", (Element("y", (0,), i64),) * 2, i64), Literal(3, i64)), i64),
            "it shifts a 64-bit value right that does not fit 32 bits",
        ),
    ],
)
def test_what_has_no_integer_form(expression: Expression, reason: str) -> None:
    with pytest.raises(DeclineError) as refusal:
        integer_form(expression, lambda _: (-(1 << 31), (1 << 31) - 1))
    assert str(refusal.value).startswith(reason)


NARROW = Element("n", (0,), i8)
BYTES = np.arange(-128, 128, dtype=np.int64)


def byte_form(expression: Expression) -> Number:
    return integer_form(expression, lambda _: (-128, 127))


@pytest.mark.parametrize("factor", [-128, -3, -1, 3, 64, 100])
def test_a_factor_of_an_i8_element_is_one_step(factor: int) -> None:
    number = byte_form(Apply("arith.muli", (Apply("arith.extsi", (NARROW,), i32), Literal(factor, i32)), i32))
    assert number.tree == Step("scale", NARROW, factor)
    assert (number.low, number.high) == tuple(sorted((-128 * factor, 127 * factor)))


@pytest.mark.parametrize("shift", range(20))
@pytest.mark.parametrize("bound", [-7, 40000])
def test_negation_moves_to_the_elements(shift: int, bound: int) -> None:
    """0 - ((n << shift) + bound), and of its maximum with a number where that cannot wrap."""
    wide = Apply("arith.extsi", (NARROW,), i32)
    inner = Apply("arith.addi", (Apply("arith.shli", (wide, Literal(shift, i32)), i32), Literal(bound, i32)), i32)
    number = byte_form(Apply("arith.subi", (Literal(0, i32), inner), i32))
    np.testing.assert_array_equal(run(number.tree, BYTES), -((BYTES << shift) + bound))
    if shift <= 7:
        larger = Apply("arith.maxsi", (inner, Literal(5, i32)), i32)
        number = byte_form(Apply("arith.subi", (Literal(1, i32), larger), i32))
        np.testing.assert_array_equal(run(number.tree, BYTES), 1 - np.maximum((BYTES << shift) + bound, 5))


def test_what_may_wrap_is_not_negated_inside_of_a_maximum() -> None:
    wide = Apply("arith.shli", (Apply("arith.extsi", (NARROW,), i32), Literal(24, i32)), i32)
    larger = Apply("arith.maxsi", (wide, Literal(-5, i32)), i32)
    with pytest.raises(DeclineError, match="it subtracts one tensor from another"):
        byte_form(Apply("arith.subi", (Literal(0, i32), larger), i32))
