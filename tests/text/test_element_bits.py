"""Elements of floating-point tensors that are given by their bits, as MLIR prints infinities."""

from __future__ import annotations

import pytest
from mlir_opt import mlir_opt, needs_mlir_opt
from xdsl.ir import Attribute

from vtac.errors import VtacError
from vtac.text.source import parse


def read(elements: str, kind: str) -> str:
    """The constant, read and printed."""
    text = f"func.func @f() {{\n  %m = arith.constant dense<{elements}> : tensor<2x{kind}>\n  func.return\n}}\n"
    return next(str(op.properties["value"]) for op in parse(text).walk() if op.name == "arith.constant")


def constant(elements: str, kind: str) -> Attribute:
    """The constant of this type."""
    return value_of(f"func.func @f() {{\n  %m = arith.constant dense<{elements}> : tensor<{kind}>\n  func.return\n}}\n")


def value_of(text: str) -> Attribute:
    """The constant of a text."""
    return next(op.properties["value"] for op in parse(text).walk() if op.name == "arith.constant")


@pytest.mark.parametrize(
    ("kind", "infinity", "one"),
    [
        ("f16", "0xFC00", "0x3C00"),
        ("bf16", "0xFF80", "0x3F80"),
        ("f32", "0xFF800000", "0x3F800000"),
        ("f64", "0xFFF0000000000000", "0x3FF0000000000000"),
    ],
)
def test_bits_are_numbers(kind: str, infinity: str, one: str) -> None:
    expected = f"dense<[{infinity.lower()}, 1.000000e+00]> : tensor<2x{kind}>"
    assert read(f"[{infinity}, {one}]", kind) == expected
    assert read(expected.removeprefix("dense<").partition(">")[0], kind) == expected
    assert read(one, kind) == f"dense<1.000000e+00> : tensor<2x{kind}>"


def test_integers_stay_integers() -> None:
    assert read("[0xFF, -0x10]", "i32") == "dense<[255, -16]> : tensor<2xi32>"


@pytest.mark.parametrize("bits", ["0x1FF800000", "-0x1"])
def test_other_than_the_bits_of_a_number_is_refused(bits: str) -> None:
    with pytest.raises(VtacError, match=rf"<string>:2:30: {bits} as f32: the 32 bits of one are required"):
        read(f"[{bits}, 1.0]", "f32")


@pytest.mark.parametrize(
    ("text", "kind", "elements"),
    [
        ("0x05", "3xi1", "true, false, true"),
        ("0x0102", "9xi1", "true, false, false, false, false, false, false, false, false"),
        ("0xFF", "2xi1", "true, true"),
        ("0x00", "2xi1", "false, false"),
        ("0x0100FF", "3xi1", "true, false, true"),
        ("0x0203", "2xi8", "2, 3"),
        ("0x02", "2xi8", "2, 2"),
    ],
)
def test_elements_in_one_text_are_bytes_and_bits_eight_in_one(text: str, kind: str, elements: str) -> None:
    same = "true" if elements == "true, true" else "false" if elements == "false, false" else f"[{elements}]"
    assert constant(f'"{text}"', kind) == constant(same, kind)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("0x0500", "3xi1", "tensor<3xi1> takes 1 bytes of elements, others are given"),
        ("0x01", "2xf32", "tensor<2xf32> takes 8 bytes of elements, others are given"),
        ("0102", "2xi8", "the elements of tensor<2xi8> are no hexadecimal bytes that begin with 0x"),
        ("0xzz", "2xi8", "the elements of tensor<2xi8> are no hexadecimal bytes that begin with 0x"),
    ],
)
def test_a_text_of_other_elements_is_refused(text: str, kind: str, message: str) -> None:
    with pytest.raises(VtacError, match=message):
        constant(f'"{text}"', kind)


@pytest.mark.parametrize(("kind", "least"), [("f16", 65520.0), ("bf16", 3.4e38), ("f32", 3.5e38)])
def test_a_number_too_large_for_its_type_is_infinite(kind: str, least: float) -> None:
    bits = {"f16": "0xFC00", "bf16": "0xFF80", "f32": "0xFF800000"}[kind]
    assert read(f"[-{least}, 1.0]", kind) == read(f"[{bits}, 1.0]", kind)
    assert "0x" not in read("[65504.0, 1.0]", kind)


@needs_mlir_opt
def test_bits_of_a_large_constant_are_those_that_mlir_prints() -> None:
    elements = ", ".join("true" if number * number % 7 in (1, 2) else "false" for number in range(150))
    text = f"func.func @f() -> tensor<150xi1> {{\n  %c = arith.constant dense<[{elements}]> : tensor<150xi1>\n"
    text += "  func.return %c : tensor<150xi1>\n}\n"
    printed = mlir_opt(text=text)
    assert 'dense<"0x' in printed
    assert value_of(printed) == value_of(text)


@pytest.mark.parametrize(
    ("kind", "bits"),
    [
        ("f16", "0x7e00"),
        ("f16", "0xfe00"),
        ("bf16", "0xffc1"),
        ("f32", "0x7fc00123"),
        ("f64", "0xfff8000000000123"),
    ],
)
def test_nans_keep_their_bits(kind: str, bits: str) -> None:
    assert (
        str(value_of(f"func.func @f() {{\n  %m = arith.constant {bits} : {kind}\n  func.return\n}}\n"))
        == f"{bits} : {kind}"
    )
    assert read(f"[{bits}, 1.0]", kind) == f"dense<[{bits}, 1.000000e+00]> : tensor<2x{kind}>"
