// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// linalg's named operations that frontends write, as they are read and printed.

func.func @product(%a: tensor<4x18xi8>, %b: tensor<18x20xi8>, %start: tensor<4x20xi32>) -> tensor<4x20xi32> {
  // CHECK: %r = linalg.matmul {{.*}}ins(%a, %b : tensor<4x18xi8>, tensor<18x20xi8>) outs(%start : tensor<4x20xi32>) -> tensor<4x20xi32>
  %r = linalg.matmul ins(%a, %b : tensor<4x18xi8>, tensor<18x20xi8>) outs(%start : tensor<4x20xi32>) -> tensor<4x20xi32>
  func.return %r : tensor<4x20xi32>
}

func.func @transposed(%a: tensor<4x18xi8>, %b: tensor<20x18xi8>, %start: tensor<4x20xi32>) -> tensor<4x20xi32> {
  // CHECK: %r = linalg.matmul_transpose_b {{.*}}ins(%a, %b : tensor<4x18xi8>, tensor<20x18xi8>) outs(%start : tensor<4x20xi32>) -> tensor<4x20xi32>
  %r = linalg.matmul_transpose_b ins(%a, %b : tensor<4x18xi8>, tensor<20x18xi8>) outs(%start : tensor<4x20xi32>) -> tensor<4x20xi32>
  func.return %r : tensor<4x20xi32>
}

func.func @batch(%a: tensor<2x4x18xf16>, %b: tensor<2x18x20xf16>, %start: tensor<2x4x20xf32>) -> tensor<2x4x20xf32> {
  // CHECK: %r = linalg.batch_matmul {{.*}}ins(%a, %b : tensor<2x4x18xf16>, tensor<2x18x20xf16>) outs(%start : tensor<2x4x20xf32>) -> tensor<2x4x20xf32>
  %r = linalg.batch_matmul ins(%a, %b : tensor<2x4x18xf16>, tensor<2x18x20xf16>) outs(%start : tensor<2x4x20xf32>) -> tensor<2x4x20xf32>
  func.return %r : tensor<2x4x20xf32>
}

func.func @batch_with_zero_points(%a: tensor<2x4x18xi8>, %b: tensor<2x18x20xi8>, %left: i32, %right: i32, %start: tensor<2x4x20xi32>) -> tensor<2x4x20xi32> {
  // CHECK: %r = linalg.quantized_batch_matmul {{.*}}ins(%a, %b, %left, %right : tensor<2x4x18xi8>, tensor<2x18x20xi8>, i32, i32) outs(%start : tensor<2x4x20xi32>) -> tensor<2x4x20xi32>
  %r = linalg.quantized_batch_matmul ins(%a, %b, %left, %right : tensor<2x4x18xi8>, tensor<2x18x20xi8>, i32, i32) outs(%start : tensor<2x4x20xi32>) -> tensor<2x4x20xi32>
  func.return %r : tensor<2x4x20xi32>
}

func.func @matrix_and_vector(%a: tensor<20x18xi8>, %x: tensor<18xi8>, %start: tensor<20xi32>) -> tensor<20xi32> {
  // CHECK: %r = linalg.matvec {{.*}}ins(%a, %x : tensor<20x18xi8>, tensor<18xi8>) outs(%start : tensor<20xi32>) -> tensor<20xi32>
  %r = linalg.matvec ins(%a, %x : tensor<20x18xi8>, tensor<18xi8>) outs(%start : tensor<20xi32>) -> tensor<20xi32>
  func.return %r : tensor<20xi32>
}

func.func @vector_and_matrix(%x: tensor<18xi8>, %b: tensor<18x20xi8>, %start: tensor<20xi32>) -> tensor<20xi32> {
  // CHECK: %r = linalg.vecmat {{.*}}ins(%x, %b : tensor<18xi8>, tensor<18x20xi8>) outs(%start : tensor<20xi32>) -> tensor<20xi32>
  %r = linalg.vecmat ins(%x, %b : tensor<18xi8>, tensor<18x20xi8>) outs(%start : tensor<20xi32>) -> tensor<20xi32>
  func.return %r : tensor<20xi32>
}

