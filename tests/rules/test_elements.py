"""i8 elements that GEMM brings to the accumulators: factors, differences, negation, sums in another order."""

from __future__ import annotations

import pytest
from rule_proofs import elementwise, prove, prove_exhaustively

from vtac.errors import CompileError

LEAST = -(1 << 31)


def of_bytes(lines: str, inputs: int = 2) -> str:
    """Lines on i32 values `l`, `r`, ... of i8 elements that end in an i32 `t`; its low byte, and those above."""
    names = "lr"[:inputs]
    widened = "\n".join(f"{wide} = extsi {one} : i8 to i32" for wide, one in zip(names, "ab", strict=False))
    return f"{widened}\n{lines}\nu = shrsi t 3 : i32\ny = trunci u : i32 to i8"


@pytest.mark.parametrize("factor", [-128, -3, 0, 1, 127])
def test_factors_that_a_weight_holds(factor: int) -> None:
    body = of_bytes(f"p = muli l {factor} : i32\nt = addi p r : i32")
    prove(elementwise(body, ("i8", "i8")), "compiled")


@pytest.mark.parametrize("factor", [-256, -129, 128, 1000, 1 << 20, LEAST])
def test_factors_that_no_weight_holds(factor: int) -> None:
    """Powers of two are shifts, of the negated element too; others are declined."""
    text = elementwise(of_bytes(f"p = muli l {factor} : i32\nt = addi p r : i32"), ("i8", "i8"))
    if abs(factor) & (abs(factor) - 1):
        with pytest.raises(CompileError, match="which is no power of two"):
            prove(text, "packed")
    else:
        prove(text, "packed")


@pytest.mark.parametrize("first", [-3, 2, 127])
@pytest.mark.parametrize("second", [-2, 3, 64])
def test_factors_of_factors(first: int, second: int) -> None:
    text = elementwise(of_bytes(f"p = muli l {first} : i32\nt = muli p {second} : i32", 1), ("i8",))
    try:
        prove(text, "packed")
    except CompileError:
        assert not -128 <= first * second <= 127


@pytest.mark.parametrize("kind", ["i8", "i16"])
@pytest.mark.parametrize("factor", [-128, -5, 3, 64, 127])
def test_products_of_few_bits_wrap_there(kind: str, factor: int) -> None:
    wide = "w = addi a 0 : i8" if kind == "i8" else "w = extsi a : i8 to i16"
    lines = f"{wide}\np = muli w {factor} : {kind}\nq = addi p 100 : {kind}\nr = shrsi q 2 : {kind}"
    last = "y = addi r 0 : i8" if kind == "i8" else "y = trunci r : i16 to i8"
    prove_exhaustively(elementwise(f"{lines}\n{last}", ("i8",), shape="256x256"), "packed")


@pytest.mark.parametrize("amount", range(0, 24, 3))
def test_differences_of_shifted_elements(amount: int) -> None:
    body = of_bytes(f"p = shli r {amount} : i32\nq = addi p 77777 : i32\nt = subi l q : i32")
    prove(elementwise(body, ("i8", "i8")), "compiled" if amount % 2 else "packed")


@pytest.mark.parametrize("name", ["maxsi", "minsi"])
@pytest.mark.parametrize("number", [LEAST, LEAST + 1, -65537, -65536, -5, 0, 65536, 65537, (1 << 31) - 1])
@pytest.mark.parametrize("added", [65536])
def test_differences_of_extrema(name: str, number: int, added: int) -> None:
    """x - max(r, n) is x + min(-r, -n), but for the lowest number, which has no negation."""
    lines = f"s = addi r {added} : i32\nm = {name} s {number} : i32\nn = addi m 5 : i32\nt = subi l n : i32"
    try:
        prove(elementwise(of_bytes(lines), ("i8", "i8")), "packed")
    except CompileError as refusal:
        assert abs(number) > 1 << 30 and "subtracts one tensor" in str(refusal)


def test_differences_of_what_may_be_the_lowest_number_inside_of_an_extremum() -> None:
    lines = "p = shli r 24 : i32\nm = maxsi p -5 : i32\nt = subi l m : i32"
    with pytest.raises(CompileError, match="it subtracts one tensor from another"):
        prove(elementwise(of_bytes(lines), ("i8", "i8")), "packed")


@pytest.mark.parametrize(
    "lines",
    [
        "p = addi l r : i32\nt = addi c p : i32",
        "p = subi l r : i32\nq = subi p r : i32\nt = addi q c : i32",
        "p = addi c 123456 : i32\nq = subi p l : i32\nv = addi q r : i32\nt = subi v r : i32",
        "p = addi l c : i32\nq = maxsi p r : i32\nt = addi q p : i32",
    ],
)
def test_sums_in_another_order(lines: str) -> None:
    """GEMM adds elements onto what is loaded, whichever order the sum has; a part used twice is one term."""
    prove(elementwise(of_bytes(lines), ("i8", "i8", "i32")), "compiled")


@pytest.mark.parametrize("inner", ["q = maxsi l r : i32", "q = minsi l r : i32"])
def test_computed_bytes_are_stored_to_be_subtracted(inner: str) -> None:
    lines = f"{inner}\nn = trunci q : i32 to i8\nw = extsi n : i8 to i32\nt = subi l w : i32"
    prove(elementwise(of_bytes(lines), ("i8", "i8")), "packed")


@pytest.mark.parametrize("kind", ["i8", "i32"])
def test_loads_of_bytes_into_accumulators(kind: str) -> None:
    """The 8-bit load of simulators, too, extends the sign."""
    first = "l = extsi a : i8 to i32" if kind == "i8" else "l = addi a 1 : i32"
    prove(elementwise(f"{first}\nm = maxsi l -9 : i32\ny = trunci m : i32 to i8", (kind,)), "compiled", acc_8bit=True)
