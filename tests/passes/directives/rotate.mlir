// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule --split-input-file --verify-diagnostics | filecheck %s

// rotate: each iteration of the outer loop starts the inner reduction 3 steps further on.

// CHECK-LABEL: func.func @f
// CHECK-SAME: (%x: memref<4x8xi32>, %y: memref<4xi32> {schedule.result}) {
// CHECK-NEXT:   schedule.for %i0 = 0 to 4 {
// CHECK-NEXT:     schedule.block "y_init" <spatial 4> = (d0) -> (d0)(%i0)
// CHECK-NEXT:       writes %y<(d0) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:       %0 = arith.constant 0 : i32
// CHECK-NEXT:       schedule.yield %0 : i32
// CHECK-NEXT:     }
// CHECK-NEXT:     schedule.for %r1 = 0 to 8 {
// CHECK-NEXT:       schedule.block "y" <spatial 4, reduction 8> = (d0, d1) -> (d0, ((d1 + (d0 * 3)) mod 8))(%i0, %r1) from "linalg.generic"
// CHECK-NEXT:         reads %x<(d0, d1) -> (d0, d1)> : memref<4x8xi32>
// CHECK-NEXT:         writes %y<(d0, d1) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:       ^bb0(%v: i32, %s: i32):
// CHECK-NEXT:         %t = arith.addi %s, %v : i32
// CHECK-NEXT:         schedule.yield %t : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

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
  %i, %k = schedule.get_loops %y : !schedule.loop, !schedule.loop
  %init = schedule.decompose_reduction %y, %k
  schedule.rotate %k, %i, 3
}

// -----

// A sum that starts in the loop would start in the middle.

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
  %i, %k = schedule.get_loops %y : !schedule.loop, !schedule.loop
  // expected-error @+1 {{rotate: block 'y' starts its sum in loop 'r1' (extent 8); use decompose_reduction first}}
  schedule.rotate %k, %i, 3
}
