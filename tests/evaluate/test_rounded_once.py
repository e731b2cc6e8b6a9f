"""Conversions to floats are rounded once, and zeros have the signs that MLIR gives them: by exact fractions."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vtac.evaluate import EvaluationError, evaluate
from vtac.evaluate.bfloat16 import from_bfloat16, to_bfloat16
from vtac.text.source import parse

LARGEST = Fraction(255, 128) * Fraction(2) ** 127


def nearest_bfloat16(value: Fraction, *, negative: bool) -> int:
    """The bits of the nearest bfloat16, ties to even: by exact arithmetic on its seven bits of fraction."""
    sign, size = 0x8000 if negative else 0, abs(value)
    if size >= LARGEST + Fraction(2) ** 119:
        return sign | 0x7F80
    exponent = -126
    while size >= Fraction(2) ** (exponent + 1):
        exponent += 1
    steps = size / Fraction(2) ** (exponent - 7)
    whole = math.floor(steps)
    rest = steps - whole
    whole += rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2 == 1)
    return sign | ((exponent + 126) << 7) + whole  # a whole of 128 or more adds to the exponent


def converted(operation: str, kind: str, values: NDArray[np.generic], to: str = "bf16") -> NDArray[np.generic]:
    """What one conversion gives."""
    source, result = f"tensor<{values.size}x{kind}>", f"tensor<{values.size}x{to}>"
    found = evaluate(
        parse(f"""
func.func @f(%x: {source}) -> {result} {{
  %e = tensor.empty() : {result}
  %r = linalg.generic {{indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]}} ins(%x : {source}) outs(%e : {result}) {{
  ^bb0(%a: {kind}, %o: {to}):
    %y = {operation} %a : {kind} to {to}
    linalg.yield %y : {to}
  }} -> {result}
  func.return %r : {result}
}}
"""),
        values,
    )
    assert isinstance(found, np.ndarray)
    return found


def _beside_a_tie(bits: int, below: int) -> float:
    """Halfway between two bfloat16, or just beside that: nearer than float32 tells apart."""
    return math.ldexp(bits * 2 + 1, -8) * (1 + below * 2.0**-40)


TIES = st.builds(_beside_a_tie, st.integers(128, 255), st.integers(-1, 1))


@settings(max_examples=60)
@given(st.lists(st.one_of(TIES, st.floats(allow_nan=False)), min_size=1, max_size=8))
@example([1 + 2.0**-8 + 2.0**-40, -(1 + 3 * 2.0**-8 - 2.0**-40), 5e-324, -0.0, 3.4e38, 1e300, math.inf])
@example([2.0**-134, 2.0**-134 * (1 + 2.0**-50), 2.0**-133 * 1.5 * (1 - 2.0**-50), -(2.0**-126) * (1 - 2.0**-30)])
def test_doubles_are_rounded_once(numbers: list[float]) -> None:
    found = converted("arith.truncf", "f64", np.array(numbers))
    for number, bits in zip(numbers, found.tolist(), strict=True):
        negative = math.copysign(1, number) < 0
        exact = LARGEST * 2 if math.isinf(number) else Fraction(number)
        assert bits == nearest_bfloat16(exact, negative=negative), number


def _integer_beside_a_tie(bits: int, shift: int, below: int) -> int:
    return (((bits * 2 + 1) << shift) + below) * (-1) ** below


LARGE = st.integers(-(2**63), 2**63 - 1)
NEAR = st.builds(_integer_beside_a_tie, st.integers(128, 255), st.integers(2, 54), st.integers(-1, 1))


@settings(max_examples=40)
@given(st.lists(st.one_of(LARGE, NEAR), min_size=1, max_size=8), st.booleans())
def test_integers_are_rounded_once(numbers: list[int], signed: bool) -> None:
    values = np.array(numbers, np.int64)
    found = converted(f"arith.{'si' if signed else 'ui'}tofp", "i64", values)
    for number, bits in zip(numbers, found.tolist(), strict=True):
        exact = Fraction(number if signed else number % 2**64)
        assert bits == nearest_bfloat16(exact, negative=exact < 0), number


@pytest.mark.parametrize("number", [(1 << 24) + (1 << 16) + 1, -(1 << 24) - (1 << 16) - 1, 2**31 - 1, -(2**31)])
def test_words_are_rounded_once(number: int) -> None:
    (bits,) = converted("arith.sitofp", "i32", np.array([number], np.int32)).tolist()
    assert bits == nearest_bfloat16(Fraction(number), negative=number < 0)


def test_a_nan_stays_one_with_the_upper_bits_of_its_payload() -> None:
    doubles = np.array([0x7FF8123400000000, 0xFFF4000000000000, 0x7FF0000000000001], np.uint64).view(np.float64)
    assert [hex(bits) for bits in to_bfloat16(doubles).tolist()] == ["0x7fc0", "0xffe0", "0x7fc0"]
    assert np.isnan(from_bfloat16(to_bfloat16(doubles))).all()


def extremum(operation: str, kind: str, left: NDArray[np.generic], right: NDArray[np.generic]) -> NDArray[np.generic]:
    """What one operation on pairs gives."""
    shape = f"tensor<{left.size}x{kind}>"
    found = evaluate(
        parse(f"""
