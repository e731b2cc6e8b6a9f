// RUN: vtac-opt %S/../../../examples/wmma_conv2d.mlir -p 'lower-to-wmma{phase=blocked}' | filecheck %s

// The convolution of 256 images after scheduling: a pixel and 128 x 128 channels per block of 32 x 4 x 2 threads;
// shared tiles of 12,288 elements per kernel row, 2 + 4 operand fragments and 8 accumulators per warp; the copy
// loops shared out over the threads, the data's scalar by scalar, the kernel's in vectors of 8.

// CHECK: func.func @conv2d(%data: memref<16x14x14x16x16x16xf16>, %kernel: memref<3x3x16x32x16x16xf16>, %output: memref<16x14x14x32x16x16xf32> {schedule.result, schedule.name = "output"}) attributes {schedule.called = "seed"} {
// CHECK: schedule.for %i1_i2_fused = 0 to 196 kind "blockIdx.z" {
// CHECK: schedule.for %i0_outer_outer = 0 to 2 kind "blockIdx.x" {
// CHECK: schedule.for %i3_outer_outer = 0 to 4 kind "blockIdx.y" {
// CHECK: schedule.for %i0_outer_inner = 0 to 4 kind "threadIdx.y" {
// CHECK: schedule.for %i3_outer_inner = 0 to 2 kind "threadIdx.z" {
// CHECK: %output_wmma_accumulator = memref.alloc() : memref<2x1x1x4x16x16xf32, "wmma.accumulator">
// CHECK: schedule.for %i4 = 0 to 16 attributes {tensorize = "wmma.mma_sync"} {
// CHECK: schedule.block "output_init" <spatial 2, spatial 4, spatial 16, spatial 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%i0, %i3, %i4, %i5)
// CHECK: writes %output_wmma_accumulator<(d0, d1, d2, d3) -> (d0, 0, 0, d1, d2, d3)> : memref<2x1x1x4x16x16xf32, "wmma.accumulator"> {
// CHECK: schedule.for %r6_outer = 0 to 8 {
// CHECK: schedule.for %r7 = 0 to 3 {
// CHECK: %data_shared = memref.alloc() : memref<8x1x3x2x16x16xf16, "shared">
// CHECK: schedule.for %i0_outer = 0 to 4 kind "threadIdx.y" {
// CHECK: schedule.for %i0_inner_outer = 0 to 2 kind "threadIdx.z" {
// CHECK: schedule.for %i4_i5_fused_inner = 0 to 32 kind "threadIdx.x" {
// CHECK: schedule.block "data_shared" <spatial 196, spatial 2, spatial 8, spatial 3, spatial 4, spatial 2, spatial 3, spatial 2, spatial 8, spatial 32> = (d0, d1, d2, d3, d4, d5, d6, d7, d8, d9) -> (d0, d1, d2, d3, d4, d5, d6, d7, d8, d9)(%i1_i2_fused, %i0_outer_outer, %r6_outer, %r7, %i0_outer, %i0_inner_outer, %i2_2, %i3_1, %i4_i5_fused_outer, %i4_i5_fused_inner)
// CHECK: reads %data<(d0, d1, d2, d3, d4, d5, d6, d7, d8, d9) -> ((((d4 * 2) + d5) + (d1 * 8)), (((d0 floordiv 14) + d3) + -1), ((d6 + (d0 mod 14)) + -1), (d7 + (d2 * 2)), ((d8 * 2) + (d9 floordiv 16)), (d9 mod 16)), pad 0.000000e+00 : f16> : memref<16x14x14x16x16x16xf16>
// CHECK: writes %data_shared<(d0, d1, d2, d3, d4, d5, d6, d7, d8, d9) -> (((d4 * 2) + d5), 0, d6, d7, ((d8 * 2) + (d9 floordiv 16)), (d9 mod 16))> : memref<8x1x3x2x16x16xf16, "shared"> {
// CHECK: %kernel_shared = memref.alloc() : memref<1x3x2x8x16x16xf16, "shared">
// CHECK: schedule.for %i3_outer = 0 to 4 kind "threadIdx.y" {
// CHECK: schedule.for %i3_inner_outer = 0 to 2 kind "threadIdx.z" {
// CHECK: schedule.for %i4_i5_fused_outer_1 = 0 to 32 kind "threadIdx.x" {
// CHECK: schedule.for %i4_i5_fused_inner_1 = 0 to 8 kind "vectorized" {
// CHECK: schedule.block "kernel_shared" <spatial 4, spatial 8, spatial 3, spatial 3, spatial 2, spatial 4, spatial 2, spatial 32, spatial 8> = (d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (d0, d1, d2, d3, d4, d5, d6, d7, d8)(%i3_outer_outer, %r6_outer, %r7, %i1_3, %i2_3, %i3_outer, %i3_inner_outer, %i4_i5_fused_outer_1, %i4_i5_fused_inner_1)
// CHECK: reads %kernel<(d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (d2, d3, (d4 + (d1 * 2)), (((d5 * 2) + d6) + (d0 * 8)), (((d7 * 8) + d8) floordiv 16), (((d7 * 8) + d8) mod 16))> : memref<3x3x16x32x16x16xf16>
// CHECK: writes %kernel_shared<(d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (0, d3, d4, ((d5 * 2) + d6), (((d7 * 8) + d8) floordiv 16), (((d7 * 8) + d8) mod 16))> : memref<1x3x2x8x16x16xf16, "shared"> {
// CHECK: schedule.for %r6_inner = 0 to 2 {
// CHECK: schedule.for %r8 = 0 to 3 {
// CHECK: %data_shared_wmma_matrix_a = memref.alloc() : memref<2x1x1x1x16x16xf16, "wmma.matrix_a">
// CHECK: schedule.for %i4_1 = 0 to 16 attributes {tensorize = "wmma.load_matrix_sync"} {
// CHECK: schedule.block "data_shared_wmma_matrix_a" <spatial 4, spatial 2, spatial 3, spatial 2, spatial 16, spatial 16> = (d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5)(%i0_outer_inner, %r6_inner, %r8, %i0_2, %i4_1, %i5_1)
// CHECK: reads %data_shared<(d0, d1, d2, d3, d4, d5) -> ((d3 + (d0 * 2)), 0, d2, d1, d4, d5)> : memref<8x1x3x2x16x16xf16, "shared">
// CHECK: writes %data_shared_wmma_matrix_a<(d0, d1, d2, d3, d4, d5) -> (d3, 0, 0, 0, d4, d5)> : memref<2x1x1x1x16x16xf16, "wmma.matrix_a"> {
// CHECK: %kernel_shared_wmma_matrix_b = memref.alloc() : memref<1x1x1x4x16x16xf16, "wmma.matrix_b">
// CHECK: schedule.for %i4_2 = 0 to 16 attributes {tensorize = "wmma.load_matrix_sync"} {
// CHECK: schedule.block "kernel_shared_wmma_matrix_b" <spatial 2, spatial 2, spatial 3, spatial 4, spatial 16, spatial 16> = (d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5)(%i3_outer_inner, %r6_inner, %r8, %i3_3, %i4_2, %i5_2)
// CHECK: reads %kernel_shared<(d0, d1, d2, d3, d4, d5) -> (0, d2, d1, (d3 + (d0 * 4)), d4, d5)> : memref<1x3x2x8x16x16xf16, "shared">
// CHECK: writes %kernel_shared_wmma_matrix_b<(d0, d1, d2, d3, d4, d5) -> (0, 0, 0, d3, d4, d5)> : memref<1x1x1x4x16x16xf16, "wmma.matrix_b"> {
// CHECK: schedule.for %i4_3 = 0 to 16 attributes {tensorize = "wmma.mma_sync"} {
// CHECK: schedule.for %r9 = 0 to 16 {
// CHECK: schedule.block "output" <reduction 8, reduction 3, reduction 2, reduction 3, spatial 2, spatial 4, spatial 16, spatial 16, reduction 16> = (d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (d0, d1, d2, d3, d4, d5, d6, d7, d8)(%r6_outer, %r7, %r6_inner, %r8, %i0_4, %i3_4, %i4_3, %i5_3, %r9)
// CHECK: reads %data_shared_wmma_matrix_a<(d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (d4, 0, 0, 0, d6, d8)> : memref<2x1x1x1x16x16xf16, "wmma.matrix_a">
// CHECK: reads %kernel_shared_wmma_matrix_b<(d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (0, 0, 0, d5, d8, d7)> : memref<1x1x1x4x16x16xf16, "wmma.matrix_b">
// CHECK: writes %output_wmma_accumulator<(d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (d4, 0, 0, d5, d6, d7)> : memref<2x1x1x4x16x16xf32, "wmma.accumulator"> {
// CHECK: schedule.for %i4_4 = 0 to 16 attributes {tensorize = "wmma.store_matrix_sync"} {
// CHECK: schedule.block "output_wmma_accumulator" <spatial 196, spatial 2, spatial 4, spatial 4, spatial 2, spatial 2, spatial 4, spatial 16, spatial 16> = (d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (d0, d1, d2, d3, d4, d5, d6, d7, d8)(%i1_i2_fused, %i0_outer_outer, %i3_outer_outer, %i0_outer_inner, %i3_outer_inner, %i0_inner, %i3_inner, %i4_4, %i5_4)
// CHECK: reads %output_wmma_accumulator<(d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (d5, 0, 0, d6, d7, d8)> : memref<2x1x1x4x16x16xf32, "wmma.accumulator">
// CHECK: writes %output<(d0, d1, d2, d3, d4, d5, d6, d7, d8) -> ((((d1 * 8) + (d3 * 2)) + d5), (d0 floordiv 14), (d0 mod 14), (((d2 * 8) + (d4 * 4)) + d6), d7, d8)> : memref<16x14x14x32x16x16xf32> {
