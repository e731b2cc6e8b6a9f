"""Scalar operations against Python's integers, for every width."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from programs import elementwise_payload

from vtac.evaluate import EvaluationError, evaluate
from vtac.evaluate.numbers import Array
from vtac.text.source import parse

BINARY: dict[str, Callable[[int, int, int], int]] = {
    "addi": lambda a, b, bits: a + b,
    "subi": lambda a, b, bits: a - b,
    "muli": lambda a, b, bits: a * b,
    "andi": lambda a, b, bits: a & b,
    "ori": lambda a, b, bits: a | b,
    "xori": lambda a, b, bits: a ^ b,
    "maxsi": lambda a, b, bits: max(a, b),
    "minsi": lambda a, b, bits: min(a, b),
    "maxui": lambda a, b, bits: max(a % 2**bits, b % 2**bits),
    "minui": lambda a, b, bits: min(a % 2**bits, b % 2**bits),
}
SHIFTS: dict[str, Callable[[int, int], int]] = {"shrsi": lambda a, n: a >> n, "shli": lambda a, n: a << n}
PREDICATES: dict[str, Callable[[int, int, int], bool]] = {
    "eq": lambda a, b, bits: a == b,
    "ne": lambda a, b, bits: a != b,
    "slt": lambda a, b, bits: a < b,
    "sle": lambda a, b, bits: a <= b,
    "sgt": lambda a, b, bits: a > b,
    "sge": lambda a, b, bits: a >= b,
    "ult": lambda a, b, bits: a % 2**bits < b % 2**bits,
    "ule": lambda a, b, bits: a % 2**bits <= b % 2**bits,
    "ugt": lambda a, b, bits: a % 2**bits > b % 2**bits,
    "uge": lambda a, b, bits: a % 2**bits >= b % 2**bits,
}


def wrap(value: int, bits: int) -> int:
    return (value + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


def run(element: str, body: str, left: Array, right: Array) -> Array:
    result = evaluate(parse(elementwise_payload(element, body, len(left))), left, right)
    assert isinstance(result, np.ndarray)
    return result


def yielding(kind: str, *lines: str) -> str:
    return "\n".join([*lines, f"schedule.yield %r : {kind}"])


@st.composite
def operands(draw: st.DrawFn) -> tuple[int, list[int], list[int]]:
    bits = draw(st.sampled_from([8, 16, 32, 64]))
    edges = [0, 1, -1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1))]
    number = st.one_of(st.sampled_from(edges), st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
    pair = st.lists(st.tuples(number, number), min_size=4, max_size=4)
    left, right = zip(*draw(pair), strict=True)
    return bits, list(left), list(right)


def arrays(bits: int, *columns: list[int]) -> list[NDArray[np.generic]]:
    return [np.array(column, f"int{bits}") for column in columns]


@settings(max_examples=15)
@given(operands())
def test_integer_operations_wrap(case: tuple[int, list[int], list[int]]) -> None:
    bits, left, right = case
    for name, function in BINARY.items():
        body = yielding(f"i{bits}", f"%r = arith.{name} %a, %b : i{bits}")
        expected = [wrap(function(a, b, bits), bits) for a, b in zip(left, right, strict=True)]
        assert run(f"i{bits}", body, *arrays(bits, left, right)).tolist() == expected, name


@settings(max_examples=15)
@given(operands())
def test_shifts_within_the_width(case: tuple[int, list[int], list[int]]) -> None:
    bits, left, right = case
    amounts = [amount % bits for amount in right]
    for name, function in SHIFTS.items():
        body = yielding(f"i{bits}", f"%r = arith.{name} %a, %b : i{bits}")
        expected = [wrap(function(a, n), bits) for a, n in zip(left, amounts, strict=True)]
        assert run(f"i{bits}", body, *arrays(bits, left, amounts)).tolist() == expected, name


@settings(max_examples=10)
@given(operands())
def test_comparisons_select(case: tuple[int, list[int], list[int]]) -> None:
    bits, left, right = case
    kind = f"i{bits}"
    for name, holds in PREDICATES.items():
        body = yielding(kind, f"%c = arith.cmpi {name}, %a, %b : {kind}", f"%r = arith.select %c, %a, %b : {kind}")
        expected = [a if holds(a, b, bits) else b for a, b in zip(left, right, strict=True)]
        assert run(kind, body, *arrays(bits, left, right)).tolist() == expected, name


@pytest.mark.parametrize(("narrow", "bits"), [("i8", 8), ("i16", 16)])
def test_extensions_and_truncations(narrow: str, bits: int) -> None:
    values = [0, 1, -1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1))]
    for name, expected in (("extsi", values), ("extui", [value % 2**bits for value in values])):
        body = yielding(
            "i32",
            f"%n = arith.trunci %a : i32 to {narrow}",
            f"%r = arith.{name} %n : {narrow} to i32",
        )
        assert run("i32", body, *arrays(32, values, values)).tolist() == expected


def test_one_bit_numbers_are_minus_one_when_signed() -> None:
    body = yielding(
        "i32",
        "%c = arith.cmpi slt, %a, %b : i32",
        "%s = arith.extsi %c : i1 to i32",
        "%u = arith.extui %c : i1 to i32",
        "%two = arith.constant 2 : i32",
        "%t = arith.muli %u, %two : i32",
        "%r = arith.subi %s, %t : i32",
    )
    assert run("i32", body, *arrays(32, [0, 1], [1, 0])).tolist() == [-3, 0]


def test_one_bit_arithmetic_wraps() -> None:
    lines = [
        "%zero = arith.constant 0 : i32",
        "%c = arith.cmpi ne, %a, %zero : i32",
        "%d = arith.cmpi ne, %b, %zero : i32",
    ]
    table = {"addi": [0, 1, 1, 0], "muli": [0, 0, 0, 1], "maxsi": [0, 0, 0, 1], "minsi": [0, 1, 1, 1]}
    for name, expected in table.items():
        body = yielding("i32", *lines, f"%e = arith.{name} %c, %d : i1", "%r = arith.extui %e : i1 to i32")
        assert run("i32", body, *arrays(32, [0, 0, 1, 1], [0, 1, 0, 1])).tolist() == expected, name


def test_constants_and_indices() -> None:
    body = yielding(
        "i8",
        "%k = arith.constant 200 : i8",
        "%i = arith.index_cast %k : i8 to index",
        "%j = arith.index_cast %i : index to i8",
        "%s = arith.addi %a, %b : i8",
        "%r = arith.addi %s, %j : i8",
    )
    assert run("i8", body, *arrays(8, [100], [100])).tolist() == [wrap(400, 8)]


def test_float_operations_round_to_their_type() -> None:
    left, right = np.array([1.0, 2048.0, -3.5], np.float16), np.array([3.0, 1.0, 2.0], np.float16)
    for name, expected in (
        ("addf", left + right),
        ("subf", left - right),
        ("mulf", left * right),
        ("divf", left / right),
        ("maximumf", np.maximum(left, right)),
        ("minimumf", np.minimum(left, right)),
    ):
        found = run("f16", yielding("f16", f"%r = arith.{name} %a, %b : f16"), left, right)
        assert found.tolist() == expected.tolist(), name


def test_float_conversions() -> None:
    body = yielding(
        "f16",
        "%w = arith.extf %a : f16 to f32",
        "%i = arith.fptosi %w : f32 to i32",
        "%f = arith.sitofp %i : i32 to f32",
        "%r = arith.truncf %f : f32 to f16",
    )
    values = np.array([2.75, -2.75, 100.0], np.float16)
    assert run("f16", body, values, values).tolist() == [2.0, -2.0, 100.0]


def test_unsigned_conversions() -> None:
    body = yielding(
        "f32",
        "%i = arith.fptoui %a : f32 to i8",
        "%w = arith.extui %i : i8 to i32",
        "%f = arith.uitofp %i : i8 to f32",
        "%g = arith.sitofp %w : i32 to f32",
        "%r = arith.addf %f, %g : f32",
    )
    values = np.array([2.75, 127.0, 128.0, 255.5], np.float32)
    assert run("f32", body, values, values).tolist() == [4.0, 254.0, 256.0, 510.0]


def test_a_shift_by_the_width_is_refused() -> None:
    body = yielding("i32", "%r = arith.shrsi %a, %b : i32")
    with pytest.raises(EvaluationError, match=r"'arith\.shrsi' by 32: .* unless the amount lies in 0 <= amount < 32"):
        run("i32", body, *arrays(32, [1, 1], [31, 32]))


def test_a_float_that_fits_no_integer_is_refused() -> None:
    body = yielding("f32", "%i = arith.fptosi %a : f32 to i8", "%r = arith.sitofp %i : i8 to f32")
    values = np.array([127.5, 128.0], np.float32)
    with pytest.raises(EvaluationError, match=r"'arith\.fptosi' of 128\.0: .* unless it fits i8"):
        run("f32", body, values, values)
    unsigned = yielding("f32", "%i = arith.fptoui %a : f32 to i8", "%r = arith.uitofp %i : i8 to f32")
    with pytest.raises(EvaluationError, match=r"'arith\.fptoui' of -1\.0: .* unless it fits i8"):
        run("f32", unsigned, np.array([255.0, -1.0], np.float32), np.array([0.0, 0.0], np.float32))


def test_an_unknown_operation_is_named_with_those_that_are_known() -> None:
    body = yielding("i32", "%r = math.ipowi %a, %a : i32")
    with pytest.raises(EvaluationError, match=r"cannot execute 'math\.ipowi': .*arith\.addi, .*arith\.xori"):
        run("i32", body, *arrays(32, [1], [1]))


def test_an_unsupported_width_is_refused() -> None:
    body = yielding("i4", "%r = arith.addi %a, %b : i4")
    with pytest.raises(EvaluationError, match=r"cannot compute with i4: .* 1, 8, 16, 32 and 64 bits"):
        run("i4", body, *arrays(8, [1], [1]))
