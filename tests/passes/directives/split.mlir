// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' --split-input-file | filecheck %s

// split: by factor, by parts; a rest is guarded or peeled.

// By factor.
func.func @f(%x: tensor<14xi32>) -> tensor<14xi32> {
  %a_empty = tensor.empty() : tensor<14xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<14xi32>) outs(%a_empty : tensor<14xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<14xi32>
  func.return %a : tensor<14xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %i = schedule.get_loops %a : !schedule.loop
  %io, %ii = schedule.split %i factor 7
}

// CHECK-LABEL:  func.func @f(%x: memref<14xi32>, %a: memref<14xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0_outer = 0 to 2
// CHECK-NEXT:     schedule.for %i0_inner = 0 to 7
// CHECK-NEXT:       schedule.block "a" <spatial 14> = (d0, d1) -> (((d0 * 7) + d1))(%i0_outer, %i0_inner)
// CHECK-NEXT:         reads %x<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:         writes %a<(d0) -> (d0)> : memref<14xi32>

// -----

// By parts.
func.func @f(%x: tensor<14xi32>) -> tensor<14xi32> {
  %a_empty = tensor.empty() : tensor<14xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<14xi32>) outs(%a_empty : tensor<14xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<14xi32>
  func.return %a : tensor<14xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %i = schedule.get_loops %a : !schedule.loop
  %io, %ii = schedule.split %i nparts 7
}

// CHECK-LABEL:  func.func @f(%x: memref<14xi32>, %a: memref<14xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0_outer = 0 to 7
// CHECK-NEXT:     schedule.for %i0_inner = 0 to 2
// CHECK-NEXT:       schedule.block "a" <spatial 14> = (d0, d1) -> (((d0 * 2) + d1))(%i0_outer, %i0_inner)
// CHECK-NEXT:         reads %x<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:         writes %a<(d0) -> (d0)> : memref<14xi32>

// -----

// A guard.
func.func @f(%x: tensor<14xi32>) -> tensor<14xi32> {
  %a_empty = tensor.empty() : tensor<14xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<14xi32>) outs(%a_empty : tensor<14xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<14xi32>
  func.return %a : tensor<14xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %i = schedule.get_loops %a : !schedule.loop
  %io, %ii = schedule.split %i factor 4 tail "guard"
}

// CHECK-LABEL:  func.func @f(%x: memref<14xi32>, %a: memref<14xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0_outer = 0 to 4
// CHECK-NEXT:     schedule.for %i0_inner = 0 to 4
// CHECK-NEXT:       schedule.block "a" <spatial 14> = (d0, d1) -> (((d0 * 4) + d1))(%i0_outer, %i0_inner)
// CHECK-NEXT:         where (d0, d1) : ((((d0 * -4) + (d1 * -1)) + 13) >= 0)
// CHECK-NEXT:         reads %x<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:         writes %a<(d0) -> (d0)> : memref<14xi32>

// -----

// A peeled rest.
func.func @f(%x: tensor<14xi32>) -> tensor<14xi32> {
  %a_empty = tensor.empty() : tensor<14xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<14xi32>) outs(%a_empty : tensor<14xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<14xi32>
  func.return %a : tensor<14xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %i = schedule.get_loops %a : !schedule.loop
  %io, %ii = schedule.split %i factor 4 tail "peel"
}

// CHECK-LABEL:  func.func @f(%x: memref<14xi32>, %a: memref<14xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0_outer = 0 to 3
// CHECK-NEXT:     schedule.for %i0_inner = 0 to 4
// CHECK-NEXT:       schedule.block "a" <spatial 14> = (d0, d1) -> (((d0 * 4) + d1))(%i0_outer, %i0_inner)
// CHECK-NEXT:         reads %x<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:         writes %a<(d0) -> (d0)> : memref<14xi32>
// CHECK:        schedule.for %i0_tail = 0 to 2
// CHECK-NEXT:     schedule.block "a_tail" <spatial 14> = (d0) -> ((d0 + 12))(%i0_tail)
// CHECK-NEXT:       reads %x<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:       writes %a<(d0) -> (d0)> : memref<14xi32>

