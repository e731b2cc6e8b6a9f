"""Payloads that copy a part of a buffer, which a padded read follows."""

from __future__ import annotations

SMALLER_COPY = """
func.func @f(%x: memref<6xi32>, %y: memref<6xi32>) {
  %t = memref.alloc() : memref<4xi32>
  schedule.for %i = 0 to 4 {
    schedule.block "t" <spatial 4> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<6xi32>
      writes %t<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  schedule.for %i = 0 to 6 {
    schedule.block "y" <spatial 6> = (d0) -> (d0)(%i)
      reads %t<(d0) -> (d0 - 1), pad 0 : i32> : memref<4xi32>
      writes %y<(d0) -> (d0)> : memref<6xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}
"""
MIRRORED_COPY = SMALLER_COPY.replace("writes %t<(d0) -> (d0)>", "writes %t<(d0) -> (3 - d0)>")
