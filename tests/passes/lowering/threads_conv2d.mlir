// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule,schedule-decompose-reductions,schedule-compact-buffers,schedule-inject-virtual-threads \
// RUN:   | filecheck %s

// The convolution after blocking and virtual threading: every statement is repeated for both threads right
// where it stands, and what a thread owns has two copies.

#tile = affine_map<(n, co, i, j, b, c) -> (n, co, i, j, b, c)>
func.func @conv2d(%data: tensor<1x16x14x14x1x16xi8>, %kernel: tensor<16x16x3x3x16x16xi8>) -> tensor<1x16x14x14x1x16xi8> {
  %pad_value = arith.constant 0 : i8
  %data_buf = tensor.pad %data low[0, 0, 1, 1, 0, 0] high[0, 0, 1, 1, 0, 0] {
  ^bb0(%p0: index, %p1: index, %p2: index, %p3: index, %p4: index, %p5: index):
    tensor.yield %pad_value : i8
  } : tensor<1x16x14x14x1x16xi8> to tensor<1x16x16x16x1x16xi8>
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<1x16x14x14x1x16xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<1x16x14x14x1x16xi32>) -> tensor<1x16x14x14x1x16xi32>
  %res_conv = linalg.generic {indexing_maps = [affine_map<(n, co, i, j, b, c, ic, dy, dx, k) -> (n, ic, i + dy, j + dx, b, k)>, affine_map<(n, co, i, j, b, c, ic, dy, dx, k) -> (co, ic, dy, dx, c, k)>, affine_map<(n, co, i, j, b, c, ic, dy, dx, k) -> (n, co, i, j, b, c)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "reduction"]}
    ins(%data_buf, %kernel : tensor<1x16x16x16x1x16xi8>, tensor<16x16x3x3x16x16xi8>) outs(%init : tensor<1x16x14x14x1x16xi32>) {
  ^bb0(%x: i8, %w: i8, %acc: i32):
    %x32 = arith.extsi %x : i8 to i32
    %w32 = arith.extsi %w : i8 to i32
    %product = arith.muli %x32, %w32 : i32
    %sum = arith.addi %acc, %product : i32
    linalg.yield %sum : i32
  } -> tensor<1x16x14x14x1x16xi32>
  %res_shr_empty = tensor.empty() : tensor<1x16x14x14x1x16xi32>
  %res_shr = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]}
    ins(%res_conv : tensor<1x16x14x14x1x16xi32>) outs(%res_shr_empty : tensor<1x16x14x14x1x16xi32>) {
  ^bb0(%x: i32, %o: i32):
    %c = arith.constant 8 : i32
    %y = arith.shrsi %x, %c : i32
    linalg.yield %y : i32
  } -> tensor<1x16x14x14x1x16xi32>
  %res_max_empty = tensor.empty() : tensor<1x16x14x14x1x16xi32>
  %res_max = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]}
    ins(%res_shr : tensor<1x16x14x14x1x16xi32>) outs(%res_max_empty : tensor<1x16x14x14x1x16xi32>) {
  ^bb0(%x: i32, %o: i32):
    %c = arith.constant 0 : i32
    %y = arith.maxsi %x, %c : i32
    linalg.yield %y : i32
  } -> tensor<1x16x14x14x1x16xi32>
  %res_min_empty = tensor.empty() : tensor<1x16x14x14x1x16xi32>
  %res_min = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]}
    ins(%res_max : tensor<1x16x14x14x1x16xi32>) outs(%res_min_empty : tensor<1x16x14x14x1x16xi32>) {
  ^bb0(%x: i32, %o: i32):
    %c = arith.constant 127 : i32
    %y = arith.minsi %x, %c : i32
    linalg.yield %y : i32
  } -> tensor<1x16x14x14x1x16xi32>
  %res_empty = tensor.empty() : tensor<1x16x14x14x1x16xi8>
  %res = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]}
    ins(%res_min : tensor<1x16x14x14x1x16xi32>) outs(%res_empty : tensor<1x16x14x14x1x16xi8>) {
  ^bb0(%x: i32, %o: i8):
    %y = arith.trunci %x : i32 to i8
    linalg.yield %y : i8
  } -> tensor<1x16x14x14x1x16xi8>
  func.return %res : tensor<1x16x14x14x1x16xi8>
}

