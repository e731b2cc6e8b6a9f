// RUN: vtac-opt %s -p group-device-calls | filecheck %s
// RUN: vtac-opt %s -p group-device-calls,group-device-calls | filecheck %s

// Calls that need only each other and a view become one function; host operations move out of
// their way, and a call behind a host operation starts the next group.

// CHECK-LABEL: func.func @net
// CHECK-NEXT:    %other = packing.reshape %y
// CHECK-NEXT:    %c = func.call @net_vta_0(%x, %y)
// CHECK-NEXT:    %seen = packing.reshape %c
// CHECK-NEXT:    %h = packing.host "planted"
// CHECK:         %d, %e = func.call @net_vta_1(%h, %c)
// CHECK-NEXT:    func.return %e, %d, %other, %seen
func.func @net(%x: tensor<1x2x1x16xi8>, %y: tensor<1x2x1x16xi8>)
    -> (tensor<1x2x1x16xi8>, tensor<1x2x1x16xi8>, tensor<32xi8>, tensor<32xi8>) {
  %a = func.call @double(%x) : (tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8>
  %other = packing.reshape %y : tensor<1x2x1x16xi8> to tensor<32xi8>
  %b = func.call @double(%y) : (tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8>
  %view = packing.reshape %b : tensor<1x2x1x16xi8> to tensor<2x1x1x16xi8>
  %flat = packing.reshape %view : tensor<2x1x1x16xi8> to tensor<1x2x1x16xi8>
  %c = func.call @sum(%a, %flat) : (tensor<1x2x1x16xi8>, tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8>
  %seen = packing.reshape %c : tensor<1x2x1x16xi8> to tensor<32xi8>
  %h = packing.host "planted" -> tensor<1x2x1x16xi8> {
    %copy = packing.reshape %c : tensor<1x2x1x16xi8> to tensor<1x2x1x16xi8>
    packing.yield %copy : tensor<1x2x1x16xi8>
  }
  %d = func.call @double(%h) : (tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8>
  %e = func.call @sum(%d, %c) : (tensor<1x2x1x16xi8>, tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8>
  func.return %e, %d, %other, %seen : tensor<1x2x1x16xi8>, tensor<1x2x1x16xi8>, tensor<32xi8>, tensor<32xi8>
}

// CHECK-LABEL: func.func @alone
// CHECK-NEXT:    func.call @double
// CHECK-NEXT:    func.return
func.func @alone(%x: tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8> {
  %a = func.call @double(%x) : (tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8>
  func.return %a : tensor<1x2x1x16xi8>
}

// What results are put into, and what is cut out of them, goes with them. What the host puts in comes first, into zeros.

// CHECK-LABEL: func.func @joined
// CHECK-NEXT:    [[ZEROS:%.*]] = arith.constant dense<0> : tensor<1x4x1x16xi8>
// CHECK-NEXT:    [[PUT:%.*]] = tensor.insert_slice %y into [[ZEROS]]
// CHECK-NEXT:    [[ALL:%.*]] = func.call @joined_vta(%x, [[PUT]])
// CHECK-NEXT:    [[CUT:%.*]] = tensor.extract_slice [[ALL]]
// CHECK-NEXT:    func.return [[CUT]]
func.func @joined(%x: tensor<1x2x1x16xi8>, %y: tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8> {
  %e = tensor.empty() : tensor<1x4x1x16xi8>
  %p = tensor.insert_slice %y into %e[0, 2, 0, 0] [1, 2, 1, 16] [1, 1, 1, 1] : tensor<1x2x1x16xi8> into tensor<1x4x1x16xi8>
  %a = func.call @double(%x) : (tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8>
  %all = tensor.insert_slice %a into %p[0, 0, 0, 0] [1, 2, 1, 16] [1, 1, 1, 1] : tensor<1x2x1x16xi8> into tensor<1x4x1x16xi8>
  %c = tensor.extract_slice %all[0, 1, 0, 0] [1, 2, 1, 16] [1, 1, 1, 1] : tensor<1x4x1x16xi8> to tensor<1x2x1x16xi8>
  %b = func.call @double(%c) : (tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8>
  func.return %c : tensor<1x2x1x16xi8>
}

// CHECK-LABEL: func.func private @net_vta_0(%x: tensor<1x2x1x16xi8>, %y: tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8>
// CHECK-SAME:    packing.program
// CHECK-NEXT:    %a = func.call @double(%x)
// CHECK-NEXT:    %b = func.call @double(%y)
// CHECK-NEXT:    %view = packing.reshape %b
// CHECK-NEXT:    %flat = packing.reshape %view
// CHECK-NEXT:    %c = func.call @sum(%a, %flat)
// CHECK-NEXT:    func.return %c

// CHECK-LABEL: func.func private @net_vta_1
// CHECK-NEXT:    %d = func.call @double(%h)
// CHECK-NEXT:    %e = func.call @sum(%d, %c)
// CHECK-NEXT:    func.return %d, %e
func.func private @double(%x: tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8> attributes {packing.device} {
  func.return %x : tensor<1x2x1x16xi8>
}
func.func private @sum(%x: tensor<1x2x1x16xi8>, %y: tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8> attributes {packing.device} {
  func.return %x : tensor<1x2x1x16xi8>
}
