"""Every named operation that frontends emit: read, compiled, and equal to what numpy makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from layer_text import LayerText, host_steps, kernel_count
from plain_programs import CLAMP, elementwise, run_against_numpy, said

import vtac
from vtac.workloads.linalg_text import affine_map

WINDOW = "{dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}"

SUM = "host: the sum of a kernel that is no constant, for the zero point of the data"


def without_sums(choices: Sequence[str]) -> tuple[str, ...]:
    """The choices besides that the host sums up the weights that are arguments, where the data has a zero point."""
    return tuple(choice for choice in choices if choice != SUM)


def program(op: str, shapes: str, result: str, zero_points: tuple[int, ...] = (), attributes: str = WINDOW) -> str:
    """A function of one operation on i8 `shapes`, clamped to i8; the attributes stand in front."""
    kinds = [f"tensor<{shape}xi8>" for shape in shapes.split()]
    names = [f"%a{index}" for index in range(len(kinds))]
    points = [f"%z{index}" for index in range(len(zero_points))]
    wide, out = f"tensor<{result}xi32>", f"tensor<{result}xi8>"
    rank = result.count("x") + 1
    dims = ", ".join(f"d{dim}" for dim in range(rank))
    arguments = ", ".join(f"{name}: {kind}" for name, kind in zip(names, kinds, strict=True))
    inputs = f"{', '.join([*names, *points])} : {', '.join([*kinds, *['i32'] * len(points)])}"
    lines = [
        f"#id = {affine_map(dims, dims)}",
        f"func.func @f({arguments}) -> {out} {{",
        *[f"  {name} = arith.constant {value} : i32" for name, value in zip(points, zero_points, strict=True)],
        "  %zero = arith.constant 0 : i32",
        f"  %empty = tensor.empty() : {wide}",
        f"  %init = linalg.fill ins(%zero : i32) outs(%empty : {wide}) -> {wide}",
        f"  %whole = linalg.{op} {attributes} ins({inputs}) outs(%init : {wide}) -> {wide}",
        *elementwise("narrow", ["%whole"], wide, out, CLAMP, rank),
    ]
    return "\n".join([*lines, f"  func.return %narrow : {out}", "}", ""])


@pytest.mark.parametrize(
    ("op", "shapes", "result", "zero_points"),
    [
        ("conv_2d_nchw_fchw", "1x18x3x3 20x18x2x2", "1x20x2x2", ()),
        ("conv_2d_nchw_fchw_q", "1x18x3x3 20x18x2x2", "1x20x2x2", (3, 0)),
        ("conv_2d_nhwc_fhwc", "1x3x3x18 20x2x2x18", "1x2x2x20", ()),
        ("conv_2d_nhwc_fhwc_q", "1x3x3x18 20x2x2x18", "1x2x2x20", (-5, 0)),
        ("conv_2d_nhwc_hwcf", "1x3x3x18 2x2x18x20", "1x2x2x20", ()),
        ("conv_2d_nhwc_hwcf_q", "1x3x3x18 2x2x18x20", "1x2x2x20", (2, 0)),
        ("conv_2d_ngchw_gfchw", "1x2x9x3x3 2x10x9x2x2", "1x2x10x2x2", ()),
        ("conv_2d_ngchw_gfchw_q", "1x2x9x3x3 2x10x9x2x2", "1x2x10x2x2", (4, 0)),
        ("depthwise_conv_2d_nchw_chw", "1x18x3x3 18x2x2", "1x18x2x2", ()),
        ("depthwise_conv_2d_nhwc_hwc", "1x3x3x18 2x2x18", "1x2x2x18", ()),
        ("depthwise_conv_2d_nhwc_hwc_q", "1x3x3x18 2x2x18", "1x2x2x18", (7, 0)),
        ("pooling_nchw_sum", "1x18x3x3 2x2", "1x18x2x2", ()),
        ("pooling_nhwc_sum", "1x3x3x18 2x2", "1x2x2x18", ()),
        ("pooling_nchw_max", "1x18x3x3 2x2", "1x18x2x2", ()),
        ("pooling_nhwc_max", "1x3x3x18 2x2", "1x2x2x18", ()),
    ],
)
def test_windows(op: str, shapes: str, result: str, zero_points: tuple[int, ...]) -> None:
    compiled = run_against_numpy(program(op, shapes, result, zero_points))
    assert all("host:" not in choice for choice in without_sums(said(compiled)))


@pytest.mark.parametrize(
    ("op", "shapes", "result", "zero_points"),
    [
        ("matmul", "5x18 18x20", "5x20", ()),
        ("matmul_transpose_b", "5x18 20x18", "5x20", ()),
        ("quantized_matmul", "5x18 18x20", "5x20", (9, 0)),
        ("batch_matmul", "1x5x18 1x18x20", "1x5x20", ()),
        ("quantized_batch_matmul", "1x5x18 1x18x20", "1x5x20", (9, 0)),
    ],
)
def test_products(op: str, shapes: str, result: str, zero_points: tuple[int, ...]) -> None:
    compiled = run_against_numpy(program(op, shapes, result, zero_points, ""))
    assert without_sums(said(compiled)) == ()
    assert kernel_count(compiled) == 1


@pytest.mark.parametrize("zero_points", [(), (9, 0)], ids=["plain", "zero points"])
def test_small_batches_of_products_are_unrolled(zero_points: tuple[int, ...]) -> None:
    """With the operations behind them: each product's result is narrowed by its own device function."""
    op = "quantized_batch_matmul" if zero_points else "batch_matmul"
    compiled = run_against_numpy(program(op, "3x5x18 3x18x20", "3x5x20", zero_points, ""))
    assert without_sums(said(compiled)) == ()
    assert kernel_count(compiled) == 3
    assert host_steps(compiled)[-1] == "packing.join"