schedule.script @conv2d {
  %res = schedule.get_block "res"
  %res_conv = schedule.get_block "res_conv"
  %kernel_buf = schedule.cache_read %res_conv, 1, "global"
  %b, %oc, %y, %x, %b_tns, %oc_tns = schedule.get_loops %res : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  %b_out, %b_inn = schedule.split %b factor 1
  %oc_out, %oc_inn = schedule.split %oc factor 8
  %y_out, %y_inn = schedule.split %y factor 7
  %x_out, %x_inn = schedule.split %x factor 14
  schedule.reorder %b_out, %oc_out, %y_out, %x_out, %b_inn, %oc_inn, %y_inn, %x_inn, %b_tns, %oc_tns
  %res_min = schedule.get_block "res_min"
  %res_max = schedule.get_block "res_max"
  %res_shr = schedule.get_block "res_shr"
  schedule.compute_at %res_min, %x_out
  schedule.compute_at %res_max, %x_out
  schedule.compute_at %res_shr, %x_out
  schedule.compute_at %res_conv, %x_out
  %c0, %c1, %c2, %c3, %bo, %co, %i, %j, %bi, %ci, %ic, %dy, %dx, %ic_tns = schedule.get_loops %res_conv : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  %ic_out, %ic_inn = schedule.split %ic factor 1
  schedule.reorder %ic_out, %bo, %co, %i, %ic_inn, %dy, %dx, %j, %bi, %ci, %ic_tns
  %oc_rest, %thread = schedule.split %oc_out factor 2
  schedule.reorder %thread, %b_out
  schedule.bind %thread, "cthread"
}

