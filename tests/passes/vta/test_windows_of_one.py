"""Poolings whose windows hold one element, between poolings and products, compute what their linalg does."""

from __future__ import annotations

from itertools import product

import pytest
from plain_programs import run_against_numpy

from vtac.dialects.hardware import VTAConfig

KINDS = {"max": ("pooling_nchw_max", "maxsi", -128), "sum": ("pooling_nchw_sum", "addi", 0)}


def program(first: str, window: tuple[int, int], stride: int, second: str, dims: str) -> str:
    """A pooling to 3x20x1x1, a reduction over `dims` of extent 1, and a product of 20 rows."""
    name, _, start = KINDS[first]
    element, size = "i8" if first == "max" else "i32", "x".join(map(str, window))
    _, again, begin = KINDS[second]
    kinds = ", ".join('"reduction"' if dim in dims else '"parallel"' for dim in "nchw")
    kept = [dim for dim in "nchw" if dim not in dims]
    reduced = f"tensor<{'x'.join(['3', '20', '1'][: len(kept)])}x{element}>"
    shape = "" if len(kept) == 2 else f"%flat = tensor.collapse_shape %q [[0], [1, 2]] : {reduced} into "
    body = "%t = arith.trunci %v : i32 to i8" if element == "i32" else "%t = arith.addi %v, %v : i8"
    return f"""
#rows = affine_map<(i, j) -> (i, j)>
func.func @f(%x: tensor<3x20x{size}xi8>, %w: tensor<20x7xi8>) -> tensor<3x7xi32> {{
  %window = tensor.empty() : tensor<{size}x{element}>
  %least = arith.constant {start} : {element}
  %e = tensor.empty() : tensor<3x20x1x1x{element}>
  %z = linalg.fill ins(%least : {element}) outs(%e : tensor<3x20x1x1x{element}>) -> tensor<3x20x1x1x{element}>
  %p = linalg.{name} {{dilations = dense<1> : tensor<2xi64>, strides = dense<{stride}> : tensor<2xi64>}}
      ins(%x, %window : tensor<3x20x{size}xi8>, tensor<{size}x{element}>) outs(%z : tensor<3x20x1x1x{element}>)
      -> tensor<3x20x1x1x{element}>
  %from = arith.constant {begin} : {element}
  %g = tensor.empty() : {reduced}
  %s = linalg.fill ins(%from : {element}) outs(%g : {reduced}) -> {reduced}
  %q = linalg.generic {{indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>,
      affine_map<(n, c, h, w) -> ({", ".join(kept)})>], iterator_types = [{kinds}]}}
      ins(%p : tensor<3x20x1x1x{element}>) outs(%s : {reduced}) {{
  ^bb0(%a: {element}, %b: {element}):
    %c = arith.{again} %a, %b : {element}
    linalg.yield %c : {element}
  }} -> {reduced}
  {shape + f"tensor<3x20x{element}>" if shape else ""}
  %n = tensor.empty() : tensor<3x20xi8>
  %y = linalg.generic {{indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}}
      ins({"%flat" if shape else "%q"} : tensor<3x20x{element}>) outs(%n : tensor<3x20xi8>) {{
  ^bb0(%v: {element}, %o: i8):
    {body}
    linalg.yield %t : i8
  }} -> tensor<3x20xi8>
  %zero = arith.constant 0 : i32
  %h = tensor.empty() : tensor<3x7xi32>
  %start = linalg.fill ins(%zero : i32) outs(%h : tensor<3x7xi32>) -> tensor<3x7xi32>
  %r = linalg.matmul ins(%y, %w : tensor<3x20xi8>, tensor<20x7xi8>) outs(%start : tensor<3x7xi32>) -> tensor<3x7xi32>
  func.return %r : tensor<3x7xi32>
}}
"""


CASES = [
    ("max", window, stride, "max", dims) for window, stride, dims in product([(1, 1), (1, 2)], [1, 2], ["hw", "h", "w"])
]


@pytest.mark.parametrize(("first", "window", "stride", "second", "dims"), [*CASES, ("sum", (2, 1), 1, "sum", "w")])
def test_between_a_pooling_and_a_product(
    first: str, window: tuple[int, int], stride: int, second: str, dims: str
) -> None:
    run_against_numpy(program(first, window, stride, second, dims))


def test_maxima_of_maxima_where_input_and_output_tiles_differ() -> None:
    """Bytes of one pooling are read by the next in other tiles than they are stored in, so that each is a layer."""
    found = run_against_numpy(
        """
func.func @f(%x: tensor<1x3x6x5xi8>) -> tensor<1x3x2x3xi8> {
  %rows = tensor.empty() : tensor<3x1xi8>
  %least = arith.constant -128 : i8
  %e = tensor.empty() : tensor<1x3x2x5xi8>
  %s = linalg.fill ins(%least : i8) outs(%e : tensor<1x3x2x5xi8>) -> tensor<1x3x2x5xi8>
  %p = linalg.pooling_nchw_max {dilations = dense<1> : tensor<2xi64>, strides = dense<[2, 1]> : tensor<2xi64>}
      ins(%x, %rows : tensor<1x3x6x5xi8>, tensor<3x1xi8>) outs(%s : tensor<1x3x2x5xi8>) -> tensor<1x3x2x5xi8>
  %one = tensor.empty() : tensor<1x1xi8>
  %five = arith.constant 5 : i8
  %g = tensor.empty() : tensor<1x3x2x3xi8>
  %f = linalg.fill ins(%five : i8) outs(%g : tensor<1x3x2x3xi8>) -> tensor<1x3x2x3xi8>
  %q = linalg.pooling_nchw_max {dilations = dense<1> : tensor<2xi64>, strides = dense<[1, 2]> : tensor<2xi64>}
      ins(%p, %one : tensor<1x3x2x5xi8>, tensor<1x1xi8>) outs(%f : tensor<1x3x2x3xi8>) -> tensor<1x3x2x3xi8>
  func.return %q : tensor<1x3x2x3xi8>
}
""",
        VTAConfig(log_block_out=5, log_wgt_buff_size=16),
    )
    assert len(found.devices) == 2
