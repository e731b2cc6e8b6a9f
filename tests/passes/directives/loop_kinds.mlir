// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' --split-input-file | filecheck %s

// bind, unroll and vectorize: the loop's kind.

func.func @f(%x: tensor<2x3x4x8xi32>) -> tensor<2x3x4x8xi32> {
  %a_empty = tensor.empty() : tensor<2x3x4x8xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i, j, k, l) -> (i, j, k, l)>, affine_map<(i, j, k, l) -> (i, j, k, l)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<2x3x4x8xi32>) outs(%a_empty : tensor<2x3x4x8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<2x3x4x8xi32>
  func.return %a : tensor<2x3x4x8xi32>
}
schedule.script @f {
  %a = schedule.get_block "a"
  %i, %j, %k, %l = schedule.get_loops %a : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  schedule.bind %i, "cthread"
  schedule.bind %j, "blockIdx.x"
  schedule.unroll %k
  schedule.vectorize %l
}

// CHECK-LABEL:  func.func @f(%x: memref<2x3x4x8xi32>, %a: memref<2x3x4x8xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0 = 0 to 2 kind "cthread"
// CHECK-NEXT:     schedule.for %i1 = 0 to 3 kind "blockIdx.x"
// CHECK-NEXT:       schedule.for %i2 = 0 to 4 kind "unrolled"
// CHECK-NEXT:         schedule.for %i3 = 0 to 8 kind "vectorized"
// CHECK-NEXT:           schedule.block "a" <spatial 2, spatial 3, spatial 4, spatial 8> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%i0, %i1, %i2, %i3)
// CHECK-NEXT:             reads %x<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<2x3x4x8xi32>
// CHECK-NEXT:             writes %a<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<2x3x4x8xi32>
