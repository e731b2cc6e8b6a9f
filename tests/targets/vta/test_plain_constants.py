"""Numbers that stand where frontends put them: outside of bodies, beside what nothing reads, in phases without taps."""

from __future__ import annotations

import pytest
from plain_programs import run_against_numpy

ID = "affine_map<(a, b, c, d) -> (a, b, c, d)>"
ELEMENTWISE = f'{{indexing_maps = [{ID}, {ID}], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}}'
ONES = "{dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}"


def sums(data_shape: str, kernel_shape: str, shape: str, data: str = "x", start: str = "zero") -> str:
    """`%y`, a convolution of `%x` (or other data) with `%w` from `%zero` (or another number) on."""
    return f"""  %e = tensor.empty() : tensor<{shape}xi32>
  %f = linalg.fill ins(%{start} : i32) outs(%e : tensor<{shape}xi32>) -> tensor<{shape}xi32>
  %y = linalg.conv_2d_nchw_fchw {ONES} ins(%{data}, %w : tensor<{data_shape}xi8>, tensor<{kernel_shape}xi8>)
    outs(%f : tensor<{shape}xi32>) -> tensor<{shape}xi32>"""


def requantised(shift: str, least: str) -> str:
    """`%q` of the sums `%y`, with the constants that the function's body or the operation's own holds."""
    return f"""
  %q = linalg.generic {ELEMENTWISE} ins(%y : tensor<1x16x4x4xi32>) outs(%e2 : tensor<1x16x4x4xi8>) {{
  ^bb0(%a: i32, %o: i8):
    {shift}
    {least}
    %s = arith.shrsi %a, %shift : i32
    %m = arith.maxsi %s, %least : i32
    %t = arith.trunci %m : i32 to i8
    linalg.yield %t : i8
  }} -> tensor<1x16x4x4xi8>"""


@pytest.mark.parametrize("shift", [8, 31])
@pytest.mark.parametrize("inside", [(), ("shift",), ("least",), ("shift", "least")])
def test_pooled_sums_read_constants_from_anywhere(inside: tuple[str, ...], shift: int) -> None:
    numbers = {"shift": f"%shift = arith.constant {shift} : i32", "least": "%least = arith.constant -128 : i32"}
    outside = "\n  ".join(line for name, line in numbers.items() if name not in inside)
    body = requantised(*(line if name in inside else "" for name, line in numbers.items()))
    run_against_numpy(f"""
func.func @net(%x: tensor<1x16x4x4xi8>, %w: tensor<16x16x1x1xi8>) -> tensor<1x16x2x2xi8> {{
  {outside}
  %zero = arith.constant 0 : i32
{sums("1x16x4x4", "16x16x1x1", "1x16x4x4")}
  %e2 = tensor.empty() : tensor<1x16x4x4xi8>{body}
  %low = arith.constant -128 : i8
  %e3 = tensor.empty() : tensor<1x16x2x2xi8>
  %f3 = linalg.fill ins(%low : i8) outs(%e3 : tensor<1x16x2x2xi8>) -> tensor<1x16x2x2xi8>
  %n = tensor.empty() : tensor<2x2xi8>
  %p = linalg.pooling_nchw_max {{dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}}
    ins(%q, %n : tensor<1x16x4x4xi8>, tensor<2x2xi8>) outs(%f3 : tensor<1x16x2x2xi8>) -> tensor<1x16x2x2xi8>
  func.return %p : tensor<1x16x2x2xi8>
}}""")


def test_what_nothing_reads_is_no_layer() -> None:
    program = run_against_numpy(f"""
func.func @net(%x: tensor<1x3x8x8xi8>, %w: tensor<8x3x3x3xi8>) -> tensor<1x3x8x8xi8> {{
  %e = tensor.empty() : tensor<1x8x6x6xi32>
  %c = arith.constant 0 : i32
  %f = linalg.fill ins(%c : i32) outs(%e : tensor<1x8x6x6xi32>) -> tensor<1x8x6x6xi32>
  %y = linalg.conv_2d_nchw_fchw {ONES} ins(%x, %w : tensor<1x3x8x8xi8>, tensor<8x3x3x3xi8>)
    outs(%f : tensor<1x8x6x6xi32>) -> tensor<1x8x6x6xi32>
  func.return %x : tensor<1x3x8x8xi8>
}}""")
    assert not program.devices


