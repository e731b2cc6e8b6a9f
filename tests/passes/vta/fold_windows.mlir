// RUN: vtac-opt %s -p fold-windows | filecheck %s
// RUN: vtac-opt %s -p fold-windows,fold-windows | filecheck %s

// The host lays rows and columns of windows side by side as channels; what is left of a window moves over that.
// Padding is part of the fold. A piece that the window does not fill has zeros in the kernel.

// CHECK-LABEL: func.func @columns
// CHECK-NOT:     tensor.pad
// CHECK:         %windows = packing.fold %x order [0, 1, 2, 3] window [1, 3] strides [1, 2] dilations [1, 1] low [1, 0] : tensor<1x3x9x9xi8> to tensor<1x11x5x9xi8>
// CHECK-NEXT:    %kernel = packing.fold %k order [0, 1, 2, 3] window [1, 3] strides [1, 3] dilations [1, 1] low [0, 0] : tensor<8x3x3x3xi8> to tensor<8x3x1x9xi8>
// CHECK-NEXT:    %c = linalg.generic {indexing_maps = [
// CHECK-SAME:      affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, ((d2 * 2) + d4), (d3 + d5), d6)>,
// CHECK-SAME:      affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6)>,
// CHECK-SAME:      affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d3)>]
// CHECK-SAME:      ins(%windows, %kernel : tensor<1x11x5x9xi8>, tensor<8x3x1x9xi8>) outs(%f : tensor<1x8x5x5xi32>)
// CHECK-LABEL: func.func @depth
// CHECK:         packing.fold %x order [0, 3, 1, 2] window [2, 2] strides [2, 2] dilations [1, 1] low [0, 0] : tensor<1x9x9x3xi8> to tensor<1x5x5x12xi8>
// CHECK-NEXT:    packing.fold %k order [3, 2, 0, 1] window [2, 2] strides [2, 2] dilations [1, 1] low [0, 0] : tensor<3x3x3x8xi8> to tensor<8x2x2x12xi8>
// CHECK:           affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d2, d3, d1)>]
// CHECK-SAME:      outs(%f : tensor<1x4x4x8xi32>)
// CHECK-LABEL: func.func @plain
// CHECK:         linalg.conv_2d_nchw_fchw
func.func @columns(%x: tensor<1x3x9x9xi8>, %k: tensor<8x3x3x3xi8>) -> tensor<1x8x5x5xi32> {
  %none = arith.constant 0 : i8
  %zero = arith.constant 0 : i32
  %p = tensor.pad %x low[0, 0, 1, 0] high[0, 0, 1, 2] {
  ^bb0(%i0: index, %i1: index, %i2: index, %i3: index):
    tensor.yield %none : i8
  } : tensor<1x3x9x9xi8> to tensor<1x3x11x11xi8>
  %e = tensor.empty() : tensor<1x8x5x5xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x8x5x5xi32>) -> tensor<1x8x5x5xi32>
  %c = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>, packing.fold = array<i64: 1, 3>}
    ins(%p, %k : tensor<1x3x11x11xi8>, tensor<8x3x3x3xi8>) outs(%f : tensor<1x8x5x5xi32>) -> tensor<1x8x5x5xi32>
  func.return %c : tensor<1x8x5x5xi32>
}
func.func @depth(%x: tensor<1x9x9x3xi8>, %k: tensor<3x3x3x8xi8>) -> tensor<1x4x4x8xi32> {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x4x4x8xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x4x4x8xi32>) -> tensor<1x4x4x8xi32>
  %c = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>, packing.fold = array<i64: 2, 2>}
    ins(%x, %k : tensor<1x9x9x3xi8>, tensor<3x3x3x8xi8>) outs(%f : tensor<1x4x4x8xi32>) -> tensor<1x4x4x8xi32>
  func.return %c : tensor<1x4x4x8xi32>
}
func.func @plain(%x: tensor<1x3x9x9xi8>, %k: tensor<8x3x3x3xi8>) -> tensor<1x8x7x7xi32> {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x8x7x7xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x8x7x7xi32>) -> tensor<1x8x7x7xi32>
  %c = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%x, %k : tensor<1x3x9x9xi8>, tensor<8x3x3x3xi8>) outs(%f : tensor<1x8x7x7xi32>) -> tensor<1x8x7x7xi32>
  func.return %c : tensor<1x8x7x7xi32>
}