func.func @vectors(%x: tensor<18xi8>, %y: tensor<18xi8>, %start: tensor<i32>) -> tensor<i32> {
  // CHECK: %r = linalg.dot {{.*}}ins(%x, %y : tensor<18xi8>, tensor<18xi8>) outs(%start : tensor<i32>) -> tensor<i32>
  %r = linalg.dot ins(%x, %y : tensor<18xi8>, tensor<18xi8>) outs(%start : tensor<i32>) -> tensor<i32>
  func.return %r : tensor<i32>
}

func.func @channels_first(%x: tensor<1x18x9x9xi8>, %w: tensor<20x18x3x3xi8>, %start: tensor<1x20x4x4xi32>) -> tensor<1x20x4x4xi32> {
  // CHECK: %r = linalg.conv_2d_nchw_fchw {{.*}}ins(%x, %w : tensor<1x18x9x9xi8>, tensor<20x18x3x3xi8>) outs(%start : tensor<1x20x4x4xi32>) -> tensor<1x20x4x4xi32>
  %r = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>} ins(%x, %w : tensor<1x18x9x9xi8>, tensor<20x18x3x3xi8>) outs(%start : tensor<1x20x4x4xi32>) -> tensor<1x20x4x4xi32>
  func.return %r : tensor<1x20x4x4xi32>
}

func.func @channels_first_with_zero_points(%x: tensor<1x18x9x9xi8>, %w: tensor<20x18x3x3xi8>, %left: i32, %right: i32, %start: tensor<1x20x7x7xi32>) -> tensor<1x20x7x7xi32> {
  // CHECK: %r = linalg.conv_2d_nchw_fchw_q {{.*}}ins(%x, %w, %left, %right : tensor<1x18x9x9xi8>, tensor<20x18x3x3xi8>, i32, i32) outs(%start : tensor<1x20x7x7xi32>) -> tensor<1x20x7x7xi32>
  %r = linalg.conv_2d_nchw_fchw_q {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w, %left, %right : tensor<1x18x9x9xi8>, tensor<20x18x3x3xi8>, i32, i32) outs(%start : tensor<1x20x7x7xi32>) -> tensor<1x20x7x7xi32>
  func.return %r : tensor<1x20x7x7xi32>
}

func.func @channels_last(%x: tensor<1x9x9x18xi8>, %w: tensor<3x3x18x20xi8>, %start: tensor<1x7x7x20xi32>) -> tensor<1x7x7x20xi32> {
  // CHECK: %r = linalg.conv_2d_nhwc_hwcf {{.*}}ins(%x, %w : tensor<1x9x9x18xi8>, tensor<3x3x18x20xi8>) outs(%start : tensor<1x7x7x20xi32>) -> tensor<1x7x7x20xi32>
  %r = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<1x9x9x18xi8>, tensor<3x3x18x20xi8>) outs(%start : tensor<1x7x7x20xi32>) -> tensor<1x7x7x20xi32>
  func.return %r : tensor<1x7x7x20xi32>
}

func.func @channels_last_features_first(%x: tensor<1x9x9x18xi8>, %w: tensor<20x3x3x18xi8>, %start: tensor<1x7x7x20xi32>) -> tensor<1x7x7x20xi32> {
  // CHECK: %r = linalg.conv_2d_nhwc_fhwc {{.*}}ins(%x, %w : tensor<1x9x9x18xi8>, tensor<20x3x3x18xi8>) outs(%start : tensor<1x7x7x20xi32>) -> tensor<1x7x7x20xi32>
  %r = linalg.conv_2d_nhwc_fhwc {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<1x9x9x18xi8>, tensor<20x3x3x18xi8>) outs(%start : tensor<1x7x7x20xi32>) -> tensor<1x7x7x20xi32>
  func.return %r : tensor<1x7x7x20xi32>
}

func.func @channels_last_with_zero_points(%x: tensor<1x9x9x18xi8>, %w: tensor<3x3x18x20xi8>, %left: i32, %right: i32, %start: tensor<1x7x7x20xi32>) -> tensor<1x7x7x20xi32> {
  // CHECK: %r = linalg.conv_2d_nhwc_hwcf_q {{.*}}ins(%x, %w, %left, %right : tensor<1x9x9x18xi8>, tensor<3x3x18x20xi8>, i32, i32) outs(%start : tensor<1x7x7x20xi32>) -> tensor<1x7x7x20xi32>
  %r = linalg.conv_2d_nhwc_hwcf_q {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w, %left, %right : tensor<1x9x9x18xi8>, tensor<3x3x18x20xi8>, i32, i32) outs(%start : tensor<1x7x7x20xi32>) -> tensor<1x7x7x20xi32>
  func.return %r : tensor<1x7x7x20xi32>
}

