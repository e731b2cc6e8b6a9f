"""Programs whose buffers are written more than once: in place, in parts, or by two stages in turn."""

from __future__ import annotations


def product(name: str, left: str, right: str, start: str, depth: int) -> str:
    """A product of 4 x `depth` elements by 5 x `depth`, added to what is there at its start."""
    return f"""  %{name} = linalg.generic {{indexing_maps = [affine_map<(i, j, k) -> (i, k)>,
      affine_map<(i, j, k) -> (j, k)>, affine_map<(i, j, k) -> (i, j)>],
      iterator_types = ["parallel", "parallel", "reduction"]}}
      ins({left}, {right} : tensor<4x{depth}xi32>, tensor<5x{depth}xi32>) outs({start} : tensor<4x5xi32>) {{
  ^bb0(%v: i32, %c: i32, %acc: i32):
    %p = arith.muli %v, %c : i32
    %s = arith.addi %acc, %p : i32
    linalg.yield %s : i32
  }} -> tensor<4x5xi32>"""


UPDATED = f"""
func.func @updated(%x: tensor<4x6xi32>, %w: tensor<5x6xi32>, %u: tensor<4x3xi32>, %t: tensor<5x3xi32>)
    -> tensor<4x2xi32> {{
  %zero = arith.constant 0 : i32
  %e0 = tensor.empty() : tensor<4x5xi32>
  %f0 = linalg.fill ins(%zero : i32) outs(%e0 : tensor<4x5xi32>) -> tensor<4x5xi32>
{product("first", "%x", "%w", "%f0", 6)}
{product("second", "%u", "%t", "%first", 3)}
  %left = tensor.extract_slice %second[0, 0] [4, 2] [1, 1] : tensor<4x5xi32> to tensor<4x2xi32>
  %right = tensor.extract_slice %second[0, 1] [4, 2] [1, 3] : tensor<4x5xi32> to tensor<4x2xi32>
  %e1 = tensor.empty() : tensor<4x2xi32>
  %both = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>,
      affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}}
      ins(%left, %right : tensor<4x2xi32>, tensor<4x2xi32>) outs(%e1 : tensor<4x2xi32>) {{
  ^bb0(%v: i32, %c: i32, %o: i32):
    %s = arith.subi %v, %c : i32
    linalg.yield %s : i32
  }} -> tensor<4x2xi32>
  func.return %both : tensor<4x2xi32>
}}
"""
"""A product that goes on from another in its storage; windows of both are read."""

REUSED_STORAGE = """
func.func @reused(%x: memref<8xi32>, %y: memref<8xi32>, %out: memref<8xi32>, %last: memref<8xi32>) {
  %one = arith.constant 1 : i32
  %s = memref.alloc() : memref<8xi32>
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : memref<8xi32>) outs(%s : memref<8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %one : i32
    linalg.yield %t : i32
  }
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%out : memref<8xi32>) outs(%x : memref<8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.muli %v, %v : i32
    linalg.yield %t : i32
  }
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (7 - i)>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]} ins(%s, %y : memref<8xi32>, memref<8xi32>) outs(%out : memref<8xi32>) {
  ^bb0(%v: i32, %w: i32, %o: i32):
    %t = arith.addi %v, %w : i32
    %u = arith.addi %t, %o : i32
    linalg.yield %u : i32
  }
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]} ins(%out, %x : memref<8xi32>, memref<8xi32>) outs(%last : memref<8xi32>) {
  ^bb0(%v: i32, %w: i32, %o: i32):
    %t = arith.xori %v, %w : i32
    linalg.yield %t : i32
  }
  func.return
}
"""
"""Arguments that are overwritten between reads, and an update in place."""

CONCATENATED = """
func.func @concatenated(%x: memref<4x3xi32>, %y: memref<4x3xi32>, %both: memref<4x8xi32>, %out: memref<4x8xi32>) {
  %t = memref.alloc() : memref<4x3xi32>
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%x : memref<4x3xi32>) outs(%t : memref<4x3xi32>) {
  ^bb0(%v: i32, %o: i32):
    %a = arith.addi %v, %v : i32
    linalg.yield %a : i32
  }
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j + 1)>],
      iterator_types = ["parallel", "parallel"]} ins(%t : memref<4x3xi32>) outs(%both : memref<4x8xi32>) {
  ^bb0(%v: i32, %o: i32):
    linalg.yield %v : i32
  }
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, 2 * j + 3)>],
      iterator_types = ["parallel", "parallel"]} ins(%y : memref<4x3xi32>) outs(%both : memref<4x8xi32>) {
  ^bb0(%v: i32, %o: i32):
    linalg.yield %v : i32
  }
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%both : memref<4x8xi32>) outs(%out : memref<4x8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %a = arith.muli %v, %v : i32
    linalg.yield %a : i32
  }
  func.return
}
"""
"""Stages that write parts of a buffer, side by side and interleaved, over what it held before."""
