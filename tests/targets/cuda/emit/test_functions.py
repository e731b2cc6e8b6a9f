"""Functions and conversions of scalars as CUDA text, executed on the CPU, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import vtac
from vtac.evaluate import evaluate
from vtac.evaluate.bfloat16 import from_bfloat16, to_bfloat16
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


ZEROS = np.array([-0.0, -0.0, 0.0, 0.0, 1.0, np.nan, -2.0, np.nan], np.float32)
OTHER = np.array([-0.0, 0.0, -0.0, 0.0, np.nan, -1.0, -3.0, np.nan], np.float32)
EXTREMA = [f"arith.{name} {sides}" for name in ("maximumf", "minimumf") for sides in ("%a0, %a1", "%a0, %c", "%c, %a0")]


@needs_compiler
@pytest.mark.parametrize("element", ["f32", "f16", "bf16"])
def test_zeros_have_signs_and_nans_count(element: str) -> None:
    """-0.0 is less than +0.0, whichever side it is on and whether it is a constant; bits are compared."""
    builder = FloatProgram("zeros")
    x, y = (builder.argument(name, ZEROS.shape, element) for name in "xy")
    results: list[Tensor] = []
    for number in ("0.0", "-0.0", "1.0"):
        for body in EXTREMA:
            code = f"%c = arith.constant {number} : {element}\n    %y = {body} : {element}"
            result = Tensor(f"r{len(results)}", ZEROS.shape, element)
            results.append(builder.map(result, [(x, "i"), (y, "i")], code))
    text = builder.text(*results)
    is_bfloat16, dtype = element == "bf16", "float16" if element == "f16" else "float32"
    arrays = [to_bfloat16(one) if is_bfloat16 else one.astype(dtype) for one in (ZEROS, OTHER)]
    found, wanted = vtac.compile(text, "cuda")(*arrays), evaluate(vtac.parse(text), *arrays)
    for at, (one, expected) in enumerate(zip(found, wanted, strict=True)):
        numbers = [from_bfloat16(side.astype(np.uint16)) if is_bfloat16 else side for side in (one, expected)]
        assert_same_numbers(numbers[0].astype(float), numbers[1].astype(float), EXTREMA[at % len(EXTREMA)])


def assert_same_numbers(found: NDArray[np.float64], expected: NDArray[np.float64], name: str) -> None:
    """Equal numbers with equal signs, or none."""
    assert np.array_equal(np.isnan(found), np.isnan(expected)), name
    is_number = ~np.isnan(expected)
    assert np.array_equal(found[is_number], expected[is_number]), name
    assert np.array_equal(np.signbit(found[is_number]), np.signbit(expected[is_number])), name


@needs_compiler
def test_integers_become_bfloat16_by_one_rounding() -> None:
    builder = FloatProgram("rounded")
    x = builder.argument("x", (6,), "i32")
    text = builder.text(builder.map(Tensor("y", (6,), "bf16"), [(x, "i")], "%y = arith.sitofp %a0 : i32 to bf16"))
    tie = (1 << 24) + (1 << 16)  # halfway between two bfloat16, and just beside that
    values = np.array([tie, tie + 1, -tie - 1, tie - 1, 2**31 - 1, -3], np.int32)
    found = vtac.compile(text, "cuda")(values)
    assert isinstance(found, np.ndarray)
    assert [hex(bits) for bits in found.tolist()] == ["0x4b80", "0x4b81", "0xcb81", "0x4b80", "0x4f00", "0xc040"]


def test_maxima_in_a_row_are_written_once_each() -> None:
    """Each step names the one before, so that a text grows by one line with each."""
    lengths: list[int] = []
    for count in (4, 8, 12):
        builder = FloatProgram("row")
        x, y = (builder.argument(name, (24,), "f32") for name in "xy")
        steps = [f"%m{at + 1} = arith.maximumf %m{at}, %a{at % 2} : f32" for at in range(count)]
        body = "\n    ".join(["%m0 = arith.addf %a0, %a1 : f32", *steps, f"%y = arith.negf %m{count} : f32"])
        text = builder.text(builder.map(Tensor("r", (24,), "f32"), [(x, "i"), (y, "i")], body))
        lengths.append(len(vtac.compile(text, "cuda").text))
    assert lengths[2] - lengths[1] <= lengths[1] - lengths[0] + 40
