"""Programs that the mistakes are made with."""

from __future__ import annotations

TILES = """func.func @mm(%a: tensor<1x4x1x16xi8>, %b: tensor<4x4x16x16xi8>) -> tensor<1x4x1x16xi32> {
  %z = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x4x1x16xi32>
  %i = linalg.fill ins(%z : i32) outs(%e : tensor<1x4x1x16xi32>) -> tensor<1x4x1x16xi32>
  %c = linalg.generic {
    indexing_maps = [affine_map<(n, m, x, y, k, r) -> (n, k, x, r)>, affine_map<(n, m, x, y, k, r) -> (m, k, y, r)>,
                     affine_map<(n, m, x, y, k, r) -> (n, m, x, y)>],
    iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
  } ins(%a, %b : tensor<1x4x1x16xi8>, tensor<4x4x16x16xi8>) outs(%i : tensor<1x4x1x16xi32>) {
  ^bb0(%p: i8, %q: i8, %s: i32):
    %u = arith.extsi %p : i8 to i32
    %v = arith.extsi %q : i8 to i32
    %w = arith.muli %u, %v : i32
    %t = arith.addi %s, %w : i32
    linalg.yield %t : i32
  } -> tensor<1x4x1x16xi32>
  func.return %c : tensor<1x4x1x16xi32>
}
"""
"""A matrix product in tiles of 1 x 16: 1 x 64 times 64 x 64."""

PRODUCT = """func.func @mm(%a: tensor<3x64xi8>, %b: tensor<64x32xi8>) -> tensor<3x32xi32> {
  %z = arith.constant 0 : i32
  %e = tensor.empty() : tensor<3x32xi32>
  %i = linalg.fill ins(%z : i32) outs(%e : tensor<3x32xi32>) -> tensor<3x32xi32>
  %c = linalg.matmul ins(%a, %b : tensor<3x64xi8>, tensor<64x32xi8>) outs(%i : tensor<3x32xi32>) -> tensor<3x32xi32>
  func.return %c : tensor<3x32xi32>
}
"""

HALVES = """func.func @scale(%a: tensor<1x4x1x16xf16>) -> tensor<1x4x1x16xf16> {
  %e = tensor.empty() : tensor<1x4x1x16xf16>
  %c = linalg.add ins(%a, %a : tensor<1x4x1x16xf16>, tensor<1x4x1x16xf16>)
                  outs(%e : tensor<1x4x1x16xf16>) -> tensor<1x4x1x16xf16>
  func.return %c : tensor<1x4x1x16xf16>
}
"""

FLOATS = """func.func @mm(%a: tensor<3x64xf32>, %b: tensor<64x32xf32>) -> tensor<3x32xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x32xf32>
  %i = linalg.fill ins(%z : f32) outs(%e : tensor<3x32xf32>) -> tensor<3x32xf32>
  %c = linalg.matmul ins(%a, %b : tensor<3x64xf32>, tensor<64x32xf32>) outs(%i : tensor<3x32xf32>) -> tensor<3x32xf32>
  func.return %c : tensor<3x32xf32>
}
"""

TWO = """func.func @f(%a: tensor<4xi8>) -> tensor<4xi8> {
  func.return %a : tensor<4xi8>
}
func.func @g(%a: tensor<4xi8>) -> tensor<4xi8> {
  func.return %a : tensor<4xi8>
}
"""


def one_line_body(operation: str, kind: str = "tensor<2xf32>") -> str:
    """A function of one operation, whose result it returns."""
    return f"""func.func @f(%a: {kind}) -> {kind} {{
  %e = tensor.empty() : {kind}
  %0 = {operation}
  func.return %0 : {kind}
}}
"""
