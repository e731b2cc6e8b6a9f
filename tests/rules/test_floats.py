"""Floating point that is integers times powers of two: IEEE arithmetic against integers, for every input."""

from __future__ import annotations

import re

import pytest
from rule_proofs import elementwise, prove, prove_exhaustively

from vtac.errors import CompileError

ENDS = "r = math.roundeven m : f32\nl = maximumf r -100.0 : f32\nh = minimumf l 100.0 : f32\ny = fptosi h : f32 to i8"


def prove_bytes(lines: str, inputs: int = 1) -> None:
    """Lines that end in `m`, a float, rounded half to even and clamped."""
    prove_exhaustively(elementwise(f"{lines}\n{ENDS}", ("i8",) * inputs, shape="256x256"), "packed")


@pytest.mark.parametrize("scale", ["0.5", "2.0", "-3.0", "0.00390625", "-0.375"])
@pytest.mark.parametrize("operation", ["mulf", "divf"])
def test_scales(scale: str, operation: str) -> None:
    """An i8 element times a number of up to 7 bits, or divided by a power of two."""
    if operation == "divf" and scale not in ("0.5", "2.0", "0.00390625"):
        with pytest.raises(CompileError, match="is no power of two"):
            prove_bytes(f"f = sitofp a : i8 to f32\nm = divf f {scale} : f32")
        return
    prove_bytes(f"f = sitofp a : i8 to f32\nm = {operation} f {scale} : f32")


@pytest.mark.parametrize("operation", ["addf", "subf", "maximumf", "minimumf", "maxnumf", "minnumf"])
@pytest.mark.parametrize("scales", [("0.5", "0.125"), ("0.0625", "1.0"), ("4.0", "0.25")])
def test_two_quantised_tensors(operation: str, scales: tuple[str, str]) -> None:
    left, right = (
        f"f{one} = sitofp {one} : i8 to f32\ng{one} = mulf f{one} {scale} : f32"
        for one, scale in zip("ab", scales, strict=True)
    )
    prove_exhaustively(
        elementwise(f"{left}\n{right}\nm = {operation} ga gb : f32\n{ENDS}", ("i8", "i8"), shape="256x256"), "packed"
    )


@pytest.mark.parametrize("number", ["0.5", "-7.5", "6.0", "0.0", "0.5000000149011612", "16777216.0"])
@pytest.mark.parametrize("operation", ["addf", "subf", "maximumf", "minimumf"])
def test_numbers(operation: str, number: str) -> None:
    """The fifth is half a unit in the last place above 0.5: a number is what its type holds of it."""
    first = f"f = sitofp a : i8 to f32\ng = mulf f 0.0625 : f32\nm = {operation} g {number} : f32"
    try:
        prove_bytes(first)
    except CompileError as refusal:
        assert number in ("16777216.0", "0.5000000149011612") and "2^" in str(refusal)


@pytest.mark.parametrize("predicate", ["ogt", "oge", "olt", "ole", "ugt", "uge", "ult", "ule"])
def test_selections(predicate: str) -> None:
    first = (
        f"f = sitofp a : i8 to f32\nk = sitofp b : i8 to f32\nc = cmpf {predicate}, f k : f32\nm = select c f k : f32"
    )
    prove_bytes(first, 2)


@pytest.mark.parametrize("number", ["0.0", "128.0", "255.0"])
def test_unsigned_bytes(number: str) -> None:
    lines = f"f = uitofp a : i8 to f32\ng = minimumf f {number} : f32\ny = fptoui g : f32 to i8"
    prove_exhaustively(elementwise(lines, ("i8",), shape="256x256"), "packed")


@pytest.mark.parametrize(("kind", "bound"), [("f32", 1 << 24), ("f32", (1 << 24) - 1), ("f64", 127)])
def test_large_integers_are_limited_by_a_clamp(kind: str, bound: int) -> None:
    """f32 rounds what is larger than 2^24; a clamp to that or less hides it."""
    lines = f"f = sitofp a : i32 to {kind}\ng = minimumf f {bound}.0 : {kind}\nh = maximumf g -{bound}.0 : {kind}"
    prove(elementwise(f"{lines}\ny = fptosi h : {kind} to i32", result="i32"), "packed")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("g = mulf f 8.0 : f32\nr = math.roundeven g : f32\nh = minimumf r 9.0 : f32", "by 2^3"),
        ("g = maximumf f 0.5 : f32\nr = math.roundeven g : f32\nh = minimumf r 9.0 : f32", "by 2^1"),
        ("g = minimumf f 33554432.0 : f32\nh = maximumf g 0.0 : f32", "is not limited to"),
        ("n = trunci a : i32 to i8\ng = sitofp n : i8 to f32\nh = maximumf f g : f32", "is not limited to"),
        ("h = addf f 1.0 : f32", "exceed 2^24"),
        (f"g = mulf f {2.0**-120!r} : f32\nh = mulf g {2.0**-60!r} : f32", "may lose"),
        (f"h = mulf f {2.0**97!r} : f32", "may lose"),
        ("h = mulf f 0.5 : f32", "rounds toward zero"),
    ],
)
def test_what_may_round_is_declined(lines: str, reason: str) -> None:
    with pytest.raises(CompileError, match=re.escape(reason)):
        prove(elementwise(f"f = sitofp a : i32 to f32\n{lines}\ny = fptosi h : f32 to i32", result="i32"), "packed")