func.func @features_first_with_zero_points(%x: tensor<1x9x9x18xi8>, %w: tensor<20x3x3x18xi8>, %left: i32, %right: i32, %start: tensor<1x7x7x20xi32>) -> tensor<1x7x7x20xi32> {
  // CHECK: %r = linalg.conv_2d_nhwc_fhwc_q {{.*}}ins(%x, %w, %left, %right : tensor<1x9x9x18xi8>, tensor<20x3x3x18xi8>, i32, i32) outs(%start : tensor<1x7x7x20xi32>) -> tensor<1x7x7x20xi32>
  %r = linalg.conv_2d_nhwc_fhwc_q {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w, %left, %right : tensor<1x9x9x18xi8>, tensor<20x3x3x18xi8>, i32, i32) outs(%start : tensor<1x7x7x20xi32>) -> tensor<1x7x7x20xi32>
  func.return %r : tensor<1x7x7x20xi32>
}

func.func @groups(%x: tensor<1x2x9x9x9xi8>, %w: tensor<2x10x9x3x3xi8>, %start: tensor<1x2x10x7x7xi32>) -> tensor<1x2x10x7x7xi32> {
  // CHECK: %r = linalg.conv_2d_ngchw_gfchw {{.*}}ins(%x, %w : tensor<1x2x9x9x9xi8>, tensor<2x10x9x3x3xi8>) outs(%start : tensor<1x2x10x7x7xi32>) -> tensor<1x2x10x7x7xi32>
  %r = linalg.conv_2d_ngchw_gfchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<1x2x9x9x9xi8>, tensor<2x10x9x3x3xi8>) outs(%start : tensor<1x2x10x7x7xi32>) -> tensor<1x2x10x7x7xi32>
  func.return %r : tensor<1x2x10x7x7xi32>
}

func.func @groups_with_zero_points(%x: tensor<1x2x9x9x9xi8>, %w: tensor<2x10x9x3x3xi8>, %left: i32, %right: i32, %start: tensor<1x2x10x7x7xi32>) -> tensor<1x2x10x7x7xi32> {
  // CHECK: %r = linalg.conv_2d_ngchw_gfchw_q {{.*}}ins(%x, %w, %left, %right : tensor<1x2x9x9x9xi8>, tensor<2x10x9x3x3xi8>, i32, i32) outs(%start : tensor<1x2x10x7x7xi32>) -> tensor<1x2x10x7x7xi32>
  %r = linalg.conv_2d_ngchw_gfchw_q {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w, %left, %right : tensor<1x2x9x9x9xi8>, tensor<2x10x9x3x3xi8>, i32, i32) outs(%start : tensor<1x2x10x7x7xi32>) -> tensor<1x2x10x7x7xi32>
  func.return %r : tensor<1x2x10x7x7xi32>
}

func.func @depthwise_channels_first(%x: tensor<1x18x9x9xi8>, %w: tensor<18x3x3xi8>, %start: tensor<1x18x7x7xi32>) -> tensor<1x18x7x7xi32> {
  // CHECK: %r = linalg.depthwise_conv_2d_nchw_chw {{.*}}ins(%x, %w : tensor<1x18x9x9xi8>, tensor<18x3x3xi8>) outs(%start : tensor<1x18x7x7xi32>) -> tensor<1x18x7x7xi32>
  %r = linalg.depthwise_conv_2d_nchw_chw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<1x18x9x9xi8>, tensor<18x3x3xi8>) outs(%start : tensor<1x18x7x7xi32>) -> tensor<1x18x7x7xi32>
  func.return %r : tensor<1x18x7x7xi32>
}

func.func @depthwise_channels_last(%x: tensor<1x9x9x18xi8>, %w: tensor<3x3x18xi8>, %start: tensor<1x7x7x18xi32>) -> tensor<1x7x7x18xi32> {
  // CHECK: %r = linalg.depthwise_conv_2d_nhwc_hwc {{.*}}ins(%x, %w : tensor<1x9x9x18xi8>, tensor<3x3x18xi8>) outs(%start : tensor<1x7x7x18xi32>) -> tensor<1x7x7x18xi32>
  %r = linalg.depthwise_conv_2d_nhwc_hwc {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<1x9x9x18xi8>, tensor<3x3x18xi8>) outs(%start : tensor<1x7x7x18xi32>) -> tensor<1x7x7x18xi32>
  func.return %r : tensor<1x7x7x18xi32>
}

