// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' --split-input-file | filecheck %s

// compute_at: the producer computes what the loop's consumers need, halo and padding included.

// Plain.
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
  %i = schedule.get_loops %b : !schedule.loop
  %io, %ii = schedule.split %i factor 7
  schedule.compute_at %a, %io
}

// CHECK-LABEL:  func.func @f(%x: memref<14xi32>, %b: memref<14xi32> {schedule.result})
// CHECK-NEXT:   %a = memref.alloc() : memref<14xi32>
// CHECK-NEXT:   schedule.for %i0_outer = 0 to 2
// CHECK-NEXT:     schedule.for %i0 = 0 to 7
// CHECK-NEXT:       schedule.block "a" <spatial 14> = (d0, d1) -> ((d1 + (d0 * 7)))(%i0_outer, %i0)
// CHECK-NEXT:         reads %x<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:         writes %a<(d0) -> (d0)> : memref<14xi32>
// CHECK:          schedule.for %i0_inner = 0 to 7
// CHECK-NEXT:       schedule.block "b" <spatial 14> = (d0, d1) -> (((d0 * 7) + d1))(%i0_outer, %i0_inner)
// CHECK-NEXT:         reads %a<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:         writes %b<(d0) -> (d0)> : memref<14xi32>

// -----

// A stride and a halo: four elements every two; a guard where the interval may leave the domain.
func.func @f(%x: tensor<6xi32>) -> tensor<3xi32> {
  %zero = arith.constant 0 : i32
  %p = tensor.pad %x low[1] high[2] {
  ^bb0(%i: index):
    tensor.yield %zero : i32
  } : tensor<6xi32> to tensor<9xi32>
  %empty = tensor.empty() : tensor<3xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i * 2)>, affine_map<(i) -> (i * 2 + 3)>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]} ins(%p, %p : tensor<9xi32>, tensor<9xi32>) outs(%empty : tensor<3xi32>) {
  ^bb0(%v: i32, %w: i32, %o: i32):
    %s = arith.addi %v, %w : i32
    linalg.yield %s : i32
  } -> tensor<3xi32>
  func.return %a : tensor<3xi32>
}
schedule.script @f {
  %p = schedule.get_block "p"
  %a = schedule.get_block "a"
  %i = schedule.get_loops %a : !schedule.loop
  schedule.compute_at %p, %i
}

// CHECK-LABEL:  func.func @f(%x: memref<6xi32>, %a: memref<3xi32> {schedule.result})
// CHECK-NEXT:   %p = memref.alloc() : memref<9xi32>
// CHECK-NEXT:   schedule.for %i0 = 0 to 3
// CHECK-NEXT:     schedule.for %i0_1 = 0 to 4
// CHECK-NEXT:       schedule.block "p" <spatial 9> = (d0, d1) -> ((d1 + (d0 * 2)))(%i0, %i0_1)
// CHECK-NEXT:         reads %x<(d0) -> ((d0 + -1)), pad 0 : i32> : memref<6xi32>
// CHECK-NEXT:         writes %p<(d0) -> (d0)> : memref<9xi32>
// CHECK:          schedule.block "a" <spatial 3> = (d0) -> (d0)(%i0)
// CHECK-NEXT:       reads %p<(d0) -> ((d0 * 2))> : memref<9xi32>
// CHECK-NEXT:       reads %p<(d0) -> (((d0 * 2) + 3))> : memref<9xi32>
// CHECK-NEXT:       writes %a<(d0) -> (d0)> : memref<3xi32>

// -----

// A guard that is settled outside of the loop holds for the producer too.
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
  %i = schedule.get_loops %b : !schedule.loop
  %io, %ii = schedule.split %i factor 2
  %ioo, %ioi = schedule.split %io factor 4 tail "guard"
  schedule.compute_at %a, %ioi
}

// CHECK-LABEL:  func.func @f(%x: memref<14xi32>, %b: memref<14xi32> {schedule.result})
// CHECK-NEXT:   %a = memref.alloc() : memref<14xi32>
// CHECK-NEXT:   schedule.for %i0_outer_outer = 0 to 2
// CHECK-NEXT:     schedule.for %i0_outer_inner = 0 to 4
// CHECK-NEXT:       schedule.for %i0 = 0 to 2
// CHECK-NEXT:         schedule.block "a" <spatial 14> = (d0, d1, d2) -> (((d2 + (d0 * 8)) + (d1 * 2)))(%i0_outer_outer, %i0_outer_inner, %i0)
// CHECK-NEXT:           where (d0, d1, d2) : ((((d0 * -4) + (d1 * -1)) + 6) >= 0, ((((d2 * -1) + (d0 * -8)) + (d1 * -2)) + 13) >= 0)
// CHECK-NEXT:           reads %x<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:           writes %a<(d0) -> (d0)> : memref<14xi32>
// CHECK:            schedule.for %i0_inner = 0 to 2
// CHECK-NEXT:         schedule.block "b" <spatial 14> = (d0, d1, d2) -> ((((d0 * 8) + (d1 * 2)) + d2))(%i0_outer_outer, %i0_outer_inner, %i0_inner)
// CHECK-NEXT:           where (d0, d1, d2) : ((((d0 * -4) + (d1 * -1)) + 6) >= 0)
// CHECK-NEXT:           reads %a<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:           writes %b<(d0) -> (d0)> : memref<14xi32>

// -----

// Under a guarded split the producer is guarded too.
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
  %i = schedule.get_loops %b : !schedule.loop
  %io, %ii = schedule.split %i factor 4 tail "guard"
  schedule.compute_at %a, %io
}

// CHECK-LABEL:  func.func @f(%x: memref<14xi32>, %b: memref<14xi32> {schedule.result})
// CHECK-NEXT:   %a = memref.alloc() : memref<14xi32>
// CHECK-NEXT:   schedule.for %i0_outer = 0 to 4
// CHECK-NEXT:     schedule.for %i0 = 0 to 4
// CHECK-NEXT:       schedule.block "a" <spatial 14> = (d0, d1) -> ((d1 + (d0 * 4)))(%i0_outer, %i0)
// CHECK-NEXT:         where (d0, d1) : ((((d1 * -1) + (d0 * -4)) + 13) >= 0)
// CHECK-NEXT:         reads %x<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:         writes %a<(d0) -> (d0)> : memref<14xi32>
// CHECK:          schedule.for %i0_inner = 0 to 4
// CHECK-NEXT:       schedule.block "b" <spatial 14> = (d0, d1) -> (((d0 * 4) + d1))(%i0_outer, %i0_inner)
// CHECK-NEXT:         where (d0, d1) : ((((d0 * -4) + (d1 * -1)) + 13) >= 0)
// CHECK-NEXT:         reads %a<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:         writes %b<(d0) -> (d0)> : memref<14xi32>
