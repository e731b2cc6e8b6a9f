"""A function of one elementwise operation: three is added to each element."""

from __future__ import annotations

ADDITION = """
func.func @f(%x: tensor<4xi32>, %y: tensor<4xi32>) -> tensor<4xi32> {
  %e = tensor.empty() : tensor<4xi32>
  %s = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
    iterator_types = ["parallel"]} ins(%x : tensor<4xi32>) outs(%e : tensor<4xi32>) {
  ^bb0(%a: i32, %b: i32):
    %c = arith.constant 3 : i32
    %d = arith.addi %a, %c : i32
    linalg.yield %d : i32
  } -> tensor<4xi32>
  return %s : tensor<4xi32>
}
"""