def test_widened_batches_of_products_are_unrolled() -> None:
    """As integer PyTorch writes them: operands extended to i32, sums of 64 bits truncated."""
    net = LayerText((2, 5, 18))
    widen = "%y = arith.extsi %a0 : i8 to i32"
    data = net.elementwise(widen, [net.inputs[0]], "i32")
    weights = net.elementwise(widen, [net.constant((2, 18, 20), -20, 20)], "i32")
    total = net.structured("linalg.batch_matmul", [data, weights], (2, 5, 20), "i64", 0)
    whole = net.elementwise("%y = arith.trunci %a0 : i64 to i32", [total], "i32")
    compiled = run_against_numpy(net.text(net.narrow(whole, 5)))
    assert without_sums(said(compiled)) == ()
    assert kernel_count(compiled) == 2


def test_large_batches_of_products_are_the_host_s() -> None:
    text = program("batch_matmul", "9x2x3 9x3x2", "9x2x2", (), "")
    compiled = run_against_numpy(text)
    assert compiled.choices[0].startswith(
        "host: 'linalg.batch_matmul' cannot run on the VTA: loop d0 (parallel, extent 9) indexes both factors"
    )


@pytest.mark.parametrize(
    "text",
    [
        '"arith.trunci"(%x) <{overflowFlags = #arith.overflow<nsw>}> : (i32) -> i8',
        "arith.trunci %x overflow<nsw, nuw> : i32 to i8",
    ],
)
def test_flags_of_truncations_are_read(text: str) -> None:
    kind = "tensor<1x16x2x2x"
    lines = [
        f"#id = {affine_map('n, c, h, w', 'n, c, h, w')}",
        f"func.func @f(%a: {kind}i32>) -> {kind}i8> {{",
        *elementwise("r", ["%a"], f"{kind}i32>", f"{kind}i8>", f"\n    %y = {text}"),
    ]
    module = vtac.parse("\n".join([*lines, f"  func.return %r : {kind}i8>", "}", ""]))
    assert str(vtac.parse(str(module))) == str(module)
    run_against_numpy(str(module))


def test_unsigned_bytes_become_signed_ones() -> None:
    """As ONNX models of u8 arrive: signless bytes, extended without a sign, less 128, truncated."""
    net = LayerText((1, 18, 5, 5))
    body = """%u = arith.extui %a0 : i8 to i32
    %h = arith.constant 128 : i32
    %s = arith.subi %u, %h : i32
    %y = arith.trunci %s : i32 to i8"""
    signed = net.elementwise(body, [net.inputs[0]], "i8")
    compiled = run_against_numpy(net.text(net.narrow(net.convolution(signed, 20), 7)))
    assert without_sums(said(compiled)) == ()
    assert kernel_count(compiled) == 2


def test_unsigned_bytes_as_quantised_floats() -> None:
    """Dequantised around 128, doubled, quantised to unsigned bytes again."""
    net = LayerText((1, 18, 5, 5))
    body = """%u = arith.uitofp %a0 : i8 to f32
    %zero = arith.constant 128.0 : f32
    %scale = arith.constant 0.25 : f32
    %coarse = arith.constant 0.125 : f32
    %c = arith.subf %u, %zero : f32
    %d = arith.mulf %c, %scale : f32
    %q = arith.divf %d, %coarse : f32
    %r = math.roundeven %q : f32
    %p = arith.addf %r, %zero : f32
    %least = arith.constant 0.0 : f32
    %most = arith.constant 255.0 : f32
    %l = arith.maximumf %p, %least : f32
    %m = arith.minimumf %l, %most : f32
    %y = arith.fptoui %m : f32 to i8"""
    compiled = run_against_numpy(net.text(net.elementwise(body, [net.inputs[0]], "i8")))
    assert without_sums(said(compiled)) == ()


def test_a_clamp_to_more_than_the_type_holds() -> None:
    net = LayerText((1, 18, 5, 5))
    body = "%f = arith.sitofp %a0 : i8 to f32\n    %y = arith.fptoui %f : f32 to i8"
    with pytest.raises(
        vtac.CompileError, match=r"'arith\.fptoui' of a value between -128 and 127 does not fit i8: clamp"
    ):
        vtac.compile(net.text(net.elementwise(body, [net.inputs[0]], "i8")), host=False)
