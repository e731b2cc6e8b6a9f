"""What is refused, and with which words."""

from __future__ import annotations

import re

import numpy as np
import pytest
from plain_programs import CLAMP, PlainConv, elementwise, run_against_numpy

import vtac
from vtac.errors import CompileError, ProgramError
from vtac.targets.vta.programs.host_program import HostProgram

IDENTITY = "#id = affine_map<(n, c, h, w) -> (n, c, h, w)>"
KIND, WIDE = "tensor<1x16x6x6xi8>", "tensor<1x16x6x6xi32>"


def squared_sum() -> str:
    """A device function, then a product that only the host can take."""
    add = "\n    %s = arith.addi %x, %x1 : i32\n    %y = arith.trunci %s : i32 to i8"
    square = "\n    %y = arith.muli %x, %x : i8"
    lines = [IDENTITY, f"func.func @layer(%a: {WIDE}, %b: {WIDE}) -> {KIND} {{"]
    lines += elementwise("sum", ["%a", "%b"], WIDE, KIND, add)
    lines += elementwise("squared", ["%sum"], KIND, KIND, square)
    return "\n".join([*lines, f"  func.return %squared : {KIND}", "}", ""])


def refused(text: str, message: str, *, host: bool = False) -> None:
    with pytest.raises(CompileError, match=re.escape(message)):
        vtac.compile(text, host=host)


def alone(body: str, kinds: str = KIND, out: str = KIND, count: int = 2) -> str:
    """A function of one elementwise operation."""
    names = [f"%a{i}" for i in range(count)]
    arguments = ", ".join(f"{name}: {kinds}" for name in names)
    lines = [IDENTITY, f"func.func @layer({arguments}) -> {out} {{", *elementwise("r", names, kinds, out, body)]
    return "\n".join([*lines, f"  func.return %r : {out}", "}", ""])


def test_no_host_names_the_operation_its_place_and_why() -> None:
    run_against_numpy(squared_sum())
    refused(
        squared_sum(),
        "<string>:12:14: 'linalg.generic' cannot run on the VTA: it multiplies two tensors element by element; the "
        "VTA's hardware has no multiplication; allow host segments (without --no-host), or rewrite it",
        host=False,
    )


def test_no_host_names_all_operations_at_once() -> None:
    """In the order of the text, though the last one is asked for first."""
    add = "\n    %s = arith.addi %x, %x1 : i32\n    %y = arith.trunci %s : i32 to i8"
    square = "\n    %y = arith.muli %x, %x : i8"
    both = "\n    %y = arith.andi %x, %x1 : i8"
    lines = [IDENTITY, f"func.func @layer(%a: {WIDE}, %b: {WIDE}) -> {KIND} {{"]
    lines += elementwise("sum", ["%a", "%b"], WIDE, KIND, add)
    lines += elementwise("squared", ["%sum"], KIND, KIND, square)
    lines += elementwise("masked", ["%squared", "%sum"], KIND, KIND, both)
    with pytest.raises(CompileError) as caught:
        vtac.compile("\n".join([*lines, f"  func.return %masked : {KIND}", "}", ""]), host=False)
    assert str(caught.value).splitlines() == [
        "<string>:12:14: 'linalg.generic' cannot run on the VTA: it multiplies two tensors element by element; the "
        "VTA's hardware has no multiplication",
        "<string>:19:13: 'linalg.generic' cannot run on the VTA: 'arith.andi' is none of the operations that the VTA's "
        "ALU has (add, max, min, shifts)",
        "allow host segments (without --no-host), or rewrite these operations",
    ]
    assert caught.value.location == "<string>:12:14"


def test_no_host_allows_changes_of_layout() -> None:
    assert isinstance(vtac.compile(PlainConv(channels=3, pads=(1, 1, 1, 1)).text(), host=False), HostProgram)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("\n    %y = arith.muli %x, %x1 : i8", "it multiplies two tensors element by element"),
        ("\n    %y = arith.andi %x, %x1 : i8", "'arith.andi' is none of the operations that the VTA's ALU has"),
        ("\n    %y = arith.shrsi %x, %x1 : i8", "'arith.shrsi' by an amount that is no constant"),
        (
            "\n    %p = arith.cmpi eq, %x, %x1 : i8\n    %y = arith.select %p, %x, %x1 : i8",
            "'arith.select' is a maximum or minimum only with a signed > or <",
        ),
    ],
)
def test_operations_that_the_alu_lacks(body: str, reason: str) -> None:
    refused(alone(body), f"'linalg.generic' cannot run on the VTA: {reason}")


