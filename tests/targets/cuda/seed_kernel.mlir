// RUN: vtac-opt %S/../../../examples/wmma_conv2d.mlir -p 'lower-to-wmma' | filecheck %s

// The same convolution as a kernel: grid 2 x 4 x 196, block 32 x 4 x 2, two shared arrays of 12,288 halves, barriers
// before and after the copies, 6 fragment loads and 8 mma_sync per step.

// CHECK: func.func @conv2d(%data: memref<16x14x14x16x16x16xf16>, %kernel: memref<3x3x16x32x16x16xf16>, %output: memref<16x14x14x32x16x16xf32> {schedule.result, schedule.name = "output"}) attributes {gpu.kernel, wmma.grid = array<i64: 2, 4, 196>, wmma.block = array<i64: 32, 4, 2>} {
// CHECK: %kernel_shared_wmma_matrix_b = wmma.fragments : !wmma.fragment<4 x matrix_b [16, 16, 16] f16 row_major>
// CHECK: %data_shared_wmma_matrix_a = wmma.fragments : !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>
// CHECK: %kernel_shared = memref.alloc() : memref<1x3x2x8x16x16xf16, "shared">
// CHECK: %data_shared = memref.alloc() : memref<8x1x3x2x16x16xf16, "shared">
// CHECK: %output_wmma_accumulator = wmma.fragments : !wmma.fragment<8 x accumulator [16, 16, 16] f32>
// CHECK: %thread_x = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
// CHECK: %thread_z = "gpu.thread_id"() <{dimension = #gpu<dim z>}> : () -> index
// CHECK: %thread_y = "gpu.thread_id"() <{dimension = #gpu<dim y>}> : () -> index
// CHECK: %block_y = "gpu.block_id"() <{dimension = #gpu<dim y>}> : () -> index
// CHECK: %block_x = "gpu.block_id"() <{dimension = #gpu<dim x>}> : () -> index
// CHECK: %block_z = "gpu.block_id"() <{dimension = #gpu<dim z>}> : () -> index
// CHECK: %kernel_1 = memref.reinterpret_cast %kernel to offset: [0], sizes: [1179648], strides: [1] : memref<3x3x16x32x16x16xf16> to memref<1179648xf16>
// CHECK: %data_1 = memref.reinterpret_cast %data to offset: [0], sizes: [12845056], strides: [1] : memref<16x14x14x16x16x16xf16> to memref<12845056xf16>
// CHECK: scf.for %i0 = %c0 to %c2 step %c1 {
// CHECK: scf.for %i3 = %c0 to %c4 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> (((d0 * 4) + d1))> (%i0, %i3)
// CHECK: wmma.fill_fragment %output_wmma_accumulator[{{%[0-9]+}}], 0.000000e+00 : f32 : !wmma.fragment<8 x accumulator [16, 16, 16] f32>
// CHECK: scf.for %r6_outer = %c0 to %c8 step %c1 {
// CHECK: scf.for %r7 = %c0 to %c3 step %c1 {
// CHECK: %data_shared_1 = memref.reinterpret_cast %data_shared to offset: [0], sizes: [12288], strides: [1] : memref<8x1x3x2x16x16xf16, "shared"> to memref<12288xf16, "shared">
// CHECK: "gpu.barrier"() : () -> ()
// CHECK: scf.for %i2 = %c0 to %c3 step %c1 {
// CHECK: scf.for %i3_1 = %c0 to %c2 step %c1 {
// CHECK: scf.for %i4_i5_fused_outer = %c0 to %c8 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> (((d0 floordiv 14) + d1))> (%block_z, %r7)
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d1 + (d0 mod 14)))> (%block_z, %i2)
// CHECK: {{%.*}} = scf.if {{%[0-9]+}} -> (f16) {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1, d2, d3, d4, d5, d6, d7, d8, d9) -> ((((((((((((d2 * 1605632) + (d3 * 802816)) + (d1 * 6422528)) + (d6 * 57344)) + (d7 * 4096)) + (d0 * 4096)) + (d8 * 256)) + (d5 * 512)) + (d9 * 32)) + d4) + -61440))> (%block_z, %block_x, %thread_y, %thread_z, %thread_x, %r6_outer, %r7, %i2, %i3_1, %i4_i5_fused_outer)
// CHECK: {{%.*}} = memref.load %data_1[{{%[0-9]+}}] : memref<12845056xf16>
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1, d2, d3, d4, d5) -> (((((((d0 * 3072) + (d1 * 1536)) + (d3 * 512)) + (d4 * 256)) + (d5 * 32)) + d2))> (%thread_y, %thread_z, %thread_x, %i2, %i3_1, %i4_i5_fused_outer)
// CHECK: memref.store {{%[0-9]+}}, %data_shared_1[{{%[0-9]+}}] : memref<12288xf16, "shared">
// CHECK: %kernel_shared_1 = memref.reinterpret_cast %kernel_shared to offset: [0], sizes: [12288], strides: [1] : memref<1x3x2x8x16x16xf16, "shared"> to memref<12288xf16, "shared">
// CHECK: scf.for %i1 = %c0 to %c3 step %c1 {
// CHECK: scf.for %i2_1 = %c0 to %c2 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (((((((((d5 * 393216) + (d6 * 131072)) + (d7 * 8192)) + (d4 * 16384)) + (d0 * 512)) + (d1 * 256)) + (d3 * 2048)) + (d2 * 8)))> (%thread_y, %thread_z, %thread_x, %block_y, %r6_outer, %r7, %i1, %i2_1)
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1, d2, d3, d4) -> ((((((d3 * 4096) + (d4 * 2048)) + (d0 * 512)) + (d1 * 256)) + (d2 * 8)))> (%thread_y, %thread_z, %thread_x, %i1, %i2_1)
// CHECK: {{%.*}} = vector.load %kernel_1[{{%[0-9]+}}] : memref<1179648xf16>, vector<8xf16>
// CHECK: vector.store {{%[0-9]+}}, %kernel_shared_1[{{%[0-9]+}}] : memref<12288xf16, "shared">, vector<8xf16>
// CHECK: "gpu.barrier"() : () -> ()
// CHECK: scf.for %r6_inner = %c0 to %c2 step %c1 {
// CHECK: scf.for %r8 = %c0 to %c3 step %c1 {
// CHECK: scf.for %i0_1 = %c0 to %c2 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1, d2, d3) -> (((((d3 * 1536) + (d0 * 3072)) + (d2 * 512)) + (d1 * 256)))> (%thread_y, %r6_inner, %r8, %i0_1)
// CHECK: wmma.load_matrix_sync %data_shared_wmma_matrix_a[%i0_1], %data_shared[{{%[0-9]+}}] leading 16 : !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, memref<8x1x3x2x16x16xf16, "shared">
// CHECK: scf.for %i3_2 = %c0 to %c4 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1, d2, d3) -> (((((d2 * 4096) + (d1 * 2048)) + (d3 * 256)) + (d0 * 1024)))> (%thread_z, %r6_inner, %r8, %i3_2)
// CHECK: wmma.load_matrix_sync %kernel_shared_wmma_matrix_b[%i3_2], %kernel_shared[{{%[0-9]+}}] leading 16 : !wmma.fragment<4 x matrix_b [16, 16, 16] f16 row_major>, memref<1x3x2x8x16x16xf16, "shared">
// CHECK: scf.for %i0_2 = %c0 to %c2 step %c1 {
// CHECK: scf.for %i3_3 = %c0 to %c4 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> (((d0 * 4) + d1))> (%i0_2, %i3_3)
// CHECK: wmma.mma_sync %output_wmma_accumulator[{{%[0-9]+}}], %data_shared_wmma_matrix_a[%i0_2], %kernel_shared_wmma_matrix_b[%i3_3] : !wmma.fragment<8 x accumulator [16, 16, 16] f32>, !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, !wmma.fragment<4 x matrix_b [16, 16, 16] f16 row_major>
// CHECK: scf.for %i0_inner = %c0 to %c2 step %c1 {
// CHECK: scf.for %i3_inner = %c0 to %c4 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> (((d0 * 4) + d1))> (%i0_inner, %i3_inner)
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1, d2, d3, d4, d5, d6) -> ((((((((d1 * 12845056) + (d2 * 3211264)) + (d5 * 1605632)) + (d0 * 8192)) + (d4 * 2048)) + (d3 * 1024)) + (d6 * 256)))> (%block_z, %block_x, %thread_y, %thread_z, %block_y, %i0_inner, %i3_inner)
// CHECK: wmma.store_matrix_sync %output[{{%[0-9]+}}] leading 16, %output_wmma_accumulator[{{%[0-9]+}}] : memref<16x14x14x32x16x16xf32>, !wmma.fragment<8 x accumulator [16, 16, 16] f32>
