// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule --split-input-file --verify-diagnostics | filecheck %s

// storage_align: the wanted pitch stands on the buffer's allocation until its size is final.

// CHECK-LABEL: func.func @f
// CHECK-SAME: (%x: memref<4x8xi32>, %y: memref<4x8xi32> {schedule.result}) {
// CHECK-NEXT:   %x_shared = memref.alloc() {storage_align = array<i64: 0, 16, 4>} : memref<4x8xi32, "shared">
// CHECK-NEXT:   schedule.for %i0 = 0 to 4 {
// CHECK-NEXT:     schedule.for %i1 = 0 to 8 {
// CHECK-NEXT:       schedule.block "x_shared" <spatial 4, spatial 8> = (d0, d1) -> (d0, d1)(%i0, %i1)
// CHECK-NEXT:         reads %x<(d0, d1) -> (d0, d1)> : memref<4x8xi32>
// CHECK-NEXT:         writes %x_shared<(d0, d1) -> (d0, d1)> : memref<4x8xi32, "shared"> {
// CHECK-NEXT:       ^bb0(%0: i32):
// CHECK-NEXT:         schedule.yield %0 : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i0_1 = 0 to 4 {
// CHECK-NEXT:     schedule.for %i1_1 = 0 to 8 {
// CHECK-NEXT:       schedule.block "y" <spatial 4, spatial 8> = (d0, d1) -> (d0, d1)(%i0_1, %i1_1) from "linalg.generic"
// CHECK-NEXT:         reads %x_shared<(d0, d1) -> (d0, d1)> : memref<4x8xi32, "shared">
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
  %s = schedule.cache_read %y, 0, "shared"
  schedule.storage_align %s, 0 factor 16 offset 4
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
  %a = schedule.get_block "a"
  // expected-error @+1 {{storage_align: 'a' lives in global; align buffers in shared memory}}
  schedule.storage_align %a, 0 factor 16 offset 4
}

// -----

// The innermost dimension has stride 1.

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
  %s = schedule.cache_read %y, 0, "shared"
  // expected-error @+1 {{storage_align: dimension 1 of 'x_shared' with rank 2; 0 to 0 have a stride to choose}}
  schedule.storage_align %s, 1 factor 16 offset 4
}
