"""Tensors that are padded, repeated or transposed as bytes, in place of wider integers, are read by those alone."""

from __future__ import annotations

import numpy as np
import pytest
from plain_programs import run_against_numpy
from strangers import strangers

from vtac.evaluate import evaluate
from vtac.passes.linalg.narrow_integers import NarrowIntegers
from vtac.text.context import make_context
from vtac.text.source import parse

MOVES = {
    "padded": """%y = tensor.pad %x low[1, 0] high[0, 2] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : i32
  } : tensor<3x4xi32> to tensor<4x6xi32>""",
    "transposed": """%e = tensor.empty() : tensor<4x3xi32>
  %y = linalg.transpose ins(%x : tensor<3x4xi32>) outs(%e : tensor<4x3xi32>) permutation = [1, 0]""",
    "cut": "%y = tensor.extract_slice %x[1, 0] [2, 4] [1, 1] : tensor<3x4xi32> to tensor<2x4xi32>",
}
SHAPES = {"padded": (4, 6), "transposed": (4, 3), "cut": (2, 4)}


def program(move: str) -> str:
    rows, depth = SHAPES[move]
    moved, factor, total = f"tensor<{rows}x{depth}xi32>", f"tensor<{depth}x5xi8>", f"tensor<{rows}x5xi32>"
    return f"""
#id = affine_map<(i, j) -> (i, j)>
func.func @f(%a: tensor<3x4xi8>, %w: {factor}) -> {total} {{
  %zero = arith.constant 0 : i32
  %wide = tensor.empty() : tensor<3x4xi32>
  %x = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}}
      ins(%a : tensor<3x4xi8>) outs(%wide : tensor<3x4xi32>) {{
  ^bb0(%b: i8, %o: i32):
    %c = arith.extsi %b : i8 to i32
    linalg.yield %c : i32
  }} -> tensor<3x4xi32>
  {MOVES[move]}
  %g = tensor.empty() : tensor<{depth}x5xi32>
  %v = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}}
      ins(%w : {factor}) outs(%g : tensor<{depth}x5xi32>) {{
  ^bb0(%b: i8, %o: i32):
    %c = arith.extsi %b : i8 to i32
    linalg.yield %c : i32
  }} -> tensor<{depth}x5xi32>
  %h = tensor.empty() : {total}
  %s = linalg.fill ins(%zero : i32) outs(%h : {total}) -> {total}
  %r = linalg.matmul ins(%y, %v : {moved}, tensor<{depth}x5xi32>) outs(%s : {total}) -> {total}
  func.return %r : {total}
}}
"""


@pytest.mark.parametrize("move", MOVES)
def test_no_copy_of_a_move_stays_behind(move: str) -> None:
    module = parse(program(move))
    generator = np.random.default_rng(0)
    depth = SHAPES[move][1]
    arrays = [generator.integers(-128, 128, shape).astype(np.int8) for shape in ((3, 4), (depth, 5))]
    before = evaluate(module, *arrays)
    NarrowIntegers().apply(make_context(), module)
    module.verify()
    assert strangers(module) == []
    assert "i8>, tensor" in str(module).split("linalg.matmul")[1].splitlines()[0]
    np.testing.assert_array_equal(evaluate(module, *arrays), before)


def test_maxima_of_bytes_that_are_padded_and_summed_up() -> None:
    """A pooling whose window and sums are of 32 bits, of bytes."""
    run_against_numpy("""
func.func @f(%x: tensor<2x20x5x5xi8>) -> tensor<20x6x3xi32> {
  %window = tensor.empty() : tensor<1x2xi32>
  %least = arith.constant -2147483648 : i32
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<2x20x2x3xi32>
  %s = linalg.fill ins(%least : i32) outs(%e : tensor<2x20x2x3xi32>) -> tensor<2x20x2x3xi32>
  %p = linalg.pooling_nchw_max {dilations = dense<2> : tensor<2xi64>, strides = dense<[3, 1]> : tensor<2xi64>}
      ins(%x, %window : tensor<2x20x5x5xi8>, tensor<1x2xi32>) outs(%s : tensor<2x20x2x3xi32>) -> tensor<2x20x2x3xi32>
  %q = tensor.pad %p low[0, 0, 2, 0] high[0, 0, 2, 0] {
  ^bb0(%n: index, %c: index, %h: index, %w: index):
    tensor.yield %zero : i32
  } : tensor<2x20x2x3xi32> to tensor<2x20x6x3xi32>
  %g = tensor.empty() : tensor<20x6x3xi32>
  %f = linalg.fill ins(%zero : i32) outs(%g : tensor<20x6x3xi32>) -> tensor<20x6x3xi32>
  %r = linalg.generic {indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>,
      affine_map<(n, c, h, w) -> (c, h, w)>], iterator_types = ["reduction", "parallel", "parallel", "parallel"]}
      ins(%q : tensor<2x20x6x3xi32>) outs(%f : tensor<20x6x3xi32>) {
  ^bb0(%a: i32, %b: i32):
    %t = arith.addi %a, %b : i32
    linalg.yield %t : i32
  } -> tensor<20x6x3xi32>
  func.return %r : tensor<20x6x3xi32>
}
""")
