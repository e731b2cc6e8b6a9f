// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule,schedule-decompose-reductions,schedule-compact-buffers \
// RUN:   | filecheck %s

// Matrix multiplication after blocking: 1 x 256 outputs at a time, so an accumulator of 256 elements;
// the init stands before the loop over reduction blocks.

#tile = affine_map<(b, c, i, j) -> (b, c, i, j)>
func.func @matmul(%data: tensor<1x64x1x16xi8>, %weight: tensor<64x64x16x16xi8>) -> tensor<1x64x1x16xi8> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<1x64x1x16xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<1x64x1x16xi32>) -> tensor<1x64x1x16xi32>
  %res_gemm = linalg.generic {indexing_maps = [affine_map<(bo, co, bi, ci, ic, k) -> (bo, ic, bi, k)>, affine_map<(bo, co, bi, ci, ic, k) -> (co, ic, ci, k)>, affine_map<(bo, co, bi, ci, ic, k) -> (bo, co, bi, ci)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
    ins(%data, %weight : tensor<1x64x1x16xi8>, tensor<64x64x16x16xi8>) outs(%init : tensor<1x64x1x16xi32>) {
  ^bb0(%x: i8, %w: i8, %acc: i32):
    %x32 = arith.extsi %x : i8 to i32
    %w32 = arith.extsi %w : i8 to i32
    %product = arith.muli %x32, %w32 : i32
    %sum = arith.addi %acc, %product : i32
    linalg.yield %sum : i32
  } -> tensor<1x64x1x16xi32>
  %res_shr_empty = tensor.empty() : tensor<1x64x1x16xi32>
  %res_shr = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%res_gemm : tensor<1x64x1x16xi32>) outs(%res_shr_empty : tensor<1x64x1x16xi32>) {
  ^bb0(%x: i32, %o: i32):
    %c = arith.constant 8 : i32
    %y = arith.shrsi %x, %c : i32
    linalg.yield %y : i32
  } -> tensor<1x64x1x16xi32>
  %res_max_empty = tensor.empty() : tensor<1x64x1x16xi32>
  %res_max = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%res_shr : tensor<1x64x1x16xi32>) outs(%res_max_empty : tensor<1x64x1x16xi32>) {
  ^bb0(%x: i32, %o: i32):
    %c = arith.constant 0 : i32
    %y = arith.maxsi %x, %c : i32
    linalg.yield %y : i32
  } -> tensor<1x64x1x16xi32>
  %res_min_empty = tensor.empty() : tensor<1x64x1x16xi32>
  %res_min = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%res_max : tensor<1x64x1x16xi32>) outs(%res_min_empty : tensor<1x64x1x16xi32>) {
  ^bb0(%x: i32, %o: i32):
    %c = arith.constant 127 : i32
    %y = arith.minsi %x, %c : i32
    linalg.yield %y : i32
  } -> tensor<1x64x1x16xi32>
  %res_empty = tensor.empty() : tensor<1x64x1x16xi8>
  %res = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%res_min : tensor<1x64x1x16xi32>) outs(%res_empty : tensor<1x64x1x16xi8>) {
  ^bb0(%x: i32, %o: i8):
    %y = arith.trunci %x : i32 to i8
    linalg.yield %y : i8
  } -> tensor<1x64x1x16xi8>
  func.return %res : tensor<1x64x1x16xi8>
}

schedule.script @matmul {
  %res = schedule.get_block "res"
  %res_gemm = schedule.get_block "res_gemm"
  %data_buf = schedule.cache_read %res_gemm, 0, "global"
  %weight_buf = schedule.cache_read %res_gemm, 1, "global"
  %b, %oc, %b_tns, %oc_tns = schedule.get_loops %res : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  %b_out, %b_inn = schedule.split %b factor 1
  %oc_out, %oc_inn = schedule.split %oc factor 16
  schedule.reorder %b_out, %oc_out, %b_inn, %oc_inn
  %res_min = schedule.get_block "res_min"
  %res_max = schedule.get_block "res_max"
  %res_shr = schedule.get_block "res_shr"
  schedule.compute_at %res_min, %oc_out
  schedule.compute_at %res_max, %oc_out
  schedule.compute_at %res_shr, %oc_out
  schedule.compute_at %res_gemm, %oc_out
  %bo, %co, %rows, %columns, %bi, %ci, %ic, %ic_tns = schedule.get_loops %res_gemm : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  %ic_out, %ic_inn = schedule.split %ic factor 16
  schedule.reorder %ic_out, %rows, %columns, %ic_inn, %bi, %ci, %ic_tns
}