func.func @depthwise_with_zero_points(%x: tensor<1x9x9x18xi8>, %w: tensor<3x3x18xi8>, %left: i32, %right: i32, %start: tensor<1x7x7x18xi32>) -> tensor<1x7x7x18xi32> {
  // CHECK: %r = linalg.depthwise_conv_2d_nhwc_hwc_q {{.*}}ins(%x, %w, %left, %right : tensor<1x9x9x18xi8>, tensor<3x3x18xi8>, i32, i32) outs(%start : tensor<1x7x7x18xi32>) -> tensor<1x7x7x18xi32>
  %r = linalg.depthwise_conv_2d_nhwc_hwc_q {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w, %left, %right : tensor<1x9x9x18xi8>, tensor<3x3x18xi8>, i32, i32) outs(%start : tensor<1x7x7x18xi32>) -> tensor<1x7x7x18xi32>
  func.return %r : tensor<1x7x7x18xi32>
}

func.func @max_pooling_nchw(%x: tensor<1x18x9x9xi32>, %window: tensor<3x3xi32>, %start: tensor<1x18x4x4xi32>) -> tensor<1x18x4x4xi32> {
  // CHECK: %r = linalg.pooling_nchw_max {{.*}}ins(%x, %window : tensor<1x18x9x9xi32>, tensor<3x3xi32>) outs(%start : tensor<1x18x4x4xi32>) -> tensor<1x18x4x4xi32>
  %r = linalg.pooling_nchw_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>} ins(%x, %window : tensor<1x18x9x9xi32>, tensor<3x3xi32>) outs(%start : tensor<1x18x4x4xi32>) -> tensor<1x18x4x4xi32>
  func.return %r : tensor<1x18x4x4xi32>
}

func.func @max_pooling_nhwc(%x: tensor<1x9x9x18xi32>, %window: tensor<3x3xi32>, %start: tensor<1x4x4x18xi32>) -> tensor<1x4x4x18xi32> {
  // CHECK: %r = linalg.pooling_nhwc_max {{.*}}ins(%x, %window : tensor<1x9x9x18xi32>, tensor<3x3xi32>) outs(%start : tensor<1x4x4x18xi32>) -> tensor<1x4x4x18xi32>
  %r = linalg.pooling_nhwc_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>} ins(%x, %window : tensor<1x9x9x18xi32>, tensor<3x3xi32>) outs(%start : tensor<1x4x4x18xi32>) -> tensor<1x4x4x18xi32>
  func.return %r : tensor<1x4x4x18xi32>
}

func.func @sum_pooling_nchw(%x: tensor<1x18x9x9xi32>, %window: tensor<3x3xi32>, %start: tensor<1x18x4x4xi32>) -> tensor<1x18x4x4xi32> {
  // CHECK: %r = linalg.pooling_nchw_sum {{.*}}ins(%x, %window : tensor<1x18x9x9xi32>, tensor<3x3xi32>) outs(%start : tensor<1x18x4x4xi32>) -> tensor<1x18x4x4xi32>
  %r = linalg.pooling_nchw_sum {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>} ins(%x, %window : tensor<1x18x9x9xi32>, tensor<3x3xi32>) outs(%start : tensor<1x18x4x4xi32>) -> tensor<1x18x4x4xi32>
  func.return %r : tensor<1x18x4x4xi32>
}

func.func @sum_pooling_nhwc(%x: tensor<1x9x9x18xi32>, %window: tensor<3x3xi32>, %start: tensor<1x4x4x18xi32>) -> tensor<1x4x4x18xi32> {
  // CHECK: %r = linalg.pooling_nhwc_sum {{.*}}ins(%x, %window : tensor<1x9x9x18xi32>, tensor<3x3xi32>) outs(%start : tensor<1x4x4x18xi32>) -> tensor<1x4x4x18xi32>
  %r = linalg.pooling_nhwc_sum {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>} ins(%x, %window : tensor<1x9x9x18xi32>, tensor<3x3xi32>) outs(%start : tensor<1x4x4x18xi32>) -> tensor<1x4x4x18xi32>
  func.return %r : tensor<1x4x4x18xi32>
}

