// RUN: vtac-opt %s -p merge-device-functions | filecheck %s
// RUN: vtac-opt %s -p merge-device-functions,merge-device-functions | filecheck %s

// Equal device functions that only programs call become one, whatever their values are called; those
// that differ, and those that the host calls, stay. A call says which lines its own function had.

// CHECK-LABEL: func.func @host
// CHECK-NEXT:    func.call @alone(%x)
// CHECK-LABEL: func.func private @program
// CHECK-NEXT:    %a = func.call @one(%x)
// CHECK-NEXT:    %b = func.call @one(%a) {packing.places = {"{{.*}}:30:1" = "{{.*}}:35:1"}}
// CHECK-NEXT:    %c = func.call @different(%b)
// CHECK-NEXT:    func.call @alone(%c)
// CHECK-LABEL: func.func private @one
// CHECK-NOT:   @same
// CHECK-LABEL: func.func private @different
// CHECK-LABEL: func.func private @alone
func.func @host(%x: tensor<16xi8>) -> tensor<16xi8> {
  %a = func.call @alone(%x) : (tensor<16xi8>) -> tensor<16xi8>
  %b = func.call @program(%a) : (tensor<16xi8>) -> tensor<16xi8>
  func.return %b : tensor<16xi8>
}
func.func private @program(%x: tensor<16xi8>) -> tensor<16xi8> attributes {packing.program} {
  %a = func.call @one(%x) : (tensor<16xi8>) -> tensor<16xi8>
  %b = func.call @same(%a) : (tensor<16xi8>) -> tensor<16xi8>
  %c = func.call @different(%b) : (tensor<16xi8>) -> tensor<16xi8>
  %d = func.call @alone(%c) : (tensor<16xi8>) -> tensor<16xi8>
  func.return %d : tensor<16xi8>
}
func.func private @one(%x: tensor<16xi8>) -> tensor<16xi8> attributes {packing.device} {
  %c = arith.constant 1 : i8
  %y = packing.reshape %x : tensor<16xi8> to tensor<16xi8>
  func.return %y : tensor<16xi8>
}
func.func private @same(%other: tensor<16xi8>) -> tensor<16xi8> attributes {packing.device} {
  %c = arith.constant 1 : i8
  %named = packing.reshape %other : tensor<16xi8> to tensor<16xi8>
  func.return %named : tensor<16xi8>
}
func.func private @different(%x: tensor<16xi8>) -> tensor<16xi8> attributes {packing.device} {
  %c = arith.constant 2 : i8
  %y = packing.reshape %x : tensor<16xi8> to tensor<16xi8>
  func.return %y : tensor<16xi8>
}
func.func private @alone(%x: tensor<16xi8>) -> tensor<16xi8> attributes {packing.device} {
  %c = arith.constant 1 : i8
  %y = packing.reshape %x : tensor<16xi8> to tensor<16xi8>
  func.return %y : tensor<16xi8>
}
