// RUN: vtac-opt %s -p check-plain-functions --split-input-file --verify-diagnostics | filecheck %s

// Functions on tensors of static shape stay as they are.

// CHECK: func.func @plain(%x: tensor<2x16xi8>)
func.func @plain(%x: tensor<2x16xi8>) -> tensor<2x16xi8> {
  func.return %x : tensor<2x16xi8>
}

// -----

// expected-error @+1 {{tensor<?x16xi8>: dynamic shapes; static ones are required}}
func.func @dynamic(%x: tensor<?x16xi8>) -> tensor<?x16xi8> {
  func.return %x : tensor<?x16xi8>
}

// -----

// expected-error @+1 {{pack-for-vta: function 'copy' works on memrefs; it takes functions on tensors}}
func.func @copy(%a: memref<4xi32>, %b: memref<4xi32>) {
  "memref.copy"(%a, %b) : (memref<4xi32>, memref<4xi32>) -> ()
  func.return
}

// -----

// expected-error @+1 {{pack-for-vta: every function is a device function; nothing is left to pack}}
func.func private @done(%x: tensor<2x16xi8>) -> tensor<2x16xi8> attributes {packing.device} {
  func.return %x : tensor<2x16xi8>
}
