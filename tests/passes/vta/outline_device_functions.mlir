// RUN: vtac-opt %s -p outline-device-functions | filecheck %s
// RUN: vtac-opt %s -p outline-device-functions,outline-device-functions | filecheck %s

// A product and what follows it elementwise are one device function, still on plain tensors; a convolution takes the
// zeros around its data with it. What the VTA has no operation for is the host's, and says why.

// CHECK-LABEL: func.func @net
// CHECK-NEXT:    %y = func.call @net_0(%x, %w, %r, %b) {packing.layer = "y"}
// CHECK:         %root = packing.host "'linalg.sqrt' cannot run on the VTA: {{.*}}"
// CHECK-NOT:     linalg.matmul
// CHECK:         func.return %y, %root
// CHECK-LABEL: func.func @padded
// CHECK:         %wide = tensor.pad
// CHECK:           packing.choice = "padding with 3 ('tensor.pad'): loads put zeros around rows and columns, which do not stand for it here"
// CHECK:         %low = func.call @padded_0(%wide, %k)
// CHECK:       func.func private @net_0(%x: tensor<4x32xi8>, %w: tensor<32x20xi8>, %r: tensor<4x20xi8>, %b: tensor<20xi32>) -> tensor<4x20xi8> attributes {packing.device, packing.plain, packing.order = array<i64: 0, 1>}
// CHECK:         linalg.fill
// CHECK:         %p = linalg.matmul
// CHECK:         %y = linalg.generic
// CHECK:         func.return %y
// CHECK:       func.func private @padded_0(%wide: tensor<1x16x6x6xi8>, %k: tensor<16x16x3x3xi8>) -> tensor<1x16x6x6xi8>
// CHECK:         tensor.pad %wide low[0, 0, 1, 1] high[0, 0, 1, 1]
#id = affine_map<(d0, d1) -> (d0, d1)>
#col = affine_map<(d0, d1) -> (d1)>
func.func @net(%x: tensor<4x32xi8>, %w: tensor<32x20xi8>, %r: tensor<4x20xi8>, %b: tensor<20xi32>, %s: tensor<4xf32>) -> (tensor<4x20xi8>, tensor<4xf32>) {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<4x20xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<4x20xi32>) -> tensor<4x20xi32>
  %p = linalg.matmul ins(%x, %w : tensor<4x32xi8>, tensor<32x20xi8>) outs(%f : tensor<4x20xi32>) -> tensor<4x20xi32>
  %o = tensor.empty() : tensor<4x20xi8>
  %y = linalg.generic {indexing_maps = [#id, #id, #col, #id], iterator_types = ["parallel", "parallel"]}
    ins(%p, %r, %b : tensor<4x20xi32>, tensor<4x20xi8>, tensor<20xi32>) outs(%o : tensor<4x20xi8>) {
  ^bb0(%a0: i32, %a8: i8, %a2: i32, %out: i8):
    %a1 = arith.extsi %a8 : i8 to i32
    %s0 = arith.addi %a0, %a1 : i32
    %s1 = arith.addi %s0, %a2 : i32
    %c7 = arith.constant 7 : i32
    %s2 = arith.shrsi %s1, %c7 : i32
    %t = arith.trunci %s2 : i32 to i8
    linalg.yield %t : i8
  } -> tensor<4x20xi8>
  %n = tensor.empty() : tensor<4xf32>
  %root = linalg.sqrt ins(%s : tensor<4xf32>) outs(%n : tensor<4xf32>) -> tensor<4xf32>
  func.return %y, %root : tensor<4x20xi8>, tensor<4xf32>
}
func.func @padded(%x: tensor<1x16x4x4xi8>, %k: tensor<16x16x3x3xi8>) -> tensor<1x16x6x6xi8> {
  %zero = arith.constant 0 : i32
  %none = arith.constant 0 : i8
  %three = arith.constant 3 : i8
  %wide = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i0: index, %i1: index, %i2: index, %i3: index):
    tensor.yield %three : i8
  } : tensor<1x16x4x4xi8> to tensor<1x16x6x6xi8>
  %wider = tensor.pad %wide low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i0: index, %i1: index, %i2: index, %i3: index):
    tensor.yield %none : i8
  } : tensor<1x16x6x6xi8> to tensor<1x16x8x8xi8>
  %e = tensor.empty() : tensor<1x16x6x6xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x16x6x6xi32>) -> tensor<1x16x6x6xi32>
  %c = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%wider, %k : tensor<1x16x8x8xi8>, tensor<16x16x3x3xi8>) outs(%f : tensor<1x16x6x6xi32>) -> tensor<1x16x6x6xi32>
  %o = tensor.empty() : tensor<1x16x6x6xi8>
  %low = linalg.generic {indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (n, c, h, w)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%c : tensor<1x16x6x6xi32>) outs(%o : tensor<1x16x6x6xi8>) {
  ^bb0(%a: i32, %out: i8):
    %t = arith.trunci %a : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x16x6x6xi8>
  func.return %low : tensor<1x16x6x6xi8>
}