func.func @groups_features_first(%x: tensor<1x2x9x9x9xi8>, %w: tensor<10x2x9x3x3xi8>, %start: tensor<1x2x10x7x7xi32>) -> tensor<1x2x10x7x7xi32> {
  // CHECK: %r = linalg.conv_2d_ngchw_fgchw {{[{](strides|dilations) = dense<1> : tensor<2xi64>, (strides|dilations) = dense<1> : tensor<2xi64>[}] }}ins(%x, %w : tensor<1x2x9x9x9xi8>, tensor<10x2x9x3x3xi8>) outs(%start : tensor<1x2x10x7x7xi32>) -> tensor<1x2x10x7x7xi32>
  %r = linalg.conv_2d_ngchw_fgchw ins(%x, %w : tensor<1x2x9x9x9xi8>, tensor<10x2x9x3x3xi8>) outs(%start : tensor<1x2x10x7x7xi32>) -> tensor<1x2x10x7x7xi32>
  func.return %r : tensor<1x2x10x7x7xi32>
}

func.func @groups_channels_last(%x: tensor<1x9x9x2x9xi8>, %w: tensor<2x10x3x3x9xi8>, %start: tensor<1x4x4x2x10xi32>) -> tensor<1x4x4x2x10xi32> {
  // CHECK: %r = linalg.conv_2d_nhwgc_gfhwc {{.*}}ins(%x, %w : tensor<1x9x9x2x9xi8>, tensor<2x10x3x3x9xi8>) outs(%start : tensor<1x4x4x2x10xi32>) -> tensor<1x4x4x2x10xi32>
  %r = linalg.conv_2d_nhwgc_gfhwc {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>} ins(%x, %w : tensor<1x9x9x2x9xi8>, tensor<2x10x3x3x9xi8>) outs(%start : tensor<1x4x4x2x10xi32>) -> tensor<1x4x4x2x10xi32>
  func.return %r : tensor<1x4x4x2x10xi32>
}

func.func @groups_channels_last_with_zero_points(%x: tensor<1x9x9x2x9xi8>, %w: tensor<2x10x3x3x9xi8>, %left: i32, %right: i32, %start: tensor<1x4x4x2x10xi32>) -> tensor<1x4x4x2x10xi32> {
  // CHECK: %r = linalg.conv_2d_nhwgc_gfhwc_q {{.*}}ins(%x, %w, %left, %right : tensor<1x9x9x2x9xi8>, tensor<2x10x3x3x9xi8>, i32, i32) outs(%start : tensor<1x4x4x2x10xi32>) -> tensor<1x4x4x2x10xi32>
  %r = linalg.conv_2d_nhwgc_gfhwc_q {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>} ins(%x, %w, %left, %right : tensor<1x9x9x2x9xi8>, tensor<2x10x3x3x9xi8>, i32, i32) outs(%start : tensor<1x4x4x2x10xi32>) -> tensor<1x4x4x2x10xi32>
  func.return %r : tensor<1x4x4x2x10xi32>
}

func.func @depthwise_several(%x: tensor<1x9x9x18xi8>, %w: tensor<3x3x18x2xi8>, %start: tensor<1x7x7x18x2xi32>) -> tensor<1x7x7x18x2xi32> {
  // CHECK: %r = linalg.depthwise_conv_2d_nhwc_hwcm {{[{](strides|dilations) = dense<1> : tensor<2xi64>, (strides|dilations) = dense<1> : tensor<2xi64>[}] }}ins(%x, %w : tensor<1x9x9x18xi8>, tensor<3x3x18x2xi8>) outs(%start : tensor<1x7x7x18x2xi32>) -> tensor<1x7x7x18x2xi32>
  %r = linalg.depthwise_conv_2d_nhwc_hwcm ins(%x, %w : tensor<1x9x9x18xi8>, tensor<3x3x18x2xi8>) outs(%start : tensor<1x7x7x18x2xi32>) -> tensor<1x7x7x18x2xi32>
  func.return %r : tensor<1x7x7x18x2xi32>
}

func.func @min_pooling_nhwc(%x: tensor<1x9x9x18xi32>, %window: tensor<3x3xi32>, %start: tensor<1x4x4x18xi32>) -> tensor<1x4x4x18xi32> {
  // CHECK: %r = linalg.pooling_nhwc_min {{.*}}ins(%x, %window : tensor<1x9x9x18xi32>, tensor<3x3xi32>) outs(%start : tensor<1x4x4x18xi32>) -> tensor<1x4x4x18xi32>
  %r = linalg.pooling_nhwc_min {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>} ins(%x, %window : tensor<1x9x9x18xi32>, tensor<3x3xi32>) outs(%start : tensor<1x4x4x18xi32>) -> tensor<1x4x4x18xi32>
  func.return %r : tensor<1x4x4x18xi32>
}

