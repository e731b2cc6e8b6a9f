// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// linalg's named convolutions and poolings along three axes, as they are read and printed.

func.func @conv_3d(%a: tensor<6x7x8xi8>, %k: tensor<2x2x3xi8>, %o: tensor<5x6x6xi32>) -> tensor<5x6x6xi32> {
  // CHECK: %r = linalg.conv_3d {{.*}}ins(%a, %k : tensor<6x7x8xi8>, tensor<2x2x3xi8>) outs(%o
  %r = linalg.conv_3d ins(%a, %k : tensor<6x7x8xi8>, tensor<2x2x3xi8>) outs(%o : tensor<5x6x6xi32>) -> tensor<5x6x6xi32>
  func.return %r : tensor<5x6x6xi32>
}

func.func @conv_3d_ncdhw_fcdhw(%a: tensor<2x3x6x7x8xi8>, %k: tensor<4x3x2x2x3xi8>, %o: tensor<2x4x3x5x3xi32>) -> tensor<2x4x3x5x3xi32> {
  // CHECK: %r = linalg.conv_3d_ncdhw_fcdhw {{.*}}ins(%a, %k : tensor<2x3x6x7x8xi8>, tensor<4x3x2x2x3xi8>) outs(%o
  %r = linalg.conv_3d_ncdhw_fcdhw {dilations = dense<[1, 2, 1]> : tensor<3xi64>, strides = dense<[2, 1, 2]> : tensor<3xi64>} ins(%a, %k : tensor<2x3x6x7x8xi8>, tensor<4x3x2x2x3xi8>) outs(%o : tensor<2x4x3x5x3xi32>) -> tensor<2x4x3x5x3xi32>
  func.return %r : tensor<2x4x3x5x3xi32>
}

func.func @conv_3d_ndhwc_dhwcf(%a: tensor<2x6x7x8x3xi8>, %k: tensor<2x2x3x3x4xi8>, %o: tensor<2x3x5x3x4xi32>) -> tensor<2x3x5x3x4xi32> {
  // CHECK: %r = linalg.conv_3d_ndhwc_dhwcf {{.*}}ins(%a, %k : tensor<2x6x7x8x3xi8>, tensor<2x2x3x3x4xi8>) outs(%o
  %r = linalg.conv_3d_ndhwc_dhwcf {dilations = dense<[1, 2, 1]> : tensor<3xi64>, strides = dense<[2, 1, 2]> : tensor<3xi64>} ins(%a, %k : tensor<2x6x7x8x3xi8>, tensor<2x2x3x3x4xi8>) outs(%o : tensor<2x3x5x3x4xi32>) -> tensor<2x3x5x3x4xi32>
  func.return %r : tensor<2x3x5x3x4xi32>
}

func.func @conv_3d_ndhwc_dhwcf_q(%a: tensor<2x6x7x8x3xi8>, %k: tensor<2x2x3x3x4xi8>, %o: tensor<2x3x5x3x4xi32>) -> tensor<2x3x5x3x4xi32> {
  %z = arith.constant -3 : i32
  %y = arith.constant 2 : i32
  // CHECK: %r = linalg.conv_3d_ndhwc_dhwcf_q {{.*}}ins(%a, %k, %z, %y : tensor<2x6x7x8x3xi8>, tensor<2x2x3x3x4xi8>, i32, i32) outs(%o
  %r = linalg.conv_3d_ndhwc_dhwcf_q {dilations = dense<[1, 2, 1]> : tensor<3xi64>, strides = dense<[2, 1, 2]> : tensor<3xi64>} ins(%a, %k, %z, %y : tensor<2x6x7x8x3xi8>, tensor<2x2x3x3x4xi8>, i32, i32) outs(%o : tensor<2x3x5x3x4xi32>) -> tensor<2x3x5x3x4xi32>
  func.return %r : tensor<2x3x5x3x4xi32>
}

func.func @depthwise_conv_3d_ncdhw_cdhw(%a: tensor<2x3x6x7x8xi8>, %k: tensor<3x2x2x3xi8>, %o: tensor<2x3x3x5x3xi32>) -> tensor<2x3x3x5x3xi32> {
  // CHECK: %r = linalg.depthwise_conv_3d_ncdhw_cdhw {{.*}}ins(%a, %k : tensor<2x3x6x7x8xi8>, tensor<3x2x2x3xi8>) outs(%o
  %r = linalg.depthwise_conv_3d_ncdhw_cdhw {dilations = dense<[1, 2, 1]> : tensor<3xi64>, strides = dense<[2, 1, 2]> : tensor<3xi64>} ins(%a, %k : tensor<2x3x6x7x8xi8>, tensor<3x2x2x3xi8>) outs(%o : tensor<2x3x3x5x3xi32>) -> tensor<2x3x3x5x3xi32>
  func.return %r : tensor<2x3x3x5x3xi32>
}

