// RUN: vtac-opt %s -p lower-to-wmma | filecheck %s --check-prefix=PRODUCT
// RUN: vtac-opt %S/../../../examples/wmma_conv2d.mlir -p lower-to-wmma | filecheck %s
// RUN: vtac-opt %S/../../../examples/wmma_conv2d.mlir -p 'lower-to-wmma{phase=blocked},lower-to-wmma' | filecheck %s
// RUN: vtac-opt %S/../../../examples/wmma_conv2d.mlir -p 'lower-to-wmma{phase=tiles}' | filecheck %s --check-prefix=TILES
// RUN: not vtac-opt %S/../../../examples/wmma_conv2d.mlir -p 'lower-to-wmma{phase=nowhere}' 2>&1 | filecheck %s --check-prefix=UNKNOWN

// The passes that `vtac-opt --help-pass lower-to-wmma` lists, in one; a phase names where to stop, and the rest
// can be run from there.

// CHECK-LABEL: func.func @conv2d
// CHECK-SAME:    gpu.kernel
// CHECK-NOT:     schedule.for
// CHECK:         "gpu.thread_id"
// CHECK:         "gpu.barrier"
// CHECK:         wmma.load_matrix_sync
// CHECK:         wmma.mma_sync
// CHECK:         wmma.store_matrix_sync

// TILES-LABEL: func.func @conv2d
// TILES:         wmma.fragments
// TILES:         schedule.for
// TILES-NOT:     gpu.barrier

// UNKNOWN: no phase 'nowhere'; the phases are input, payload, scheduled, blocked, tiles, memory, wmma

// PRODUCT-LABEL: func.func @product
// PRODUCT-SAME:    wmma.grid = array<i64: 2, 1, 1>, wmma.block = array<i64: 32, 1, 1>
// PRODUCT:         wmma.fill_fragment %sums[%c0], 0.000000e+00 : f32
// PRODUCT-NEXT:    scf.for %step = %c0 to %c2 step %c1 {
// PRODUCT:           "gpu.barrier"() : () -> ()
// PRODUCT:           memref.store {{.*}}"shared">
// PRODUCT:           "gpu.barrier"() : () -> ()
// PRODUCT-NEXT:      wmma.load_matrix_sync %left[%c0], %a_shared[%c0] leading 16
// PRODUCT:           wmma.load_matrix_sync %right[%c0], %b
// PRODUCT-NEXT:      wmma.mma_sync %sums[%c0], %left[%c0], %right[%c0]
// PRODUCT:         wmma.store_matrix_sync %c

func.func @product(%a: tensor<32x32xf16>, %b: tensor<32x16xf16>) -> tensor<32x16xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<32x16xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<32x16xf32>) -> tensor<32x16xf32>
  %c = linalg.matmul ins(%a, %b : tensor<32x32xf16>, tensor<32x16xf16>) outs(%start : tensor<32x16xf32>) -> tensor<32x16xf32>
  func.return %c : tensor<32x16xf32>
}

schedule.script @product {
  %c = schedule.get_block "c"
  %a_shared = schedule.cache_read %c, 0, "shared"
  %a_shared_wmma_matrix_a = schedule.cache_read %c, 0, "wmma.matrix_a"
  %b_wmma_matrix_b = schedule.cache_read %c, 1, "wmma.matrix_b"
  %c_wmma_accumulator = schedule.cache_write %c, 0, "wmma.accumulator"
  %i0, %i1 = schedule.get_loops %c_wmma_accumulator : !schedule.loop, !schedule.loop
  %i0_outer, %i0_inner = schedule.split %i0 factor 16
  schedule.bind %i0_outer, "blockIdx.x"
  schedule.tensorize %i0_inner, "wmma.store_matrix_sync"
  schedule.compute_at %c, %i0_outer
  %i0_outer_1, %i0_1, %i1_1, %r2 = schedule.get_loops %c : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  %r2_outer, %r2_inner = schedule.split %r2 factor 16
  schedule.reorder %r2_outer, %i0_1, %i1_1, %r2_inner
  schedule.tensorize %i0_1, "wmma.mma_sync"
  schedule.compute_at %a_shared_wmma_matrix_a, %r2_outer
  %i0_outer_2, %r2_outer_1, %i0_2, %i1_2 = schedule.get_loops %a_shared_wmma_matrix_a : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  schedule.tensorize %i0_2, "wmma.load_matrix_sync"
  schedule.compute_at %b_wmma_matrix_b, %r2_outer
  %i0_outer_3, %r2_outer_2, %i0_3, %i1_3 = schedule.get_loops %b_wmma_matrix_b : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  schedule.tensorize %i0_3, "wmma.load_matrix_sync"
  schedule.compute_at %a_shared, %r2_outer
  %i0_outer_4, %r2_outer_3, %i0_4, %i1_4 = schedule.get_loops %a_shared : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  %i0_i1_fused = schedule.fuse %i0_4, %i1_4
  %i0_i1_fused_outer, %i0_i1_fused_inner = schedule.split %i0_i1_fused factor 32
  schedule.bind %i0_i1_fused_inner, "threadIdx.x"
}
