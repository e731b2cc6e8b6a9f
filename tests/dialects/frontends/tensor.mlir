// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// tensor's operations, and memref.rank, as mlir-opt prints them.

// CHECK: func.func @shapes
func.func @shapes(%t: tensor<4x?xi32>, %u: tensor<*xi32>, %m: memref<4xi8>, %n: index) -> tensor<?x3xindex> {
  // CHECK: tensor.rank %t : tensor<4x?xi32>
  %a = tensor.rank %t : tensor<4x?xi32>
  // CHECK: tensor.rank %u : tensor<*xi32>
  %b = tensor.rank %u : tensor<*xi32>
  // CHECK: memref.rank %m : memref<4xi8>
  %c = memref.rank %m : memref<4xi8>
  // CHECK: %g = tensor.generate {
  %g = tensor.generate {
  ^bb0(%i: index):
    tensor.yield %n : index
  } : tensor<4xindex>
  // CHECK: %h = tensor.generate %n {
  // CHECK-NEXT: bb0(%i_1: index, %j: index):
  // CHECK: } : tensor<?x3xindex>
  %h = tensor.generate %n {
  ^bb0(%i: index, %j: index):
    %s = arith.addi %i, %j : index
    tensor.yield %s : index
  } : tensor<?x3xindex>
  %z = arith.constant 0 : i8
  %x = tensor.empty() : tensor<2x4xi8>
  // CHECK: %p = tensor.pad %x low[%n, 0] high[%n, 3] {
  %p = tensor.pad %x low[%n, 0] high[%n, 3] {
  ^bb0(%i: index, %j: index):
    tensor.yield %z : i8
  } : tensor<2x4xi8> to tensor<5x7xi8>
  func.return %h : tensor<?x3xindex>
}
