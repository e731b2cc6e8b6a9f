#tile = affine_map<(b, c, i, j) -> (b, c, i, j)>
func.func @matmul(%data: tensor<1x64x1x16xi8>, %weight: tensor<64x64x16x16xi8>) -> tensor<1x64x1x16xi8> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<1x64x1x16xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<1x64x1x16xi32>) -> tensor<1x64x1x16xi32>
  %res_gemm = linalg.generic {indexing_maps = [affine_map<(bo, co, bi, ci, ic, k) -> (bo, ic, bi, k)>, affine_map<(bo, co, bi, ci, ic, k) -> (co, ic, ci, k)>, affine_map<(bo, co, bi, ci, ic, k) -> (bo, co, bi, ci)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
    ins(%data, %weight : tensor<1x64x1x16xi8>, tensor<64x64x16x16xi8>) outs(%init : tensor<1x64x1x16xi32>) attrs = {schedule.name = "res_gemm"} {
  ^bb0(%x: i8, %w: i8, %acc: i32):
    %x32 = arith.extsi %x : i8 to i32
    %w32 = arith.extsi %w : i8 to i32
    %product = arith.muli %x32, %w32 : i32
    %sum = arith.addi %acc, %product : i32
    linalg.yield %sum : i32
  } -> tensor<1x64x1x16xi32>
  %res_shr_empty = tensor.empty() : tensor<1x64x1x16xi32>
  %res_shr = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%res_gemm : tensor<1x64x1x16xi32>) outs(%res_shr_empty : tensor<1x64x1x16xi32>) attrs = {schedule.name = "res_shr"} {
  ^bb0(%x: i32, %o: i32):
    %c = arith.constant 8 : i32
    %y = arith.shrsi %x, %c : i32
    linalg.yield %y : i32
  } -> tensor<1x64x1x16xi32>
  %res_max_empty = tensor.empty() : tensor<1x64x1x16xi32>
  %res_max = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%res_shr : tensor<1x64x1x16xi32>) outs(%res_max_empty : tensor<1x64x1x16xi32>) attrs = {schedule.name = "res_max"} {
  ^bb0(%x: i32, %o: i32):
    %c = arith.constant 0 : i32
    %y = arith.maxsi %x, %c : i32
    linalg.yield %y : i32
  } -> tensor<1x64x1x16xi32>
  %res_min_empty = tensor.empty() : tensor<1x64x1x16xi32>
  %res_min = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%res_max : tensor<1x64x1x16xi32>) outs(%res_min_empty : tensor<1x64x1x16xi32>) attrs = {schedule.name = "res_min"} {
  ^bb0(%x: i32, %o: i32):
    %c = arith.constant 127 : i32
    %y = arith.minsi %x, %c : i32
    linalg.yield %y : i32
  } -> tensor<1x64x1x16xi32>
  %res_empty = tensor.empty() : tensor<1x64x1x16xi8>
  %res = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%res_min : tensor<1x64x1x16xi32>) outs(%res_empty : tensor<1x64x1x16xi8>) attrs = {schedule.name = "res"} {
  ^bb0(%x: i32, %o: i8):
    %y = arith.trunci %x : i32 to i8
    linalg.yield %y : i8
  } -> tensor<1x64x1x16xi8>
  func.return %res : tensor<1x64x1x16xi8>
}

schedule.script @matmul {
  %res = schedule.get_block "res"
  %res_gemm = schedule.get_block "res_gemm"
  %i0, %i1, %i2, %i3 = schedule.get_loops %res : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  %i0_outer, %i0_inner = schedule.split %i0 factor 1
  %i1_outer, %i1_inner = schedule.split %i1 factor 16
  schedule.reorder %i0_outer, %i1_outer, %i0_inner, %i1_inner, %i2, %i3
  %res_min = schedule.get_block "res_min"
  %res_max = schedule.get_block "res_max"
  %res_shr = schedule.get_block "res_shr"
  schedule.compute_at %res_min, %i1_outer
  schedule.compute_at %res_max, %i1_outer
  schedule.compute_at %res_shr, %i1_outer
  schedule.compute_at %res_gemm, %i1_outer
  %i0_outer_1, %i1_outer_1, %i0_1, %i1_1, %i2_1, %i3_1, %r4, %r5 = schedule.get_loops %res_gemm : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  %r4_outer, %r4_inner = schedule.split %r4 factor 16
  schedule.reorder %r4_outer, %i0_1, %i1_1, %r4_inner, %i2_1, %i3_1, %r5
  %data_vta_inp = schedule.cache_read %res_gemm, 0, "vta.inp"
  %weight_vta_wgt = schedule.cache_read %res_gemm, 1, "vta.wgt"
  schedule.set_scope %res_gemm, 0, "vta.acc" : !schedule.block
  schedule.set_scope %res_min, 0, "vta.acc" : !schedule.block
  schedule.set_scope %res_max, 0, "vta.acc" : !schedule.block
  schedule.set_scope %res_shr, 0, "vta.acc" : !schedule.block
  schedule.compute_at %data_vta_inp, %r4_outer
  %i0_2 = schedule.get_loop %data_vta_inp "i0"
  schedule.dma_copy %i0_2
  schedule.compute_at %weight_vta_wgt, %r4_outer
  %i0_3 = schedule.get_loop %weight_vta_wgt "i0"
  schedule.dma_copy %i0_3
  schedule.dma_copy %i2
  schedule.tensorize %i2_1, "vta.gemm"
  %i0_4 = schedule.get_loop %res_min "i0"
  schedule.alu %i0_4
  %i0_5 = schedule.get_loop %res_max "i0"
  schedule.alu %i0_5
  %i0_6 = schedule.get_loop %res_shr "i0"
  schedule.alu %i0_6
}
