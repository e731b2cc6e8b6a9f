// RUN: vtac-opt %s -p split-products --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p split-products,split-products --split-input-file --verify-diagnostics | filecheck %s

// A product of one row, in 4 parts: as many products of 16 deep, and their sum from what the product went on from.

// CHECK-LABEL: func.func @row
// CHECK:         tensor.expand_shape %a {{\[\[}}0 : i64], [1 : i64, 2 : i64]] output_shape [1, 4, 16]
// CHECK-NEXT:    tensor.expand_shape %b {{\[\[}}0 : i64, 1 : i64], [2 : i64]] output_shape [4, 16, 8]
// CHECK:         linalg.fill
// CHECK:         %c_parts = linalg.generic {{.*}}affine_map<(d0, d1, d2, d3) -> (d1, d0, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d3, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>]
// CHECK:         %c = linalg.generic {{.*}}affine_map<(d0, d1, d2) -> (d2, d0, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>{{.*}} ins(%c_parts : tensor<4x1x8xf32>) outs(%start
// CHECK-NOT:     wmma.split
func.func @row(%a: tensor<1x64xf16>, %b: tensor<64x8xf16>, %start: tensor<1x8xf32>) -> tensor<1x8xf32> {
  %c = linalg.matmul {wmma.split = 4 : i64} ins(%a, %b : tensor<1x64xf16>, tensor<64x8xf16>) outs(%start : tensor<1x8xf32>) -> tensor<1x8xf32>
  func.return %c : tensor<1x8xf32>
}

// -----

// Rows that are padded above and below are taken apart before.

// CHECK-LABEL: func.func @padded
// CHECK:         tensor.expand_shape %a {{.*}} output_shape [6, 2, 32]
// CHECK:         %pad = tensor.pad {{.*}} low[1, 0, 0] high[1, 0, 0]
// CHECK:         } : tensor<6x2x32xf16> to tensor<8x2x32xf16>
// CHECK-NOT:     tensor.pad
// CHECK:         %c_parts = linalg.generic {{.*}} ins(%pad,
func.func @padded(%a: tensor<6x64xf16>, %b: tensor<64x8xf16>, %start: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %zero = arith.constant 0.0 : f16
  %pad = tensor.pad %a low[1, 0] high[1, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f16
  } : tensor<6x64xf16> to tensor<8x64xf16>
  %c = linalg.matmul {wmma.split = 2 : i64} ins(%pad, %b : tensor<8x64xf16>, tensor<64x8xf16>) outs(%start : tensor<8x8xf32>) -> tensor<8x8xf32>
  func.return %c : tensor<8x8xf32>
}

// -----

func.func @odd(%a: tensor<1x63xf16>, %b: tensor<63x8xf16>, %start: tensor<1x8xf32>) -> tensor<1x8xf32> {
  // expected-error @+1 {{cannot take the sums of 'linalg.matmul' in 4 parts: a sum over a whole dimension of both operands that they divide is required; such have 63 elements}}
  %c = linalg.matmul {wmma.split = 4 : i64} ins(%a, %b : tensor<1x63xf16>, tensor<63x8xf16>) outs(%start : tensor<1x8xf32>) -> tensor<1x8xf32>
  func.return %c : tensor<1x8xf32>
}
