"""Marks of buffers on arguments that are none, and contents of another shape: errors of the verifier."""

from __future__ import annotations

import pytest

import vtac
from vtac.errors import CompileError


@pytest.mark.parametrize(
    ("argument", "found"),
    [
        ("tensor<4xi32> {schedule.result}", "schedule.result is for buffers, and argument 0 is tensor<4xi32>"),
        ("tensor<4xi32> {schedule.constant = dense<1> : tensor<4xi32>}", "schedule.constant is for buffers"),
        ("memref<4xi32> {schedule.constant = dense<1> : tensor<2xi32>}", "holds tensor<2xi32>, and argument 0 is"),
    ],
)
def test_what_an_argument_cannot_bear(argument: str, found: str) -> None:
    with pytest.raises(CompileError) as caught:
        vtac.parse(f"func.func @f(%a: {argument}) {{\n  func.return\n}}\n")
    assert found in str(caught.value)


def test_what_it_can() -> None:
    vtac.parse("func.func @f(%a: memref<4xi32> {schedule.constant = dense<1> : tensor<4xi32>}) {\n  func.return\n}\n")
