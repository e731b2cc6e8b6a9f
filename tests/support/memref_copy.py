"""A kernel on memrefs that writes an argument in place, with its schedule."""

from __future__ import annotations

MEMREFS = """
func.func @copy(%x: memref<64xf32>, %y: memref<64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%x : memref<64xf32>) outs(%y : memref<64xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  }
  func.return
}
schedule.script @copy {
  %block = schedule.get_block "y"
  %i = schedule.get_loop %block "i0"
  schedule.bind %i, "threadIdx.x"
}
"""
