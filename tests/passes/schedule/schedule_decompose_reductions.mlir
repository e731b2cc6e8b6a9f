// RUN: vtac-opt %s -p schedule-decompose-reductions --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p schedule-decompose-reductions,schedule-decompose-reductions --split-input-file --verify-diagnostics | filecheck %s

// The init stands before the outermost loop that reduces, under copies of the spatial loops inside.

// CHECK-LABEL: func.func @sum
// CHECK-SAME: (%a: memref<4x8x2xi32>, %b: memref<4x2xi32> {schedule.result}) {
// CHECK-NEXT:   schedule.for %i = 0 to 4 {
// CHECK-NEXT:     schedule.for %j = 0 to 2 kind "vectorized" {
// CHECK-NEXT:       schedule.block "sum_init" <spatial 4, spatial 2> = (d0, d1) -> (d0, d1)(%i, %j)
// CHECK-NEXT:         writes %b<(d0, d1) -> (d0, d1)> : memref<4x2xi32> {
// CHECK-NEXT:         %0 = arith.constant 7 : i32
// CHECK-NEXT:         schedule.yield %0 : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:     schedule.for %k = 0 to 8 {
// CHECK-NEXT:       schedule.for %j_1 = 0 to 2 kind "vectorized" {
// CHECK-NEXT:         schedule.block "sum" <spatial 4, spatial 2, reduction 8> = (d0, d1, d2) -> (d0, d2, d1)(%i, %k, %j_1)
// CHECK-NEXT:           reads %a<(d0, d1, d2) -> (d0, d2, d1)> : memref<4x8x2xi32>
// CHECK-NEXT:           writes %b<(d0, d1, d2) -> (d0, d1)> : memref<4x2xi32> {
// CHECK-NEXT:         ^bb0(%x: i32, %s: i32):
// CHECK-NEXT:           %y = arith.addi %s, %x : i32
// CHECK-NEXT:           schedule.yield %y : i32
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @sum(%a: memref<4x8x2xi32>, %b: memref<4x2xi32> {schedule.result}) {
  schedule.for %i = 0 to 4 {
    schedule.for %k = 0 to 8 {
      schedule.for %j = 0 to 2 kind "vectorized" {
        schedule.block "sum" <spatial 4, spatial 2, reduction 8> = (d0, d1, d2) -> (d0, d2, d1)(%i, %k, %j)
          reads %a<(d0, d1, d2) -> (d0, d2, d1)> : memref<4x8x2xi32>
          writes %b<(d0, d1, d2) -> (d0, d1)> : memref<4x2xi32>
          init 7 : i32 {
        ^bb0(%x: i32, %s: i32):
          %y = arith.addi %s, %x : i32
          schedule.yield %y : i32
        }
      }
    }
  }
  func.return
}

// -----

// A loop that is mapped to hardware keeps what it holds: the init stands before it, under a loop so mapped.

// CHECK-LABEL: func.func @mapped
// CHECK-SAME: (%a: memref<4x8xi32>, %b: memref<4xi32> {schedule.result}) {
// CHECK-NEXT:   schedule.for %i = 0 to 4 attributes {alu} {
// CHECK-NEXT:     schedule.block "sum_init" <spatial 4> = (d0) -> (d0)(%i)
// CHECK-NEXT:       writes %b<(d0) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:       %0 = arith.constant 0 : i32
// CHECK-NEXT:       schedule.yield %0 : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i_1 = 0 to 4 attributes {alu} {
// CHECK-NEXT:     schedule.for %k = 0 to 8 {
// CHECK-NEXT:       schedule.block "sum" <spatial 4, reduction 8> = (d0, d1) -> (d0, d1)(%i_1, %k)
// CHECK-NEXT:         reads %a<(d0, d1) -> (d0, d1)> : memref<4x8xi32>
// CHECK-NEXT:         writes %b<(d0, d1) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:       ^bb0(%x: i32, %s: i32):
// CHECK-NEXT:         %y = arith.addi %s, %x : i32
// CHECK-NEXT:         schedule.yield %y : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @mapped(%a: memref<4x8xi32>, %b: memref<4xi32> {schedule.result}) {
  schedule.for %i = 0 to 4 attributes {alu} {
    schedule.for %k = 0 to 8 {
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

// -----

func.func @without_a_loop(%a: memref<1xi32>, %b: memref<1xi32>) {
  // expected-error @+1 {{block 'sum' reduces without a loop}}
  schedule.block "sum" <reduction 1> = () -> (0)()
    reads %a<(d0) -> (d0)> : memref<1xi32>
    writes %b<(d0) -> (0)> : memref<1xi32>
    init 0 : i32 {
  ^bb0(%x: i32, %s: i32):
    %y = arith.addi %s, %x : i32
    schedule.yield %y : i32
  }
  func.return
}

// -----

func.func @fused_across_the_kinds(%a: memref<4x8xi32>, %b: memref<4xi32>) {
  schedule.for %f = 0 to 32 {
    // expected-error @+1 {{schedule-decompose-reductions: loop 'f' (extent 32) of block 'sum' is spatial and reducing at once; do not fuse across the kinds}}
    schedule.block "sum" <spatial 4, reduction 8> = (d0) -> (d0 floordiv 8, d0 mod 8)(%f)
      reads %a<(d0, d1) -> (d0, d1)> : memref<4x8xi32>
      writes %b<(d0, d1) -> (d0)> : memref<4xi32>
      init 0 : i32 {
    ^bb0(%x: i32, %s: i32):
      %y = arith.addi %s, %x : i32
      schedule.yield %y : i32
    }
  }
  func.return
}
