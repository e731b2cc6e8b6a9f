// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule --split-input-file --verify-diagnostics | filecheck %s

// unroll: the loop's kind; its iterations are written out by schedule-unroll-loops, or by the CUDA compiler.

// CHECK-LABEL: func.func @f
// CHECK-SAME: (%x: memref<8xi32>, %y: memref<8xi32> {schedule.result}) {
// CHECK-NEXT:   schedule.for %i0 = 0 to 8 kind "unrolled" {
// CHECK-NEXT:     schedule.block "y" <spatial 8> = (d0) -> (d0)(%i0) from "linalg.generic"
// CHECK-NEXT:       reads %x<(d0) -> (d0)> : memref<8xi32>
// CHECK-NEXT:       writes %y<(d0) -> (d0)> : memref<8xi32> {
// CHECK-NEXT:     ^bb0(%v: i32):
// CHECK-NEXT:       %t = arith.addi %v, %v : i32
// CHECK-NEXT:       schedule.yield %t : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @f(%x: tensor<8xi32>) -> tensor<8xi32> {
  %y_empty = tensor.empty() : tensor<8xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<8xi32>) outs(%y_empty : tensor<8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<8xi32>
  func.return %y : tensor<8xi32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i = schedule.get_loop %y "i0"
  schedule.unroll %i
}

// -----

func.func @f(%x: tensor<8xi32>) -> tensor<8xi32> {
  %y_empty = tensor.empty() : tensor<8xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<8xi32>) outs(%y_empty : tensor<8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<8xi32>
  func.return %y : tensor<8xi32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i = schedule.get_loop %y "i0"
  schedule.unroll %i
  // expected-error @+1 {{unroll: loop 'i0' (extent 8) is unrolled already; choose a plain serial loop}}
  schedule.unroll %i
}
