// RUN: vtac-opt %s -p schedule-unroll-loops --split-input-file | filecheck %s
// RUN: vtac-opt %s -p schedule-unroll-loops,schedule-unroll-loops --split-input-file | filecheck %s

// One copy of the body per iteration, in order; a buffer that only the loop uses is allocated once per copy, and the
// first copy keeps the one that there is.

// CHECK-LABEL: func.func @two
// CHECK-SAME: (%x: memref<2x4xi32>, %y: memref<2x4xi32> {schedule.result}) {
// CHECK-NEXT:   %t = memref.alloc() : memref<2x4xi32>
// CHECK-NEXT:   %t_1 = memref.alloc() : memref<2x4xi32>
// CHECK-NEXT:   schedule.for %i = 0 to 4 {
// CHECK-NEXT:     schedule.block "t" <spatial 2, spatial 4> = (d0) -> (0, d0)(%i)
// CHECK-NEXT:       reads %x<(d0, d1) -> (d0, d1)> : memref<2x4xi32>
// CHECK-NEXT:       writes %t<(d0, d1) -> (d0, d1)> : memref<2x4xi32> {
// CHECK-NEXT:     ^bb0(%v: i32):
// CHECK-NEXT:       schedule.yield %v : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i_1 = 0 to 4 {
// CHECK-NEXT:     schedule.block "y" <spatial 2, spatial 4> = (d0) -> (0, d0)(%i_1)
// CHECK-NEXT:       reads %t<(d0, d1) -> (d0, d1)> : memref<2x4xi32>
// CHECK-NEXT:       writes %y<(d0, d1) -> (d0, d1)> : memref<2x4xi32> {
// CHECK-NEXT:     ^bb0(%v_1: i32):
// CHECK-NEXT:       schedule.yield %v_1 : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i_2 = 0 to 4 {
// CHECK-NEXT:     schedule.block "t" <spatial 2, spatial 4> = (d0) -> (1, d0)(%i_2)
// CHECK-NEXT:       reads %x<(d0, d1) -> (d0, d1)> : memref<2x4xi32>
// CHECK-NEXT:       writes %t_1<(d0, d1) -> (d0, d1)> : memref<2x4xi32> {
// CHECK-NEXT:     ^bb0(%v_2: i32):
// CHECK-NEXT:       schedule.yield %v_2 : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i_3 = 0 to 4 {
// CHECK-NEXT:     schedule.block "y" <spatial 2, spatial 4> = (d0) -> (1, d0)(%i_3)
// CHECK-NEXT:       reads %t_1<(d0, d1) -> (d0, d1)> : memref<2x4xi32>
// CHECK-NEXT:       writes %y<(d0, d1) -> (d0, d1)> : memref<2x4xi32> {
// CHECK-NEXT:     ^bb0(%v_3: i32):
// CHECK-NEXT:       schedule.yield %v_3 : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @two(%x: memref<2x4xi32>, %y: memref<2x4xi32> {schedule.result}) {
  %t = memref.alloc() : memref<2x4xi32>
  schedule.for %u = 0 to 2 kind "unrolled" {
    schedule.for %i = 0 to 4 {
      schedule.block "t" <spatial 2, spatial 4> = (d0, d1) -> (d0, d1)(%u, %i)
        reads %x<(d0, d1) -> (d0, d1)> : memref<2x4xi32>
        writes %t<(d0, d1) -> (d0, d1)> : memref<2x4xi32> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
    schedule.for %i = 0 to 4 {
      schedule.block "y" <spatial 2, spatial 4> = (d0, d1) -> (d0, d1)(%u, %i)
        reads %t<(d0, d1) -> (d0, d1)> : memref<2x4xi32>
        writes %y<(d0, d1) -> (d0, d1)> : memref<2x4xi32> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
  }
  func.return
}

// -----

// Inner loops first: four blocks, and a guard that the iteration settles is gone.

// CHECK-LABEL: func.func @nested
// CHECK-SAME: (%x: memref<4xi32>, %y: memref<4xi32> {schedule.result}) {
// CHECK-NEXT:   schedule.block "y" <spatial 4> = () -> (0)()
// CHECK-NEXT:     reads %x<(d0) -> (d0)> : memref<4xi32>
// CHECK-NEXT:     writes %y<(d0) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:   ^bb0(%v: i32):
// CHECK-NEXT:     schedule.yield %v : i32
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.block "y" <spatial 4> = () -> (1)()
// CHECK-NEXT:     reads %x<(d0) -> (d0)> : memref<4xi32>
// CHECK-NEXT:     writes %y<(d0) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:   ^bb0(%v_1: i32):
// CHECK-NEXT:     schedule.yield %v_1 : i32
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.block "y" <spatial 4> = () -> (2)()
// CHECK-NEXT:     reads %x<(d0) -> (d0)> : memref<4xi32>
// CHECK-NEXT:     writes %y<(d0) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:   ^bb0(%v_2: i32):
// CHECK-NEXT:     schedule.yield %v_2 : i32
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.block "y" <spatial 4> = () -> (3)()
// CHECK-NEXT:     reads %x<(d0) -> (d0)> : memref<4xi32>
// CHECK-NEXT:     writes %y<(d0) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:   ^bb0(%v_3: i32):
// CHECK-NEXT:     schedule.yield %v_3 : i32
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @nested(%x: memref<4xi32>, %y: memref<4xi32> {schedule.result}) {
  schedule.for %o = 0 to 2 kind "unrolled" {
    schedule.for %i = 0 to 2 kind "unrolled" {
      schedule.block "y" <spatial 4> = (d0, d1) -> (d0 * 2 + d1)(%o, %i)
        where (d0, d1) : (d0 * -2 - d1 + 3 >= 0)
        reads %x<(d0) -> (d0)> : memref<4xi32>
        writes %y<(d0) -> (d0)> : memref<4xi32> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
  }
  func.return
}
