// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule --split-input-file --verify-diagnostics | filecheck %s

// swizzle: the wanted swizzle stands on the buffer's allocation until its size is final.

// CHECK-LABEL: func.func @f
// CHECK-NEXT:   %x_shared = memref.alloc() {mma.swizzle = 32 : i64} : memref<4x8xi32, "shared">
// CHECK:        schedule.block "x_shared"
// CHECK-NOT:    swizzle

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
  schedule.swizzle %s bytes 32
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
  // expected-error @+1 {{swizzle: 'y' lives in global; swizzle buffers in shared memory}}
  schedule.swizzle %y bytes 32
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
  %s = schedule.cache_read %y, 0, "shared"
  schedule.storage_align %s, 0 factor 16 offset 4
  // expected-error @+1 {{swizzle: 'x_shared' has a pitch of storage_align; pad rows or swizzle them, not both}}
  schedule.swizzle %s bytes 32
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
  %s = schedule.cache_read %y, 0, "shared"
  schedule.swizzle %s bytes 32
  // expected-error @+1 {{storage_align: 'x_shared' is swizzled; pad rows or swizzle them, not both}}
  schedule.storage_align %s, 0 factor 16 offset 4
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
  %s = schedule.cache_read %y, 0, "shared"
  // expected-error @+1 {{swizzle: 'x_shared' has 1 dimensions; swizzle buffers that have rows}}
  schedule.swizzle %s bytes 32
}
