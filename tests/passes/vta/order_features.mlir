// RUN: vtac-opt %s -p order-features | filecheck %s
// RUN: vtac-opt %s -p order-features,order-features | filecheck %s

// A product's rows become images of two channel blocks, which a convolution pads and reads: weights and bias are put
// in the order of tiles along their features, and the rows come out in it.

// CHECK-LABEL: func.func @images
// CHECK:         [[W:%.*]] = packing.reshape %w : tensor<128x5xi8> to tensor<32x2x2x5xi8>
// CHECK-NEXT:    [[WP:%.*]] = packing.pack [[W]] dims [0, 3] tiles [16, 5] order [0, 1, 2, 3] : tensor<32x2x2x5xi8> to tensor<2x2x2x1x16x5xi8>
// CHECK-NEXT:    [[WF:%.*]] = packing.reshape [[WP]] : tensor<2x2x2x1x16x5xi8> to tensor<128x5xi8>
// CHECK:         linalg.generic {{.*}} ins(%x, [[WF]]
// CHECK:         [[B:%.*]] = packing.reshape %b : tensor<128xi32> to tensor<32x2x2xi32>
// CHECK-NEXT:    [[BP:%.*]] = packing.pack [[B]] dims [0] tiles [16] order [0, 1, 2] : tensor<32x2x2xi32> to tensor<2x2x2x16xi32>
// CHECK-NEXT:    [[BF:%.*]] = packing.reshape [[BP]] : tensor<2x2x2x16xi32> to tensor<128xi32>
// CHECK:         %y = linalg.generic {{.*}} ins(%p, [[BF]]
// CHECK:         [[T:%.*]] = packing.reshape %y : tensor<3x128xi8> to tensor<3x2x2x2x16xi8>
// CHECK-NEXT:    %i = packing.unpack [[T]] dims [1] tiles [16] order [0, 1, 2, 3] : tensor<3x2x2x2x16xi8> to tensor<3x32x2x2xi8>
// CHECK:         linalg.conv_2d_nchw_fchw {{.*}} ins(%i
func.func @images(%x: tensor<3x5xi8>, %w: tensor<128x5xi8>, %b: tensor<128xi32>, %k: tensor<8x32x1x1xi8>) -> tensor<3x8x2x2xi32> {
  %zero = arith.constant 0 : i32
  %e0 = tensor.empty() : tensor<3x128xi32>
  %s0 = linalg.fill ins(%zero : i32) outs(%e0 : tensor<3x128xi32>) -> tensor<3x128xi32>
  %p = linalg.generic {indexing_maps = [affine_map<(n, f, k) -> (n, k)>, affine_map<(n, f, k) -> (f, k)>, affine_map<(n, f, k) -> (n, f)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %w : tensor<3x5xi8>, tensor<128x5xi8>) outs(%s0 : tensor<3x128xi32>) {
  ^bb0(%a: i8, %c: i8, %o: i32):
    %a0 = arith.extsi %a : i8 to i32
    %c0 = arith.extsi %c : i8 to i32
    %m = arith.muli %a0, %c0 : i32
    %t = arith.addi %o, %m : i32
    linalg.yield %t : i32
  } -> tensor<3x128xi32>
  %e1 = tensor.empty() : tensor<3x128xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(n, f) -> (n, f)>, affine_map<(n, f) -> (f)>, affine_map<(n, f) -> (n, f)>], iterator_types = ["parallel", "parallel"]} ins(%p, %b : tensor<3x128xi32>, tensor<128xi32>) outs(%e1 : tensor<3x128xi8>) {
  ^bb0(%a: i32, %c: i32, %o: i8):
    %t = arith.addi %a, %c : i32
    %u = arith.trunci %t : i32 to i8
    linalg.yield %u : i8
  } -> tensor<3x128xi8>
  %i = tensor.expand_shape %y [[0], [1, 2, 3]] output_shape [3, 32, 2, 2] : tensor<3x128xi8> into tensor<3x32x2x2xi8>
  %e2 = tensor.empty() : tensor<3x8x2x2xi32>
  %s2 = linalg.fill ins(%zero : i32) outs(%e2 : tensor<3x8x2x2xi32>) -> tensor<3x8x2x2xi32>
  %z = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%i, %k : tensor<3x32x2x2xi8>, tensor<8x32x1x1xi8>) outs(%s2 : tensor<3x8x2x2xi32>) -> tensor<3x8x2x2xi32>
  func.return %z : tensor<3x8x2x2xi32>
}

// What is read as rows, too, stays in the order of rows; and what no convolution reads.

// CHECK-LABEL: func.func @rows
// CHECK-NOT:     packing
func.func @rows(%x: tensor<3x128xi32>, %b: tensor<128xi32>) -> tensor<3x32x2x2xi8> {
  %e1 = tensor.empty() : tensor<3x128xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(n, f) -> (n, f)>, affine_map<(n, f) -> (f)>, affine_map<(n, f) -> (n, f)>], iterator_types = ["parallel", "parallel"]} ins(%x, %b : tensor<3x128xi32>, tensor<128xi32>) outs(%e1 : tensor<3x128xi8>) {
  ^bb0(%a: i32, %c: i32, %o: i8):
    %t = arith.addi %a, %c : i32
    %u = arith.trunci %t : i32 to i8
    linalg.yield %u : i8
  } -> tensor<3x128xi8>
  %i = tensor.expand_shape %y [[0], [1, 2, 3]] output_shape [3, 32, 2, 2] : tensor<3x128xi8> into tensor<3x32x2x2xi8>
  func.return %i : tensor<3x32x2x2xi8>
}
