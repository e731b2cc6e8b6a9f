"""Products with zero points compute the same after they are taken out: every form, with padding and without."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from vtac.evaluate import evaluate
from vtac.passes.linalg.narrow_integers import NarrowIntegers
from vtac.passes.linalg.take_out_zero_points import TakeOutZeroPoints
from vtac.text.context import make_context
from vtac.text.source import parse

RNG = np.random.default_rng(12)
ID = "affine_map<(a, b, c, d) -> (a, b, c, d)>"
ALL = '["parallel", "parallel", "parallel", "parallel"]'


def dense(array: NDArray[np.int8]) -> str:
    return f'dense<"0x{np.ascontiguousarray(array).tobytes().hex().upper()}">'


def taken_out(text: str) -> ModuleOp:
    module = parse(text)
    for one in (NarrowIntegers(), TakeOutZeroPoints()):
        one.apply(make_context(), module)
        module.verify()
    return module


def check(text: str, *arrays: NDArray[np.int8]) -> str:
    """The program computes the same before and after; its new text."""
    after = taken_out(text)
    np.testing.assert_array_equal(evaluate(parse(text), *arrays), evaluate(after, *arrays))
    return str(after)


def quantised(
    data_zero: int, kernel_zero: int, pad: int | None, *, constant: bool, high: int = 128, computed: bool = False
) -> tuple[str, NDArray[np.int8]]:
    """A quantised convolution of 1x3x6x7 bytes with four 3x3 kernels of bytes."""
    kernel = RNG.integers(-high, high, (4, 3, 3, 3)).astype(np.int8)
    head = "%x: tensor<1x3x6x7xi8>" + ("" if constant else ", %k: tensor<4x3x3x3xi8>")
    height, width = (6, 7) if pad is None else (8, 9)
    lines = [f"%k = arith.constant {dense(kernel)} : tensor<4x3x3x3xi8>"] if constant else []
    source = "%v" if computed else "%x"
    if computed:
        lines += [
            "%ev = tensor.empty() : tensor<1x3x6x7xi8>",
            f"%v = linalg.generic {{indexing_maps = [{ID}, {ID}], iterator_types = {ALL}}} "
            "ins(%x : tensor<1x3x6x7xi8>) outs(%ev : tensor<1x3x6x7xi8>) {",
            "^bb0(%in: i8, %out: i8):",
            "%m = arith.maxsi %in, %in : i8",
            "linalg.yield %m : i8 } -> tensor<1x3x6x7xi8>",
        ]
    if pad is not None:
        lines += [
            f"%edge = arith.constant {pad} : i8",
            f"%d = tensor.pad {source} low[0, 0, 1, 1] high[0, 0, 1, 1] {{",
            "^bb0(%a: index, %b: index, %c: index, %e: index):",
            "tensor.yield %edge : i8 } : tensor<1x3x6x7xi8> to tensor<1x3x8x9xi8>",
        ]
    data = source if pad is None else "%d"
    out = f"tensor<1x4x{height - 2}x{width - 2}xi32>"
    lines += [
        f"%zd = arith.constant {data_zero} : i32",
        f"%zk = arith.constant {kernel_zero} : i32",
        f"%start = arith.constant dense<7> : {out}",
        "%y = linalg.conv_2d_nchw_fchw_q {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>} "
        f"ins({data}, %k, %zd, %zk : tensor<1x3x{height}x{width}xi8>, tensor<4x3x3x3xi8>, i32, i32) "
        f"outs(%start : {out}) -> {out}",
    ]
    body = "\n".join(lines)
    return f"func.func @f({head}) -> {out} {{\n{body}\nfunc.return %y : {out}\n}}\n", kernel


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("pad", [None, 0, -3, 11])
@pytest.mark.parametrize(
    ("data_zero", "kernel_zero", "high"), [(0, 0, 128), (-3, 0, 128), (-128, 5, 100), (17, 5, 128)]
)
def test_quantised_convolutions(data_zero: int, kernel_zero: int, high: int, pad: int | None, constant: bool) -> None:
    text, kernel = quantised(data_zero, kernel_zero, pad, constant=constant, high=high)
    x = RNG.integers(-128, 128, (1, 3, 6, 7)).astype(np.int8)
    after = check(text, *((x,) if constant else (x, kernel)))
    assert "_q" not in after
    is_narrow = constant and int(kernel.min()) - kernel_zero >= -128
    assert after.count("linalg.conv_2d_nchw_fchw ") == (1 if not kernel_zero or is_narrow else 2)
    assert after.count("tensor.pad") == (pad is not None)
    assert (pad is None) or ("constant -3 : i8" in after) == (pad == -3), "what is around the caller's data stays"


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("kernel_zero", [0, 5])
@pytest.mark.parametrize("pad", [None, 0, -3])
def test_padding_of_what_is_computed_is_taken_out_with_its_zero_point(
    pad: int | None, kernel_zero: int, constant: bool
) -> None:
    """At the border fewer taps meet data, of the kernel's own zero point, too."""
    text, kernel = quantised(-3, kernel_zero, pad, constant=constant, high=100, computed=True)
    x = RNG.integers(-128, 128, (1, 3, 6, 7)).astype(np.int8)
    after = check(text, *((x,) if constant else (x, kernel)))
    assert "constant -3 : i8" not in after
    assert after.count("tensor.pad") == (pad is not None)


