// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// linalg's named convolutions and poolings along one axis, as they are read and printed.

func.func @conv_1d(%a: tensor<8xi8>, %k: tensor<3xi8>, %o: tensor<6xi32>) -> tensor<6xi32> {
  // CHECK: %r = linalg.conv_1d {{.*}}ins(%a, %k : tensor<8xi8>, tensor<3xi8>) outs(%o
  %r = linalg.conv_1d ins(%a, %k : tensor<8xi8>, tensor<3xi8>) outs(%o : tensor<6xi32>) -> tensor<6xi32>
  func.return %r : tensor<6xi32>
}

func.func @conv_1d_ncw_fcw(%a: tensor<2x3x8xi8>, %k: tensor<4x3x3xi8>, %o: tensor<2x4x3xi32>) -> tensor<2x4x3xi32> {
  // CHECK: %r = linalg.conv_1d_ncw_fcw {{.*}}ins(%a, %k : tensor<2x3x8xi8>, tensor<4x3x3xi8>) outs(%o
  %r = linalg.conv_1d_ncw_fcw {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>} ins(%a, %k : tensor<2x3x8xi8>, tensor<4x3x3xi8>) outs(%o : tensor<2x4x3xi32>) -> tensor<2x4x3xi32>
  func.return %r : tensor<2x4x3xi32>
}

func.func @conv_1d_nwc_wcf(%a: tensor<2x8x3xi8>, %k: tensor<3x3x4xi8>, %o: tensor<2x3x4xi32>) -> tensor<2x3x4xi32> {
  // CHECK: %r = linalg.conv_1d_nwc_wcf {{.*}}ins(%a, %k : tensor<2x8x3xi8>, tensor<3x3x4xi8>) outs(%o
  %r = linalg.conv_1d_nwc_wcf {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>} ins(%a, %k : tensor<2x8x3xi8>, tensor<3x3x4xi8>) outs(%o : tensor<2x3x4xi32>) -> tensor<2x3x4xi32>
  func.return %r : tensor<2x3x4xi32>
}

func.func @depthwise_conv_1d_ncw_cw(%a: tensor<2x3x8xi8>, %k: tensor<3x3xi8>, %o: tensor<2x3x3xi32>) -> tensor<2x3x3xi32> {
  // CHECK: %r = linalg.depthwise_conv_1d_ncw_cw {{.*}}ins(%a, %k : tensor<2x3x8xi8>, tensor<3x3xi8>) outs(%o
  %r = linalg.depthwise_conv_1d_ncw_cw {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>} ins(%a, %k : tensor<2x3x8xi8>, tensor<3x3xi8>) outs(%o : tensor<2x3x3xi32>) -> tensor<2x3x3xi32>
  func.return %r : tensor<2x3x3xi32>
}

func.func @depthwise_conv_1d_nwc_wc(%a: tensor<2x8x3xi8>, %k: tensor<3x3xi8>, %o: tensor<2x3x3xi32>) -> tensor<2x3x3xi32> {
  // CHECK: %r = linalg.depthwise_conv_1d_nwc_wc {{.*}}ins(%a, %k : tensor<2x8x3xi8>, tensor<3x3xi8>) outs(%o
  %r = linalg.depthwise_conv_1d_nwc_wc {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>} ins(%a, %k : tensor<2x8x3xi8>, tensor<3x3xi8>) outs(%o : tensor<2x3x3xi32>) -> tensor<2x3x3xi32>
  func.return %r : tensor<2x3x3xi32>
}

func.func @depthwise_conv_1d_nwc_wcm(%a: tensor<2x8x3xi8>, %k: tensor<3x3x2xi8>, %o: tensor<2x3x3x2xi32>) -> tensor<2x3x3x2xi32> {
  // CHECK: %r = linalg.depthwise_conv_1d_nwc_wcm {{.*}}ins(%a, %k : tensor<2x8x3xi8>, tensor<3x3x2xi8>) outs(%o
  %r = linalg.depthwise_conv_1d_nwc_wcm {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>} ins(%a, %k : tensor<2x8x3xi8>, tensor<3x3x2xi8>) outs(%o : tensor<2x3x3x2xi32>) -> tensor<2x3x3x2xi32>
  func.return %r : tensor<2x3x3x2xi32>
}

