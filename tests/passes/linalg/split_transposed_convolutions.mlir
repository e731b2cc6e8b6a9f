// RUN: vtac-opt %s -p split-transposed-convolutions | filecheck %s
// RUN: vtac-opt %s -p split-transposed-convolutions,split-transposed-convolutions | filecheck %s

// Stride 2 along both axes: four convolutions of 2x2 taps, each with what follows it up to 8 bits, interleaved.

// CHECK-LABEL: func.func @twice
// CHECK-NOT:     linalg.conv_2d
// CHECK:         [[P:%.*]] = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 0, 0]
// CHECK:         [[W:%.*]] = tensor.extract_slice %w[0, 0, 0, 0] [4, 3, 2, 2] [1, 1, 2, 2]
// CHECK:         %y_at0x0 = linalg.generic
// CHECK-SAME:      ins([[P]], [[W]] : tensor<1x3x5x6xi8>, tensor<4x3x2x2xi8>) outs({{.*}} : tensor<1x4x4x5xi32>)
// CHECK:         %z_at0x0 = linalg.generic {{.*}} ins(%y_at0x0
// CHECK:         tensor.insert_slice %z_at0x0 into {{.*}}[0, 0, 0, 0] [1, 4, 4, 5] [1, 1, 2, 2]
// CHECK:         %z_at0x1 = linalg.generic {{.*}} ins(%y_at0x1
// CHECK:         tensor.insert_slice %z_at0x1 into {{.*}}[0, 0, 0, 1] [1, 4, 4, 5] [1, 1, 2, 2]
// CHECK:         %z_at1x0 = linalg.generic
// CHECK:         %z = tensor.insert_slice %z_at1x1 into {{.*}}[0, 0, 1, 1] [1, 4, 4, 5] [1, 1, 2, 2]
// CHECK-NEXT:    func.return %z
#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
func.func @twice(%x: tensor<1x3x4x5xi8>, %w: tensor<4x3x4x4xi8>) -> tensor<1x4x8x10xi8> {
  %zero8 = arith.constant 0 : i8
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x3x7x9xi8>
  %f = linalg.fill ins(%zero8 : i8) outs(%e : tensor<1x3x7x9xi8>) -> tensor<1x3x7x9xi8>
  %wide = tensor.insert_slice %x into %f[0, 0, 0, 0] [1, 3, 4, 5] [1, 1, 2, 2] : tensor<1x3x4x5xi8> into tensor<1x3x7x9xi8>
  %padded = tensor.pad %wide low[0, 0, 2, 2] high[0, 0, 2, 2] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero8 : i8
  } : tensor<1x3x7x9xi8> to tensor<1x3x11x13xi8>
  %t = tensor.empty() : tensor<1x4x8x10xi32>
  %s = linalg.fill ins(%zero : i32) outs(%t : tensor<1x4x8x10xi32>) -> tensor<1x4x8x10xi32>
  %y = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%padded, %w : tensor<1x3x11x13xi8>, tensor<4x3x4x4xi8>) outs(%s : tensor<1x4x8x10xi32>) -> tensor<1x4x8x10xi32>
  %o = tensor.empty() : tensor<1x4x8x10xi8>
  %z = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%y : tensor<1x4x8x10xi32>) outs(%o : tensor<1x4x8x10xi8>) {
  ^bb0(%v: i32, %u: i8):
    %r = arith.trunci %v : i32 to i8
    linalg.yield %r : i8
  } -> tensor<1x4x8x10xi8>
  func.return %z : tensor<1x4x8x10xi8>
}

// A larger tensor of zeros stands for the padding, and a tap that meets no data leaves what the sum starts from.

// CHECK-LABEL: func.func @one_tap
// CHECK:         %y_at0x0 = linalg.generic {{.*}} ins(%x, %w : tensor<1x2x3x3xi8>, tensor<5x2x1x1xi8>)
// CHECK:         tensor.insert_slice %y_at0x0 into
// CHECK:         tensor.insert_slice %y_at0x1 into {{.*}}[0, 0, 0, 1] [1, 5, 3, 3] [1, 1, 2, 2]
// CHECK-NOT:     linalg.generic
func.func @one_tap(%x: tensor<1x2x3x3xi8>, %w: tensor<5x2x1x1xi8>, %s: tensor<1x5x6x6xi32>) -> tensor<1x5x6x6xi32> {
  %zeros = arith.constant dense<0> : tensor<1x2x6x6xi8>
  %wide = tensor.insert_slice %x into %zeros[0, 0, 0, 0] [1, 2, 3, 3] [1, 1, 2, 2] : tensor<1x2x3x3xi8> into tensor<1x2x6x6xi8>
  %y = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%wide, %w : tensor<1x2x6x6xi8>, tensor<5x2x1x1xi8>) outs(%s : tensor<1x5x6x6xi32>) -> tensor<1x5x6x6xi32>
  func.return %y : tensor<1x5x6x6xi32>
}

// Declined: other numbers between the elements than zero.

// CHECK-LABEL: func.func @ones_between
// CHECK:         linalg.conv_2d_nchw_fchw
func.func @ones_between(%x: tensor<1x2x3x3xi8>, %w: tensor<5x2x1x1xi8>, %s: tensor<1x5x6x6xi32>) -> tensor<1x5x6x6xi32> {
  %ones = arith.constant dense<1> : tensor<1x2x6x6xi8>
  %wide = tensor.insert_slice %x into %ones[0, 0, 0, 0] [1, 2, 3, 3] [1, 1, 2, 2] : tensor<1x2x3x3xi8> into tensor<1x2x6x6xi8>
  %y = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%wide, %w : tensor<1x2x6x6xi8>, tensor<5x2x1x1xi8>) outs(%s : tensor<1x5x6x6xi32>) -> tensor<1x5x6x6xi32>
  func.return %y : tensor<1x5x6x6xi32>
}
