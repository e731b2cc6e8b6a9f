// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule \
// RUN:   | filecheck %s

// Vector addition before any scheduling, both inputs staged in buffers: four nests over 64 x 16.

#tile = affine_map<(o, m, b, c) -> (o, m, b, c)>
func.func @vadd(%A: tensor<1x64x1x16xi32>, %B: tensor<1x64x1x16xi32>) -> tensor<1x64x1x16xi8> {
  %sum_empty = tensor.empty() : tensor<1x64x1x16xi32>
  %C_buf = linalg.generic {indexing_maps = [#tile, #tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%A, %B : tensor<1x64x1x16xi32>, tensor<1x64x1x16xi32>) outs(%sum_empty : tensor<1x64x1x16xi32>) {
  ^bb0(%a: i32, %b: i32, %o: i32):
    %sum = arith.addi %a, %b : i32
    linalg.yield %sum : i32
  } -> tensor<1x64x1x16xi32>
  %C_empty = tensor.empty() : tensor<1x64x1x16xi8>
  %C = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%C_buf : tensor<1x64x1x16xi32>) outs(%C_empty : tensor<1x64x1x16xi8>) {
  ^bb0(%x: i32, %o: i8):
    %y = arith.trunci %x : i32 to i8
    linalg.yield %y : i8
  } -> tensor<1x64x1x16xi8>
  func.return %C : tensor<1x64x1x16xi8>
}

schedule.script @vadd {
  %C_buf = schedule.get_block "C_buf"
  %A_buf = schedule.cache_read %C_buf, 0, "global"
  %B_buf = schedule.cache_read %C_buf, 1, "global"
}

// CHECK:      func.func @vadd(%A: memref<1x64x1x16xi32>, %B: memref<1x64x1x16xi32>, %C: memref<1x64x1x16xi8> {schedule.result}) {
// CHECK-NEXT:   %B_global = memref.alloc() : memref<1x64x1x16xi32, "global">
// CHECK-NEXT:   %A_global = memref.alloc() : memref<1x64x1x16xi32, "global">
// CHECK-NEXT:   %C_buf = memref.alloc() : memref<1x64x1x16xi32>
// CHECK-NEXT:   schedule.for %i0 = 0 to 1 {
// CHECK-NEXT:     schedule.for %i1 = 0 to 64 {
// CHECK-NEXT:       schedule.for %i2 = 0 to 1 {
// CHECK-NEXT:         schedule.for %i3 = 0 to 16 {
// CHECK-NEXT:           schedule.block "A_global" <spatial 1, spatial 64, spatial 1, spatial 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%i0, %i1, %i2, %i3)
// CHECK-NEXT:             reads %A<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<1x64x1x16xi32>
// CHECK-NEXT:             writes %A_global<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<1x64x1x16xi32, "global"> {
// CHECK-NEXT:           ^bb0(%0: i32):
// CHECK-NEXT:             schedule.yield %0 : i32
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i0_1 = 0 to 1 {
// CHECK-NEXT:     schedule.for %i1_1 = 0 to 64 {
// CHECK-NEXT:       schedule.for %i2_1 = 0 to 1 {
// CHECK-NEXT:         schedule.for %i3_1 = 0 to 16 {
// CHECK-NEXT:           schedule.block "B_global" <spatial 1, spatial 64, spatial 1, spatial 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%i0_1, %i1_1, %i2_1, %i3_1)
// CHECK-NEXT:             reads %B<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<1x64x1x16xi32>
// CHECK-NEXT:             writes %B_global<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<1x64x1x16xi32, "global"> {
// CHECK-NEXT:           ^bb0(%1: i32):
// CHECK-NEXT:             schedule.yield %1 : i32
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i0_2 = 0 to 1 {
// CHECK-NEXT:     schedule.for %i1_2 = 0 to 64 {
// CHECK-NEXT:       schedule.for %i2_2 = 0 to 1 {
// CHECK-NEXT:         schedule.for %i3_2 = 0 to 16 {
// CHECK-NEXT:           schedule.block "C_buf" <spatial 1, spatial 64, spatial 1, spatial 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%i0_2, %i1_2, %i2_2, %i3_2)
// CHECK-NEXT:             reads %A_global<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<1x64x1x16xi32, "global">
// CHECK-NEXT:             reads %B_global<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<1x64x1x16xi32, "global">
// CHECK-NEXT:             writes %C_buf<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<1x64x1x16xi32> {
// CHECK-NEXT:           ^bb0(%a: i32, %b: i32):
// CHECK-NEXT:             %sum = arith.addi %a, %b : i32
// CHECK-NEXT:             schedule.yield %sum : i32
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i0_3 = 0 to 1 {
// CHECK-NEXT:     schedule.for %i1_3 = 0 to 64 {
// CHECK-NEXT:       schedule.for %i2_3 = 0 to 1 {
// CHECK-NEXT:         schedule.for %i3_3 = 0 to 16 {
// CHECK-NEXT:           schedule.block "C" <spatial 1, spatial 64, spatial 1, spatial 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%i0_3, %i1_3, %i2_3, %i3_3)
// CHECK-NEXT:             reads %C_buf<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<1x64x1x16xi32>
// CHECK-NEXT:             writes %C<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<1x64x1x16xi8> {
// CHECK-NEXT:           ^bb0(%x: i32):
// CHECK-NEXT:             %y = arith.trunci %x : i32 to i8
// CHECK-NEXT:             schedule.yield %y : i8
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }
