func.func @conv2d(%data: tensor<16x14x14x16x16x16xf16>, %kernel: tensor<3x3x16x32x16x16xf16>) -> tensor<16x14x14x32x16x16xf32> {
  %pad_value = arith.constant 0.0 : f16
  %data_pad = tensor.pad %data low[0, 1, 1, 0, 0, 0] high[0, 1, 1, 0, 0, 0] {
  ^bb0(%p0: index, %p1: index, %p2: index, %p3: index, %p4: index, %p5: index):
    tensor.yield %pad_value : f16
  } {schedule.name = "data_pad"} : tensor<16x14x14x16x16x16xf16> to tensor<16x16x16x16x16x16xf16>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<16x14x14x32x16x16xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<16x14x14x32x16x16xf32>) -> tensor<16x14x14x32x16x16xf32>
  %output = linalg.generic {indexing_maps = [affine_map<(n, h, w, o, nn, oo, ic, kh, kw, ii) -> (n, h + kh, w + kw, ic, nn, ii)>, affine_map<(n, h, w, o, nn, oo, ic, kh, kw, ii) -> (kh, kw, ic, o, ii, oo)>, affine_map<(n, h, w, o, nn, oo, ic, kh, kw, ii) -> (n, h, w, o, nn, oo)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "reduction"]}
    ins(%data_pad, %kernel : tensor<16x16x16x16x16x16xf16>, tensor<3x3x16x32x16x16xf16>) outs(%init : tensor<16x14x14x32x16x16xf32>) attrs = {schedule.name = "output"} {
  ^bb0(%x: f16, %w: f16, %acc: f32):
    %x32 = arith.extf %x : f16 to f32
    %w32 = arith.extf %w : f16 to f32
    %product = arith.mulf %x32, %w32 : f32
    %sum = arith.addf %acc, %product : f32
    linalg.yield %sum : f32
  } -> tensor<16x14x14x32x16x16xf32>
  func.return %output : tensor<16x14x14x32x16x16xf32>
}

schedule.script @conv2d attributes {schedule.called = "seed"} {
  %output = schedule.get_block "output"
  %data_pad = schedule.get_block "data_pad"
  schedule.compute_inline %data_pad
  %data_shared = schedule.cache_read %output, 0, "shared"
  %kernel_shared = schedule.cache_read %output, 1, "shared"
  %data_shared_wmma_matrix_a = schedule.cache_read %output, 0, "wmma.matrix_a"
  %kernel_shared_wmma_matrix_b = schedule.cache_read %output, 1, "wmma.matrix_b"
  %output_wmma_accumulator = schedule.cache_write %output, 0, "wmma.accumulator"
  %i0, %i1, %i2, %i3, %i4, %i5 = schedule.get_loops %output_wmma_accumulator : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  %i1_i2_fused = schedule.fuse %i1, %i2
  %i0_outer, %i0_inner = schedule.split %i0 factor 2
  %i0_outer_outer, %i0_outer_inner = schedule.split %i0_outer factor 4
  %i3_outer, %i3_inner = schedule.split %i3 factor 4
  %i3_outer_outer, %i3_outer_inner = schedule.split %i3_outer factor 2
  schedule.reorder %i1_i2_fused, %i0_outer_outer, %i3_outer_outer, %i0_outer_inner, %i3_outer_inner, %i0_inner, %i3_inner, %i4, %i5
  schedule.bind %i1_i2_fused, "blockIdx.z"
  schedule.bind %i0_outer_outer, "blockIdx.x"
  schedule.bind %i3_outer_outer, "blockIdx.y"
  schedule.bind %i0_outer_inner, "threadIdx.y"
  schedule.bind %i3_outer_inner, "threadIdx.z"
  schedule.compute_at %output, %i3_outer_inner
  %i1_i2_fused_1, %i0_outer_outer_1, %i3_outer_outer_1, %i0_outer_inner_1, %i3_outer_inner_1, %i0_1, %i1_1, %i2_1, %i3_1, %i4_1, %i5_1, %r6, %r7, %r8, %r9 = schedule.get_loops %output : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  %r6_outer, %r6_inner = schedule.split %r6 factor 2
  schedule.reorder %r6_outer, %r7, %r6_inner, %r8, %i0_1, %i3_1, %i4_1, %i5_1, %r9
  schedule.compute_at %data_shared_wmma_matrix_a, %r8
  %i1_i2_fused_2, %i0_outer_outer_2, %i3_outer_outer_2, %i0_outer_inner_2, %i3_outer_inner_2, %r6_outer_1, %i1_2, %i2_2, %r7_1, %r6_inner_1, %r8_1, %i0_2, %i1_3, %i2_3, %i3_2, %i4_2, %i5_2 = schedule.get_loops %data_shared_wmma_matrix_a : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  schedule.tensorize %i4_2, "wmma.load_matrix_sync"
  schedule.compute_at %kernel_shared_wmma_matrix_b, %r8
  %i1_i2_fused_3, %i0_outer_outer_3, %i3_outer_outer_3, %i0_outer_inner_3, %i3_outer_inner_3, %r6_outer_2, %i1_4, %i2_4, %r7_2, %r6_inner_2, %r8_2, %i0_3, %i1_5, %i2_5, %i3_3, %i4_3, %i5_3 = schedule.get_loops %kernel_shared_wmma_matrix_b : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  schedule.tensorize %i4_3, "wmma.load_matrix_sync"
  schedule.compute_at %data_shared, %r7
  schedule.compute_at %kernel_shared, %r7
  %i1_i2_fused_4, %i0_outer_outer_4, %i3_outer_outer_4, %i0_outer_inner_4, %i3_outer_inner_4, %r6_outer_3, %i1_6, %i2_6, %r7_3, %i0_4, %i1_7, %i2_7, %i3_4, %i4_4, %i5_4 = schedule.get_loops %data_shared : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  %i0_outer_1, %i0_inner_1 = schedule.split %i0_4 nparts 4
  %i0_inner_outer, %i0_inner_inner = schedule.split %i0_inner_1 nparts 2
  %i4_i5_fused = schedule.fuse %i4_4, %i5_4
  schedule.bind %i0_outer_1, "threadIdx.y"
  schedule.bind %i0_inner_outer, "threadIdx.z"
  %i4_i5_fused_outer, %i4_i5_fused_inner = schedule.split %i4_i5_fused factor 32
  schedule.bind %i4_i5_fused_inner, "threadIdx.x"
  %i1_i2_fused_5, %i0_outer_outer_5, %i3_outer_outer_5, %i0_outer_inner_5, %i3_outer_inner_5, %r6_outer_4, %i1_8, %i2_8, %r7_4, %i0_5, %i1_9, %i2_9, %i3_5, %i4_5, %i5_5 = schedule.get_loops %kernel_shared : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  %i3_outer_1, %i3_inner_1 = schedule.split %i3_5 nparts 4
  %i3_inner_outer, %i3_inner_inner = schedule.split %i3_inner_1 nparts 2
  %i4_i5_fused_1 = schedule.fuse %i4_5, %i5_5
  schedule.bind %i3_outer_1, "threadIdx.y"
  schedule.bind %i3_inner_outer, "threadIdx.z"
  %i4_i5_fused_outer_1, %i4_i5_fused_inner_1 = schedule.split %i4_i5_fused_1 nparts 32
  schedule.vectorize %i4_i5_fused_inner_1
  schedule.bind %i4_i5_fused_outer_1, "threadIdx.x"
  schedule.tensorize %i4, "wmma.store_matrix_sync"
  schedule.tensorize %i4_1, "wmma.mma_sync"
}
