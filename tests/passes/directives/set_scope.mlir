// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' --split-input-file | filecheck %s

// set_scope: of a block's output, and of a buffer by name.

func.func @f(%x: tensor<8xi32>) -> tensor<8xi32> {
  %a_empty = tensor.empty() : tensor<8xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<8xi32>) outs(%a_empty : tensor<8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<8xi32>
  %b_empty = tensor.empty() : tensor<8xi32>
  %b = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%a : tensor<8xi32>) outs(%b_empty : tensor<8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<8xi32>
  %c_empty = tensor.empty() : tensor<8xi32>
  %c = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%b : tensor<8xi32>) outs(%c_empty : tensor<8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<8xi32>
  func.return %c : tensor<8xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %s = schedule.get_buffer "b"
  schedule.set_scope %a, 0, "vta.acc" : !schedule.block
  schedule.set_scope %s, 0, "shared" : !schedule.buffer
}

// CHECK-LABEL:  func.func @f(%x: memref<8xi32>, %c: memref<8xi32> {schedule.result})
// CHECK-NEXT:   %a = memref.alloc() : memref<8xi32, "vta.acc">
// CHECK-NEXT:   schedule.for %i0 = 0 to 8
// CHECK-NEXT:     schedule.block "a" <spatial 8> = (d0) -> (d0)(%i0)
// CHECK-NEXT:       reads %x<(d0) -> (d0)> : memref<8xi32>
// CHECK-NEXT:       writes %a<(d0) -> (d0)> : memref<8xi32, "vta.acc">
// CHECK:        %b = memref.alloc() : memref<8xi32, "shared">
// CHECK-NEXT:   schedule.for %i0_1 = 0 to 8
// CHECK-NEXT:     schedule.block "b" <spatial 8> = (d0) -> (d0)(%i0_1)
// CHECK-NEXT:       reads %a<(d0) -> (d0)> : memref<8xi32, "vta.acc">
// CHECK-NEXT:       writes %b<(d0) -> (d0)> : memref<8xi32, "shared">
// CHECK:        schedule.for %i0_2 = 0 to 8
// CHECK-NEXT:     schedule.block "c" <spatial 8> = (d0) -> (d0)(%i0_2)
// CHECK-NEXT:       reads %b<(d0) -> (d0)> : memref<8xi32, "shared">
// CHECK-NEXT:       writes %c<(d0) -> (d0)> : memref<8xi32>
