"""Digits of iterations, stepped one by one, against the numbers themselves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vtac.analysis.expressions.counters import Counters, Digit, digit_of
from vtac.analysis.expressions.linear import Linear, Quotient, Remainder

DIGITS = st.builds(
    Digit,
    st.sampled_from([1, 2, 3, 5, 6, 9, 15]),
    st.one_of(st.none(), st.sampled_from([2, 3, 5])),
    st.integers(0, 20),
)


def value(digit: Digit, iteration: int) -> int:
    whole = (iteration + digit.offset) // digit.period
    return whole if digit.wrap is None else whole % digit.wrap


def stepped(counters: Counters, now: dict[Digit, int]) -> dict[Digit, int]:
    """All digits after an iteration, each assigned before those that come after it in the counters' order."""
    for digit in counters.order:
        if any(now[one] + 1 != one.wrap for one in counters.turns(digit)):
            continue
        follows = counters.follows(digit)
        up = now[digit] + 1
        now[digit] = now[follows] if follows is not None else 0 if up == digit.wrap else up
    return now


@given(st.lists(DIGITS, min_size=1, max_size=5))
def test_digits_step_as_the_numbers_do(digits: list[Digit]) -> None:
    counters = Counters(digits)
    now = {digit: digit.start for digit in counters.order}
    assert set(digits) <= set(now)
    for iteration in range(60):
        assert now == {digit: value(digit, iteration) for digit in now}
        now = stepped(counters, now)


def test_a_digit_without_others_brings_the_one_that_ends_it() -> None:
    assert Counters([Digit(9, None, 3)]).order == [Digit(9, None, 3), Digit(1, 9, 3)]


def test_digits_of_one_number_need_no_others() -> None:
    digits = [Digit(1, 3, 0), Digit(3, 3, 3), Digit(9, None, 3)]
    counters = Counters(digits)
    assert counters.order == digits[::-1]
    assert counters.turns(digits[2]) == [digits[1], digits[0]]


def test_one_digit_follows_another() -> None:
    here, ahead = Digit(1, 3, 0), Digit(1, 3, 2)
    counters = Counters([here, ahead])
    assert counters.order == [ahead, here]
    assert (counters.follows(ahead), counters.follows(here)) == (here, None)


def test_what_is_a_digit() -> None:
    step = Linear.variable("step")
    third = Linear.variable(Quotient(step, 3))
    assert digit_of(Quotient(step + 3, 9), "step") == Digit(9, None, 3)
    assert digit_of(Remainder(step + 2, 4), "step") == Digit(1, 4, 2)
    assert digit_of(Remainder(third + 1, 3), "step") == Digit(3, 3, 3)
    for atom in ("step", Remainder(step * 2, 3), Remainder(step + Linear.variable("thread"), 3), Quotient(step, 3)):
        assert digit_of(atom, "thread") is None
    assert digit_of(Remainder(third * 2, 3), "step") is None
    assert digit_of(Remainder(third + step, 3), "step") is None
