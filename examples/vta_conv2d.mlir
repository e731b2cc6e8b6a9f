#tile = affine_map<(n, co, i, j, b, c) -> (n, co, i, j, b, c)>
func.func @conv2d(%data: tensor<1x16x14x14x1x16xi8>, %kernel: tensor<16x16x3x3x16x16xi8>) -> tensor<1x16x14x14x1x16xi8> {
  %pad_value = arith.constant 0 : i8
  %data_buf = tensor.pad %data low[0, 0, 1, 1, 0, 0] high[0, 0, 1, 1, 0, 0] {
  ^bb0(%p0: index, %p1: index, %p2: index, %p3: index, %p4: index, %p5: index):
    tensor.yield %pad_value : i8
  } {schedule.name = "data_buf"} : tensor<1x16x14x14x1x16xi8> to tensor<1x16x16x16x1x16xi8>
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<1x16x14x14x1x16xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<1x16x14x14x1x16xi32>) -> tensor<1x16x14x14x1x16xi32>
  %res_conv = linalg.generic {indexing_maps = [affine_map<(n, co, i, j, b, c, ic, dy, dx, k) -> (n, ic, i + dy, j + dx, b, k)>, affine_map<(n, co, i, j, b, c, ic, dy, dx, k) -> (co, ic, dy, dx, c, k)>, affine_map<(n, co, i, j, b, c, ic, dy, dx, k) -> (n, co, i, j, b, c)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "reduction"]}
    ins(%data_buf, %kernel : tensor<1x16x16x16x1x16xi8>, tensor<16x16x3x3x16x16xi8>) outs(%init : tensor<1x16x14x14x1x16xi32>) attrs = {schedule.name = "res_conv"} {
  ^bb0(%x: i8, %w: i8, %acc: i32):
    %x32 = arith.extsi %x : i8 to i32
    %w32 = arith.extsi %w : i8 to i32
    %product = arith.muli %x32, %w32 : i32
    %sum = arith.addi %acc, %product : i32
    linalg.yield %sum : i32
  } -> tensor<1x16x14x14x1x16xi32>
  %res_shr_empty = tensor.empty() : tensor<1x16x14x14x1x16xi32>
  %res_shr = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]}
    ins(%res_conv : tensor<1x16x14x14x1x16xi32>) outs(%res_shr_empty : tensor<1x16x14x14x1x16xi32>) attrs = {schedule.name = "res_shr"} {
  ^bb0(%x: i32, %o: i32):
    %c = arith.constant 8 : i32
    %y = arith.shrsi %x, %c : i32
    linalg.yield %y : i32
  } -> tensor<1x16x14x14x1x16xi32>
  %res_max_empty = tensor.empty() : tensor<1x16x14x14x1x16xi32>
  %res_max = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]}
    ins(%res_shr : tensor<1x16x14x14x1x16xi32>) outs(%res_max_empty : tensor<1x16x14x14x1x16xi32>) attrs = {schedule.name = "res_max"} {
  ^bb0(%x: i32, %o: i32):
    %c = arith.constant 0 : i32
    %y = arith.maxsi %x, %c : i32
    linalg.yield %y : i32
  } -> tensor<1x16x14x14x1x16xi32>
  %res_min_empty = tensor.empty() : tensor<1x16x14x14x1x16xi32>
  %res_min = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]}
    ins(%res_max : tensor<1x16x14x14x1x16xi32>) outs(%res_min_empty : tensor<1x16x14x14x1x16xi32>) attrs = {schedule.name = "res_min"} {
  ^bb0(%x: i32, %o: i32):
    %c = arith.constant 127 : i32
    %y = arith.minsi %x, %c : i32
    linalg.yield %y : i32
  } -> tensor<1x16x14x14x1x16xi32>
  %res_empty = tensor.empty() : tensor<1x16x14x14x1x16xi8>
  %res = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]}
    ins(%res_min : tensor<1x16x14x14x1x16xi32>) outs(%res_empty : tensor<1x16x14x14x1x16xi8>) attrs = {schedule.name = "res"} {
  ^bb0(%x: i32, %o: i8):
    %y = arith.trunci %x : i32 to i8
    linalg.yield %y : i8
  } -> tensor<1x16x14x14x1x16xi8>
  func.return %res : tensor<1x16x14x14x1x16xi8>
}

schedule.script @conv2d {
  %res = schedule.get_block "res"
  %res_conv = schedule.get_block "res_conv"
  %i0, %i1, %i2, %i3, %i4, %i5 = schedule.get_loops %res : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  %i0_outer, %i0_inner = schedule.split %i0 factor 1
  %i1_outer, %i1_inner = schedule.split %i1 factor 8
  %i2_outer, %i2_inner = schedule.split %i2 factor 7
  %i3_outer, %i3_inner = schedule.split %i3 factor 14
  schedule.reorder %i0_outer, %i1_outer, %i2_outer, %i3_outer, %i0_inner, %i1_inner, %i2_inner, %i3_inner, %i4, %i5
  %res_min = schedule.get_block "res_min"
  %res_max = schedule.get_block "res_max"
  %res_shr = schedule.get_block "res_shr"
  schedule.compute_at %res_min, %i3_outer
  schedule.compute_at %res_max, %i3_outer
  schedule.compute_at %res_shr, %i3_outer
  schedule.compute_at %res_conv, %i3_outer
  %i0_outer_1, %i1_outer_1, %i2_outer_1, %i3_outer_1, %i0_1, %i1_1, %i2_1, %i3_1, %i4_1, %i5_1, %r6, %r7, %r8, %r9 = schedule.get_loops %res_conv : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  %r6_outer, %r6_inner = schedule.split %r6 factor 1
  schedule.reorder %r6_outer, %i0_1, %i1_1, %i2_1, %r6_inner, %r7, %r8, %i3_1, %i4_1, %i5_1, %r9
  %i1_outer_outer, %i1_outer_inner = schedule.split %i1_outer factor 2
  schedule.reorder %i1_outer_inner, %i0_outer
  schedule.bind %i1_outer_inner, "cthread"
  %data_buf = schedule.get_block "data_buf"
  schedule.set_scope %data_buf, 0, "vta.inp" : !schedule.block
  %kernel_vta_wgt = schedule.cache_read %res_conv, 1, "vta.wgt"
  schedule.set_scope %res_conv, 0, "vta.acc" : !schedule.block
  schedule.set_scope %res_min, 0, "vta.acc" : !schedule.block
  schedule.set_scope %res_max, 0, "vta.acc" : !schedule.block
  schedule.set_scope %res_shr, 0, "vta.acc" : !schedule.block
  schedule.compute_at %data_buf, %r6_outer
  %i0_2 = schedule.get_loop %data_buf "i0"
  schedule.dma_copy %i0_2
  schedule.compute_at %kernel_vta_wgt, %r6_outer
  %i0_3 = schedule.get_loop %kernel_vta_wgt "i0"
  schedule.dma_copy %i0_3
  schedule.dma_copy %i4
  schedule.tensorize %i4_1, "vta.gemm"
  %i0_4 = schedule.get_loop %res_min "i0"
  schedule.alu %i0_4
  %i0_5 = schedule.get_loop %res_max "i0"
  schedule.alu %i0_5
  %i0_6 = schedule.get_loop %res_shr "i0"
  schedule.alu %i0_6
}
