// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule --split-input-file --verify-diagnostics | filecheck %s

// fuse_variables: one iteration variable, and one loop, per group.

// CHECK-LABEL: func.func @f
// CHECK-SAME: (%x: memref<2x3x4xi32>, %y: memref<2x3x4xi32> {schedule.result}) {
// CHECK-NEXT:   schedule.for %i0 = 0 to 8 {
// CHECK-NEXT:     schedule.for %i1 = 0 to 3 {
// CHECK-NEXT:       schedule.block "y" <spatial 8, spatial 3> = (d0, d1) -> (d0, d1)(%i0, %i1) from "linalg.generic"
// CHECK-NEXT:         reads %x<(d0, d1) -> ((d0 floordiv 4), d1, (d0 mod 4))> : memref<2x3x4xi32>
// CHECK-NEXT:         writes %y<(d0, d1) -> ((d0 floordiv 4), d1, (d0 mod 4))> : memref<2x3x4xi32> {
// CHECK-NEXT:       ^bb0(%v: i32):
// CHECK-NEXT:         %t = arith.addi %v, %v : i32
// CHECK-NEXT:         schedule.yield %t : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @f(%x: tensor<2x3x4xi32>) -> tensor<2x3x4xi32> {
  %y_empty = tensor.empty() : tensor<2x3x4xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, j, k)>, affine_map<(i, j, k) -> (i, j, k)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<2x3x4xi32>) outs(%y_empty : tensor<2x3x4xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<2x3x4xi32>
  func.return %y : tensor<2x3x4xi32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  schedule.fuse_variables %y, [array<i64: 0, 2>, array<i64: 1>]
}

// -----

func.func @f(%x: tensor<2x3x4xi32>) -> tensor<2x3x4xi32> {
  %y_empty = tensor.empty() : tensor<2x3x4xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, j, k)>, affine_map<(i, j, k) -> (i, j, k)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<2x3x4xi32>) outs(%y_empty : tensor<2x3x4xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<2x3x4xi32>
  func.return %y : tensor<2x3x4xi32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  // expected-error @+1 {{fuse_variables: groups [[0, 2]] of the 3 variables of block 'y'; name each once}}
  schedule.fuse_variables %y, [array<i64: 0, 2>]
}
