// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule --split-input-file --verify-diagnostics | filecheck %s

// transform_layout: the buffer's dimensions change places, at every access.

// CHECK-LABEL: func.func @f
// CHECK-SAME: (%x: memref<4x8xi32>, %y: memref<4x8xi32> {schedule.result}) {
// CHECK-NEXT:   %a = memref.alloc() : memref<8x4xi32>
// CHECK-NEXT:   schedule.for %i0 = 0 to 4 {
// CHECK-NEXT:     schedule.for %i1 = 0 to 8 {
// CHECK-NEXT:       schedule.block "a" <spatial 4, spatial 8> = (d0, d1) -> (d0, d1)(%i0, %i1) from "linalg.generic"
// CHECK-NEXT:         reads %x<(d0, d1) -> (d0, d1)> : memref<4x8xi32>
// CHECK-NEXT:         writes %a<(d0, d1) -> (d1, d0)> : memref<8x4xi32> {
// CHECK-NEXT:       ^bb0(%v: i32):
// CHECK-NEXT:         %t = arith.addi %v, %v : i32
// CHECK-NEXT:         schedule.yield %t : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i0_1 = 0 to 4 {
// CHECK-NEXT:     schedule.for %i1_1 = 0 to 8 {
// CHECK-NEXT:       schedule.block "y" <spatial 4, spatial 8> = (d0, d1) -> (d0, d1)(%i0_1, %i1_1) from "linalg.generic"
// CHECK-NEXT:         reads %a<(d0, d1) -> (d1, d0)> : memref<8x4xi32>
// CHECK-NEXT:         writes %y<(d0, d1) -> (d0, d1)> : memref<4x8xi32> {
// CHECK-NEXT:       ^bb0(%v_1: i32):
// CHECK-NEXT:         %t_1 = arith.addi %v_1, %v_1 : i32
// CHECK-NEXT:         schedule.yield %t_1 : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @f(%x: tensor<4x8xi32>) -> tensor<4x8xi32> {
  %a_empty = tensor.empty() : tensor<4x8xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xi32>) outs(%a_empty : tensor<4x8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<4x8xi32>
  %y_empty = tensor.empty() : tensor<4x8xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<4x8xi32>) outs(%y_empty : tensor<4x8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<4x8xi32>
  func.return %y : tensor<4x8xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  schedule.transform_layout %a, [1, 0]
}

// -----

func.func @f(%x: tensor<4x8xi32>) -> tensor<4x8xi32> {
  %a_empty = tensor.empty() : tensor<4x8xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xi32>) outs(%a_empty : tensor<4x8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<4x8xi32>
  %y_empty = tensor.empty() : tensor<4x8xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<4x8xi32>) outs(%y_empty : tensor<4x8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<4x8xi32>
  func.return %y : tensor<4x8xi32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  // expected-error @+1 {{transform_layout: 'y' is an argument; cache it, and transform the copy}}
  schedule.transform_layout %y, [1, 0]
}
