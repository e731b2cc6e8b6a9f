// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' --split-input-file | filecheck %s

// fuse: indices become quotient and remainder, and vanish again where a split undoes it.

// Two loops.
func.func @f(%x: tensor<4x6xi32>) -> tensor<4x6xi32> {
  %a_empty = tensor.empty() : tensor<4x6xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x6xi32>) outs(%a_empty : tensor<4x6xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<4x6xi32>
  func.return %a : tensor<4x6xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %i, %j = schedule.get_loops %a : !schedule.loop, !schedule.loop
  %f = schedule.fuse %i, %j
}

// CHECK-LABEL:  func.func @f(%x: memref<4x6xi32>, %a: memref<4x6xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0_i1_fused = 0 to 24
// CHECK-NEXT:     schedule.block "a" <spatial 4, spatial 6> = (d0) -> ((d0 floordiv 6), (d0 mod 6))(%i0_i1_fused)
// CHECK-NEXT:       reads %x<(d0, d1) -> (d0, d1)> : memref<4x6xi32>
// CHECK-NEXT:       writes %a<(d0, d1) -> (d0, d1)> : memref<4x6xi32>

// -----

// Undone by a split.
func.func @f(%x: tensor<4x6xi32>) -> tensor<4x6xi32> {
  %a_empty = tensor.empty() : tensor<4x6xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x6xi32>) outs(%a_empty : tensor<4x6xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<4x6xi32>
  func.return %a : tensor<4x6xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %i, %j = schedule.get_loops %a : !schedule.loop, !schedule.loop
  %f = schedule.fuse %i, %j
  %fo, %fi = schedule.split %f factor 6
}

// CHECK-LABEL:  func.func @f(%x: memref<4x6xi32>, %a: memref<4x6xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0_i1_fused_outer = 0 to 4
// CHECK-NEXT:     schedule.for %i0_i1_fused_inner = 0 to 6
// CHECK-NEXT:       schedule.block "a" <spatial 4, spatial 6> = (d0, d1) -> (d0, d1)(%i0_i1_fused_outer, %i0_i1_fused_inner)
// CHECK-NEXT:         reads %x<(d0, d1) -> (d0, d1)> : memref<4x6xi32>
// CHECK-NEXT:         writes %a<(d0, d1) -> (d0, d1)> : memref<4x6xi32>

// -----

// A peeled rest of fused loops keeps its indices.
func.func @f(%x: tensor<4x6xi32>) -> tensor<4x6xi32> {
  %a_empty = tensor.empty() : tensor<4x6xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x6xi32>) outs(%a_empty : tensor<4x6xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<4x6xi32>
  func.return %a : tensor<4x6xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %i, %j = schedule.get_loops %a : !schedule.loop, !schedule.loop
  %f = schedule.fuse %i, %j
  %fo, %fi = schedule.split %f factor 22 tail "peel"
}

// CHECK-LABEL:  func.func @f(%x: memref<4x6xi32>, %a: memref<4x6xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0_i1_fused_outer = 0 to 1
// CHECK-NEXT:     schedule.for %i0_i1_fused_inner = 0 to 22
// CHECK-NEXT:       schedule.block "a" <spatial 4, spatial 6> = (d0, d1) -> ((((d0 * 22) + d1) floordiv 6), (((d0 * 22) + d1) mod 6))(%i0_i1_fused_outer, %i0_i1_fused_inner)
// CHECK-NEXT:         reads %x<(d0, d1) -> (d0, d1)> : memref<4x6xi32>
// CHECK-NEXT:         writes %a<(d0, d1) -> (d0, d1)> : memref<4x6xi32>
// CHECK:        schedule.for %i0_i1_fused_tail = 0 to 2
// CHECK-NEXT:     schedule.block "a_tail" <spatial 4, spatial 6> = (d0) -> (3, (d0 + 4))(%i0_i1_fused_tail)
// CHECK-NEXT:       reads %x<(d0, d1) -> (d0, d1)> : memref<4x6xi32>
// CHECK-NEXT:       writes %a<(d0, d1) -> (d0, d1)> : memref<4x6xi32>
