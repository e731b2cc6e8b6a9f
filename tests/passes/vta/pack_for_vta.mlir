// RUN: vtac-opt %s -p pack-for-vta | filecheck %s

// Flattened images stay in tiles, as a matrix of one row: a reshape of what is packed. The rows of the
// weights are brought into the order in which the images lie there.

#id = affine_map<(n, c, h, w) -> (n, c, h, w)>

// CHECK-LABEL: func.func @net
// CHECK:       [[DATA:%.*]] = packing.pack %x dims [0, 1] tiles [1, 16] order [0, 1, 2, 3]
// CHECK:       [[FIRST:%.*]] = func.call @net_0([[DATA]], {{.*}}) {{.*}} -> tensor<1x2x4x4x1x16xi8>
// CHECK-NOT:   packing.unpack
// CHECK:       [[ROWS:%.*]] = packing.reshape [[FIRST]] : tensor<1x2x4x4x1x16xi8> to tensor<1x32x1x16xi8>
// CHECK:       [[SPLIT:%.*]] = packing.reshape %v : tensor<320x10xi8> to tensor<20x4x4x10xi8>
// CHECK:       [[COLUMNS:%.*]] = packing.pack [[SPLIT]] dims [3, 0] tiles [16, 16] order [3, 0, 1, 2]
// CHECK:       [[WEIGHTS:%.*]] = packing.reshape [[COLUMNS]] : tensor<1x2x4x4x16x16xi8> to tensor<1x32x16x16xi8>
// CHECK:       [[LAST:%.*]] = func.call @net_1([[ROWS]], [[WEIGHTS]])
// CHECK:       packing.unpack [[LAST]]
func.func @net(%x: tensor<1x3x4x4xi8>, %w: tensor<20x3x1x1xi8>, %v: tensor<320x10xi8>) -> tensor<1x10xi8> {
  %zero = arith.constant 0 : i32
  %e0 = tensor.empty() : tensor<1x20x4x4xi32>
  %i0 = linalg.fill ins(%zero : i32) outs(%e0 : tensor<1x20x4x4xi32>) -> tensor<1x20x4x4xi32>
  %c = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<1x3x4x4xi8>, tensor<20x3x1x1xi8>) outs(%i0 : tensor<1x20x4x4xi32>) -> tensor<1x20x4x4xi32>
  %e1 = tensor.empty() : tensor<1x20x4x4xi8>
  %n = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%c : tensor<1x20x4x4xi32>) outs(%e1 : tensor<1x20x4x4xi8>) {
  ^bb0(%a: i32, %o: i8):
    %t = arith.trunci %a : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x20x4x4xi8>
  %flat = tensor.collapse_shape %n [[0], [1, 2, 3]] : tensor<1x20x4x4xi8> into tensor<1x320xi8>
  %e2 = tensor.empty() : tensor<1x10xi32>
  %i2 = linalg.fill ins(%zero : i32) outs(%e2 : tensor<1x10xi32>) -> tensor<1x10xi32>
  %p = linalg.matmul ins(%flat, %v : tensor<1x320xi8>, tensor<320x10xi8>) outs(%i2 : tensor<1x10xi32>) -> tensor<1x10xi32>
  %e3 = tensor.empty() : tensor<1x10xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
    ins(%p : tensor<1x10xi32>) outs(%e3 : tensor<1x10xi8>) {
  ^bb0(%a: i32, %o: i8):
    %t = arith.trunci %a : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x10xi8>
  func.return %y : tensor<1x10xi8>
}
