// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' --split-input-file | filecheck %s

// compute_inline: the body moves into the readers; padding moves with the read.

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
  func.return %b : tensor<8xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  schedule.compute_inline %a
}

// CHECK-LABEL:  func.func @f(%x: memref<8xi32>, %b: memref<8xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0 = 0 to 8
// CHECK-NEXT:     schedule.block "b" <spatial 8> = (d0) -> (d0)(%i0)
// CHECK-NEXT:       reads %x<(d0) -> (d0)> : memref<8xi32>
// CHECK-NEXT:       writes %b<(d0) -> (d0)> : memref<8xi32>
// CHECK:            %t = arith.addi %v, %v : i32
// CHECK-NEXT:       %t_1 = arith.addi %t, %t : i32

// -----

// Padding.
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
}

// CHECK-LABEL:  func.func @f(%x: memref<6xi32>, %a: memref<3xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0 = 0 to 3
// CHECK-NEXT:     schedule.block "a" <spatial 3> = (d0) -> (d0)(%i0)
// CHECK-NEXT:       reads %x<(d0) -> (((d0 * 2) + -1)), pad 0 : i32> : memref<6xi32>
// CHECK-NEXT:       reads %x<(d0) -> (((d0 * 2) + 2)), pad 0 : i32> : memref<6xi32>
// CHECK-NEXT:       writes %a<(d0) -> (d0)> : memref<3xi32>
// CHECK:            %s = arith.addi %v, %w : i32
