// RUN: not vtac-opt %s 2>&1 | filecheck %s

// Every violation is reported in one run, in source order, with its place.
// CHECK: verify_errors.mlir:[[# @LINE + 5]]:8: error: 'arith.addi' does not verify: Expected 2 operands, but got 1
// CHECK-NEXT:   %0 = "arith.addi"(%a) : (i32) -> i32
// CHECK-NEXT: {{^ +}}|        ^
// CHECK-NEXT: verify_errors.mlir:[[# @LINE + 3]]:3: error: 'func.return' does not verify
func.func @first(%a: i32) -> i32 {
  %0 = "arith.addi"(%a) : (i32) -> i32
  func.return %a, %a : i32, i32
}
// CHECK: verify_errors.mlir:[[# @LINE + 1]]:1: error: 'func.func' has a block that ends in 'arith.addi', which is no terminator
func.func @second(%a: i32) {
  %0 = arith.addi %a, %a : i32
}
// CHECK: verify_errors.mlir:[[# @LINE + 2]]:8: error: operand #1 (%late) of 'arith.addi' does not dominate this use
func.func @third(%a: i32) {
  %0 = arith.addi %a, %late : i32
  // CHECK: verify_errors.mlir:[[# @LINE + 1]]:11: note: the operand is defined here
  %late = arith.addi %a, %a : i32
  func.return
}
// CHECK: verify_errors.mlir:[[# @LINE + 1]]:1: error: 'func.func' defines @third again: a symbol has one definition, rename this one
func.func @third(%a: i32) {
  func.return
}
// CHECK: verify_errors.mlir:[[# @LINE + 3]]:8: error: 'linalg.transpose' does not verify: permutation = [2, 0]: each of the dimensions 0 to 1 is required once
func.func @fourth(%a: tensor<2x3xi8>) -> tensor<3x2xi8> {
  %e = tensor.empty() : tensor<3x2xi8>
  %t = linalg.transpose ins(%a : tensor<2x3xi8>) outs(%e : tensor<3x2xi8>) permutation = [2, 0]
  func.return %t : tensor<3x2xi8>
}
// CHECK: verify_errors.mlir:[[# @LINE + 3]]:8: error: 'linalg.transpose' does not verify: permutation = [-1, 0]: each of the dimensions 0 to 1 is required once
func.func @fifth(%a: tensor<2x3xi8>) -> tensor<3x2xi8> {
  %e = tensor.empty() : tensor<3x2xi8>
  %t = linalg.transpose ins(%a : tensor<2x3xi8>) outs(%e : tensor<3x2xi8>) permutation = [-1, 0]
  func.return %t : tensor<3x2xi8>
}
