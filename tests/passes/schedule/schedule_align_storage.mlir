// RUN: vtac-opt %s -p schedule-align-storage --split-input-file | filecheck %s
// RUN: vtac-opt %s -p schedule-align-storage,schedule-align-storage --split-input-file | filecheck %s

// The pitch of a buffer: the stride of the named dimension becomes the offset modulo the factor, and outer strides
// follow it. Nothing moves: only the layout in the buffer's type changes.

// CHECK-LABEL: func.func @pitch
// CHECK-SAME: (%x: memref<4x8xf16>, %y: memref<4x8xf16> {schedule.result}) {
// CHECK-NEXT:   %tile = memref.alloc() : memref<4x16xf16, strided<[24, 1]>, "shared">
// CHECK-NEXT:   schedule.for %i = 0 to 4 {
// CHECK-NEXT:     schedule.for %j = 0 to 8 {
// CHECK-NEXT:       schedule.block "tile" <spatial 4, spatial 8> = (d0, d1) -> (d0, d1)(%i, %j)
// CHECK-NEXT:         reads %x<(d0, d1) -> (d0, d1)> : memref<4x8xf16>
// CHECK-NEXT:         writes %tile<(d0, d1) -> (d0, d1)> : memref<4x16xf16, strided<[24, 1]>, "shared"> {
// CHECK-NEXT:       ^bb0(%v: f16):
// CHECK-NEXT:         schedule.yield %v : f16
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i_1 = 0 to 4 {
// CHECK-NEXT:     schedule.for %j_1 = 0 to 8 {
// CHECK-NEXT:       schedule.block "y" <spatial 4, spatial 8> = (d0, d1) -> (d0, d1)(%i_1, %j_1)
// CHECK-NEXT:         reads %tile<(d0, d1) -> (d0, d1)> : memref<4x16xf16, strided<[24, 1]>, "shared">
// CHECK-NEXT:         writes %y<(d0, d1) -> (d0, d1)> : memref<4x8xf16> {
// CHECK-NEXT:       ^bb0(%v_1: f16):
// CHECK-NEXT:         schedule.yield %v_1 : f16
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @pitch(%x: memref<4x8xf16>, %y: memref<4x8xf16> {schedule.result}) {
  %tile = memref.alloc() {storage_align = array<i64: 0, 16, 8>} : memref<4x16xf16, "shared">
  schedule.for %i = 0 to 4 {
    schedule.for %j = 0 to 8 {
      schedule.block "tile" <spatial 4, spatial 8> = (d0, d1) -> (d0, d1)(%i, %j)
        reads %x<(d0, d1) -> (d0, d1)> : memref<4x8xf16>
        writes %tile<(d0, d1) -> (d0, d1)> : memref<4x16xf16, "shared"> {
      ^bb0(%v: f16):
        schedule.yield %v : f16
      }
    }
  }
  schedule.for %i = 0 to 4 {
    schedule.for %j = 0 to 8 {
      schedule.block "y" <spatial 4, spatial 8> = (d0, d1) -> (d0, d1)(%i, %j)
        reads %tile<(d0, d1) -> (d0, d1)> : memref<4x16xf16, "shared">
        writes %y<(d0, d1) -> (d0, d1)> : memref<4x8xf16> {
      ^bb0(%v: f16):
        schedule.yield %v : f16
      }
    }
  }
  func.return
}

// -----

// Strides of 3 x 8 x 4: 32, 4, 1. The middle one is 4 modulo 8 already; with 5 modulo 8 the outer one is 8 * 5.

// CHECK-LABEL: func.func @outer_strides_follow
// CHECK-SAME: () {
// CHECK-NEXT:   %kept = memref.alloc() : memref<3x8x4xf16, strided<[32, 4, 1]>, "shared">
// CHECK-NEXT:   %wider = memref.alloc() : memref<3x8x4xf16, strided<[40, 5, 1]>, "shared">
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @outer_strides_follow() {
  %kept = memref.alloc() {storage_align = array<i64: 1, 8, 4>} : memref<3x8x4xf16, "shared">
  %wider = memref.alloc() {storage_align = array<i64: 1, 8, 5>} : memref<3x8x4xf16, "shared">
  func.return
}
