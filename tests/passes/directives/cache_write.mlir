// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' --split-input-file | filecheck %s

// cache_write: the block writes a new buffer, copied out after its nest.

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
  %c = schedule.cache_write %a, 0, "vta.acc"
}

// CHECK-LABEL:  func.func @f(%x: memref<8xi32>, %a: memref<8xi32> {schedule.result})
// CHECK-NEXT:   %a_vta_acc = memref.alloc() : memref<8xi32, "vta.acc">
// CHECK-NEXT:   schedule.for %i0 = 0 to 8
// CHECK-NEXT:     schedule.block "a" <spatial 8> = (d0) -> (d0)(%i0)
// CHECK-NEXT:       reads %x<(d0) -> (d0)> : memref<8xi32>
// CHECK-NEXT:       writes %a_vta_acc<(d0) -> (d0)> : memref<8xi32, "vta.acc">
// CHECK:        schedule.for %i0_1 = 0 to 8
// CHECK-NEXT:     schedule.block "a_vta_acc" <spatial 8> = (d0) -> (d0)(%i0_1)
// CHECK-NEXT:       reads %a_vta_acc<(d0) -> (d0)> : memref<8xi32, "vta.acc">
// CHECK-NEXT:       writes %a<(d0) -> (d0)> : memref<8xi32>
