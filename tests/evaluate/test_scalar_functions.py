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


def run(body: str, kind: str, *arrays: NDArray[np.generic]) -> NDArray[np.generic]:
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
    linalg.yield %y : {kind}
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
