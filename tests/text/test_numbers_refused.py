"""Numbers, and operations of MLIR, that are not read, and what is said of them."""

from __future__ import annotations

import re

import pytest

import vtac
from vtac.errors import CompileError
from vtac.text.context import make_context
from vtac.text.printing import op_text
from vtac.text.source import parse_module

WIDE = "constants of f80 and f128 are not read: no arithmetic here is as exact; write f64"


def constant(value: str) -> str:
    return f"func.func @f() {{\n  %c = arith.constant {value}\n  func.return\n}}\n"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("1.5 : f128", WIDE),
        ("1.5 : f80", WIDE),
        ("0x4000 : f128", WIDE),
        ("dense<1.5> : tensor<2xf128>", WIDE),
        ("0x7FA00000 : f32", "0x7FA00000 as f32 is a signalling NaN, which is not kept: set the highest bit"),
        ("0x7F81 : bf16", "0x7F81 as bf16 is a signalling NaN"),
        ("dense<[0xFC01, 1.0]> : tensor<2xf16>", "0xFC01 as f16 is a signalling NaN"),
        ("0x7E01 : f16", "0x7E01 as f16 is a NaN with a payload, which is not kept: write 0x7E00 or 0xFE00"),
        ("dense<[0xFFFF, 1.0]> : tensor<2xf16>", "0xFFFF as f16 is a NaN with a payload"),
        ('dense<"0x017E003C"> : tensor<2xf16>', "element 0 as f16 is a NaN with a payload"),
        ('dense<"0x0000803F0000A07F"> : tensor<2xf32>', "element 1 as f32 is a signalling NaN"),
    ],
)
def test_a_number_that_would_not_be_kept_is_refused(value: str, message: str) -> None:
    with pytest.raises(CompileError, match=re.escape(message)):
        vtac.parse(constant(value))


@pytest.mark.parametrize(
    "value", ["0x7FC00000 : f32", "0xFF800000 : f32", "0x7E00 : f16", "0x7FF4000000000000 : f64", "0x7F80 : bf16"]
)
def test_quiet_nans_and_infinities_are_kept(value: str) -> None:
    assert value.lower() in op_text(parse_module(constant(value), "<string>", make_context())).lower()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "%r = memref.extract_aligned_pointer_as_index %m : memref<4xi8> -> index",
            "'memref.extract_aligned_pointer_as_index' is read in MLIR's generic form only, as 'mlir-opt "
            "--mlir-print-op-generic' prints it",
        ),
        (
            "%r = tensor.bitcast %t : tensor<4xi8> to tensor<4xi8>",
            "dialect 'tensor' has no operation 'tensor.bitcast'; it is not read: let 'mlir-opt --canonicalize' fold it",
        ),
        (
            "%g = tensor.gather %t[%t] gather_dims([0]) : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>",
            "'tensor.gather'; it is not read in this form: let the",
        ),
    ],
)
def test_an_operation_that_is_not_read_is_named_with_a_way_out(statement: str, message: str) -> None:
    text = f"func.func @f(%m: memref<4xi8>, %t: tensor<4xi8>) {{\n  {statement}\n  func.return\n}}\n"
    with pytest.raises(CompileError, match=re.escape(message)):
        vtac.parse(text)
