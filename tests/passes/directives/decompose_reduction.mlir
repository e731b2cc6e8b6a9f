// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' --split-input-file | filecheck %s

// decompose_reduction: the init is a block before the loop, under the spatial loops inside.

// Before the reduction.
func.func @f(%x: tensor<4x6xi32>) -> tensor<4xi32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<4xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<4xi32>) -> tensor<4xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>],
      iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x6xi32>) outs(%init : tensor<4xi32>) {
  ^bb0(%v: i32, %acc: i32):
    %s = arith.addi %acc, %v : i32
    linalg.yield %s : i32
  } -> tensor<4xi32>
  func.return %a : tensor<4xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %i, %k = schedule.get_loops %a : !schedule.loop, !schedule.loop
  %init = schedule.decompose_reduction %a, %k
}

// CHECK-LABEL:  func.func @f(%x: memref<4x6xi32>, %a: memref<4xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0 = 0 to 4
// CHECK-NEXT:     schedule.block "a_init" <spatial 4> = (d0) -> (d0)(%i0)
// CHECK-NEXT:       writes %a<(d0) -> (d0)> : memref<4xi32>
// CHECK-NEXT:       %0 = arith.constant 0 : i32
// CHECK:          schedule.for %r1 = 0 to 6
// CHECK-NEXT:       schedule.block "a" <spatial 4, reduction 6> = (d0, d1) -> (d0, d1)(%i0, %r1)
// CHECK-NEXT:         reads %x<(d0, d1) -> (d0, d1)> : memref<4x6xi32>
// CHECK-NEXT:         writes %a<(d0, d1) -> (d0)> : memref<4xi32>
// CHECK:              %s = arith.addi %acc, %v : i32

// -----

// Further out.
func.func @f(%x: tensor<4x6xi32>) -> tensor<4xi32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<4xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<4xi32>) -> tensor<4xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>],
      iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x6xi32>) outs(%init : tensor<4xi32>) {
  ^bb0(%v: i32, %acc: i32):
    %s = arith.addi %acc, %v : i32
    linalg.yield %s : i32
  } -> tensor<4xi32>
  func.return %a : tensor<4xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %i, %k = schedule.get_loops %a : !schedule.loop, !schedule.loop
  %init = schedule.decompose_reduction %a, %i
}

// CHECK-LABEL:  func.func @f(%x: memref<4x6xi32>, %a: memref<4xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0 = 0 to 4
// CHECK-NEXT:     schedule.block "a_init" <spatial 4> = (d0) -> (d0)(%i0)
// CHECK-NEXT:       writes %a<(d0) -> (d0)> : memref<4xi32>
// CHECK-NEXT:       %0 = arith.constant 0 : i32
// CHECK:        schedule.for %i0_1 = 0 to 4
// CHECK-NEXT:     schedule.for %r1 = 0 to 6
// CHECK-NEXT:       schedule.block "a" <spatial 4, reduction 6> = (d0, d1) -> (d0, d1)(%i0_1, %r1)
// CHECK-NEXT:         reads %x<(d0, d1) -> (d0, d1)> : memref<4x6xi32>
// CHECK-NEXT:         writes %a<(d0, d1) -> (d0)> : memref<4xi32>
// CHECK:              %s = arith.addi %acc, %v : i32

// -----

// A reduction outside of spatial loops, guarded.
func.func @f(%x: tensor<4x6xi32>) -> tensor<4xi32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<4xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<4xi32>) -> tensor<4xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>],
      iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x6xi32>) outs(%init : tensor<4xi32>) {
  ^bb0(%v: i32, %acc: i32):
    %s = arith.addi %acc, %v : i32
    linalg.yield %s : i32
  } -> tensor<4xi32>
  func.return %a : tensor<4xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %i, %k = schedule.get_loops %a : !schedule.loop, !schedule.loop
  %io, %ii = schedule.split %i factor 3 tail "guard"
  schedule.reorder %k, %io, %ii
  %init = schedule.decompose_reduction %a, %k
}

// CHECK-LABEL:  func.func @f(%x: memref<4x6xi32>, %a: memref<4xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0_outer = 0 to 2
// CHECK-NEXT:     schedule.for %i0_inner = 0 to 3
// CHECK-NEXT:       schedule.block "a_init" <spatial 4> = (d0, d1) -> (((d0 * 3) + d1))(%i0_outer, %i0_inner)
// CHECK-NEXT:         where (d0, d1) : ((((d0 * -3) + (d1 * -1)) + 3) >= 0)
// CHECK-NEXT:         writes %a<(d0) -> (d0)> : memref<4xi32>
// CHECK-NEXT:         %0 = arith.constant 0 : i32
// CHECK:        schedule.for %r1 = 0 to 6
// CHECK-NEXT:     schedule.for %i0_outer_1 = 0 to 2
// CHECK-NEXT:       schedule.for %i0_inner_1 = 0 to 3
// CHECK-NEXT:         schedule.block "a" <spatial 4, reduction 6> = (d0, d1, d2) -> (((d0 * 3) + d1), d2)(%i0_outer_1, %i0_inner_1, %r1)
// CHECK-NEXT:           where (d0, d1, d2) : ((((d0 * -3) + (d1 * -1)) + 3) >= 0)
// CHECK-NEXT:           reads %x<(d0, d1) -> (d0, d1)> : memref<4x6xi32>
// CHECK-NEXT:           writes %a<(d0, d1) -> (d0)> : memref<4xi32>
// CHECK:                %s = arith.addi %acc, %v : i32
