// RUN: vtac-opt %S/../../../examples/wmma_conv2d.mlir -p 'lower-to-wmma' | filecheck %s

// The same convolution as a kernel: grid 2 x 4 x 196, block 32 x 4 x 2, two shared arrays of 12,288 halves, barriers
// before and after the copies, 6 fragment loads and 8 mma_sync per step.

// CHECK: func.func @conv2d(%data: memref<16x14x14x16x16x16xf16>, %kernel: memref<3x3x16x32x16x16xf16>, %output: memref<16x14x14x32x16x16xf32> {schedule.result, schedule.name = "output"}) attributes {schedule.called = "seed", gpu.kernel, wmma.grid = array<i64: 2, 4, 196>, wmma.block = array<i64: 32, 4, 2>} {
// CHECK: %right = wmma.fragments : !wmma.fragment<4 x matrix_b [16, 16, 16] f16 row_major>
// CHECK: %left = wmma.fragments : !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>
// CHECK: %kernel_shared = memref.alloc() : memref<1x3x2x8x16x16xf16, "shared">
// CHECK: %data_shared = memref.alloc() : memref<8x1x3x2x16x16xf16, "shared">
// CHECK: %sums = wmma.fragments : !wmma.fragment<8 x accumulator [16, 16, 16] f32>
// CHECK: %lane = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
// CHECK: %warp_column = "gpu.thread_id"() <{dimension = #gpu<dim z>}> : () -> index
// CHECK: %warp_row = "gpu.thread_id"() <{dimension = #gpu<dim y>}> : () -> index
// CHECK: %block_y = "gpu.block_id"() <{dimension = #gpu<dim y>}> : () -> index
// CHECK: %block_x = "gpu.block_id"() <{dimension = #gpu<dim x>}> : () -> index
// CHECK: %block_z = "gpu.block_id"() <{dimension = #gpu<dim z>}> : () -> index
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1, d2, d3, d4) -> ((((((d1 * 12845056) + (d2 * 3211264)) + (d0 * 8192)) + (d4 * 2048)) + (d3 * 1024)))> (%block_z, %block_x, %warp_row, %warp_column, %block_y)
// CHECK: %output_to = wmma.variable {{%[0-9]+}}
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1, d2) -> ((((d0 * 512) + (d1 * 256)) + (d2 * 8)))> (%warp_row, %warp_column, %lane)
// CHECK: %kernel_shared_to = wmma.variable {{%[0-9]+}}
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1, d2, d3) -> (((((d0 * 512) + (d1 * 256)) + (d3 * 2048)) + (d2 * 8)))> (%warp_row, %warp_column, %lane, %block_y)
// CHECK: %kernel_from = wmma.variable {{%[0-9]+}}
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1, d2) -> ((((d0 * 3072) + (d1 * 1536)) + d2))> (%warp_row, %warp_column, %lane)
// CHECK: %data_shared_to = wmma.variable {{%[0-9]+}}
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1, d2, d3, d4) -> (((((((d2 * 1605632) + (d3 * 802816)) + (d1 * 6422528)) + (d0 * 4096)) + d4) + -61440))> (%block_z, %block_x, %warp_row, %warp_column, %lane)
// CHECK: %data_from = wmma.variable {{%[0-9]+}}
// CHECK: {{%.*}} = affine.apply affine_map<(d0) -> ((d0 mod 14))> (%block_z)
// CHECK: %block_z_minor = wmma.variable {{%[0-9]+}}
// CHECK: {{%.*}} = affine.apply affine_map<(d0) -> ((d0 floordiv 14))> (%block_z)
// CHECK: %block_z_major = wmma.variable {{%[0-9]+}}
// CHECK: %kernel_1 = memref.reinterpret_cast %kernel to offset: [0], sizes: [1179648], strides: [1] : memref<3x3x16x32x16x16xf16> to memref<1179648xf16>
// CHECK: %data_1 = memref.reinterpret_cast %data to offset: [0], sizes: [12845056], strides: [1] : memref<16x14x14x16x16x16xf16> to memref<12845056xf16>
// CHECK: scf.for %row = %c0 to %c2 step %c1 {
// CHECK: scf.for %column = %c0 to %c4 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> (((d0 * 4) + d1))> (%row, %column)
// CHECK: wmma.fill_fragment %sums[{{%[0-9]+}}], 0.000000e+00 : f32 : !wmma.fragment<8 x accumulator [16, 16, 16] f32>
// CHECK: scf.for %step = %c0 to %c8 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 512)))> (%data_from, %step)
// CHECK: %data_from_1 = wmma.variable {{%[0-9]+}}
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 16384)))> (%kernel_from, %step)
// CHECK: %kernel_from_1 = wmma.variable {{%[0-9]+}}
// CHECK: scf.for %step_1 = %c0 to %c3 step %c1 {
// CHECK: %data_shared_1 = memref.reinterpret_cast %data_shared to offset: [0], sizes: [12288], strides: [1] : memref<8x1x3x2x16x16xf16, "shared"> to memref<12288xf16, "shared">
// CHECK: "gpu.barrier"() : () -> ()
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 57344)))> (%data_from_1, %step_1)
// CHECK: %data_from_2 = wmma.variable {{%[0-9]+}}
// CHECK: scf.for %i = %c0 to %c3 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 4096)))> (%data_from_2, %i)
// CHECK: %data_from_3 = wmma.variable {{%[0-9]+}}
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 512)))> (%data_shared_to, %i)
// CHECK: %data_shared_to_1 = wmma.variable {{%[0-9]+}}
// CHECK: scf.for %i_1 = %c0 to %c2 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 256)))> (%data_from_3, %i_1)
// CHECK: %data_from_4 = wmma.variable {{%[0-9]+}}
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 256)))> (%data_shared_to_1, %i_1)
// CHECK: %data_shared_to_2 = wmma.variable {{%[0-9]+}}
// CHECK: scf.for %i_2 = %c0 to %c8 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + d1))> (%block_z_major, %step_1)
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + d1))> (%block_z_minor, %i)
// CHECK: {{%.*}} = scf.if {{%[0-9]+}} -> (f16) {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 32)))> (%data_from_4, %i_2)
// CHECK: {{%.*}} = memref.load %data_1[{{%[0-9]+}}] : memref<12845056xf16>
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 32)))> (%data_shared_to_2, %i_2)
// CHECK: memref.store {{%[0-9]+}}, %data_shared_1[{{%[0-9]+}}] : memref<12288xf16, "shared">
// CHECK: %kernel_shared_1 = memref.reinterpret_cast %kernel_shared to offset: [0], sizes: [12288], strides: [1] : memref<1x3x2x8x16x16xf16, "shared"> to memref<12288xf16, "shared">
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 393216)))> (%kernel_from_1, %step_1)
// CHECK: %kernel_from_2 = wmma.variable {{%[0-9]+}}
// CHECK: scf.for %i_3 = %c0 to %c3 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 131072)))> (%kernel_from_2, %i_3)
// CHECK: %kernel_from_3 = wmma.variable {{%[0-9]+}}
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 4096)))> (%kernel_shared_to, %i_3)
// CHECK: %kernel_shared_to_1 = wmma.variable {{%[0-9]+}}
// CHECK: scf.for %piece = %c0 to %c2 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 8192)))> (%kernel_from_3, %piece)
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 2048)))> (%kernel_shared_to_1, %piece)
// CHECK: {{%.*}} = vector.load %kernel_1[{{%[0-9]+}}] : memref<1179648xf16>, vector<8xf16>
// CHECK: vector.store {{%[0-9]+}}, %kernel_shared_1[{{%[0-9]+}}] : memref<12288xf16, "shared">, vector<8xf16>
// CHECK: "gpu.barrier"() : () -> ()
// CHECK: scf.for %slice = %c0 to %c2 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> (((d0 * 3072) + (d1 * 256)))> (%warp_row, %slice)
// CHECK: %data_shared_from = wmma.variable {{%[0-9]+}}
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> (((d1 * 2048) + (d0 * 1024)))> (%warp_column, %slice)
// CHECK: %kernel_shared_from = wmma.variable {{%[0-9]+}}
// CHECK: scf.for %slice_1 = %c0 to %c3 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 512)))> (%data_shared_from, %slice_1)
// CHECK: %data_shared_from_1 = wmma.variable {{%[0-9]+}}
// CHECK: scf.for %row_1 = %c0 to %c2 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 1536)))> (%data_shared_from_1, %row_1)
// CHECK: wmma.load_matrix_sync %left[%row_1], %data_shared[{{%[0-9]+}}] leading 16 : !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, memref<8x1x3x2x16x16xf16, "shared">
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 4096)))> (%kernel_shared_from, %slice_1)
// CHECK: %kernel_shared_from_1 = wmma.variable {{%[0-9]+}}
// CHECK: scf.for %column_1 = %c0 to %c4 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 256)))> (%kernel_shared_from_1, %column_1)
// CHECK: wmma.load_matrix_sync %right[%column_1], %kernel_shared[{{%[0-9]+}}] leading 16 : !wmma.fragment<4 x matrix_b [16, 16, 16] f16 row_major>, memref<1x3x2x8x16x16xf16, "shared">
// CHECK: scf.for %row_2 = %c0 to %c2 step %c1 {
// CHECK: scf.for %column_2 = %c0 to %c4 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> (((d0 * 4) + d1))> (%row_2, %column_2)
// CHECK: wmma.mma_sync %sums[{{%[0-9]+}}], %left[%row_2], %right[%column_2] : !wmma.fragment<8 x accumulator [16, 16, 16] f32>, !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, !wmma.fragment<4 x matrix_b [16, 16, 16] f16 row_major>
// CHECK: scf.for %row_3 = %c0 to %c2 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 1605632)))> (%output_to, %row_3)
// CHECK: %output_to_1 = wmma.variable {{%[0-9]+}}
// CHECK: scf.for %column_3 = %c0 to %c4 step %c1 {
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> (((d0 * 4) + d1))> (%row_3, %column_3)
// CHECK: {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 256)))> (%output_to_1, %column_3)
// CHECK: wmma.store_matrix_sync %output[{{%[0-9]+}}] leading 16, %sums[{{%[0-9]+}}] : memref<16x14x14x32x16x16xf32>, !wmma.fragment<8 x accumulator [16, 16, 16] f32>
// CHECK: func.return
