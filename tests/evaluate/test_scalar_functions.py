"""Divisions and the functions of the math dialect, against Python."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from vtac.evaluate import EvaluationError, evaluate
from vtac.text.source import parse

NUMBERS = (-128, -127, -7, -1, 0, 1, 3, 126, 127)
DIVISORS = (-128, -3, -2, 1, 2, 5, 127)

DIVISIONS: dict[str, Callable[[int, int], int]] = {
    "divsi": lambda a, b: math.trunc(Fraction(a, b)),
    "floordivsi": lambda a, b: a // b,
    "ceildivsi": lambda a, b: math.ceil(Fraction(a, b)),
    "remsi": lambda a, b: a - b * math.trunc(Fraction(a, b)),
    "divui": lambda a, b: (a & 0xFF) // (b & 0xFF),
    "ceildivui": lambda a, b: math.ceil(Fraction(a & 0xFF, b & 0xFF)),
    "remui": lambda a, b: (a & 0xFF) % (b & 0xFF),
}
FUNCTIONS: dict[str, Callable[[float], float]] = {
    "math.exp %x0": math.exp,
    "math.tanh %x0": math.tanh,
    "math.erf %x0": math.erf,
    "math.rsqrt %x0": lambda x: 1 / math.sqrt(x),
    "arith.negf %x0": lambda x: -x,
    "math.powf %x0, %x0": lambda x: math.pow(x, x),
}


ROUNDED = {-2.5: -3.0, -0.5: -1.0, -0.25: -0.0, 0.49999997: 0.0, 0.5: 1.0, 1.5: 2.0, 8388609.0: 8388609.0}
"""Halves go away from zero; what is almost a half goes to zero, and large numbers are integers already."""
COUNTS: dict[str, list[int]] = {"ctlz": [8, 0, 7, 1, 0], "cttz": [8, 0, 0, 6, 7], "ctpop": [0, 8, 1, 1, 1]}
"""Of 0, -1, 1, 64 and -128."""


def run(body: str, kind: str, *arrays: NDArray[np.generic], result: str = "%y") -> NDArray[np.generic]:
    shaped = f"tensor<{arrays[0].size}x{kind}>"
    names = [f"%a{i}" for i in range(len(arrays))]
    arguments = ", ".join(f"{name}: {shaped}" for name in names)
    maps = ", ".join(["affine_map<(i) -> (i)>"] * (len(arrays) + 1))
    elements = ", ".join(f"%x{i}: {kind}" for i in range(len(arrays)))
    found = evaluate(
        parse(f"""
func.func @f({arguments}) -> {shaped} {{
  %e = tensor.empty() : {shaped}
  %r = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel"]}}
    ins({", ".join(names)} : {", ".join([shaped] * len(arrays))}) outs(%e : {shaped}) {{
  ^bb0({elements}, %o: {kind}):
    %y = {body} : {kind}
    linalg.yield {result} : {kind}
  }} -> {shaped}
  func.return %r : {shaped}
}}
"""),
        *arrays,
    )
    assert isinstance(found, np.ndarray)
    return found


@pytest.mark.parametrize("name", DIVISIONS)
def test_divisions(name: str) -> None:
    exact = DIVISIONS[name]
    pairs = [(a, b) for a in NUMBERS for b in DIVISORS]
    left, right = (np.array(column, np.int8) for column in zip(*pairs, strict=True))
    wanted = np.array([exact(a, b) & 0xFF for a, b in pairs], np.uint8).view(np.int8)
    np.testing.assert_array_equal(run(f"arith.{name} %x0, %x1", "i8", left, right), wanted)


def test_logical_shifts() -> None:
    found = run("arith.shrui %x0, %x1", "i8", np.array([-128, -1, 64], np.int8), np.array([7, 1, 6], np.int8))
    np.testing.assert_array_equal(found, np.array([1, 127, 1], np.int8))


@pytest.mark.parametrize(("left", "right"), [(5, 0), (-128, -1)])
def test_undefined_divisions_are_refused(left: int, right: int) -> None:
    message = rf"'arith\.divsi' by {right}: the result is undefined for a divisor of 0, and where it overflows"
    with pytest.raises(EvaluationError, match=message):
        run("arith.divsi %x0, %x1", "i8", np.array([left], np.int8), np.array([right], np.int8))


@pytest.mark.parametrize("body", FUNCTIONS)
def test_functions(body: str) -> None:
    exact = FUNCTIONS[body]
    values = np.array([0.25, 1.0, 2.5], np.float32)
    found = run(body, "f32", values)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.astype(float), [exact(float(x)) for x in values], rtol=1e-6)


def test_halves_are_rounded_away_from_zero() -> None:
    found = run("math.round %x0", "f32", np.array(list(ROUNDED), np.float32))
    np.testing.assert_array_equal(found, np.array(list(ROUNDED.values()), np.float32))
    assert np.signbit(found[2])


@pytest.mark.parametrize("name", COUNTS)
def test_bits_are_counted(name: str) -> None:
    found = run(f"math.{name} %x0", "i8", np.array([0, -1, 1, 64, -128], np.int8))
    np.testing.assert_array_equal(found, np.array(COUNTS[name], np.int8))


def test_remainders_of_floats_have_the_sign_of_the_first() -> None:
    left, right = np.array([5.5, -5.5, 5.5], np.float32), np.array([2.0, 2.0, -2.0], np.float32)
    np.testing.assert_array_equal(
        run("arith.remf %x0, %x1", "f32", left, right), np.array([1.5, -1.5, 1.5], np.float32)
    )


def test_numbers_between_bounds() -> None:
    numbers = np.array([-3.0, 0.5, np.nan, np.inf], np.float32)
    low, high = np.full(4, -1, np.float32), np.full(4, 2, np.float32)
    found = run("math.clampf %x0 to [%x1, %x2]", "f32", numbers, low, high)
    np.testing.assert_array_equal(found, np.array([-1.0, 0.5, np.nan, 2.0], np.float32))
    with pytest.raises(EvaluationError, match=r"'math\.clampf' from 2\.0 to what is less"):
        run("math.clampf %x0 to [%x1, %x2]", "f32", numbers, high, low)
    with pytest.raises(EvaluationError, match=r"'math\.clampf' with the bound nan"):
        run("math.clampf %x0 to [%x1, %x2]", "f32", numbers, numbers, high)


def test_an_index_without_a_sign() -> None:
    body = """arith.constant 0 : i8
    %i = arith.index_castui %x0 : i8 to index
    %c = arith.constant 200 : index
    %more = arith.cmpi sgt, %i, %c : index
    %z = arith.select %more, %x0, %y"""
    found = run(body, "i8", np.array([-1, -100, 100], np.int8), result="%z")
    np.testing.assert_array_equal(found, np.array([-1, 0, 0], np.int8))


@pytest.mark.parametrize(("name", "expected"), [("isnan", [1, 0, 0]), ("isinf", [0, 1, 0]), ("isfinite", [0, 0, 1])])
def test_classes_of_numbers(name: str, expected: list[int]) -> None:
    body = f"""arith.constant 1.0 : f32
    %bit = math.{name} %x0 : f32
    %z = arith.uitofp %bit : i1 to f32
    %w = arith.mulf %z, %y"""
    found = run(body, "f32", np.array([np.nan, -np.inf, 2.0], np.float32), result="%w")
    np.testing.assert_array_equal(found, np.array(expected, np.float32))
