"""Products that look like packed ones and are none: they compile, whatever the configuration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import vtac

ATTENTION = """#q = affine_map<(b, h, s, t, d) -> (b, h, s, d)>
#k = affine_map<(b, h, s, t, d) -> (b, h, t, d)>
#y = affine_map<(b, h, s, t, d) -> (b, h, s, t)>
func.func @scores(%q: tensor<2x3x8x16xi8>, %k: tensor<2x3x16x16xi8>) -> tensor<2x3x8x16xi32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<2x3x8x16xi32>
  %start = linalg.fill ins(%zero : i32) outs(%empty : tensor<2x3x8x16xi32>) -> tensor<2x3x8x16xi32>
  %y = linalg.generic {indexing_maps = [#q, #k, #y],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : tensor<2x3x8x16xi8>, tensor<2x3x16x16xi8>) outs(%start : tensor<2x3x8x16xi32>) {
  ^bb0(%a: i8, %b: i8, %sum: i32):
    %wide_a = arith.extsi %a : i8 to i32
    %wide_b = arith.extsi %b : i8 to i32
    %product = arith.muli %wide_a, %wide_b : i32
    %total = arith.addi %sum, %product : i32
    linalg.yield %total : i32
  } -> tensor<2x3x8x16xi32>
  func.return %y : tensor<2x3x8x16xi32>
}
"""
"""Every matrix ends in a power of two, as tiles do; the depth is reduced once."""


@pytest.mark.parametrize("log_batch", [0, 1])
def test_batched_products_of_rows(log_batch: int) -> None:
    rng = np.random.default_rng(log_batch)
    q = rng.integers(-128, 128, (2, 3, 8, 16)).astype(np.int8)
    k = rng.integers(-128, 128, (2, 3, 16, 16)).astype(np.int8)
    program = vtac.compile(ATTENTION, config=replace(vtac.VTAConfig(), log_batch=log_batch))
    expected = np.einsum("bhsd,bhtd->bhst", q.astype(np.int32), k.astype(np.int32))
    assert np.array_equal(program(q, k), expected)
