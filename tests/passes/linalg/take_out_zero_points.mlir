// RUN: vtac-opt %s -p take-out-zero-points | filecheck %s
// RUN: vtac-opt %s -p take-out-zero-points,take-out-zero-points | filecheck %s

// sum((x - 2) * w) = sum(x * w) - 2 * sum(w), the weights' zero point taken off the constant kernel.

// CHECK-LABEL: func.func @product
// CHECK:       [[W:%.*]] = arith.constant dense<{{.*}}0, 1{{.*}}2, 3{{.*}}> : tensor<2x2xi8>
// CHECK:       [[P:%.*]] = linalg.matmul ins(%x, [[W]] : tensor<3x2xi8>, tensor<2x2xi8>)
// CHECK:       [[SUM:%.*]] = arith.constant dense<[-4, -8]> : tensor<2xi32>
// CHECK:       linalg.generic {{.*}} ins([[P]], [[SUM]] : tensor<3x2xi32>, tensor<2xi32>)
// CHECK:         arith.addi
func.func @product(%x: tensor<3x2xi8>) -> tensor<3x2xi32> {
  %w = arith.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
  %zx = arith.constant 2 : i32
  %zw = arith.constant 1 : i32
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<3x2xi32>
  %start = linalg.fill ins(%zero : i32) outs(%e : tensor<3x2xi32>) -> tensor<3x2xi32>
  %y = linalg.quantized_matmul ins(%x, %w, %zx, %zw : tensor<3x2xi8>, tensor<2x2xi8>, i32, i32) outs(%start : tensor<3x2xi32>) -> tensor<3x2xi32>
  func.return %y : tensor<3x2xi32>
}

// A zero point that is an argument stays.

// CHECK-LABEL: func.func @stays
// CHECK:       linalg.quantized_matmul
func.func @stays(%x: tensor<3x2xi8>, %w: tensor<2x2xi8>, %zx: i32, %start: tensor<3x2xi32>) -> tensor<3x2xi32> {
  %zw = arith.constant 0 : i32
  %y = linalg.quantized_matmul ins(%x, %w, %zx, %zw : tensor<3x2xi8>, tensor<2x2xi8>, i32, i32) outs(%start : tensor<3x2xi32>) -> tensor<3x2xi32>
  func.return %y : tensor<3x2xi32>
}

// Padding that holds the zero point of data that the host has stays: every place of the result adds the same. Around
// what the VTA computes it becomes zeros, and what is added differs at the border.

// CHECK-LABEL: func.func @given
// CHECK:       tensor.yield %point : i8
// CHECK:       arith.constant dense<{{.*}}> : tensor<2xi32>
// CHECK-LABEL: func.func @computed
// CHECK:       tensor.pad %m
// CHECK:       arith.constant dense<{{.*}}> : tensor<2x4x4xi32>
func.func @given(%x: tensor<1x1x4x4xi8>) -> tensor<1x2x4x4xi32> {
  %k = arith.constant dense<1> : tensor<2x1x3x3xi8>
  %point = arith.constant 5 : i8
  %zp = arith.constant 5 : i32
  %zero = arith.constant 0 : i32
  %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i0: index, %i1: index, %i2: index, %i3: index):
    tensor.yield %point : i8
  } : tensor<1x1x4x4xi8> to tensor<1x1x6x6xi8>
  %e = tensor.empty() : tensor<1x2x4x4xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x2x4x4xi32>) -> tensor<1x2x4x4xi32>
  %y = linalg.conv_2d_nchw_fchw_q {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%p, %k, %zp, %zero : tensor<1x1x6x6xi8>, tensor<2x1x3x3xi8>, i32, i32) outs(%f : tensor<1x2x4x4xi32>) -> tensor<1x2x4x4xi32>
  func.return %y : tensor<1x2x4x4xi32>
}
func.func @computed(%x: tensor<1x1x4x4xi8>) -> tensor<1x2x4x4xi32> {
  %k = arith.constant dense<1> : tensor<2x1x3x3xi8>
  %point = arith.constant 5 : i8
  %zp = arith.constant 5 : i32
  %zero = arith.constant 0 : i32
  %o = tensor.empty() : tensor<1x1x4x4xi8>
  %m = linalg.generic {indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (n, c, h, w)>],
    iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x : tensor<1x1x4x4xi8>) outs(%o : tensor<1x1x4x4xi8>) {
  ^bb0(%a: i8, %out: i8):
    %b = arith.maxsi %a, %point : i8
    linalg.yield %b : i8
  } -> tensor<1x1x4x4xi8>
  %p = tensor.pad %m low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i0: index, %i1: index, %i2: index, %i3: index):
    tensor.yield %point : i8
  } : tensor<1x1x4x4xi8> to tensor<1x1x6x6xi8>
  %e = tensor.empty() : tensor<1x2x4x4xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x2x4x4xi32>) -> tensor<1x2x4x4xi32>
  %y = linalg.conv_2d_nchw_fchw_q {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%p, %k, %zp, %zero : tensor<1x1x6x6xi8>, tensor<2x1x3x3xi8>, i32, i32) outs(%f : tensor<1x2x4x4xi32>) -> tensor<1x2x4x4xi32>
  func.return %y : tensor<1x2x4x4xi32>
}
