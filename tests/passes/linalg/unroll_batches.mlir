// RUN: vtac-opt %s -p unroll-batches | filecheck %s
// RUN: vtac-opt %s -p unroll-batches,unroll-batches | filecheck %s

// Slices of what is an argument, products in batches of one, what follows elementwise, joined.

// CHECK-LABEL: func.func @two(%a: tensor<2x5x18xi8>, %w: tensor<2x18x20xi8>) -> tensor<2x5x20xi8>
// CHECK:       [[A0:%.*]] = tensor.extract_slice %a[0, 0, 0] [1, 5, 18] [1, 1, 1]
// CHECK:       [[W0:%.*]] = tensor.extract_slice %w[0, 0, 0] [1, 18, 20] [1, 1, 1]
// CHECK:       linalg.batch_matmul ins([[A0]], [[W0]] : tensor<1x5x18xi8>, tensor<1x18x20xi8>)
// CHECK-SAME:    -> tensor<1x5x20xi32>
// CHECK:       [[Y0:%.*]] = linalg.generic
// CHECK:       -> tensor<1x5x20xi8>
// CHECK:       tensor.extract_slice %a[1, 0, 0] [1, 5, 18] [1, 1, 1]
// CHECK:       [[Y1:%.*]] = linalg.generic
// CHECK:       packing.join [[Y0]], [[Y1]] : tensor<1x5x20xi8>, tensor<1x5x20xi8> to tensor<2x5x20xi8>
func.func @two(%a: tensor<2x5x18xi8>, %w: tensor<2x18x20xi8>) -> tensor<2x5x20xi8> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<2x5x20xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<2x5x20xi32>) -> tensor<2x5x20xi32>
  %p = linalg.batch_matmul ins(%a, %w : tensor<2x5x18xi8>, tensor<2x18x20xi8>)
    outs(%init : tensor<2x5x20xi32>) -> tensor<2x5x20xi32>
  %narrow = tensor.empty() : tensor<2x5x20xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%p : tensor<2x5x20xi32>) outs(%narrow : tensor<2x5x20xi8>) {
  ^bb0(%x: i32, %o: i8):
    %n = arith.trunci %x : i32 to i8
    linalg.yield %n : i8
  } -> tensor<2x5x20xi8>
  func.return %y : tensor<2x5x20xi8>
}

// CHECK-LABEL: func.func @nine
// CHECK:       linalg.batch_matmul ins(%a, %w : tensor<9x5x18xi8>, tensor<9x18x20xi8>)
func.func @nine(%a: tensor<9x5x18xi8>, %w: tensor<9x18x20xi8>, %init: tensor<9x5x20xi32>) -> tensor<9x5x20xi32> {
  %p = linalg.batch_matmul ins(%a, %w : tensor<9x5x18xi8>, tensor<9x18x20xi8>)
    outs(%init : tensor<9x5x20xi32>) -> tensor<9x5x20xi32>
  func.return %p : tensor<9x5x20xi32>
}
