"""Elements of floating-point tensors that are given by their bits, as MLIR prints infinities."""

from __future__ import annotations

import pytest

from vtac.errors import VtacError
from vtac.text.source import parse


def read(elements: str, kind: str) -> str:
    """The constant, read and printed."""
    text = f"func.func @f() {{\n  %m = arith.constant dense<{elements}> : tensor<2x{kind}>\n  func.return\n}}\n"
    return next(str(op.properties["value"]) for op in parse(text).walk() if op.name == "arith.constant")


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
