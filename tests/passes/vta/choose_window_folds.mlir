// RUN: vtac-opt %s -p choose-window-folds | filecheck %s
// RUN: vtac-opt %s -p choose-window-folds,choose-window-folds | filecheck %s

// A convolution of few channels that the host packs is marked with the fold that costs least; one of what the VTA
// computes is not, though the host changed its layout in between, nor one of full blocks.

// CHECK-LABEL: func.func @net
// CHECK:         linalg.conv_2d_nchw_fchw {{.*}}packing.fold = array<i64: 3, 1>, packing.choice = "3 x 1 places of its 3 x 3 window folded into channels by the host as it packs (3 become 9): about {{[0-9,]*}} cycles instead of {{[0-9,]*}}, {{[0-9,]*}} bytes of traffic instead of {{[0-9,]*}}, {{[0-9,]*}} bytes written by the host instead of {{[0-9,]*}}"
// CHECK:         linalg.conv_2d_nchw_fchw
// CHECK-NOT:     packing.fold
// CHECK-LABEL: func.func @whole
// CHECK-NOT:     packing.fold
func.func @net(%x: tensor<1x3x16x16xi8>, %k: tensor<4x3x3x3xi8>, %l: tensor<16x4x3x3xi8>) -> tensor<1x16x12x12xi32> {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x4x14x14xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x4x14x14xi32>) -> tensor<1x4x14x14xi32>
  %c = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%x, %k : tensor<1x3x16x16xi8>, tensor<4x3x3x3xi8>) outs(%f : tensor<1x4x14x14xi32>) -> tensor<1x4x14x14xi32>
  %o = tensor.empty() : tensor<1x4x14x14xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (n, c, h, w)>],
    iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%c : tensor<1x4x14x14xi32>) outs(%o : tensor<1x4x14x14xi8>) {
  ^bb0(%a: i32, %out: i8):
    %t = arith.trunci %a : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x4x14x14xi8>
  %flat = tensor.collapse_shape %y [[0, 1], [2], [3]] : tensor<1x4x14x14xi8> into tensor<4x14x14xi8>
  %again = tensor.expand_shape %flat [[0, 1], [2], [3]] output_shape [1, 4, 14, 14] : tensor<4x14x14xi8> into tensor<1x4x14x14xi8>
  %g = tensor.empty() : tensor<1x16x12x12xi32>
  %h = linalg.fill ins(%zero : i32) outs(%g : tensor<1x16x12x12xi32>) -> tensor<1x16x12x12xi32>
  %d = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%again, %l : tensor<1x4x14x14xi8>, tensor<16x4x3x3xi8>) outs(%h : tensor<1x16x12x12xi32>) -> tensor<1x16x12x12xi32>
  func.return %d : tensor<1x16x12x12xi32>
}
func.func @whole(%x: tensor<1x16x9x9xi8>, %k: tensor<16x16x3x3xi8>) -> tensor<1x16x7x7xi32> {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x16x7x7xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x16x7x7xi32>) -> tensor<1x16x7x7xi32>
  %c = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%x, %k : tensor<1x16x9x9xi8>, tensor<16x16x3x3xi8>) outs(%f : tensor<1x16x7x7xi32>) -> tensor<1x16x7x7xi32>
  func.return %c : tensor<1x16x7x7xi32>
}
