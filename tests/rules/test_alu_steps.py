"""Integer operations of 32 bits, and what becomes of their constants, for every value of the operands.

`compiled` proofs are about the instruction stream; `packed` ones about the device functions, whose single steps
the first test proves to be what the stream does.
"""

from __future__ import annotations

import pytest
from rule_proofs import elementwise, prove

LEAST, MOST = -(1 << 31), (1 << 31) - 1
EDGES = (LEAST, LEAST + 1, -65537, -65536, -32769, -32768, -1, 0, 1, 32767, 32768, 65534, 65535, MOST - 1, MOST)
"""Around what an immediate holds, two immediates hold, and 32 bits hold."""


@pytest.mark.parametrize("amount", range(32))
def test_shifts_are_what_the_machine_does(amount: int) -> None:
    """To the left by each amount, to the right by each amount."""
    lines = f"s = shli a {amount} : i32\nt = shrsi s {(7 * amount + 5) % 32} : i32\ny = trunci t : i32 to i8"
    prove(elementwise(lines), "compiled")


@pytest.mark.parametrize("name", ["addi", "maxsi", "minsi"])
@pytest.mark.parametrize("number", EDGES)
def test_numbers_of_any_size(name: str, number: int) -> None:
    """An immediate, two of them, or a tile."""
    level = "compiled" if number % 3 else "packed"
    prove(elementwise(f"s = {name} a {number} : i32\nt = shrsi s 8 : i32\ny = trunci t : i32 to i8"), level)


@pytest.mark.parametrize("number", EDGES[::2])
def test_numbers_are_subtracted_by_addition(number: int) -> None:
    prove(elementwise(f"s = subi a {number} : i32\nt = shrsi s 5 : i32\ny = trunci t : i32 to i8"), "packed")


@pytest.mark.parametrize(("first", "second"), list(zip(EDGES, [LEAST, -40000, 7, MOST] * 4, strict=False)))
def test_numbers_added_in_turn_are_added_at_once(first: int, second: int) -> None:
    """(x + a) + b = x + (a + b), also where either sum wraps; with comparisons between as they stand."""
    lines = f"s = addi a {first} : i32\nt = addi s {second} : i32\nu = addi t {first} : i32"
    prove(elementwise(f"{lines}\nv = maxsi u -77 : i32\nw = shrsi v 3 : i32\ny = trunci w : i32 to i8"), "packed")
    between = f"s = addi a {first} : i32\nt = maxsi s {second} : i32\nu = addi t {first} : i32\nv = shrsi u 3 : i32"
    prove(elementwise(f"{between}\ny = trunci v : i32 to i8"), "packed")


@pytest.mark.parametrize("power", range(31))
def test_products_with_powers_of_two_are_shifts(power: int) -> None:
    prove(elementwise(f"s = muli a {1 << power} : i32\nt = shrsi s 24 : i32\ny = trunci t : i32 to i8"), "packed")


@pytest.mark.parametrize("pair", [(-128, 127), (0, 127), (-5, 5), (5, -5), (LEAST, LEAST)])
@pytest.mark.parametrize(
    ("before", "first"), [(0, "maxsi"), (23, "minsi"), (24, "maxsi"), (25, "minsi"), (31, "maxsi")]
)
def test_clamps_with_and_without_bounds_that_decide(pair: tuple[int, int], before: int, first: str) -> None:
    """What the bounds after a shift make idle is dropped, and truncations of what fits."""
    low, high = pair
    second = "minsi" if first == "maxsi" else "maxsi"
    lines = f"s = shrsi a {before} : i32\nt = {first} s {low} : i32\nu = {second} t {high} : i32"
    prove(elementwise(f"{lines}\ny = trunci u : i32 to i8"), "packed")


@pytest.mark.parametrize("predicate", ["sgt", "sge", "slt", "sle"])
@pytest.mark.parametrize("order", ["a 5", "5 a"])
@pytest.mark.parametrize("exchanged", [False, True])
def test_selections_by_comparison_are_extrema(predicate: str, order: str, *, exchanged: bool) -> None:
    left, right = ("a", "k") if order == "a 5" else ("k", "a")
    chosen = f"{right} {left}" if exchanged else f"{left} {right}"
    body = f"k = addi 2 3 : i32\nc = cmpi {predicate}, {left} {right} : i32\nd = select c {chosen} : i32"
    prove(elementwise(f"{body}\ny = trunci d : i32 to i8"), "packed")


@pytest.mark.parametrize("body", ["s = addi a b : i32", "s = maxsi a b : i32", "s = minsi b a : i32"])
def test_two_tensors(body: str) -> None:
    prove(elementwise(f"{body}\nt = shrsi s 9 : i32\ny = trunci t : i32 to i8", ("i32", "i32")), "compiled")


@pytest.mark.parametrize("kind", ["i8", "i16", "i1"])
@pytest.mark.parametrize("extension", ["extsi", "extui"])
@pytest.mark.parametrize("number", [-128, 99])
def test_wrapping_to_fewer_bits(kind: str, extension: str, number: int) -> None:
    lines = f"s = trunci a : i32 to {kind}\nt = {extension} s : {kind} to i32\nu = maxsi t {number} : i32"
    prove(elementwise(f"{lines}\nv = shrsi u 1 : i32\ny = trunci v : i32 to i8"), "packed")


@pytest.mark.parametrize("kind", ["i8", "i16"])
@pytest.mark.parametrize("operation", ["addi", "subi", "muli", "shli", "shrsi", "maxsi", "minsi"])
@pytest.mark.parametrize("number", [3, 6])
def test_arithmetic_of_few_bits_wraps_there(kind: str, operation: str, number: int) -> None:
    lines = f"s = trunci a : i32 to {kind}\nt = {operation} s {number if operation != 'muli' else 1 << number} : {kind}"
    last = "y = minsi u 9 : i8" if kind == "i8" else "v = minsi u 9 : i16\ny = trunci v : i16 to i8"
    prove(elementwise(f"{lines}\nu = addi t 100 : {kind}\n{last}"), "packed")


@pytest.mark.parametrize(("kind", "amount"), [("i8", 7), ("i16", 15), ("i32", 31), ("i64", 63)])
def test_operations_on_constants_wrap_at_their_width(kind: str, amount: int) -> None:
    """1 << 31 is the lowest number of i32; shifted back it is -1."""
    widened = (
        "s = addi d 0 : i32" if kind == "i32" else f"s = {'trunci' if kind == 'i64' else 'extsi'} d : {kind} to i32"
    )
    for lines in (
        f"c = shli 1 {amount} : {kind}",
        f"c = muli {1 << (amount - 1)} 2 : {kind}",
        f"c = addi {1 << (amount - 1)} {1 << (amount - 1)} : {kind}",
    ):
        body = f"{lines}\nd = shrsi c {amount} : {kind}\n{widened}\nt = addi a s : i32\ny = trunci t : i32 to i8"
        prove(elementwise(body), "packed")


@pytest.mark.parametrize("name", ["maxsi", "minsi"])
@pytest.mark.parametrize("number", [-(1 << 40), 1 << 40, -(1 << 31) - 1, 1 << 31])
def test_bounds_that_32_bits_do_not_hold(name: str, number: int) -> None:
    lines = f"w = extsi a : i32 to i64\ns = {name} w {number} : i64\nt = trunci s : i64 to i32\nu = addi t a : i32"
    prove(elementwise(f"{lines}\ny = trunci u : i32 to i8"), "packed")
