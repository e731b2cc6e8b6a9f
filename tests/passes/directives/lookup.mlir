// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' --split-input-file | filecheck %s

// get_block, get_loops, get_loop, get_buffer: names; get_loop finds the innermost loop of that name.

func.func @f(%x: tensor<2x3xi32>) -> tensor<2x3xi32> {
  %a_empty = tensor.empty() : tensor<2x3xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x3xi32>) outs(%a_empty : tensor<2x3xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<2x3xi32>
  %b_empty = tensor.empty() : tensor<2x3xi32>
  %b = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<2x3xi32>) outs(%b_empty : tensor<2x3xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<2x3xi32>
  func.return %b : tensor<2x3xi32>
}
schedule.script @f {
  %b = schedule.get_block "b"
  %i0 = schedule.get_loop %b "i0"
  %first, %second = schedule.get_loops %b : !schedule.loop, !schedule.loop
  schedule.unroll %second
  schedule.annotate %i0, "found" = unit : !schedule.loop
  %buffer = schedule.get_buffer "a"
  schedule.set_scope %buffer, 0, "local" : !schedule.buffer
}

// CHECK-LABEL:  func.func @f(%x: memref<2x3xi32>, %b: memref<2x3xi32> {schedule.result})
// CHECK-NEXT:   %a = memref.alloc() : memref<2x3xi32, "local">
// CHECK-NEXT:   schedule.for %i0 = 0 to 2
// CHECK-NEXT:     schedule.for %i1 = 0 to 3
// CHECK-NEXT:       schedule.block "a" <spatial 2, spatial 3> = (d0, d1) -> (d0, d1)(%i0, %i1)
// CHECK-NEXT:         reads %x<(d0, d1) -> (d0, d1)> : memref<2x3xi32>
// CHECK-NEXT:         writes %a<(d0, d1) -> (d0, d1)> : memref<2x3xi32, "local">
// CHECK:        schedule.for %i0_1 = 0 to 2 attributes {schedule.annotations = {found}}
// CHECK-NEXT:     schedule.for %i1_1 = 0 to 3 kind "unrolled"
// CHECK-NEXT:       schedule.block "b" <spatial 2, spatial 3> = (d0, d1) -> (d0, d1)(%i0_1, %i1_1)
// CHECK-NEXT:         reads %a<(d0, d1) -> (d0, d1)> : memref<2x3xi32, "local">
// CHECK-NEXT:         writes %b<(d0, d1) -> (d0, d1)> : memref<2x3xi32>