// -----

// Parts are kept exactly.
func.func @f(%x: tensor<14xi32>) -> tensor<14xi32> {
  %a_empty = tensor.empty() : tensor<14xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<14xi32>) outs(%a_empty : tensor<14xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<14xi32>
  func.return %a : tensor<14xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %i = schedule.get_loops %a : !schedule.loop
  %io, %ii = schedule.split %i nparts 4 tail "guard"
}

// CHECK-LABEL:  func.func @f(%x: memref<14xi32>, %a: memref<14xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0_outer = 0 to 4
// CHECK-NEXT:     schedule.for %i0_inner = 0 to 4
// CHECK-NEXT:       schedule.block "a" <spatial 14> = (d0, d1) -> (((d0 * 4) + d1))(%i0_outer, %i0_inner)
// CHECK-NEXT:         where (d0, d1) : ((((d0 * -4) + (d1 * -1)) + 13) >= 0)
// CHECK-NEXT:         reads %x<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:         writes %a<(d0) -> (d0)> : memref<14xi32>

// -----

// Parts with a peeled rest.
func.func @f(%x: tensor<14xi32>) -> tensor<14xi32> {
  %a_empty = tensor.empty() : tensor<14xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<14xi32>) outs(%a_empty : tensor<14xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<14xi32>
  func.return %a : tensor<14xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %i = schedule.get_loops %a : !schedule.loop
  %io, %ii = schedule.split %i nparts 4 tail "peel"
}

// CHECK-LABEL:  func.func @f(%x: memref<14xi32>, %a: memref<14xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0_outer = 0 to 4
// CHECK-NEXT:     schedule.for %i0_inner = 0 to 3
// CHECK-NEXT:       schedule.block "a" <spatial 14> = (d0, d1) -> (((d0 * 3) + d1))(%i0_outer, %i0_inner)
// CHECK-NEXT:         reads %x<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:         writes %a<(d0) -> (d0)> : memref<14xi32>
// CHECK:        schedule.for %i0_tail = 0 to 2
// CHECK-NEXT:     schedule.block "a_tail" <spatial 14> = (d0) -> ((d0 + 12))(%i0_tail)
// CHECK-NEXT:       reads %x<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:       writes %a<(d0) -> (d0)> : memref<14xi32>

// -----

// A peeled reduction only continues: no init on the tail.
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
  %ko, %ki = schedule.split %k factor 4 tail "peel"
}

// CHECK-LABEL:  func.func @f(%x: memref<4x6xi32>, %a: memref<4xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0 = 0 to 4
// CHECK-NEXT:     schedule.for %r1_outer = 0 to 1
// CHECK-NEXT:       schedule.for %r1_inner = 0 to 4
// CHECK-NEXT:         schedule.block "a" <spatial 4, reduction 6> = (d0, d1, d2) -> (d0, ((d1 * 4) + d2))(%i0, %r1_outer, %r1_inner)
// CHECK-NEXT:           reads %x<(d0, d1) -> (d0, d1)> : memref<4x6xi32>
// CHECK-NEXT:           writes %a<(d0, d1) -> (d0)> : memref<4xi32>
// CHECK-NEXT:           init 0 : i32
// CHECK:          schedule.for %r1_tail = 0 to 2
// CHECK-NEXT:       schedule.block "a_tail" <spatial 4, reduction 6> = (d0, d1) -> (d0, (d1 + 4))(%i0, %r1_tail)
// CHECK-NEXT:         reads %x<(d0, d1) -> (d0, d1)> : memref<4x6xi32>
// CHECK-NEXT:         writes %a<(d0, d1) -> (d0)> : memref<4xi32>
