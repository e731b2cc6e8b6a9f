// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule --split-input-file --verify-diagnostics | filecheck %s

// bind: the loop's kind, a virtual thread or an index of the GPU's launch.

// CHECK-LABEL: func.func @f
// CHECK-SAME: (%x: memref<4x8xi32>, %y: memref<4x8xi32> {schedule.result}) {
// CHECK-NEXT:   schedule.for %i0 = 0 to 4 kind "blockIdx.x" {
// CHECK-NEXT:     schedule.for %i1 = 0 to 8 kind "threadIdx.x" {
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
  %i, %j = schedule.get_loops %y : !schedule.loop, !schedule.loop
  schedule.bind %i, "blockIdx.x"
  schedule.bind %j, "threadIdx.x"
}

// -----

// Iterations that add to one result cannot run side by side.

func.func @f(%x: tensor<4x8xi32>) -> tensor<4xi32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<4xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<4xi32>) -> tensor<4xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xi32>) outs(%init : tensor<4xi32>) {
  ^bb0(%v: i32, %s: i32):
    %t = arith.addi %s, %v : i32
    linalg.yield %t : i32
  } -> tensor<4xi32>
  func.return %y : tensor<4xi32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %k = schedule.get_loop %y "r1"
  // expected-error @+1 {{bind: loop 'r1' (extent 8) reduces in block 'y': its iterations add to one result; bind a loop over spatial variables}}
  schedule.bind %k, "cthread"
}

// -----

// One index, two loops of a nest: their extents must agree.

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
  %i, %j = schedule.get_loops %y : !schedule.loop, !schedule.loop
  schedule.bind %i, "threadIdx.x"
  // expected-error @+1 {{bind: loop 'i0' (extent 4) of the same nest is bound to threadIdx.x already, and block 'y' depends on both; choose another index, or let blocks inside share its threads}}
  schedule.bind %j, "threadIdx.x"
}
