"""Reductions of several results as CUDA programs: one kernel for each result."""

from __future__ import annotations

import numpy as np
import pytest

import vtac
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason

MOMENTS = """
func.func @moments(%x: tensor<40x96xf32>, %s0: tensor<40xf32>, %s1: tensor<40xf32>)
    -> (tensor<40xf32>, tensor<40xf32>) {
  %sum, %squares = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>,
      affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
    ins(%x : tensor<40x96xf32>) outs(%s0, %s1 : tensor<40xf32>, tensor<40xf32>) {
  ^bb0(%v: f32, %a: f32, %b: f32):
    %0 = arith.addf %a, %v : f32
    %1 = arith.mulf %v, %v : f32
    %2 = arith.addf %b, %1 : f32
    linalg.yield %0, %2 : f32, f32
  } -> (tensor<40xf32>, tensor<40xf32>)
  func.return %sum, %squares : tensor<40xf32>, tensor<40xf32>
}
"""


@pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
def test_a_sum_and_a_sum_of_squares() -> None:
    random = np.random.default_rng(0)
    x, first, second = (random.integers(-4, 5, shape).astype(np.float32) for shape in ((40, 96), 40, 40))
    sums, squares = vtac.compile(MOMENTS, "cuda")(x, first, second)
    assert np.array_equal(sums, first + x.sum(1))
    assert np.array_equal(squares, second + (x * x).sum(1))