func.func @depthwise_conv_3d_ndhwc_dhwc(%a: tensor<2x6x7x8x3xi8>, %k: tensor<2x2x3x3xi8>, %o: tensor<2x3x5x3x3xi32>) -> tensor<2x3x5x3x3xi32> {
  // CHECK: %r = linalg.depthwise_conv_3d_ndhwc_dhwc {{.*}}ins(%a, %k : tensor<2x6x7x8x3xi8>, tensor<2x2x3x3xi8>) outs(%o
  %r = linalg.depthwise_conv_3d_ndhwc_dhwc {dilations = dense<[1, 2, 1]> : tensor<3xi64>, strides = dense<[2, 1, 2]> : tensor<3xi64>} ins(%a, %k : tensor<2x6x7x8x3xi8>, tensor<2x2x3x3xi8>) outs(%o : tensor<2x3x5x3x3xi32>) -> tensor<2x3x5x3x3xi32>
  func.return %r : tensor<2x3x5x3x3xi32>
}

func.func @depthwise_conv_3d_ndhwc_dhwcm(%a: tensor<2x6x7x8x3xi8>, %k: tensor<2x2x3x3x2xi8>, %o: tensor<2x3x5x3x3x2xi32>) -> tensor<2x3x5x3x3x2xi32> {
  // CHECK: %r = linalg.depthwise_conv_3d_ndhwc_dhwcm {{.*}}ins(%a, %k : tensor<2x6x7x8x3xi8>, tensor<2x2x3x3x2xi8>) outs(%o
  %r = linalg.depthwise_conv_3d_ndhwc_dhwcm {dilations = dense<[1, 2, 1]> : tensor<3xi64>, strides = dense<[2, 1, 2]> : tensor<3xi64>} ins(%a, %k : tensor<2x6x7x8x3xi8>, tensor<2x2x3x3x2xi8>) outs(%o : tensor<2x3x5x3x3x2xi32>) -> tensor<2x3x5x3x3x2xi32>
  func.return %r : tensor<2x3x5x3x3x2xi32>
}

func.func @pooling_ndhwc_max(%a: tensor<2x6x7x8x3xi8>, %k: tensor<2x2x3xi8>, %o: tensor<2x3x5x3x3xi32>) -> tensor<2x3x5x3x3xi32> {
  // CHECK: %r = linalg.pooling_ndhwc_max {{.*}}ins(%a, %k : tensor<2x6x7x8x3xi8>, tensor<2x2x3xi8>) outs(%o
  %r = linalg.pooling_ndhwc_max {dilations = dense<[1, 2, 1]> : tensor<3xi64>, strides = dense<[2, 1, 2]> : tensor<3xi64>} ins(%a, %k : tensor<2x6x7x8x3xi8>, tensor<2x2x3xi8>) outs(%o : tensor<2x3x5x3x3xi32>) -> tensor<2x3x5x3x3xi32>
  func.return %r : tensor<2x3x5x3x3xi32>
}

func.func @pooling_ndhwc_min(%a: tensor<2x6x7x8x3xi8>, %k: tensor<2x2x3xi8>, %o: tensor<2x3x5x3x3xi32>) -> tensor<2x3x5x3x3xi32> {
  // CHECK: %r = linalg.pooling_ndhwc_min {{.*}}ins(%a, %k : tensor<2x6x7x8x3xi8>, tensor<2x2x3xi8>) outs(%o
  %r = linalg.pooling_ndhwc_min {dilations = dense<[1, 2, 1]> : tensor<3xi64>, strides = dense<[2, 1, 2]> : tensor<3xi64>} ins(%a, %k : tensor<2x6x7x8x3xi8>, tensor<2x2x3xi8>) outs(%o : tensor<2x3x5x3x3xi32>) -> tensor<2x3x5x3x3xi32>
  func.return %r : tensor<2x3x5x3x3xi32>
}

func.func @pooling_ndhwc_sum(%a: tensor<2x6x7x8x3xi8>, %k: tensor<2x2x3xi8>, %o: tensor<2x3x5x3x3xi32>) -> tensor<2x3x5x3x3xi32> {
  // CHECK: %r = linalg.pooling_ndhwc_sum {{.*}}ins(%a, %k : tensor<2x6x7x8x3xi8>, tensor<2x2x3xi8>) outs(%o
  %r = linalg.pooling_ndhwc_sum {dilations = dense<[1, 2, 1]> : tensor<3xi64>, strides = dense<[2, 1, 2]> : tensor<3xi64>} ins(%a, %k : tensor<2x6x7x8x3xi8>, tensor<2x2x3xi8>) outs(%o : tensor<2x3x5x3x3xi32>) -> tensor<2x3x5x3x3xi32>
  func.return %r : tensor<2x3x5x3x3xi32>
}