// CHECK:      func.func @matmul(%data: memref<1x64x1x16xi8>, %weight: memref<64x64x16x16xi8>, %res: memref<1x64x1x16xi8> {schedule.result}) {
// CHECK-NEXT:   %data_global = memref.alloc() : memref<1x64x1x16xi8, "global">
// CHECK-NEXT:   schedule.for %i0 = 0 to 1 {
// CHECK-NEXT:     schedule.for %i1 = 0 to 64 {
// CHECK-NEXT:       schedule.for %i2 = 0 to 1 {
// CHECK-NEXT:         schedule.for %i3 = 0 to 16 {
// CHECK-NEXT:           schedule.block "data_global" <spatial 64, spatial 16> = (d0, d1) -> (d0, d1)(%i1, %i3)
// CHECK-NEXT:             reads %data<(d0, d1) -> (0, d0, 0, d1)> : memref<1x64x1x16xi8>
// CHECK-NEXT:             writes %data_global<(d0, d1) -> (0, d0, 0, d1)> : memref<1x64x1x16xi8, "global"> {
// CHECK-NEXT:           ^bb0(%0: i8):
// CHECK-NEXT:             schedule.yield %0 : i8
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   %weight_global = memref.alloc() : memref<64x64x16x16xi8, "global">
// CHECK-NEXT:   schedule.for %i0_1 = 0 to 64 {
// CHECK-NEXT:     schedule.for %i1_1 = 0 to 64 {
// CHECK-NEXT:       schedule.for %i2_1 = 0 to 16 {
// CHECK-NEXT:         schedule.for %i3_1 = 0 to 16 {
// CHECK-NEXT:           schedule.block "weight_global" <spatial 64, spatial 64, spatial 16, spatial 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%i0_1, %i1_1, %i2_1, %i3_1)
// CHECK-NEXT:             reads %weight<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<64x64x16x16xi8>
// CHECK-NEXT:             writes %weight_global<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<64x64x16x16xi8, "global"> {
// CHECK-NEXT:           ^bb0(%1: i8):
// CHECK-NEXT:             schedule.yield %1 : i8
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i0_outer = 0 to 1 {
// CHECK-NEXT:     schedule.for %i1_outer = 0 to 4 {
// CHECK-NEXT:       %res_gemm = memref.alloc() : memref<1x16x1x16xi32>
// CHECK-NEXT:       schedule.for %i0_2 = 0 to 1 {
// CHECK-NEXT:         schedule.for %i1_2 = 0 to 16 {
// CHECK-NEXT:           schedule.for %i2_2 = 0 to 1 {
// CHECK-NEXT:             schedule.for %i3_2 = 0 to 16 {
// CHECK-NEXT:               schedule.block "res_gemm_init" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i1_2, %i3_2)
// CHECK-NEXT:                 writes %res_gemm<(d0, d1) -> (0, d0, 0, d1)> : memref<1x16x1x16xi32> {
// CHECK-NEXT:                 %2 = arith.constant 0 : i32
// CHECK-NEXT:                 schedule.yield %2 : i32
// CHECK-NEXT:               }
// CHECK-NEXT:             }
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:       schedule.for %r4_outer = 0 to 4 {
// CHECK-NEXT:         schedule.for %i0_3 = 0 to 1 {
// CHECK-NEXT:           schedule.for %i1_3 = 0 to 16 {
// CHECK-NEXT:             schedule.for %r4_inner = 0 to 16 {
// CHECK-NEXT:               schedule.for %i2_3 = 0 to 1 {
// CHECK-NEXT:                 schedule.for %i3_3 = 0 to 16 {
// CHECK-NEXT:                   schedule.for %r5 = 0 to 16 {
// CHECK-NEXT:                     schedule.block "res_gemm" <spatial 4, reduction 4, spatial 16, reduction 16, spatial 16, reduction 16> = (d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5)(%i1_outer, %r4_outer, %i1_3, %r4_inner, %i3_3, %r5)
// CHECK-NEXT:                       reads %data_global<(d0, d1, d2, d3, d4, d5) -> (0, ((d1 * 16) + d3), 0, d5)> : memref<1x64x1x16xi8, "global">
// CHECK-NEXT:                       reads %weight_global<(d0, d1, d2, d3, d4, d5) -> ((d2 + (d0 * 16)), ((d1 * 16) + d3), d4, d5)> : memref<64x64x16x16xi8, "global">
// CHECK-NEXT:                       writes %res_gemm<(d0, d1, d2, d3, d4, d5) -> (0, d2, 0, d4)> : memref<1x16x1x16xi32> {
// CHECK-NEXT:                     ^bb0(%x: i8, %w: i8, %acc: i32):
// CHECK-NEXT:                       %x32 = arith.extsi %x : i8 to i32
// CHECK-NEXT:                       %w32 = arith.extsi %w : i8 to i32
// CHECK-NEXT:                       %product = arith.muli %x32, %w32 : i32
// CHECK-NEXT:                       %sum = arith.addi %acc, %product : i32
// CHECK-NEXT:                       schedule.yield %sum : i32
// CHECK-NEXT:                     }
// CHECK-NEXT:                   }
// CHECK-NEXT:                 }
// CHECK-NEXT:               }
// CHECK-NEXT:             }
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:       %res_shr = memref.alloc() : memref<1x16x1x16xi32>
// CHECK-NEXT:       schedule.for %i0_4 = 0 to 1 {
// CHECK-NEXT:         schedule.for %i1_4 = 0 to 16 {
// CHECK-NEXT:           schedule.for %i2_4 = 0 to 1 {
// CHECK-NEXT:             schedule.for %i3_4 = 0 to 16 {
// CHECK-NEXT:               schedule.block "res_shr" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i1_4, %i3_4)
// CHECK-NEXT:                 reads %res_gemm<(d0, d1) -> (0, d0, 0, d1)> : memref<1x16x1x16xi32>
// CHECK-NEXT:                 writes %res_shr<(d0, d1) -> (0, d0, 0, d1)> : memref<1x16x1x16xi32> {
// CHECK-NEXT:               ^bb0(%x_1: i32):
// CHECK-NEXT:                 %c = arith.constant 8 : i32
// CHECK-NEXT:                 %y = arith.shrsi %x_1, %c : i32
// CHECK-NEXT:                 schedule.yield %y : i32
// CHECK-NEXT:               }
// CHECK-NEXT:             }
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:       %res_max = memref.alloc() : memref<1x16x1x16xi32>
// CHECK-NEXT:       schedule.for %i0_5 = 0 to 1 {
// CHECK-NEXT:         schedule.for %i1_5 = 0 to 16 {
// CHECK-NEXT:           schedule.for %i2_5 = 0 to 1 {
// CHECK-NEXT:             schedule.for %i3_5 = 0 to 16 {
// CHECK-NEXT:               schedule.block "res_max" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i1_5, %i3_5)
// CHECK-NEXT:                 reads %res_shr<(d0, d1) -> (0, d0, 0, d1)> : memref<1x16x1x16xi32>
// CHECK-NEXT:                 writes %res_max<(d0, d1) -> (0, d0, 0, d1)> : memref<1x16x1x16xi32> {
// CHECK-NEXT:               ^bb0(%x_2: i32):
// CHECK-NEXT:                 %c_1 = arith.constant 0 : i32
// CHECK-NEXT:                 %y_1 = arith.maxsi %x_2, %c_1 : i32
// CHECK-NEXT:                 schedule.yield %y_1 : i32
// CHECK-NEXT:               }
// CHECK-NEXT:             }
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:       %res_min = memref.alloc() : memref<1x16x1x16xi32>
// CHECK-NEXT:       schedule.for %i0_6 = 0 to 1 {
// CHECK-NEXT:         schedule.for %i1_6 = 0 to 16 {
// CHECK-NEXT:           schedule.for %i2_6 = 0 to 1 {
// CHECK-NEXT:             schedule.for %i3_6 = 0 to 16 {
// CHECK-NEXT:               schedule.block "res_min" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i1_6, %i3_6)
// CHECK-NEXT:                 reads %res_max<(d0, d1) -> (0, d0, 0, d1)> : memref<1x16x1x16xi32>
// CHECK-NEXT:                 writes %res_min<(d0, d1) -> (0, d0, 0, d1)> : memref<1x16x1x16xi32> {
// CHECK-NEXT:               ^bb0(%x_3: i32):
// CHECK-NEXT:                 %c_2 = arith.constant 127 : i32
// CHECK-NEXT:                 %y_2 = arith.minsi %x_3, %c_2 : i32
// CHECK-NEXT:                 schedule.yield %y_2 : i32
// CHECK-NEXT:               }
// CHECK-NEXT:             }
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:       schedule.for %i0_inner = 0 to 1 {
// CHECK-NEXT:         schedule.for %i1_inner = 0 to 16 {
// CHECK-NEXT:           schedule.for %i2_7 = 0 to 1 {
// CHECK-NEXT:             schedule.for %i3_7 = 0 to 16 {
// CHECK-NEXT:               schedule.block "res" <spatial 4, spatial 16, spatial 16> = (d0, d1, d2) -> (d0, d1, d2)(%i1_outer, %i1_inner, %i3_7)
// CHECK-NEXT:                 reads %res_min<(d0, d1, d2) -> (0, d1, 0, d2)> : memref<1x16x1x16xi32>
// CHECK-NEXT:                 writes %res<(d0, d1, d2) -> (0, ((d0 * 16) + d1), 0, d2)> : memref<1x64x1x16xi8> {
// CHECK-NEXT:               ^bb0(%x_4: i32):
// CHECK-NEXT:                 %y_3 = arith.trunci %x_4 : i32 to i8
// CHECK-NEXT:                 schedule.yield %y_3 : i8
// CHECK-NEXT:               }
// CHECK-NEXT:             }
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }
