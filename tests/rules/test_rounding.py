"""Rounding shifts: half up with the constant in the bias, at 64 bits, and half to even, of `f32` or `f64`."""

from __future__ import annotations

import pytest
import z3
from rule_proofs import elementwise, prove, prove_exhaustively

from vtac.errors import CompileError


@pytest.mark.parametrize("amount", range(1, 32))
def test_half_up_with_a_bias(amount: int) -> None:
    """(x + bias) + 2^(n-1) is one addition, of one or two immediates or of a tile."""
    half, bias = 1 << (amount - 1), 12345 * (amount - 16)
    lines = f"s = addi a {bias} : i32\nt = addi s {half} : i32\nu = shrsi t {amount} : i32\nv = maxsi u -128 : i32"
    prove(elementwise(f"{lines}\nw = minsi v 127 : i32\ny = trunci w : i32 to i8"), "packed")


def wide(multiplier: int, amount: int, rounding: int, kind: str = "i64") -> str:
    """x * multiplier + rounding, shifted right by `amount` at 64 bits, clamped to i8."""
    return f"""w = extsi a : i32 to {kind}
        p = muli w {multiplier} : {kind}
        r = addi p {rounding} : {kind}
        s = shrsi r {amount} : {kind}
        t = trunci s : {kind} to i32
        u = maxsi t -128 : i32
        v = minsi u 127 : i32
        y = trunci v : i32 to i8"""


@pytest.mark.parametrize("power", [0, 1, 15, 30, 31])
@pytest.mark.parametrize("amount", [2, 31, 32])
def test_rescaling_at_64_bits(power: int, amount: int) -> None:
    """TOSA's rescale by a power of two: also where the addition leaves 32 bits."""
    prove(elementwise(wide(1 << power, power + amount, 1 << (power + amount - 1))), "packed")


@pytest.mark.parametrize(("power", "amount", "rounding"), [(10, 50, 0), (10, 62, 1 << 40), (5, 40, -(1 << 39))])
def test_wide_shifts_by_more_than_a_word(power: int, amount: int, rounding: int) -> None:
    prove(elementwise(wide(1 << power, amount, rounding)), "compiled")


@pytest.mark.parametrize(
    ("multiplier", "amount", "rounding"),
    [
        (3 << 20, 30, 1 << 29),  # no power of two
        (1 << 31, 32, (1 << 63) - (1 << 32)),  # the sum may leave 64 bits
    ],
)
def test_what_wide_shifts_are_not(multiplier: int, amount: int, rounding: int) -> None:
    with pytest.raises(CompileError, match=r"shifts a 64-bit value right that does not fit 32 bits|no power of two"):
        prove(elementwise(wide(multiplier, amount, rounding)), "packed")


@pytest.mark.parametrize(("multiplier", "amount", "rounding"), [(1 << 8, 16, 1 << 7), (1 << 30, 20, 0)])
def test_wide_shifts_that_round_away_their_constant_or_leave_32_bits(
    multiplier: int, amount: int, rounding: int
) -> None:
    prove(elementwise(wide(multiplier, amount, rounding)), "packed")


def test_a_wide_shift_of_what_wrapped_before() -> None:
    lines = "s = shli a 8 : i32\nw = extsi s : i32 to i64\np = addi w 512 : i64\nq = shrsi p 9 : i64"
    prove(elementwise(f"{lines}\nt = trunci q : i64 to i32\nu = minsi t 100 : i32\ny = trunci u : i32 to i8"), "packed")


def quantised(amount: int, before: str = "b = addi a 0 : i32", kind: str = "f32") -> str:
    return f"""{before}
        f = sitofp b : i32 to {kind}
        m = mulf f {2.0**-amount!r} : {kind}
        r = math.roundeven m : {kind}
        l = maximumf r -128.0 : {kind}
        h = minimumf l 127.0 : {kind}
        y = fptosi h : {kind} to i8"""


@pytest.mark.parametrize("amount", [1, 2, 5, 8, 15, 16])
def test_half_to_even_of_16_bits(amount: int) -> None:
    text = elementwise(quantised(amount, "b = extsi a : i16 to i32"), ("i16",), shape="256x256")
    prove_exhaustively(text, "packed", host=True)


@pytest.mark.parametrize(("kind", "amount"), [("f32", 7), ("f64", 28)])
def test_half_to_even_of_almost_all_of_32_bits(kind: str, amount: int) -> None:
    """In `f32` these are rounded twice, which the clamp hides."""
    bounded = f"b = minsi a {(1 << 31) - 1 - (1 << (amount - 1))} : i32"
    prove(elementwise(quantised(amount, bounded, kind)), "packed")


def half_to_even(x: z3.BitVecRef, amount: int) -> z3.BitVecRef:
    """The definition: up for more than half, or for half and an odd quotient."""
    quotient = x >> amount
    rest, half = x - (quotient << amount), 1 << (amount - 1)
    is_up = z3.Or(z3.UGT(rest, z3.BitVecVal(half, 32)), z3.And(rest == half, (quotient & 1) == 1))
    return z3.If(is_up, quotient + 1, quotient)


def by_additions(x: z3.BitVecRef, amount: int) -> z3.BitVecRef:
    """The rule, in `vtac.partition.scaled_numbers`."""
    even = (((x >> amount) + 1) << 31) >> 31
    return (x + even + (1 << (amount - 1))) >> amount


@pytest.mark.parametrize("amount", range(1, 31))
def test_half_to_even_needs_no_more_than_its_condition(amount: int) -> None:
    """Exact for every x up to 2^31 - 1 - 2^(n-1); wrong for some x within the next two."""
    x, most = z3.BitVec("x", 32), (1 << 31) - 1 - (1 << (amount - 1))
    solver = z3.Solver()
    solver.set("timeout", 10_000)
    solver.add(x <= most, by_additions(x, amount) != half_to_even(x, amount))
    assert solver.check() == z3.unsat
    beyond = z3.Solver()
    beyond.add(x > most, x <= min(most + 2, (1 << 31) - 1), by_additions(x, amount) != half_to_even(x, amount))
    assert beyond.check() == z3.sat


@pytest.mark.parametrize("amount", [1, 7, 23])
def test_half_to_even_without_a_bound_is_declined(amount: int) -> None:
    with pytest.raises(CompileError, match=r"rounds half to even by .* bits a value between .* clamp first"):
        prove(elementwise(quantised(amount)), "packed")
