// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' --split-input-file | filecheck %s

// reverse_compute_at: the consumer computes what one iteration has produced.

func.func @f(%x: tensor<14xi32>) -> tensor<14xi32> {
  %a_empty = tensor.empty() : tensor<14xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<14xi32>) outs(%a_empty : tensor<14xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<14xi32>
  %b_empty = tensor.empty() : tensor<14xi32>
  %b = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%a : tensor<14xi32>) outs(%b_empty : tensor<14xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<14xi32>
  func.return %b : tensor<14xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %b = schedule.get_block "b"
  %i = schedule.get_loops %a : !schedule.loop
  %io, %ii = schedule.split %i factor 7
  schedule.reverse_compute_at %b, %io
}

// CHECK-LABEL:  func.func @f(%x: memref<14xi32>, %b: memref<14xi32> {schedule.result})
// CHECK-NEXT:   %a = memref.alloc() : memref<14xi32>
// CHECK-NEXT:   schedule.for %i0_outer = 0 to 2
// CHECK-NEXT:     schedule.for %i0_inner = 0 to 7
// CHECK-NEXT:       schedule.block "a" <spatial 14> = (d0, d1) -> (((d0 * 7) + d1))(%i0_outer, %i0_inner)
// CHECK-NEXT:         reads %x<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:         writes %a<(d0) -> (d0)> : memref<14xi32>
// CHECK:          schedule.for %i0 = 0 to 7
// CHECK-NEXT:       schedule.block "b" <spatial 14> = (d0, d1) -> ((d1 + (d0 * 7)))(%i0_outer, %i0)
// CHECK-NEXT:         reads %a<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:         writes %b<(d0) -> (d0)> : memref<14xi32>

// -----

// After a peeled split, in the loop around both nests their results together are a box.
func.func @f(%x: tensor<2x14xi32>) -> tensor<2x14xi32> {
  %a_empty = tensor.empty() : tensor<2x14xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x14xi32>) outs(%a_empty : tensor<2x14xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<2x14xi32>
  %b_empty = tensor.empty() : tensor<2x14xi32>
  %b = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<2x14xi32>) outs(%b_empty : tensor<2x14xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<2x14xi32>
  func.return %b : tensor<2x14xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %b = schedule.get_block "b"
  %i, %j = schedule.get_loops %a : !schedule.loop, !schedule.loop
  %jo, %ji = schedule.split %j factor 4 tail "peel"
  schedule.reverse_compute_at %b, %i
}

// CHECK-LABEL:  func.func @f(%x: memref<2x14xi32>, %b: memref<2x14xi32> {schedule.result})
// CHECK-NEXT:   %a = memref.alloc() : memref<2x14xi32>
// CHECK-NEXT:   schedule.for %i0 = 0 to 2
// CHECK-NEXT:     schedule.for %i1_outer = 0 to 3
// CHECK-NEXT:       schedule.for %i1_inner = 0 to 4
// CHECK-NEXT:         schedule.block "a" <spatial 2, spatial 14> = (d0, d1, d2) -> (d0, ((d1 * 4) + d2))(%i0, %i1_outer, %i1_inner)
// CHECK-NEXT:           reads %x<(d0, d1) -> (d0, d1)> : memref<2x14xi32>
// CHECK-NEXT:           writes %a<(d0, d1) -> (d0, d1)> : memref<2x14xi32>
// CHECK:          schedule.for %i1_tail = 0 to 2
// CHECK-NEXT:       schedule.block "a_tail" <spatial 2, spatial 14> = (d0, d1) -> (d0, (d1 + 12))(%i0, %i1_tail)
// CHECK-NEXT:         reads %x<(d0, d1) -> (d0, d1)> : memref<2x14xi32>
// CHECK-NEXT:         writes %a<(d0, d1) -> (d0, d1)> : memref<2x14xi32>
// CHECK:          schedule.for %i0_1 = 0 to 1
// CHECK-NEXT:       schedule.for %i1 = 0 to 14
// CHECK-NEXT:         schedule.block "b" <spatial 2, spatial 14> = (d0, d1, d2) -> ((d0 + d1), d2)(%i0, %i0_1, %i1)
// CHECK-NEXT:           reads %a<(d0, d1) -> (d0, d1)> : memref<2x14xi32>
// CHECK-NEXT:           writes %b<(d0, d1) -> (d0, d1)> : memref<2x14xi32>

// -----

// In a thread's loop the consumer takes what this thread has written to shared memory, not what the others write.
func.func @f(%x: tensor<4x3xi32>) -> tensor<4x3xi32> {
  %empty = tensor.empty() : tensor<4x3xi32>
  %a = linalg.copy ins(%x : tensor<4x3xi32>) outs(%empty : tensor<4x3xi32>) -> tensor<4x3xi32>
  %b = linalg.copy ins(%a : tensor<4x3xi32>) outs(%empty : tensor<4x3xi32>) -> tensor<4x3xi32>
  func.return %b : tensor<4x3xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %b = schedule.get_block "b"
  schedule.set_scope %a, 0, "shared" : !schedule.block
  %i, %j = schedule.get_loops %a : !schedule.loop, !schedule.loop
  schedule.bind %i, "threadIdx.x"
  schedule.reverse_compute_at %b, %j
}

// CHECK-LABEL:  func.func @f(%x: memref<4x3xi32>
// CHECK:        schedule.for %i0 = 0 to 4 kind "threadIdx.x"
// CHECK-NEXT:     schedule.for %i1 = 0 to 3
// CHECK-NEXT:       schedule.block "a" <spatial 4, spatial 3> = (d0, d1) -> (d0, d1)(%i0, %i1)
// CHECK:            schedule.for %i0_1 = 0 to 1
// CHECK-NEXT:         schedule.for %i1_1 = 0 to 1
// CHECK-NEXT:           schedule.block "b" <spatial 4, spatial 3> = (d0, d1, d2, d3) -> ((d0 + d2), (d1 + d3))(%i0, %i1, %i0_1, %i1_1)
