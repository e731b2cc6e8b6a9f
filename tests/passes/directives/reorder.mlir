// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' --split-input-file | filecheck %s

// reorder: the loops named exchange places, the others stay.

func.func @f(%x: tensor<2x3x4xi32>) -> tensor<2x3x4xi32> {
  %a_empty = tensor.empty() : tensor<2x3x4xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, j, k)>, affine_map<(i, j, k) -> (i, j, k)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<2x3x4xi32>) outs(%a_empty : tensor<2x3x4xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<2x3x4xi32>
  func.return %a : tensor<2x3x4xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %i, %j, %k = schedule.get_loops %a : !schedule.loop, !schedule.loop, !schedule.loop
  schedule.reorder %k, %i
}

// CHECK-LABEL:  func.func @f(%x: memref<2x3x4xi32>, %a: memref<2x3x4xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i2 = 0 to 4
// CHECK-NEXT:     schedule.for %i1 = 0 to 3
// CHECK-NEXT:       schedule.for %i0 = 0 to 2
// CHECK-NEXT:         schedule.block "a" <spatial 2, spatial 3, spatial 4> = (d0, d1, d2) -> (d0, d1, d2)(%i0, %i1, %i2)
// CHECK-NEXT:           reads %x<(d0, d1, d2) -> (d0, d1, d2)> : memref<2x3x4xi32>
// CHECK-NEXT:           writes %a<(d0, d1, d2) -> (d0, d1, d2)> : memref<2x3x4xi32>