func.func @pooling_ncw_max(%a: tensor<2x3x8xi8>, %k: tensor<3xi8>, %o: tensor<2x3x3xi32>) -> tensor<2x3x3xi32> {
  // CHECK: %r = linalg.pooling_ncw_max {{.*}}ins(%a, %k : tensor<2x3x8xi8>, tensor<3xi8>) outs(%o
  %r = linalg.pooling_ncw_max {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>} ins(%a, %k : tensor<2x3x8xi8>, tensor<3xi8>) outs(%o : tensor<2x3x3xi32>) -> tensor<2x3x3xi32>
  func.return %r : tensor<2x3x3xi32>
}

func.func @pooling_ncw_sum(%a: tensor<2x3x8xi8>, %k: tensor<3xi8>, %o: tensor<2x3x3xi32>) -> tensor<2x3x3xi32> {
  // CHECK: %r = linalg.pooling_ncw_sum {{.*}}ins(%a, %k : tensor<2x3x8xi8>, tensor<3xi8>) outs(%o
  %r = linalg.pooling_ncw_sum {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>} ins(%a, %k : tensor<2x3x8xi8>, tensor<3xi8>) outs(%o : tensor<2x3x3xi32>) -> tensor<2x3x3xi32>
  func.return %r : tensor<2x3x3xi32>
}

func.func @pooling_nwc_max(%a: tensor<2x8x3xi8>, %k: tensor<3xi8>, %o: tensor<2x3x3xi32>) -> tensor<2x3x3xi32> {
  // CHECK: %r = linalg.pooling_nwc_max {{.*}}ins(%a, %k : tensor<2x8x3xi8>, tensor<3xi8>) outs(%o
  %r = linalg.pooling_nwc_max {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>} ins(%a, %k : tensor<2x8x3xi8>, tensor<3xi8>) outs(%o : tensor<2x3x3xi32>) -> tensor<2x3x3xi32>
  func.return %r : tensor<2x3x3xi32>
}

func.func @pooling_nwc_max_unsigned(%a: tensor<2x8x3xi8>, %k: tensor<3xi8>, %o: tensor<2x3x3xi32>) -> tensor<2x3x3xi32> {
  // CHECK: %r = linalg.pooling_nwc_max_unsigned {{.*}}ins(%a, %k : tensor<2x8x3xi8>, tensor<3xi8>) outs(%o
  %r = linalg.pooling_nwc_max_unsigned {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>} ins(%a, %k : tensor<2x8x3xi8>, tensor<3xi8>) outs(%o : tensor<2x3x3xi32>) -> tensor<2x3x3xi32>
  func.return %r : tensor<2x3x3xi32>
}

func.func @pooling_nwc_min(%a: tensor<2x8x3xi8>, %k: tensor<3xi8>, %o: tensor<2x3x3xi32>) -> tensor<2x3x3xi32> {
  // CHECK: %r = linalg.pooling_nwc_min {{.*}}ins(%a, %k : tensor<2x8x3xi8>, tensor<3xi8>) outs(%o
  %r = linalg.pooling_nwc_min {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>} ins(%a, %k : tensor<2x8x3xi8>, tensor<3xi8>) outs(%o : tensor<2x3x3xi32>) -> tensor<2x3x3xi32>
  func.return %r : tensor<2x3x3xi32>
}

func.func @pooling_nwc_min_unsigned(%a: tensor<2x8x3xi8>, %k: tensor<3xi8>, %o: tensor<2x3x3xi32>) -> tensor<2x3x3xi32> {
  // CHECK: %r = linalg.pooling_nwc_min_unsigned {{.*}}ins(%a, %k : tensor<2x8x3xi8>, tensor<3xi8>) outs(%o
  %r = linalg.pooling_nwc_min_unsigned {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>} ins(%a, %k : tensor<2x8x3xi8>, tensor<3xi8>) outs(%o : tensor<2x3x3xi32>) -> tensor<2x3x3xi32>
  func.return %r : tensor<2x3x3xi32>
}

func.func @pooling_nwc_sum(%a: tensor<2x8x3xi8>, %k: tensor<3xi8>, %o: tensor<2x3x3xi32>) -> tensor<2x3x3xi32> {
  // CHECK: %r = linalg.pooling_nwc_sum {{.*}}ins(%a, %k : tensor<2x8x3xi8>, tensor<3xi8>) outs(%o
  %r = linalg.pooling_nwc_sum {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>} ins(%a, %k : tensor<2x8x3xi8>, tensor<3xi8>) outs(%o : tensor<2x3x3xi32>) -> tensor<2x3x3xi32>
  func.return %r : tensor<2x3x3xi32>
}