func.func @both_factors_transposed(%a: tensor<18x4xi8>, %b: tensor<20x18xi8>, %start: tensor<4x20xi32>) -> tensor<4x20xi32> {
  // CHECK: %r = linalg.matmul indexing_maps = {{.}}affine_map<(d0, d1, d2) -> (d2, d0)>, affine_map<(d0, d1, d2) -> (d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>] ins(%a, %b : tensor<18x4xi8>, tensor<20x18xi8>) outs(%start : tensor<4x20xi32>) -> tensor<4x20xi32>
  %r = linalg.matmul indexing_maps = [affine_map<(d0, d1, d2) -> (d2, d0)>, affine_map<(d0, d1, d2) -> (d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>] ins(%a, %b : tensor<18x4xi8>, tensor<20x18xi8>) outs(%start : tensor<4x20xi32>) -> tensor<4x20xi32>
  func.return %r : tensor<4x20xi32>
}

func.func @product_without_signs(%a: tensor<4x18xi8>, %b: tensor<18x20xi8>, %start: tensor<4x20xi32>) -> tensor<4x20xi32> {
  // CHECK: %r = linalg.matmul {cast = #linalg.type_fn<cast_unsigned>} ins(%a, %b : tensor<4x18xi8>, tensor<18x20xi8>) outs(%start : tensor<4x20xi32>) -> tensor<4x20xi32>
  %r = linalg.matmul {cast = #linalg.type_fn<cast_unsigned>} ins(%a, %b : tensor<4x18xi8>, tensor<18x20xi8>) outs(%start : tensor<4x20xi32>) -> tensor<4x20xi32>
  func.return %r : tensor<4x20xi32>
}

#rows = affine_map<(d0, d1) -> (d0, d1)>
#same = {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}

func.func @attributes_by_an_alias(%x: tensor<4x8xi32>) -> tensor<4x8xi32> {
  // CHECK: %r = linalg.generic {indexing_maps = {{.*}}, iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xi32>)
  %r = linalg.generic #same ins(%x : tensor<4x8xi32>) outs(%x : tensor<4x8xi32>) {
  ^bb0(%a: i32, %b: i32):
    linalg.yield %a : i32
  } -> tensor<4x8xi32>
  func.return %r : tensor<4x8xi32>
}

// What MLIR prints of a reduction by one operation: it takes what there is so far, then the element.
func.func @reduction_by_name(%x: tensor<4x8xi32>, %start: tensor<4xi32>) -> tensor<4xi32> {
  // CHECK:      %r = linalg.reduce ins(%x:tensor<4x8xi32>) outs(%start:tensor<4xi32>) dimensions = [1] {note}
  // CHECK-NEXT: (%[[ELEMENT:.*]]: i32, %[[TOTAL:.*]]: i32)
  // CHECK-NEXT: arith.subi %[[TOTAL]], %[[ELEMENT]] : i32
  %r = linalg.reduce { arith.subi {overflowFlags = #arith.overflow<none>} } ins(%x : tensor<4x8xi32>) outs(%start : tensor<4xi32>) dimensions = [1] {note}
  func.return %r : tensor<4xi32>
}

func.func @moves_with_attributes(%x: tensor<4x8xi8>, %y: tensor<8x4xi8>, %z: tensor<2x8x4xi8>) -> tensor<2x8x4xi8> {
  // CHECK: %t = linalg.transpose ins(%x:tensor<4x8xi8>) outs(%y:tensor<8x4xi8>) permutation = [1, 0] {note}
  %t = linalg.transpose ins(%x : tensor<4x8xi8>) outs(%y : tensor<8x4xi8>) permutation = [1, 0] {note}
  // CHECK: %r = linalg.broadcast ins(%t:tensor<8x4xi8>) outs(%z:tensor<2x8x4xi8>) dimensions = [0] {note}
  %r = linalg.broadcast ins(%t : tensor<8x4xi8>) outs(%z : tensor<2x8x4xi8>) dimensions = [0] {note}
  func.return %r : tensor<2x8x4xi8>
}