def test_a_subtraction_of_accumulators() -> None:
    """What is i32 has no weights that could be negative."""
    body = "\n    %d = arith.subi %x, %x1 : i32\n    %y = arith.trunci %d : i32 to i8"
    refused(
        alone(body, WIDE, KIND),
        "'linalg.generic' cannot run on the VTA: it subtracts one tensor from another, which the ALU cannot (it has no "
        "subtraction); GEMM subtracts i8 operands, and sums, maxima and minima of them",
    )


def test_a_scale_that_is_no_power_of_two_is_named() -> None:
    body = """
    %scale = arith.constant 0.3 : f32
    %f = arith.sitofp %x : i8 to f32
    %s = arith.mulf %f, %scale : f32
    %y = arith.fptosi %s : f32 to i8"""
    refused(alone(body, count=1), "the scale 0.300000012 is no power of two, and the VTA's only scaling is a shift")


def test_rounding_half_to_even_needs_a_bound() -> None:
    """An i32 argument may be anything, and then the additions of the rounding may wrap."""
    body = """
    %scale = arith.constant 0.125 : f32
    %least = arith.constant -1.280000e+02 : f32
    %most = arith.constant 1.270000e+02 : f32
    %f = arith.sitofp %x : i32 to f32
    %s = arith.mulf %f, %scale : f32
    %r = math.roundeven %s : f32
    %l = arith.maximumf %r, %least : f32
    %m = arith.minimumf %l, %most : f32
    %y = arith.fptosi %m : f32 to i8"""
    refused(
        alone(body, WIDE, KIND, 1),
        "it rounds half to even by 3 bits a value between -2147483648 and 2147483647; with additions and shifts that "
        "is exact only while they stay within 32 bits: bound the bias, or clamp first",
    )


def test_floating_point() -> None:
    half = KIND.replace("i8", "f16")
    refused(
        alone("\n    %y = arith.addf %x, %x1 : f16", half, half),
        "<string>:4:8: 'linalg.generic' cannot run on the VTA: its "
        "result is f16; the VTA stores i8 (and i32 as four planes of bytes)",
    )


def test_a_batch_of_products() -> None:
    text = """
func.func @f(%x: tensor<9x5x33xi8>, %w: tensor<9x33x7xi8>) -> tensor<9x5x7xi32> {
  %z = arith.constant 0 : i32
  %e = tensor.empty() : tensor<9x5x7xi32>
  %f = linalg.fill ins(%z : i32) outs(%e : tensor<9x5x7xi32>) -> tensor<9x5x7xi32>
  %y = linalg.batch_matmul ins(%x, %w : tensor<9x5x33xi8>, tensor<9x33x7xi8>)
    outs(%f : tensor<9x5x7xi32>) -> tensor<9x5x7xi32>
  func.return %y : tensor<9x5x7xi32>
}
"""
    refused(text, "'linalg.batch_matmul' cannot run on the VTA: loop d0 (parallel, extent 9) indexes both factors")


def test_dynamic_shapes() -> None:
    text = "\nfunc.func @f(%x: tensor<?xi32>) -> tensor<?xi32> {\n  func.return %x : tensor<?xi32>\n}\n"
    refused(text, "<string>:2:1: tensor<?xi32>: dynamic shapes; static ones are required")
    more = text.replace(
        "  func.return %x : tensor<?xi32>", "  %e = tensor.empty() : tensor<0xi8>\n  func.return %e : T"
    )
    refused(
        more.replace("-> tensor<?xi32>", "-> T").replace("T", "tensor<0xi8>"),
        "\n<string>:3:8: tensor<0xi8>: an extent of 0",
    )


def test_arrays_that_do_not_fit() -> None:
    program = vtac.compile(PlainConv(tail=CLAMP).text())
    with pytest.raises(ProgramError, match=r"argument 'data' is 2 int8; the program takes 1x16x6x5 int8"):
        program(np.zeros(2, np.int8), np.zeros((16, 16, 3, 3), np.int8))
    with pytest.raises(ProgramError, match="called with 0 arrays; the program takes 2"):
        program()
    with pytest.raises(ProgramError, match="stats are those of a run"):
        _ = vtac.compile(PlainConv(height=7).text()).stats
