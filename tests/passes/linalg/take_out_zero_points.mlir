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
