"""Functions and conversions of scalars as CUDA text, executed on the CPU, against numpy."""

from __future__ import annotations

import numpy as np
import pytest

import vtac
from vtac.evaluate import evaluate
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.emit.functions import FUNCTIONS
from vtac.workloads.float_text import FloatProgram
from vtac.workloads.tensor_text import Tensor

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
POSITIVE = np.linspace(0.125, 0.875, 24, dtype=np.float32)
OF_TWO = ("math.atan2", "math.copysign", "math.powf", "arith.maxnumf", "arith.minnumf", "arith.remf")
OTHERS = ("math.fma", *OF_TWO)
UNARY = sorted(kind.name for kind in FUNCTIONS if kind.name not in OTHERS)


def program(element: str, *bodies: str) -> str:
    builder = FloatProgram("functions")
    x = builder.argument("x", (24,), element)
    results = [builder.map(Tensor(f"y{at}", (24,), element), [(x, "i")], body) for at, body in enumerate(bodies)]
    parts = [(result, "i") for result in results]
    total = "\n    ".join(
        [
            f"%s1 = arith.addf %a0, %a1 : {element}",
            *(f"%s{at} = arith.addf %s{at - 1}, %a{at} : {element}" for at in range(2, len(parts))),
            f"%y = arith.negf %s{len(parts) - 1} : {element}",
        ]
    )
    return builder.text(builder.map(Tensor("y", (24,), element), parts, total))


@needs_compiler
@pytest.mark.parametrize("element", ["f32", "f16"])
def test_all_functions_are_those_of_numpy(element: str) -> None:
    text = program(element, *(f"%y = {name} %a0 : {element}" for name in UNARY))
    compiled = vtac.compile(text, "cuda")
    assert all(f"{FUNCTIONS[kind]}(" in compiled.text for kind in FUNCTIONS if kind.name in UNARY)
    x = POSITIVE.astype(compiled.arguments[0].dtype)
    found, expected = compiled(x), evaluate(vtac.parse(text), x)
    assert not isinstance(found, tuple)
    assert np.allclose(found, np.asarray(expected), rtol=1e-5 if element == "f32" else 4e-3, atol=0)


@needs_compiler
def test_functions_of_two_numbers_are_those_of_numpy() -> None:
    text = program("f32", *(f"%n = arith.negf %a0 : f32\n    %y = {name} %a0, %n : f32" for name in OF_TWO))
    compiled = vtac.compile(text, "cuda")
    found, expected = compiled(POSITIVE), evaluate(vtac.parse(text), POSITIVE)
    assert not isinstance(found, tuple)
    assert np.allclose(found, np.asarray(expected), rtol=1e-5, atol=1e-6)


@needs_compiler
def test_conversions_and_bits() -> None:
    builder = FloatProgram("bits")
    x = builder.argument("x", (6,), "i8")
    body = """%u = arith.extui %a0 : i8 to i32
    %s = arith.extsi %a0 : i8 to i32
    %three = arith.constant 3 : i32
    %q = arith.divsi %s, %three : i32
    %r = arith.remsi %s, %three : i32
    %below = arith.cmpi ult, %s, %u : i32
    %chosen = arith.select %below, %q, %u : i32
    %bits = arith.xori %chosen, %r : i32
    %least = arith.constant 0xFF800000 : f32
    %f = arith.uitofp %bits : i32 to f32
    %y = arith.maximumf %f, %least : f32"""
    text = builder.text(builder.map(Tensor("y", (6,), "f32"), [(x, "i")], body))
    values = np.array([-128, -7, -1, 0, 5, 127], np.int8)
    assert np.array_equal(vtac.compile(text, "cuda")(values), evaluate(vtac.parse(text), values))
