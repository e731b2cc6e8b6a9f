// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' --split-input-file | filecheck %s

// cache_read: a copy of an input, whole, or of the padded window that is read.

func.func @f(%x: tensor<8xi32>) -> tensor<8xi32> {
  %a_empty = tensor.empty() : tensor<8xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<8xi32>) outs(%a_empty : tensor<8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<8xi32>
  func.return %a : tensor<8xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %c = schedule.cache_read %a, 0, "vta.inp"
}

// CHECK-LABEL:  func.func @f(%x: memref<8xi32>, %a: memref<8xi32> {schedule.result})
// CHECK-NEXT:   %x_vta_inp = memref.alloc() : memref<8xi32, "vta.inp">
// CHECK-NEXT:   schedule.for %i0 = 0 to 8
// CHECK-NEXT:     schedule.block "x_vta_inp" <spatial 8> = (d0) -> (d0)(%i0)
// CHECK-NEXT:       reads %x<(d0) -> (d0)> : memref<8xi32>
// CHECK-NEXT:       writes %x_vta_inp<(d0) -> (d0)> : memref<8xi32, "vta.inp">
// CHECK:        schedule.for %i0_1 = 0 to 8
// CHECK-NEXT:     schedule.block "a" <spatial 8> = (d0) -> (d0)(%i0_1)
// CHECK-NEXT:       reads %x_vta_inp<(d0) -> (d0)> : memref<8xi32, "vta.inp">
// CHECK-NEXT:       writes %a<(d0) -> (d0)> : memref<8xi32>

// -----

// A padded read hands its padding to the copy.
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
  schedule.compute_inline %p
  %a = schedule.get_block "a"
  %c = schedule.cache_read %a, 1, "vta.inp"
}

// CHECK-LABEL:  func.func @f(%x: memref<6xi32>, %a: memref<3xi32> {schedule.result})
// CHECK-NEXT:   %x_vta_inp = memref.alloc() : memref<5xi32, "vta.inp">
// CHECK-NEXT:   schedule.for %i0 = 0 to 5
// CHECK-NEXT:     schedule.block "x_vta_inp" <spatial 5> = (d0) -> (d0)(%i0)
// CHECK-NEXT:       reads %x<(d0) -> ((d0 + 2)), pad 0 : i32> : memref<6xi32>
// CHECK-NEXT:       writes %x_vta_inp<(d0) -> (d0)> : memref<5xi32, "vta.inp">
// CHECK:        schedule.for %i0_1 = 0 to 3
// CHECK-NEXT:     schedule.block "a" <spatial 3> = (d0) -> (d0)(%i0_1)
// CHECK-NEXT:       reads %x<(d0) -> (((d0 * 2) + -1)), pad 0 : i32> : memref<6xi32>
// CHECK-NEXT:       reads %x_vta_inp<(d0) -> ((d0 * 2))> : memref<5xi32, "vta.inp">
// CHECK-NEXT:       writes %a<(d0) -> (d0)> : memref<3xi32>

// -----

// A guard that is settled outside of the nest holds for the copy too.
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
  schedule.compute_at %a, %i
  %io, %ii = schedule.split %i factor 4 tail "guard"
  %c = schedule.cache_read %b, 0, "vta.acc"
}

// CHECK-LABEL:  func.func @f(%x: memref<14xi32>, %b: memref<14xi32> {schedule.result})
// CHECK-NEXT:   %a_vta_acc = memref.alloc() : memref<14xi32, "vta.acc">
// CHECK-NEXT:   %a = memref.alloc() : memref<14xi32>
// CHECK-NEXT:   schedule.for %i0_outer = 0 to 4
// CHECK-NEXT:     schedule.for %i0_inner = 0 to 4
// CHECK-NEXT:       schedule.for %i0 = 0 to 1
// CHECK-NEXT:         schedule.block "a" <spatial 14> = (d0, d1, d2) -> ((((d0 * 4) + d1) + d2))(%i0_outer, %i0_inner, %i0)
// CHECK-NEXT:           where (d0, d1, d2) : ((((d0 * -4) + (d1 * -1)) + 13) >= 0)
// CHECK-NEXT:           reads %x<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:           writes %a<(d0) -> (d0)> : memref<14xi32>
// CHECK:            schedule.for %i0_1 = 0 to 1
// CHECK-NEXT:         schedule.block "a_vta_acc" <spatial 14> = (d0, d1, d2) -> (((d2 + (d0 * 4)) + d1))(%i0_outer, %i0_inner, %i0_1)
// CHECK-NEXT:           where (d0, d1, d2) : ((((d0 * -4) + (d1 * -1)) + 13) >= 0, ((((d2 * -1) + (d0 * -4)) + (d1 * -1)) + 13) >= 0)
// CHECK-NEXT:           reads %a<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:           writes %a_vta_acc<(d0) -> (d0)> : memref<14xi32, "vta.acc">
// CHECK:            schedule.block "b" <spatial 14> = (d0, d1) -> (((d0 * 4) + d1))(%i0_outer, %i0_inner)
// CHECK-NEXT:         where (d0, d1) : ((((d0 * -4) + (d1 * -1)) + 13) >= 0)
// CHECK-NEXT:         reads %a_vta_acc<(d0) -> (d0)> : memref<14xi32, "vta.acc">
// CHECK-NEXT:         writes %b<(d0) -> (d0)> : memref<14xi32>

// -----

// Inside the nest that produces the input, the copy takes what is read there.
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
  %c = schedule.cache_read %b, 0, "vta.acc"
}

// CHECK-LABEL:  func.func @f(%x: memref<14xi32>, %b: memref<14xi32> {schedule.result})
// CHECK-NEXT:   %a_vta_acc = memref.alloc() : memref<14xi32, "vta.acc">
// CHECK-NEXT:   %a = memref.alloc() : memref<14xi32>
// CHECK-NEXT:   schedule.for %i0_outer = 0 to 2
// CHECK-NEXT:     schedule.for %i0 = 0 to 7
// CHECK-NEXT:       schedule.block "a" <spatial 14> = (d0, d1) -> ((d1 + (d0 * 7)))(%i0_outer, %i0)
// CHECK-NEXT:         reads %x<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:         writes %a<(d0) -> (d0)> : memref<14xi32>
// CHECK:          schedule.for %i0_1 = 0 to 7
// CHECK-NEXT:       schedule.block "a_vta_acc" <spatial 14> = (d0, d1) -> ((d1 + (d0 * 7)))(%i0_outer, %i0_1)
// CHECK-NEXT:         reads %a<(d0) -> (d0)> : memref<14xi32>
// CHECK-NEXT:         writes %a_vta_acc<(d0) -> (d0)> : memref<14xi32, "vta.acc">
// CHECK:          schedule.for %i0_inner = 0 to 7
// CHECK-NEXT:       schedule.block "b" <spatial 14> = (d0, d1) -> (((d0 * 7) + d1))(%i0_outer, %i0_inner)
// CHECK-NEXT:         reads %a_vta_acc<(d0) -> (d0)> : memref<14xi32, "vta.acc">
// CHECK-NEXT:         writes %b<(d0) -> (d0)> : memref<14xi32>