// CHECK:      func.func @conv2d(%data: memref<1x16x14x14x1x16xi8>, %kernel: memref<16x16x3x3x16x16xi8>, %res: memref<1x16x14x14x1x16xi8> {schedule.result}) {
// CHECK-NEXT:   %data_buf = memref.alloc() : memref<1x16x16x16x1x16xi8>
// CHECK-NEXT:   schedule.for %i0 = 0 to 1 {
// CHECK-NEXT:     schedule.for %i1 = 0 to 16 {
// CHECK-NEXT:       schedule.for %i2 = 0 to 16 {
// CHECK-NEXT:         schedule.for %i3 = 0 to 16 {
// CHECK-NEXT:           schedule.for %i4 = 0 to 1 {
// CHECK-NEXT:             schedule.for %i5 = 0 to 16 {
// CHECK-NEXT:               schedule.block "data_buf" <spatial 16, spatial 16, spatial 16, spatial 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%i1, %i2, %i3, %i5)
// CHECK-NEXT:                 reads %data<(d0, d1, d2, d3) -> (0, d0, (d1 + -1), (d2 + -1), 0, d3), pad 0 : i8> : memref<1x16x14x14x1x16xi8>
// CHECK-NEXT:                 writes %data_buf<(d0, d1, d2, d3) -> (0, d0, d1, d2, 0, d3)> : memref<1x16x16x16x1x16xi8> {
// CHECK-NEXT:               ^bb0(%0: i8):
// CHECK-NEXT:                 schedule.yield %0 : i8
// CHECK-NEXT:               }
// CHECK-NEXT:             }
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   %kernel_global = memref.alloc() : memref<16x16x3x3x16x16xi8, "global">
// CHECK-NEXT:   schedule.for %i0_1 = 0 to 16 {
// CHECK-NEXT:     schedule.for %i1_1 = 0 to 16 {
// CHECK-NEXT:       schedule.for %i2_1 = 0 to 3 {
// CHECK-NEXT:         schedule.for %i3_1 = 0 to 3 {
// CHECK-NEXT:           schedule.for %i4_1 = 0 to 16 {
// CHECK-NEXT:             schedule.for %i5_1 = 0 to 16 {
// CHECK-NEXT:               schedule.block "kernel_global" <spatial 16, spatial 16, spatial 3, spatial 3, spatial 16, spatial 16> = (d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5)(%i0_1, %i1_1, %i2_1, %i3_1, %i4_1, %i5_1)
// CHECK-NEXT:                 reads %kernel<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5)> : memref<16x16x3x3x16x16xi8>
// CHECK-NEXT:                 writes %kernel_global<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5)> : memref<16x16x3x3x16x16xi8, "global"> {
// CHECK-NEXT:               ^bb0(%1: i8):
// CHECK-NEXT:                 schedule.yield %1 : i8
// CHECK-NEXT:               }
// CHECK-NEXT:             }
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i1_outer_outer = 0 to 1 {
// CHECK-NEXT:     schedule.for %i0_outer = 0 to 1 {
// CHECK-NEXT:       schedule.for %i2_outer = 0 to 2 {
// CHECK-NEXT:         schedule.for %i3_outer = 0 to 1 {
// CHECK-NEXT:           %res_conv = memref.alloc() {vta.threads = 2 : i64, vta.thread_loop = "i1_outer_inner"} : memref<2x1x8x7x14x1x16xi32>
// CHECK-NEXT:           schedule.for %i0_2 = 0 to 1 {
// CHECK-NEXT:             schedule.for %i1_2 = 0 to 8 {
// CHECK-NEXT:               schedule.for %i2_2 = 0 to 7 {
// CHECK-NEXT:                 schedule.for %i3_2 = 0 to 14 {
// CHECK-NEXT:                   schedule.for %i4_2 = 0 to 1 {
// CHECK-NEXT:                     schedule.for %i5_2 = 0 to 16 {
// CHECK-NEXT:                       schedule.for %i1_outer_inner = 0 to 2 {
// CHECK-NEXT:                         schedule.block "res_conv_init" <spatial 8, spatial 7, spatial 14, spatial 16, spatial 2> = (d0, d1, d2, d3, d4) -> (d1, d2, d3, d4, d0)(%i1_outer_inner, %i1_2, %i2_2, %i3_2, %i5_2)
// CHECK-NEXT:                           writes %res_conv<(d0, d1, d2, d3, d4) -> (d4, 0, d0, d1, d2, 0, d3)> : memref<2x1x8x7x14x1x16xi32> {
// CHECK-NEXT:                           %2 = arith.constant 0 : i32
// CHECK-NEXT:                           schedule.yield %2 : i32
// CHECK-NEXT:                         }
// CHECK-NEXT:                       }
// CHECK-NEXT:                     }
// CHECK-NEXT:                   }
// CHECK-NEXT:                 }
// CHECK-NEXT:               }
// CHECK-NEXT:             }
// CHECK-NEXT:           }
// CHECK-NEXT:           schedule.for %r6_outer = 0 to 16 {
// CHECK-NEXT:             schedule.for %i0_3 = 0 to 1 {
// CHECK-NEXT:               schedule.for %i1_3 = 0 to 8 {
// CHECK-NEXT:                 schedule.for %i2_3 = 0 to 7 {
// CHECK-NEXT:                   schedule.for %r6_inner = 0 to 1 {
// CHECK-NEXT:                     schedule.for %r7 = 0 to 3 {
// CHECK-NEXT:                       schedule.for %r8 = 0 to 3 {
// CHECK-NEXT:                         schedule.for %i3_3 = 0 to 14 {
// CHECK-NEXT:                           schedule.for %i4_3 = 0 to 1 {
// CHECK-NEXT:                             schedule.for %i5_3 = 0 to 16 {
// CHECK-NEXT:                               schedule.for %r9 = 0 to 16 {
// CHECK-NEXT:                                 schedule.for %i1_outer_inner_1 = 0 to 2 {
// CHECK-NEXT:                                   schedule.block "res_conv" <spatial 2, spatial 2, reduction 16, spatial 8, spatial 7, reduction 3, reduction 3, spatial 14, spatial 16, reduction 16, spatial 2> = (d0, d1, d2, d3, d4, d5, d6, d7, d8, d9) -> (d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d0)(%i1_outer_inner_1, %i2_outer, %r6_outer, %i1_3, %i2_3, %r7, %r8, %i3_3, %i5_3, %r9)
// CHECK-NEXT:                                     reads %data_buf<(d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10) -> (0, d2, ((d4 + (d1 * 7)) + d5), (d6 + d7), 0, d9)> : memref<1x16x16x16x1x16xi8>
// CHECK-NEXT:                                     reads %kernel_global<(d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10) -> ((d3 + (d0 * 8)), d2, d5, d6, d8, d9)> : memref<16x16x3x3x16x16xi8, "global">
// CHECK-NEXT:                                     writes %res_conv<(d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10) -> (d10, 0, d3, d4, d7, 0, d8)> : memref<2x1x8x7x14x1x16xi32> {
// CHECK-NEXT:                                   ^bb0(%x: i8, %w: i8, %acc: i32):
// CHECK-NEXT:                                     %x32 = arith.extsi %x : i8 to i32
// CHECK-NEXT:                                     %w32 = arith.extsi %w : i8 to i32
// CHECK-NEXT:                                     %product = arith.muli %x32, %w32 : i32
// CHECK-NEXT:                                     %sum = arith.addi %acc, %product : i32
// CHECK-NEXT:                                     schedule.yield %sum : i32
// CHECK-NEXT:                                   }
// CHECK-NEXT:                                 }
// CHECK-NEXT:                               }
// CHECK-NEXT:                             }
// CHECK-NEXT:                           }
// CHECK-NEXT:                         }
// CHECK-NEXT:                       }
// CHECK-NEXT:                     }
// CHECK-NEXT:                   }
// CHECK-NEXT:                 }
// CHECK-NEXT:               }
// CHECK-NEXT:             }
// CHECK-NEXT:           }
// CHECK-NEXT:           %res_shr = memref.alloc() {vta.threads = 2 : i64, vta.thread_loop = "i1_outer_inner"} : memref<2x1x8x7x14x1x16xi32>
// CHECK-NEXT:           schedule.for %i0_4 = 0 to 1 {
// CHECK-NEXT:             schedule.for %i1_4 = 0 to 8 {
// CHECK-NEXT:               schedule.for %i2_4 = 0 to 7 {
// CHECK-NEXT:                 schedule.for %i3_4 = 0 to 14 {
// CHECK-NEXT:                   schedule.for %i4_4 = 0 to 1 {
// CHECK-NEXT:                     schedule.for %i5_4 = 0 to 16 {
// CHECK-NEXT:                       schedule.for %i1_outer_inner_2 = 0 to 2 {
// CHECK-NEXT:                         schedule.block "res_shr" <spatial 8, spatial 7, spatial 14, spatial 16, spatial 2, spatial 2> = (d0, d1, d2, d3, d4) -> (d1, d2, d3, d4, d0, d0)(%i1_outer_inner_2, %i1_4, %i2_4, %i3_4, %i5_4)
// CHECK-NEXT:                           reads %res_conv<(d0, d1, d2, d3, d4, d5) -> (d4, 0, d0, d1, d2, 0, d3)> : memref<2x1x8x7x14x1x16xi32>
// CHECK-NEXT:                           writes %res_shr<(d0, d1, d2, d3, d4, d5) -> (d5, 0, d0, d1, d2, 0, d3)> : memref<2x1x8x7x14x1x16xi32> {
// CHECK-NEXT:                         ^bb0(%x_1: i32):
// CHECK-NEXT:                           %c = arith.constant 8 : i32
// CHECK-NEXT:                           %y = arith.shrsi %x_1, %c : i32
// CHECK-NEXT:                           schedule.yield %y : i32
// CHECK-NEXT:                         }
// CHECK-NEXT:                       }
// CHECK-NEXT:                     }
// CHECK-NEXT:                   }
// CHECK-NEXT:                 }
// CHECK-NEXT:               }
// CHECK-NEXT:             }
// CHECK-NEXT:           }
// CHECK-NEXT:           %res_max = memref.alloc() {vta.threads = 2 : i64, vta.thread_loop = "i1_outer_inner"} : memref<2x1x8x7x14x1x16xi32>
// CHECK-NEXT:           schedule.for %i0_5 = 0 to 1 {
// CHECK-NEXT:             schedule.for %i1_5 = 0 to 8 {
// CHECK-NEXT:               schedule.for %i2_5 = 0 to 7 {
// CHECK-NEXT:                 schedule.for %i3_5 = 0 to 14 {
// CHECK-NEXT:                   schedule.for %i4_5 = 0 to 1 {
// CHECK-NEXT:                     schedule.for %i5_5 = 0 to 16 {
// CHECK-NEXT:                       schedule.for %i1_outer_inner_3 = 0 to 2 {
// CHECK-NEXT:                         schedule.block "res_max" <spatial 8, spatial 7, spatial 14, spatial 16, spatial 2, spatial 2> = (d0, d1, d2, d3, d4) -> (d1, d2, d3, d4, d0, d0)(%i1_outer_inner_3, %i1_5, %i2_5, %i3_5, %i5_5)
// CHECK-NEXT:                           reads %res_shr<(d0, d1, d2, d3, d4, d5) -> (d4, 0, d0, d1, d2, 0, d3)> : memref<2x1x8x7x14x1x16xi32>
// CHECK-NEXT:                           writes %res_max<(d0, d1, d2, d3, d4, d5) -> (d5, 0, d0, d1, d2, 0, d3)> : memref<2x1x8x7x14x1x16xi32> {
// CHECK-NEXT:                         ^bb0(%x_2: i32):
// CHECK-NEXT:                           %c_1 = arith.constant 0 : i32
// CHECK-NEXT:                           %y_1 = arith.maxsi %x_2, %c_1 : i32
// CHECK-NEXT:                           schedule.yield %y_1 : i32
// CHECK-NEXT:                         }
// CHECK-NEXT:                       }
// CHECK-NEXT:                     }
// CHECK-NEXT:                   }
// CHECK-NEXT:                 }
// CHECK-NEXT:               }
// CHECK-NEXT:             }
// CHECK-NEXT:           }
// CHECK-NEXT:           %res_min = memref.alloc() {vta.threads = 2 : i64, vta.thread_loop = "i1_outer_inner"} : memref<2x1x8x7x14x1x16xi32>
// CHECK-NEXT:           schedule.for %i0_6 = 0 to 1 {
// CHECK-NEXT:             schedule.for %i1_6 = 0 to 8 {
// CHECK-NEXT:               schedule.for %i2_6 = 0 to 7 {
// CHECK-NEXT:                 schedule.for %i3_6 = 0 to 14 {
// CHECK-NEXT:                   schedule.for %i4_6 = 0 to 1 {
// CHECK-NEXT:                     schedule.for %i5_6 = 0 to 16 {
// CHECK-NEXT:                       schedule.for %i1_outer_inner_4 = 0 to 2 {
// CHECK-NEXT:                         schedule.block "res_min" <spatial 8, spatial 7, spatial 14, spatial 16, spatial 2, spatial 2> = (d0, d1, d2, d3, d4) -> (d1, d2, d3, d4, d0, d0)(%i1_outer_inner_4, %i1_6, %i2_6, %i3_6, %i5_6)
// CHECK-NEXT:                           reads %res_max<(d0, d1, d2, d3, d4, d5) -> (d4, 0, d0, d1, d2, 0, d3)> : memref<2x1x8x7x14x1x16xi32>
// CHECK-NEXT:                           writes %res_min<(d0, d1, d2, d3, d4, d5) -> (d5, 0, d0, d1, d2, 0, d3)> : memref<2x1x8x7x14x1x16xi32> {
// CHECK-NEXT:                         ^bb0(%x_3: i32):
// CHECK-NEXT:                           %c_2 = arith.constant 127 : i32
// CHECK-NEXT:                           %y_2 = arith.minsi %x_3, %c_2 : i32
// CHECK-NEXT:                           schedule.yield %y_2 : i32
// CHECK-NEXT:                         }
// CHECK-NEXT:                       }
// CHECK-NEXT:                     }
// CHECK-NEXT:                   }
// CHECK-NEXT:                 }
// CHECK-NEXT:               }
// CHECK-NEXT:             }
// CHECK-NEXT:           }
// CHECK-NEXT:           schedule.for %i0_inner = 0 to 1 {
// CHECK-NEXT:             schedule.for %i1_inner = 0 to 8 {
// CHECK-NEXT:               schedule.for %i2_inner = 0 to 7 {
// CHECK-NEXT:                 schedule.for %i3_inner = 0 to 14 {
// CHECK-NEXT:                   schedule.for %i4_7 = 0 to 1 {
// CHECK-NEXT:                     schedule.for %i5_7 = 0 to 16 {
// CHECK-NEXT:                       schedule.for %i1_outer_inner_5 = 0 to 2 {
// CHECK-NEXT:                         schedule.block "res" <spatial 2, spatial 2, spatial 8, spatial 7, spatial 14, spatial 16, spatial 2> = (d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5, d0)(%i1_outer_inner_5, %i2_outer, %i1_inner, %i2_inner, %i3_inner, %i5_7)
// CHECK-NEXT:                           reads %res_min<(d0, d1, d2, d3, d4, d5, d6) -> (d6, 0, d2, d3, d4, 0, d5)> : memref<2x1x8x7x14x1x16xi32>
// CHECK-NEXT:                           writes %res<(d0, d1, d2, d3, d4, d5, d6) -> (0, ((d0 * 8) + d2), ((d1 * 7) + d3), d4, 0, d5)> : memref<1x16x14x14x1x16xi8> {
// CHECK-NEXT:                         ^bb0(%x_4: i32):
// CHECK-NEXT:                           %y_3 = arith.trunci %x_4 : i32 to i8
// CHECK-NEXT:                           schedule.yield %y_3 : i8
// CHECK-NEXT:                         }
// CHECK-NEXT:                       }
// CHECK-NEXT:                     }
// CHECK-NEXT:                   }
// CHECK-NEXT:                 }
// CHECK-NEXT:               }
// CHECK-NEXT:             }
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }
