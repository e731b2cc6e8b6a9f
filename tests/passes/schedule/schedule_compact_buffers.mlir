// RUN: vtac-opt %s -p schedule-compact-buffers --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p schedule-compact-buffers,schedule-compact-buffers --split-input-file --verify-diagnostics | filecheck %s

// `t` is used in one iteration of %o at a time: it moves there, with the 3 x 10 elements from the first to the last row
// that `y` reads. Nothing uses `none`: it is gone.

// CHECK-LABEL: func.func @halo
// CHECK-SAME: (%x: memref<8x10xi32>, %y: memref<6x4xi32> {schedule.result}) {
// CHECK-NEXT:   schedule.for %o = 0 to 6 {
// CHECK-NEXT:     %t = memref.alloc() : memref<3x10xi32, "shared">
// CHECK-NEXT:     schedule.for %r = 0 to 3 {
// CHECK-NEXT:       schedule.for %c = 0 to 10 {
// CHECK-NEXT:         schedule.block "t" <spatial 6, spatial 3, spatial 10> = (d0, d1, d2) -> (d0, d1, d2)(%o, %r, %c)
// CHECK-NEXT:           reads %x<(d0, d1, d2) -> ((d0 + d1), d2)> : memref<8x10xi32>
// CHECK-NEXT:           writes %t<(d0, d1, d2) -> (d1, d2)> : memref<3x10xi32, "shared"> {
// CHECK-NEXT:         ^bb0(%v: i32):
// CHECK-NEXT:           schedule.yield %v : i32
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:     schedule.for %j = 0 to 4 {
// CHECK-NEXT:       schedule.block "y" <spatial 6, spatial 4> = (d0, d1) -> (d0, d1)(%o, %j)
// CHECK-NEXT:         reads %t<(d0, d1) -> (0, (d1 * 2))> : memref<3x10xi32, "shared">
// CHECK-NEXT:         reads %t<(d0, d1) -> (2, ((d1 * 2) + 3))> : memref<3x10xi32, "shared">
// CHECK-NEXT:         writes %y<(d0, d1) -> (d0, d1)> : memref<6x4xi32> {
// CHECK-NEXT:       ^bb0(%v_1: i32, %w: i32):
// CHECK-NEXT:         %s = arith.addi %v_1, %w : i32
// CHECK-NEXT:         schedule.yield %s : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @halo(%x: memref<8x10xi32>, %y: memref<6x4xi32> {schedule.result}) {
  %none = memref.alloc() : memref<100xi32>
  %t = memref.alloc() : memref<8x10xi32, "shared">
  schedule.for %o = 0 to 6 {
    schedule.for %r = 0 to 3 {
      schedule.for %c = 0 to 10 {
        schedule.block "t" <spatial 8, spatial 10> = (d0, d1, d2) -> (d0 + d1, d2)(%o, %r, %c)
          reads %x<(d0, d1) -> (d0, d1)> : memref<8x10xi32>
          writes %t<(d0, d1) -> (d0, d1)> : memref<8x10xi32, "shared"> {
        ^bb0(%v: i32):
          schedule.yield %v : i32
        }
      }
    }
    schedule.for %j = 0 to 4 {
      schedule.block "y" <spatial 6, spatial 4> = (d0, d1) -> (d0, d1)(%o, %j)
        reads %t<(d0, d1) -> (d0, d1 * 2)> : memref<8x10xi32, "shared">
        reads %t<(d0, d1) -> (d0 + 2, d1 * 2 + 3)> : memref<8x10xi32, "shared">
        writes %y<(d0, d1) -> (d0, d1)> : memref<6x4xi32> {
      ^bb0(%v: i32, %w: i32):
        %s = arith.addi %v, %w : i32
        schedule.yield %s : i32
      }
    }
  }
  func.return
}

// -----

// A loop of one iteration moves nothing, and a loop that was given to a hardware unit holds no allocation.

// CHECK-LABEL: func.func @mapped
// CHECK-SAME: (%x: memref<1x4xi32>, %y: memref<1x4xi32> {schedule.result}) {
// CHECK-NEXT:   schedule.for %u = 0 to 1 {
// CHECK-NEXT:     %t = memref.alloc() : memref<1x4xi32, "vta.acc">
// CHECK-NEXT:     schedule.for %i = 0 to 4 attributes {dma_copy} {
// CHECK-NEXT:       schedule.block "t" <spatial 4> = (d0) -> (d0)(%i)
// CHECK-NEXT:         reads %x<(d0) -> (0, d0)> : memref<1x4xi32>
// CHECK-NEXT:         writes %t<(d0) -> (0, d0)> : memref<1x4xi32, "vta.acc"> {
// CHECK-NEXT:       ^bb0(%v: i32):
// CHECK-NEXT:         schedule.yield %v : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:     schedule.for %i_1 = 0 to 4 attributes {dma_copy} {
// CHECK-NEXT:       schedule.block "y" <spatial 4> = (d0) -> (d0)(%i_1)
// CHECK-NEXT:         reads %t<(d0) -> (0, d0)> : memref<1x4xi32, "vta.acc">
// CHECK-NEXT:         writes %y<(d0) -> (0, d0)> : memref<1x4xi32> {
// CHECK-NEXT:       ^bb0(%v_1: i32):
// CHECK-NEXT:         schedule.yield %v_1 : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @mapped(%x: memref<1x4xi32>, %y: memref<1x4xi32> {schedule.result}) {
  %t = memref.alloc() : memref<1x4xi32, "vta.acc">
  schedule.for %u = 0 to 1 {
    schedule.for %i = 0 to 4 attributes {dma_copy} {
      schedule.block "t" <spatial 1, spatial 4> = (d0, d1) -> (d0, d1)(%u, %i)
        reads %x<(d0, d1) -> (d0, d1)> : memref<1x4xi32>
        writes %t<(d0, d1) -> (d0, d1)> : memref<1x4xi32, "vta.acc"> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
    schedule.for %i = 0 to 4 attributes {dma_copy} {
      schedule.block "y" <spatial 1, spatial 4> = (d0, d1) -> (d0, d1)(%u, %i)
        reads %t<(d0, d1) -> (d0, d1)> : memref<1x4xi32, "vta.acc">
        writes %y<(d0, d1) -> (d0, d1)> : memref<1x4xi32> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
  }
  func.return
}

// -----

func.func @init(%a: memref<4x8xi32>, %b: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    schedule.for %k = 0 to 8 {
      // expected-error @+1 {{schedule-compact-buffers: block 'sum' has an init; run schedule-decompose-reductions first}}
      schedule.block "sum" <spatial 4, reduction 8> = (d0, d1) -> (d0, d1)(%i, %k)
        reads %a<(d0, d1) -> (d0, d1)> : memref<4x8xi32>
        writes %b<(d0, d1) -> (d0)> : memref<4xi32>
        init 0 : i32 {
      ^bb0(%x: i32, %s: i32):
        %y = arith.addi %s, %x : i32
        schedule.yield %y : i32
      }
    }
  }
  func.return
}
