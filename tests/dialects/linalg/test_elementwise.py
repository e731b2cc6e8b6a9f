"""Named operations of one element, maps and reductions of several tensors, against numpy and MLIR."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

import numpy as np
import pytest
from mlir_opt import mlir_opt, needs_mlir_opt

import vtac
from vtac.errors import CompileError
from vtac.evaluate import evaluate
from vtac.evaluate.numbers import Array

FLOATS = np.array([[-2.5, -1.0, -0.5, 0.25], [0.5, 1.5, 2.5, 3.0]], np.float32)
POSITIVE = np.abs(FLOATS)
BYTES = np.array([[-128, -7, -1, 1], [2, 7, 100, 127]], np.int8)
DIVISORS = np.array([[3, 2, 5, -3], [-2, 7, 127, -1]], np.int8)
UNARY: dict[str, Callable[[Array], Array]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "negf": np.negative,
    "round": lambda x: np.array([[-3.0, -1.0, -1.0, 0.0], [1.0, 2.0, 3.0, 3.0]], np.float32),
    "square": np.square,
    "tanh": np.tanh,
}
OF_POSITIVE: dict[str, Callable[[Array], Array]] = {
    "reciprocal": np.reciprocal,
    "rsqrt": lambda x: np.reciprocal(np.sqrt(x)),
}
BODY = """(%x: f32, %y: f32{init}) {{
    %z = arith.addf %x, %y : f32
    linalg.yield %z : f32
  }}"""


def program(operation: str, kind: str, count: int = 1, tail: str = "") -> str:
    """A function of one operation of some tensors of 2x4, whose result has no other start."""
    tensor = f"tensor<2x4x{kind}>"
    names = [f"%a{number}" for number in range(count)]
    return (
        f"func.func @main({', '.join(f'{name}: {tensor}' for name in names)}) -> {tensor} {{\n"
        f"  %e = tensor.empty() : {tensor}\n"
        f"  %r = linalg.{operation} ins({', '.join(names)} : {', '.join([tensor] * count)}) outs(%e : {tensor}){tail}\n"
        f"  func.return %r : {tensor}\n}}\n"
    )


def named(operation: str, kind: str, count: int = 1) -> str:
    return program(operation, kind, count, f" -> tensor<2x4x{kind}>")


@pytest.mark.parametrize("name", [*UNARY, *OF_POSITIVE])
def test_functions_of_one_number(name: str) -> None:
    numbers = FLOATS if name in UNARY else POSITIVE
    exact = {**UNARY, **OF_POSITIVE}[name]
    np.testing.assert_array_equal(evaluate(vtac.parse(named(name, "f32")), numbers), exact(numbers))


@pytest.mark.parametrize(
    ("name", "kind"), [("div", "f32"), ("div", "i8"), ("div_unsigned", "i8"), ("powf", "f32"), ("erf", "f32")]
)
@needs_mlir_opt
def test_what_mlir_makes_of_it_computes_the_same(name: str, kind: str) -> None:
    count = 1 if name == "erf" else 2
    arrays = ([FLOATS, POSITIVE] if kind == "f32" else [BYTES, DIVISORS])[:count]
    text = named(name, kind, count)
    found = evaluate(vtac.parse(text), *arrays)
    for arguments in ((), ("--linalg-generalize-named-ops",)):
        np.testing.assert_array_equal(found, evaluate(vtac.parse(mlir_opt(*arguments, text=text)), *arrays))


def test_integers_are_divided_to_zero() -> None:
    expected = np.array([[-42, -3, 0, 0], [-1, 1, 0, -127]], np.int8)
    np.testing.assert_array_equal(evaluate(vtac.parse(named("div", "i8", 2)), BYTES, DIVISORS), expected)


@pytest.mark.parametrize(
    ("operation", "tail"),
    [
        ("map { arith.addf }", ""),
        ("map { arith.addf {fastmath = #arith.fastmath<nnan>} }", " {frontend.note}"),
        ("map", BODY.format(init=", %o: f32")),
        ("map", BODY.format(init="")),
    ],
)
def test_maps_in_each_form(operation: str, tail: str) -> None:
    text = program(operation, "f32", 2, tail)
    np.testing.assert_array_equal(evaluate(vtac.parse(text), FLOATS, POSITIVE), FLOATS + POSITIVE)


def test_a_map_of_bytes_is_a_program_for_the_vta() -> None:
    text = program("map { arith.maxsi }", "i8", 2)
    program_of_vta = vtac.compile(text)
    np.testing.assert_array_equal(program_of_vta(BYTES, DIVISORS), np.maximum(BYTES, DIVISORS))
    assert program_of_vta.devices


def test_named_functions_of_floats_run_on_the_host() -> None:
    compiled = vtac.compile(named("tanh", "f32"))
    run = cast("Callable[[Array], Array]", compiled)
    np.testing.assert_array_equal(run(FLOATS), np.tanh(FLOATS))
    assert any("linalg.tanh" in str(choice) for choice in compiled.choices)


ARGMAX = """
func.func @main(%x: tensor<2x4xf32>, %at: tensor<2x4xi64>) -> (tensor<2xf32>, tensor<2xi64>) {
  %least = arith.constant dense<-1.0e9> : tensor<2xf32>
  %none = arith.constant dense<-1> : tensor<2xi64>
  %m, %i = linalg.reduce ins(%x, %at : tensor<2x4xf32>, tensor<2x4xi64>)
      outs(%least, %none : tensor<2xf32>, tensor<2xi64>) dimensions = [1]
    (%a: f32, %p: i64, %most: f32, %where: i64) {
      %more = arith.cmpf ogt, %a, %most : f32
      %value = arith.select %more, %a, %most : f32
      %place = arith.select %more, %p, %where : i64
      linalg.yield %value, %place : f32, i64
    }
  func.return %m, %i : tensor<2xf32>, tensor<2xi64>
}
"""


def test_a_reduction_of_two_tensors() -> None:
    numbers = np.array([[1.0, 7.0, 7.0, -2.0], [3.0, 2.0, 1.0, 4.0]], np.float32)
    places = np.broadcast_to(np.arange(4), (2, 4)).copy()
    most, where = evaluate(vtac.parse(ARGMAX), numbers, places)
    np.testing.assert_array_equal(most, [7.0, 4.0])
    np.testing.assert_array_equal(where, [1, 3])


WIDER = """
func.func @main(%x: tensor<2x4xi8>) -> tensor<2xi32> {
  %zero = arith.constant dense<0> : tensor<2xi32>
  %s = linalg.reduce ins(%x : tensor<2x4xi8>) outs(%zero : tensor<2xi32>) dimensions = [1]
    (%a: i8, %total: i32) {
      %wide = arith.extsi %a : i8 to i32
      %sum = arith.addi %wide, %total : i32
      linalg.yield %sum : i32
    }
  func.return %s : tensor<2xi32>
}
"""


def test_a_reduction_to_a_wider_type() -> None:
    module = vtac.parse(WIDER)
    np.testing.assert_array_equal(evaluate(module, BYTES), [-135, 236])
    np.testing.assert_array_equal(vtac.compile(WIDER)(BYTES), [-135, 236])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (named("tanh", "i8"), "'linalg.tanh' of elements i8: floats are required"),
        (named("div", "i1", 2), "'linalg.div' of elements i1: floats or integers of more than one bit are required"),
        (named("abs", "index"), "elements of type index: integers or floats are required"),
        (named("div", "f32"), "'linalg.div': it has 1 ins and 1 outs; 2 ins and 1 outs are required"),
        (program("map { tensor.no }", "f32"), "'tensor.no' is no operation that bodies are made of"),
        (
            named("tanh", "f32").replace("outs(%e : tensor<2x4xf32>)", "").replace(" -> tensor<2x4xf32>\n", "\n"),
            "'linalg.tanh': it has 1 ins and 0 outs; 1 ins and 1 outs are required",
        ),
        (
            program("map", "f32", 2, "(%x: f32) {\n    linalg.yield %x : f32\n  }"),
            "expected as many non-induction variable region arguments as the number of input/output operands, 3, but "
            "got 1",
        ),
    ],
)
def test_what_is_none_of_them_is_refused(text: str, message: str) -> None:
    with pytest.raises(CompileError, match=re.escape(message)):
        vtac.parse(text)