@pytest.mark.parametrize("start", [0, 100000, -70000])
def test_phases_of_a_transposed_convolution_without_taps_are_one_number(start: int) -> None:
    program = run_against_numpy(f"""
func.func @net(%x: tensor<1x16x3x3xi8>, %w: tensor<16x16x1x1xi8>) -> tensor<1x16x5x5xi8> {{
  %z = arith.constant 0 : i8
  %e0 = tensor.empty() : tensor<1x16x5x5xi8>
  %f0 = linalg.fill ins(%z : i8) outs(%e0 : tensor<1x16x5x5xi8>) -> tensor<1x16x5x5xi8>
  %i = tensor.insert_slice %x into %f0[0, 0, 0, 0] [1, 16, 3, 3] [1, 1, 2, 2]
    : tensor<1x16x3x3xi8> into tensor<1x16x5x5xi8>
  %e = tensor.empty() : tensor<1x16x5x5xi32>
  %start = arith.constant {start} : i32
  %shift = arith.constant 11 : i32
  %f = linalg.fill ins(%start : i32) outs(%e : tensor<1x16x5x5xi32>) -> tensor<1x16x5x5xi32>
  %y = linalg.conv_2d_nchw_fchw {ONES} ins(%i, %w : tensor<1x16x5x5xi8>, tensor<16x16x1x1xi8>)
    outs(%f : tensor<1x16x5x5xi32>) -> tensor<1x16x5x5xi32>
  %e2 = tensor.empty() : tensor<1x16x5x5xi8>
  %q = linalg.generic {ELEMENTWISE} ins(%y : tensor<1x16x5x5xi32>) outs(%e2 : tensor<1x16x5x5xi8>) {{
  ^bb0(%a: i32, %o: i8):
    %s = arith.shrsi %a, %shift : i32
    %t = arith.trunci %s : i32 to i8
    linalg.yield %t : i8
  }} -> tensor<1x16x5x5xi8>
  func.return %q : tensor<1x16x5x5xi8>
}}""")
    assert len(program.devices) == 1


def test_sums_over_features_are_pooled_by_themselves() -> None:
    """What GEMM has just summed is pooled in its tiles along rows and columns alone."""
    run_against_numpy(f"""
func.func @net(%x: tensor<1x4x3x1xi8>, %w: tensor<4x4x1x1xi8>) -> tensor<1x1xi32> {{
  %zero = arith.constant 0 : i32
{sums("1x4x3x1", "4x4x1x1", "1x4x3x1")}
  %e2 = tensor.empty() : tensor<1x1xi32>
  %f2 = linalg.fill ins(%zero : i32) outs(%e2 : tensor<1x1xi32>) -> tensor<1x1xi32>
  %s = linalg.generic {{indexing_maps = [{ID}, affine_map<(a, b, c, d) -> (a, d)>],
    iterator_types = ["parallel", "reduction", "reduction", "parallel"]}}
    ins(%y : tensor<1x4x3x1xi32>) outs(%f2 : tensor<1x1xi32>) {{
  ^bb0(%a: i32, %acc: i32):
    %t = arith.addi %acc, %a : i32
    linalg.yield %t : i32
  }} -> tensor<1x1xi32>
  func.return %s : tensor<1x1xi32>
}}""")


def test_a_body_longer_than_a_device_function_is_one_all_the_same() -> None:
    steps = "\n    ".join(f"%r{i + 1} = arith.addi %r{i}, %r0 : i32" for i in range(60))
    text = f"""
func.func @net(%x: tensor<4x16xi32>) -> tensor<4x16xi32> {{
  %e = tensor.empty() : tensor<4x16xi32>
  %y = linalg.generic {{indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, b)>],
    iterator_types = ["parallel", "parallel"]}} ins(%x : tensor<4x16xi32>) outs(%e : tensor<4x16xi32>) {{
  ^bb0(%r0: i32, %o: i32):
    {steps}
    linalg.yield %r60 : i32
  }} -> tensor<4x16xi32>
  func.return %y : tensor<4x16xi32>
}}"""
    assert len(run_against_numpy(text).devices) == 1


def test_comparisons_of_what_the_vta_computes_are_one_of_its_maxima() -> None:
    run_against_numpy(f"""
func.func @net(%x: tensor<1x4x3x2xi8>, %w: tensor<4x4x1x1xi8>) -> tensor<1x4x3x2xi32> {{
  %zero = arith.constant 0 : i32
{sums("1x4x3x2", "4x4x1x1", "1x4x3x2")}
  %five = arith.constant dense<5> : tensor<1x4x3x2xi32>
  %p = arith.cmpi sgt, %y, %five : tensor<1x4x3x2xi32>
  %s = arith.select %p, %y, %five : tensor<1x4x3x2xi1>, tensor<1x4x3x2xi32>
  func.return %s : tensor<1x4x3x2xi32>
}}""")


def test_dilated_windows_may_straddle_all_data() -> None:
    """A row of data, of which taps three rows apart meet none: the sums there are reset, and pass the ALU."""
    program = run_against_numpy("""
func.func @net(%x: tensor<1x16x1x5xi8>, %w: tensor<16x16x2x2xi8>) -> tensor<1x16x2x4xi32> {
  %z = arith.constant 0 : i8
  %p = tensor.pad %x low[0, 0, 2, 0] high[0, 0, 2, 2] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %z : i8
  } : tensor<1x16x1x5xi8> to tensor<1x16x5x7xi8>
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x16x2x4xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x16x2x4xi32>) -> tensor<1x16x2x4xi32>
  %y = linalg.conv_2d_nchw_fchw {dilations = dense<3> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%p, %w : tensor<1x16x5x7xi8>, tensor<16x16x2x2xi8>) outs(%f : tensor<1x16x2x4xi32>) -> tensor<1x16x2x4xi32>
  func.return %y : tensor<1x16x2x4xi32>
}""")
    assert not [choice for choice in program.choices if "one tile after the other" in choice]
