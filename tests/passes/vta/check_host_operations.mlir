// RUN: vtac-opt %s -p check-host-operations --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p check-host-operations,check-host-operations --split-input-file --verify-diagnostics | filecheck %s

// What numpy can execute passes unchanged, with calls of device functions among it; device functions are
// not looked at.

// CHECK-LABEL: func.func @net(%x: tensor<16xi8>) -> tensor<16xi8> {
// CHECK-NEXT:    %y = packing.reshape %x
// CHECK-NEXT:    %z = func.call @net_0(%y)
// CHECK-NEXT:    func.return %z
// CHECK-LABEL: func.func private @net_0
// CHECK-NEXT:    "test.op"
func.func @net(%x: tensor<16xi8>) -> tensor<16xi8> {
  %y = packing.reshape %x : tensor<16xi8> to tensor<16xi8>
  %z = func.call @net_0(%y) : (tensor<16xi8>) -> tensor<16xi8>
  func.return %z : tensor<16xi8>
}
func.func private @net_0(%x: tensor<16xi8>) -> tensor<16xi8> attributes {packing.device} {
  "test.op"() : () -> ()
  func.return %x : tensor<16xi8>
}

// -----

// expected-error @+1 {{argument 0 of 'width'}}
func.func @width(%x: tensor<16xi7>) -> tensor<16xi7> {
  func.return %x : tensor<16xi7>
}

// -----

func.func @other_function(%x: tensor<16xi8>) -> tensor<16xi8> {
  // expected-error @+1 {{'func.call' can run neither on the VTA nor on the host: a program is one function, and 'helper' is another}}
  %y = func.call @helper(%x) : (tensor<16xi8>) -> tensor<16xi8>
  func.return %y : tensor<16xi8>
}
func.func private @helper(%x: tensor<16xi8>) -> tensor<16xi8>

// -----

// All operations that nothing executes are named at once, those for numpy's choice within packing.host too.

func.func @several(%x: tensor<16xi8>) -> tensor<16xi8> {
  // expected-error @+1 {{'test.op' can run neither on the VTA nor on the host: }}
  "test.op"() : () -> ()
  %y = packing.host "planted" -> tensor<16xi8> {
    // expected-error @+1 {{'test.op' can run neither on the VTA nor on the host: }}
    %z = "test.op"() : () -> tensor<16xi8>
    packing.yield %z : tensor<16xi8>
  }
  func.return %y : tensor<16xi8>
}
