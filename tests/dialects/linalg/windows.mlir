// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// linalg's named products in batches, poolings without signs, and convolutions without channels or with several kernels.

func.func @batch_matvec(%a: tensor<3x4x5xi8>, %k: tensor<3x5xi8>, %o: tensor<3x4xi32>) -> tensor<3x4xi32> {
  // CHECK: %r = linalg.batch_matvec {{.*}}ins(%a, %k : tensor<3x4x5xi8>, tensor<3x5xi8>) outs(%o
  %r = linalg.batch_matvec ins(%a, %k : tensor<3x4x5xi8>, tensor<3x5xi8>) outs(%o : tensor<3x4xi32>) -> tensor<3x4xi32>
  func.return %r : tensor<3x4xi32>
}

func.func @batch_vecmat(%a: tensor<3x5xi8>, %k: tensor<3x5x2xi8>, %o: tensor<3x2xi32>) -> tensor<3x2xi32> {
  // CHECK: %r = linalg.batch_vecmat {{.*}}ins(%a, %k : tensor<3x5xi8>, tensor<3x5x2xi8>) outs(%o
  %r = linalg.batch_vecmat ins(%a, %k : tensor<3x5xi8>, tensor<3x5x2xi8>) outs(%o : tensor<3x2xi32>) -> tensor<3x2xi32>
  func.return %r : tensor<3x2xi32>
}

func.func @batch_reduce_matmul(%a: tensor<3x4x5xi8>, %k: tensor<3x5x2xi8>, %o: tensor<4x2xi32>) -> tensor<4x2xi32> {
  // CHECK: %r = linalg.batch_reduce_matmul {{.*}}ins(%a, %k : tensor<3x4x5xi8>, tensor<3x5x2xi8>) outs(%o
  %r = linalg.batch_reduce_matmul ins(%a, %k : tensor<3x4x5xi8>, tensor<3x5x2xi8>) outs(%o : tensor<4x2xi32>) -> tensor<4x2xi32>
  func.return %r : tensor<4x2xi32>
}

func.func @conv_2d(%a: tensor<7x8xi8>, %k: tensor<2x3xi8>, %o: tensor<6x6xi32>) -> tensor<6x6xi32> {
  // CHECK: %r = linalg.conv_2d {{.*}}ins(%a, %k : tensor<7x8xi8>, tensor<2x3xi8>) outs(%o
  %r = linalg.conv_2d ins(%a, %k : tensor<7x8xi8>, tensor<2x3xi8>) outs(%o : tensor<6x6xi32>) -> tensor<6x6xi32>
  func.return %r : tensor<6x6xi32>
}

func.func @depthwise_conv_2d_nhwc_hwcm_q(%a: tensor<2x7x8x3xi8>, %k: tensor<2x3x3x2xi8>, %o: tensor<2x3x4x3x2xi32>) -> tensor<2x3x4x3x2xi32> {
  %z = arith.constant -3 : i32
  %y = arith.constant 2 : i32
  // CHECK: %r = linalg.depthwise_conv_2d_nhwc_hwcm_q {{.*}}ins(%a, %k, %z, %y : tensor<2x7x8x3xi8>, tensor<2x3x3x2xi8>, i32, i32) outs(%o
  %r = linalg.depthwise_conv_2d_nhwc_hwcm_q {dilations = dense<[1, 2]> : tensor<2xi64>, strides = dense<[2, 1]> : tensor<2xi64>} ins(%a, %k, %z, %y : tensor<2x7x8x3xi8>, tensor<2x3x3x2xi8>, i32, i32) outs(%o : tensor<2x3x4x3x2xi32>) -> tensor<2x3x4x3x2xi32>
  func.return %r : tensor<2x3x4x3x2xi32>
}

func.func @pooling_nhwc_max_unsigned(%a: tensor<2x7x8x3xi8>, %k: tensor<2x3xi8>, %o: tensor<2x3x4x3xi32>) -> tensor<2x3x4x3xi32> {
  // CHECK: %r = linalg.pooling_nhwc_max_unsigned {{.*}}ins(%a, %k : tensor<2x7x8x3xi8>, tensor<2x3xi8>) outs(%o
  %r = linalg.pooling_nhwc_max_unsigned {dilations = dense<[1, 2]> : tensor<2xi64>, strides = dense<[2, 1]> : tensor<2xi64>} ins(%a, %k : tensor<2x7x8x3xi8>, tensor<2x3xi8>) outs(%o : tensor<2x3x4x3xi32>) -> tensor<2x3x4x3xi32>
  func.return %r : tensor<2x3x4x3xi32>
}

func.func @pooling_nhwc_min_unsigned(%a: tensor<2x7x8x3xi8>, %k: tensor<2x3xi8>, %o: tensor<2x3x4x3xi32>) -> tensor<2x3x4x3xi32> {
  // CHECK: %r = linalg.pooling_nhwc_min_unsigned {{.*}}ins(%a, %k : tensor<2x7x8x3xi8>, tensor<2x3xi8>) outs(%o
  %r = linalg.pooling_nhwc_min_unsigned {dilations = dense<[1, 2]> : tensor<2xi64>, strides = dense<[2, 1]> : tensor<2xi64>} ins(%a, %k : tensor<2x7x8x3xi8>, tensor<2x3xi8>) outs(%o : tensor<2x3x4x3xi32>) -> tensor<2x3x4x3xi32>
  func.return %r : tensor<2x3x4x3xi32>
}
