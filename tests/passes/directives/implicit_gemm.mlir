// RUN: vtac-opt %s --split-input-file -p 'convert-linalg-to-schedule,apply-schedule' | filecheck %s

// implicit_gemm: 2 x 4 x 5 pixels of 7 features and 3 x 2 x 2 products fill matrices of 48 x 16 and 16 x 8. Channels
// leave the operands where k leaves its 12 values. fuse_variables: pixels are one loop.

func.func @conv(%data: tensor<2x3x5x6xf16>, %kernel: tensor<7x3x2x2xf16>) -> tensor<2x7x4x5xf16> {
  %zero = arith.constant 0.0 : f32
  %wide = tensor.empty() : tensor<2x7x4x5xf32>
  %init = linalg.fill ins(%zero : f32) outs(%wide : tensor<2x7x4x5xf32>) -> tensor<2x7x4x5xf32>
  %sum = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
    ins(%data, %kernel : tensor<2x3x5x6xf16>, tensor<7x3x2x2xf16>) outs(%init : tensor<2x7x4x5xf32>) -> tensor<2x7x4x5xf32>
  %empty = tensor.empty() : tensor<2x7x4x5xf16>
  %out = linalg.generic {indexing_maps = [affine_map<(n, f, y, x) -> (n, f, y, x)>,
      affine_map<(n, f, y, x) -> (n, f, y, x)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%sum : tensor<2x7x4x5xf32>) outs(%empty : tensor<2x7x4x5xf16>) {
  ^bb0(%v: f32, %o: f16):
    %narrow = arith.truncf %v : f32 to f16
    linalg.yield %narrow : f16
  } -> tensor<2x7x4x5xf16>
  func.return %out : tensor<2x7x4x5xf16>
}
schedule.script @conv {
  %sum = schedule.get_block "sum"
  %a, %b, %store = schedule.implicit_gemm %sum, [16, 8, 16]
  schedule.compute_inline %store
  %out = schedule.get_block "out"
  schedule.fuse_variables %out, [array<i64: 0, 2, 3>, array<i64: 1>]
}

// CHECK: schedule.for %i0 = 0 to 48 {
// CHECK-NEXT: schedule.for %i1 = 0 to 16 {
// CHECK-NEXT: schedule.block "sum_a" <spatial 48, spatial 16> = (d0, d1) -> (d0, d1)(%i0, %i1)
// CHECK-NEXT: reads %data<(d0, d1) -> ((d0 floordiv 20), (d1 floordiv 4), (((d0 floordiv 5) mod 4) + ((d1 floordiv 2) mod 2)), ((d0 mod 5) + (d1 mod 2))), pad 0.000000e+00 : f16>
// CHECK-NEXT: writes %sum_a<(d0, d1) -> (d0, d1)> : memref<48x16xf16, "global">

// CHECK: schedule.block "sum_b" <spatial 16, spatial 8> = (d0, d1) -> (d0, d1)
// CHECK-NEXT: reads %kernel<(d0, d1) -> (d1, (d0 floordiv 4), ((d0 floordiv 2) mod 2), (d0 mod 2)), pad 0.000000e+00 : f16>

// CHECK: schedule.block "sum" <spatial 48, spatial 8, reduction 16> = (d0, d1, d2) -> (d0, d1, d2)
// CHECK-NEXT: reads %sum_a<(d0, d1, d2) -> (d0, d2)>
// CHECK-NEXT: reads %sum_b<(d0, d1, d2) -> (d2, d1)>
// CHECK-NEXT: writes %sum_c<(d0, d1, d2) -> (d0, d1)> : memref<48x8xf32, "global">
// CHECK-NEXT: init 0.000000e+00 : f32

// CHECK: schedule.for %{{.*}} = 0 to 40 {
// CHECK-NEXT: schedule.for %{{.*}} = 0 to 7 {
// CHECK-NEXT: schedule.block "out" <spatial 40, spatial 7>
// CHECK-NEXT: reads %sum_c<(d0, d1) -> (d0, d1)>
// CHECK-NEXT: writes %{{.*}}<(d0, d1) -> ((d0 floordiv 20), d1, ((d0 floordiv 5) mod 4), (d0 mod 5))> : memref<2x7x4x5xf16>

// -----

// An order of its own: rows are pixel, tile of images, image; k is tap, tile of channels, channel.

// CHECK-LABEL: func.func @packed
// CHECK: schedule.block "sum_a" <spatial 96, spatial 288>
// CHECK-NEXT: reads %data<(d0, d1) -> (((d0 floordiv 8) mod 2), ((d0 floordiv 32) + (d1 floordiv 96)), (((d0 floordiv 16) mod 2) + ((d1 floordiv 32) mod 3)), ((d1 floordiv 16) mod 2), (d0 mod 8), (d1 mod 16))>
// CHECK: schedule.block "sum_b" <spatial 288, spatial 16>
// CHECK-NEXT: reads %kernel<(d0, d1) -> ((d0 floordiv 96), ((d0 floordiv 32) mod 3), ((d0 floordiv 16) mod 2), (d1 floordiv 8), (d0 mod 16), (d1 mod 8))>
// CHECK: schedule.block "sum_store"
// CHECK-NEXT: reads %sum_c<(d0, d1, d2, d3, d4, d5) -> (((((d1 * 32) + (d2 * 16)) + (d0 * 8)) + d4), ((d3 * 8) + d5))>
func.func @packed(%data: tensor<2x5x4x2x8x16xf16>, %kernel: tensor<3x3x2x2x16x8xf16>) -> tensor<2x3x2x2x8x8xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2x3x2x2x8x8xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<2x3x2x2x8x8xf32>) -> tensor<2x3x2x2x8x8xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(n, h, w, o, nn, oo, c, kh, kw, cc) -> (n, h + kh, w + kw, c, nn, cc)>,
      affine_map<(n, h, w, o, nn, oo, c, kh, kw, cc) -> (kh, kw, c, o, cc, oo)>,
      affine_map<(n, h, w, o, nn, oo, c, kh, kw, cc) -> (n, h, w, o, nn, oo)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "reduction"]}
    ins(%data, %kernel : tensor<2x5x4x2x8x16xf16>, tensor<3x3x2x2x16x8xf16>) outs(%init : tensor<2x3x2x2x8x8xf32>) {
  ^bb0(%a: f16, %b: f16, %s: f32):
    %a32 = arith.extf %a : f16 to f32
    %b32 = arith.extf %b : f16 to f32
    %m = arith.mulf %a32, %b32 : f32
    %t = arith.addf %s, %m : f32
    linalg.yield %t : f32
  } -> tensor<2x3x2x2x8x8xf32>
  func.return %sum : tensor<2x3x2x2x8x8xf32>
}
schedule.script @packed {
  %sum = schedule.get_block "sum"
  %a, %b, %store = schedule.implicit_gemm %sum, [16, 16, 32] order [1, 2, 0, 4, 3, 5, 7, 8, 6, 9]
}