func.func @f(%x: {shape}, %y: {shape}) -> {shape} {{
  %e = tensor.empty() : {shape}
  %r = linalg.generic {{indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]}} ins(%x, %y : {shape}, {shape}) outs(%e : {shape}) {{
  ^bb0(%a: {kind}, %b: {kind}, %o: {kind}):
    %z = {operation} %a, %b : {kind}
    linalg.yield %z : {kind}
  }} -> {shape}
  func.return %r : {shape}
}}
"""),
        left,
        right,
    )
    assert isinstance(found, np.ndarray)
    return found


PAIRS = [
    (a, b) for a in (-0.0, 0.0, 1.0, -1.0, math.nan, math.inf) for b in (-0.0, 0.0, 2.0, -1.0, math.nan, -math.inf)
]


def _with_sign(number: float) -> tuple[float, float]:
    return number, math.copysign(1, number)


def expected(operation: str, left: float, right: float) -> float:
    """By MLIR's words: -0.0 is less than +0.0; of one that is no number, none or the other."""
    if math.isnan(left) or math.isnan(right):
        keeps = operation in ("arith.maxnumf", "arith.minnumf")
        return (right if math.isnan(left) else left) if keeps else math.nan
    choose = max if "max" in operation else min
    return choose(left, right, key=_with_sign)


@pytest.mark.parametrize("operation", ["arith.maximumf", "arith.minimumf", "arith.maxnumf", "arith.minnumf"])
@pytest.mark.parametrize(("kind", "dtype"), [("f16", "float16"), ("f32", "float32"), ("f64", "float64")])
def test_zeros_have_signs_and_nans_count(operation: str, kind: str, dtype: str) -> None:
    left, right = (np.array(column * 5, dtype) for column in zip(*PAIRS, strict=True))
    found = extremum(operation, kind, left, right)
    is_open = operation.endswith("numf")  # which of two zeros these give is left open
    for a, b, one in zip(left.tolist(), right.tolist(), found.tolist(), strict=True):
        wanted = expected(operation, a, b)
        if is_open and a == b == 0:
            assert one == 0
        elif math.isnan(wanted):
            assert math.isnan(one), (a, b)
        else:
            assert struct.pack("d", one) == struct.pack("d", wanted), (a, b)


@pytest.mark.parametrize(("name", "sign"), [("max", 1), ("min", -1)])
def test_poolings_and_named_operations_have_the_same_zeros(name: str, sign: int) -> None:
    zeros = np.array([[[[-0.0], [0.0]], [[0.0], [-0.0]]]], np.float32).repeat(8, axis=3)
    start = -math.inf if name == "max" else math.inf
    text = f"""
func.func @f(%x: tensor<1x2x2x8xf32>, %y: tensor<1x2x2x8xf32>) -> (tensor<1x1x1x8xf32>, tensor<1x2x2x8xf32>) {{
  %w = tensor.empty() : tensor<2x2xf32>
  %s = arith.constant {"0xFF800000" if start < 0 else "0x7F800000"} : f32
  %e = tensor.empty() : tensor<1x1x1x8xf32>
  %f = linalg.fill ins(%s : f32) outs(%e : tensor<1x1x1x8xf32>) -> tensor<1x1x1x8xf32>
  %p = linalg.pooling_nhwc_{name} {{dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}}
      ins(%x, %w : tensor<1x2x2x8xf32>, tensor<2x2xf32>) outs(%f : tensor<1x1x1x8xf32>) -> tensor<1x1x1x8xf32>
  %g = tensor.empty() : tensor<1x2x2x8xf32>
  %q = linalg.{name} ins(%x, %y : tensor<1x2x2x8xf32>, tensor<1x2x2x8xf32>)
      outs(%g : tensor<1x2x2x8xf32>) -> tensor<1x2x2x8xf32>
  func.return %p, %q : tensor<1x1x1x8xf32>, tensor<1x2x2x8xf32>
}}
"""
    pooled, named = evaluate(parse(text), zeros, -zeros)
    for found in (pooled, named):
        assert (np.copysign(1, found) == sign).all()


def test_a_bound_that_is_no_number_is_refused() -> None:
    with pytest.raises(EvaluationError, match=r"'arith\.fptosi' of nan: .* unless it fits i8"):
        converted("arith.fptosi", "f64", np.array([math.nan]), "i8")