def test_differences_of_i32_are_zero_points() -> None:
    """As frontends print MatMulInteger, and a convolution of (q - z) with zeros around it."""
    kernel = RNG.integers(-128, 128, (2, 3, 3, 3)).astype(np.int8)
    text = f"""
func.func @f(%x: tensor<1x3x6x7xi8>) -> tensor<1x2x6x7xi32> {{
  %k = arith.constant {dense(kernel)} : tensor<2x3x3x3xi8>
  %e = tensor.empty() : tensor<1x3x6x7xi32>
  %ek = tensor.empty() : tensor<2x3x3x3xi32>
  %ey = tensor.empty() : tensor<1x2x6x7xi32>
  %z = arith.constant 9 : i32
  %zero = arith.constant 0 : i32
  %a = linalg.generic {{indexing_maps = [{ID}, {ID}], iterator_types = {ALL}}}
    ins(%x : tensor<1x3x6x7xi8>) outs(%e : tensor<1x3x6x7xi32>) {{
  ^bb0(%in: i8, %out: i32):
    %s = arith.extsi %in : i8 to i32
    %t = arith.subi %s, %z : i32
    linalg.yield %t : i32
  }} -> tensor<1x3x6x7xi32>
  %w = linalg.generic {{indexing_maps = [{ID}, {ID}], iterator_types = {ALL}}}
    ins(%k : tensor<2x3x3x3xi8>) outs(%ek : tensor<2x3x3x3xi32>) {{
  ^bb0(%in: i8, %out: i32):
    %s = arith.extsi %in : i8 to i32
    linalg.yield %s : i32
  }} -> tensor<2x3x3x3xi32>
  %p = tensor.pad %a low[0, 0, 1, 1] high[0, 0, 1, 1] {{
  ^bb0(%i: index, %j: index, %m: index, %n: index):
    tensor.yield %zero : i32
  }} : tensor<1x3x6x7xi32> to tensor<1x3x8x9xi32>
  %start = linalg.fill ins(%zero : i32) outs(%ey : tensor<1x2x6x7xi32>) -> tensor<1x2x6x7xi32>
  %y = linalg.conv_2d_nchw_fchw {{dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}}
    ins(%p, %w : tensor<1x3x8x9xi32>, tensor<2x3x3x3xi32>) outs(%start : tensor<1x2x6x7xi32>) -> tensor<1x2x6x7xi32>
  func.return %y : tensor<1x2x6x7xi32>
}}"""
    after = check(text, RNG.integers(-128, 128, (1, 3, 6, 7)).astype(np.int8))
    assert "tensor.pad %x" in after
    assert "arith.subi" not in after
    assert ": tensor<1x3x8x9xi8>, tensor<2x3x3x3xi8>)" in after


@pytest.mark.parametrize("kernel_zero", [1025, 2147483647])
def test_zero_points_far_from_all_bytes_stay(kernel_zero: int) -> None:
    """A kernel less 2,147,483,647 would be 17 million kernels of bytes."""
    text, kernel = quantised(-3, kernel_zero, None, constant=False)
    x = RNG.integers(-128, 128, (1, 3, 6, 7)).astype(np.int8)
    assert "linalg.conv_2d_nchw_fchw_q" in check(text, x, kernel)
