// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' --split-input-file | filecheck %s

// annotate: an attribute on a loop or a block.

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
  %i = schedule.get_loops %a : !schedule.loop
  schedule.annotate %i, "note" = 3 : i64 : !schedule.loop
  schedule.annotate %a, "kept" = unit : !schedule.block
}

// CHECK-LABEL:  func.func @f(%x: memref<8xi32>, %a: memref<8xi32> {schedule.result})
// CHECK-NEXT:   schedule.for %i0 = 0 to 8 attributes {schedule.annotations = {note = 3 : i64}}
// CHECK-NEXT:     schedule.block "a" <spatial 8> = (d0) -> (d0)(%i0)
// CHECK-NEXT:       reads %x<(d0) -> (d0)> : memref<8xi32>
// CHECK-NEXT:       writes %a<(d0) -> (d0)> : memref<8xi32> attributes {schedule.annotations = {kept}}
