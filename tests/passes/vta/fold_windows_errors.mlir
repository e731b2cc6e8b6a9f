// RUN: vtac-opt %s -p fold-windows --verify-diagnostics --split-input-file

func.func @matmul(%x: tensor<4x3xi8>, %w: tensor<3x8xi8>) -> tensor<4x8xi32> {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<4x8xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<4x8xi32>) -> tensor<4x8xi32>
  // expected-error @+1 {{packing.fold on 'linalg.matmul': it is no convolution}}
  %c = linalg.matmul {packing.fold = array<i64: 1, 3>} ins(%x, %w : tensor<4x3xi8>, tensor<3x8xi8>) outs(%f : tensor<4x8xi32>) -> tensor<4x8xi32>
  func.return %c : tensor<4x8xi32>
}

// -----

func.func @too_many(%x: tensor<1x3x9x9xi8>, %k: tensor<8x3x3x3xi8>) -> tensor<1x8x7x7xi32> {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x8x7x7xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x8x7x7xi32>) -> tensor<1x8x7x7xi32>
  // expected-error @+1 {{packing.fold of 1 x 4 places: the window has 3 x 3}}
  %c = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>, packing.fold = array<i64: 1, 4>}
    ins(%x, %k : tensor<1x3x9x9xi8>, tensor<8x3x3x3xi8>) outs(%f : tensor<1x8x7x7xi32>) -> tensor<1x8x7x7xi32>
  func.return %c : tensor<1x8x7x7xi32>
}

// -----

func.func @by_channel(%x: tensor<1x3x9x9xi8>, %k: tensor<3x3x3xi8>) -> tensor<1x3x7x7xi32> {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x3x7x7xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x3x7x7xi32>) -> tensor<1x3x7x7xi32>
  // expected-error @+1 {{packing.fold on 'linalg.generic': each channel has a window of its own}}
  %c = linalg.generic {indexing_maps = [affine_map<(n, c, y, x, a, b) -> (n, c, y + a, x + b)>, affine_map<(n, c, y, x, a, b) -> (c, a, b)>,
    affine_map<(n, c, y, x, a, b) -> (n, c, y, x)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
    ins(%x, %k : tensor<1x3x9x9xi8>, tensor<3x3x3xi8>) outs(%f : tensor<1x3x7x7xi32>) attrs = {packing.fold = array<i64: 1, 3>} {
  ^bb0(%a: i8, %b: i8, %s: i32):
    %l = arith.extsi %a : i8 to i32
    %r = arith.extsi %b : i8 to i32
    %m = arith.muli %l, %r : i32
    %t = arith.addi %s, %m : i32
    linalg.yield %t : i32
  } -> tensor<1x3x7x7xi32>
  func.return %c : tensor<1x3x7x7xi32>
}
