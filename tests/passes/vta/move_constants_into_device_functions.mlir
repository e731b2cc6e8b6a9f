// RUN: vtac-opt %s -p move-constants-into-device-functions | filecheck %s
// RUN: vtac-opt %s -p move-constants-into-device-functions,move-constants-into-device-functions | filecheck %s

// The one call of a device function leaves out its constants. A function that is called twice, or by a
// program, keeps its arguments; the constants of the host stay.

// CHECK-LABEL: func.func @net
// CHECK-NEXT:    %w = arith.constant
// CHECK-NEXT:    %a = func.call @once(%x) {packing.layer = "conv"} : (tensor<16xi8>) -> tensor<16xi8>
// CHECK-NEXT:    %b = func.call @twice(%a, %w)
// CHECK-NEXT:    %c = func.call @twice(%b, %w)
// CHECK-NEXT:    func.call @program(%c)
// CHECK-LABEL: func.func private @program
// CHECK-NEXT:    %v = arith.constant
// CHECK-NEXT:    func.call @held(%x, %v)
// CHECK-LABEL: func.func private @once(%d: tensor<16xi8>) -> tensor<16xi8>
// CHECK-NEXT:    %k = arith.constant dense<3> : tensor<16xi8>
// CHECK-NEXT:    func.return %k
// CHECK-LABEL: func.func private @twice(%d: tensor<16xi8>, %k: tensor<16xi8>)
// CHECK-LABEL: func.func private @held(%d: tensor<16xi8>, %k: tensor<16xi8>)
func.func @net(%x: tensor<16xi8>) -> tensor<16xi8> {
  %w = arith.constant dense<3> : tensor<16xi8>
  %a = func.call @once(%x, %w) {packing.layer = "conv"} : (tensor<16xi8>, tensor<16xi8>) -> tensor<16xi8>
  %b = func.call @twice(%a, %w) : (tensor<16xi8>, tensor<16xi8>) -> tensor<16xi8>
  %c = func.call @twice(%b, %w) : (tensor<16xi8>, tensor<16xi8>) -> tensor<16xi8>
  %d = func.call @program(%c) : (tensor<16xi8>) -> tensor<16xi8>
  func.return %d : tensor<16xi8>
}
func.func private @program(%x: tensor<16xi8>) -> tensor<16xi8> attributes {packing.program} {
  %v = arith.constant dense<5> : tensor<16xi8>
  %a = func.call @held(%x, %v) : (tensor<16xi8>, tensor<16xi8>) -> tensor<16xi8>
  func.return %a : tensor<16xi8>
}
func.func private @once(%d: tensor<16xi8>, %k: tensor<16xi8>) -> tensor<16xi8> attributes {packing.device} {
  func.return %k : tensor<16xi8>
}
func.func private @twice(%d: tensor<16xi8>, %k: tensor<16xi8>) -> tensor<16xi8> attributes {packing.device} {
  func.return %k : tensor<16xi8>
}
func.func private @held(%d: tensor<16xi8>, %k: tensor<16xi8>) -> tensor<16xi8> attributes {packing.device} {
  func.return %k : tensor<16xi8>
}
