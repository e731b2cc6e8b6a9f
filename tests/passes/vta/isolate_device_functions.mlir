// RUN: vtac-opt %s -p vta-set-config,isolate-device-functions | filecheck %s
// RUN: vtac-opt %s -p vta-set-config,isolate-device-functions,isolate-device-functions | filecheck %s

// Each script goes into a module with a copy of its device function, in their order, for the hardware of
// the whole; the function on tensors stays, and so does the script of anything else.

// CHECK-LABEL: builtin.module attributes {vta.config =
// CHECK-NEXT:    func.func @net
// CHECK-LABEL:   func.func private @net_0
// CHECK-LABEL:   func.func private @net_1
// CHECK-NEXT:      func.return
// CHECK-NEXT:    }
// CHECK-NEXT:    schedule.script @net
// CHECK:         builtin.module attributes {vta.config =
// CHECK-NEXT:      func.func private @net_1
// CHECK:           schedule.script @net_1
// CHECK:         builtin.module attributes {vta.config =
// CHECK-NEXT:      func.func private @net_0
// CHECK:           schedule.script @net_0
// CHECK-NOT:     schedule.script
func.func @net(%x: tensor<16xi8>) -> tensor<16xi8> {
  %a = func.call @net_0(%x) : (tensor<16xi8>) -> tensor<16xi8>
  %b = func.call @net_1(%a) : (tensor<16xi8>) -> tensor<16xi8>
  func.return %b : tensor<16xi8>
}
func.func private @net_0(%x: tensor<16xi8>) -> tensor<16xi8> attributes {packing.device} {
  func.return %x : tensor<16xi8>
}
func.func private @net_1(%x: tensor<16xi8>) -> tensor<16xi8> attributes {packing.device} {
  func.return %x : tensor<16xi8>
}
schedule.script @net_1 {
}
schedule.script @net_0 {
}
schedule.script @net {
}
