// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule --split-input-file --verify-diagnostics | filecheck %s

// vectorize: the loop's kind; an innermost loop over exactly one block.

// CHECK-LABEL: func.func @f
// CHECK-SAME: (%x: memref<4x8xi32>, %y: memref<4x8xi32> {schedule.result}) {
// CHECK-NEXT:   schedule.for %i0 = 0 to 4 {
// CHECK-NEXT:     schedule.for %i1 = 0 to 8 kind "vectorized" {
// CHECK-NEXT:       schedule.block "y" <spatial 4, spatial 8> = (d0, d1) -> (d0, d1)(%i0, %i1) from "linalg.generic"
// CHECK-NEXT:         reads %x<(d0, d1) -> (d0, d1)> : memref<4x8xi32>
// CHECK-NEXT:         writes %y<(d0, d1) -> (d0, d1)> : memref<4x8xi32> {
// CHECK-NEXT:       ^bb0(%v: i32):
// CHECK-NEXT:         %t = arith.addi %v, %v : i32
// CHECK-NEXT:         schedule.yield %t : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @f(%x: tensor<4x8xi32>) -> tensor<4x8xi32> {
  %y_empty = tensor.empty() : tensor<4x8xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xi32>) outs(%y_empty : tensor<4x8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<4x8xi32>
  func.return %y : tensor<4x8xi32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %j = schedule.get_loop %y "i1"
  schedule.vectorize %j
}

// -----

func.func @f(%x: tensor<4x8xi32>) -> tensor<4x8xi32> {
  %y_empty = tensor.empty() : tensor<4x8xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xi32>) outs(%y_empty : tensor<4x8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<4x8xi32>
  func.return %y : tensor<4x8xi32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i = schedule.get_loop %y "i0"
  // expected-error @+1 {{vectorize: loop 'i0' (extent 4) is not an innermost loop over one block; vectorise an innermost loop}}
  schedule.vectorize %i
}
