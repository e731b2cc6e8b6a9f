// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// Every operation of the packing dialect, and the attributes that it declares, printed as they are written.

// CHECK-LABEL: func.func @host(%x: tensor<30x20xi8>, %k: tensor<2x3x4x1x1xi8>, %b: tensor<3xi8>, %c: tensor<1x3xi8>, %d: tensor<2x3xi8>, %q: tensor<1x8x9x3xi8>) {
func.func @host(%x: tensor<30x20xi8>, %k: tensor<2x3x4x1x1xi8>, %b: tensor<3xi8>, %c: tensor<1x3xi8>, %d: tensor<2x3xi8>, %q: tensor<1x8x9x3xi8>) {
  // CHECK-NEXT: %p = packing.pack %x dims [1, 0] tiles [16, 2] order [1, 0] {note = "weights"} : tensor<30x20xi8> to tensor<2x15x16x2xi8>
  %p = packing.pack %x dims [1, 0] tiles [16, 2] order [1, 0] {note = "weights"} : tensor<30x20xi8> to tensor<2x15x16x2xi8>
  // CHECK-NEXT: %u = packing.unpack %p dims [1, 0] tiles [16, 2] order [1, 0] : tensor<2x15x16x2xi8> to tensor<30x20xi8>
  %u = packing.unpack %p dims [1, 0] tiles [16, 2] order [1, 0] : tensor<2x15x16x2xi8> to tensor<30x20xi8>
  // CHECK-NEXT: %r = packing.reshape %u {note = "flat"} : tensor<30x20xi8> to tensor<600xi8>
  %r = packing.reshape %u {note = "flat"} : tensor<30x20xi8> to tensor<600xi8>
  // CHECK-NEXT: %t = packing.transpose %p permutation [1, 0, 2, 3] {note = "blocks"} : tensor<2x15x16x2xi8> to tensor<15x2x16x2xi8>
  %t = packing.transpose %p permutation [1, 0, 2, 3] {note = "blocks"} : tensor<2x15x16x2xi8> to tensor<15x2x16x2xi8>
  // CHECK-NEXT: %w = packing.fold %q order [0, 3, 1, 2] window [2, 3] strides [2, 1] dilations [1, 2] low [1, 0] {note = "places"} : tensor<1x8x9x3xi8> to tensor<1x5x5x18xi8>
  %w = packing.fold %q order [0, 3, 1, 2] window [2, 3] strides [2, 1] dilations [1, 2] low [1, 0] {note = "places"} : tensor<1x8x9x3xi8> to tensor<1x5x5x18xi8>
  // CHECK-NEXT: %g = packing.block_diagonal %k : tensor<2x3x4x1x1xi8> to tensor<6x8x1x1xi8>
  %g = packing.block_diagonal %k : tensor<2x3x4x1x1xi8> to tensor<6x8x1x1xi8>
  // CHECK-NEXT: %a = packing.unspecified {note = "lanes"} : tensor<3xi8>
  %a = packing.unspecified {note = "lanes"} : tensor<3xi8>
  // CHECK-NEXT: %i = packing.interleave %b, %b, %b, %b : tensor<3xi8>, tensor<3xi8>, tensor<3xi8>, tensor<3xi8> to tensor<3xi32>
  %i = packing.interleave %b, %b, %b, %b : tensor<3xi8>, tensor<3xi8>, tensor<3xi8>, tensor<3xi8> to tensor<3xi32>
  // CHECK-NEXT: %j = packing.join %c, %d : tensor<1x3xi8>, tensor<2x3xi8> to tensor<3x3xi8>
  %j = packing.join %c, %d : tensor<1x3xi8>, tensor<2x3xi8> to tensor<3x3xi8>
  // CHECK-NEXT: packing.host "prints nothing" {
  packing.host "prints nothing" {
    // CHECK-NEXT: packing.yield
    packing.yield
  // CHECK-NEXT: }
  }
  // CHECK-NEXT: %h, %l = packing.host "cannot divide" attributes {note = "by hand"} -> tensor<3xi8>, tensor<1x3xi8> {
  %h, %l = packing.host "cannot divide" attributes {note = "by hand"} -> tensor<3xi8>, tensor<1x3xi8> {
    // CHECK-NEXT: packing.yield %b, %c : tensor<3xi8>, tensor<1x3xi8>
    packing.yield %b, %c : tensor<3xi8>, tensor<1x3xi8>
  }
  // CHECK: func.call @device() {packing.layer = "conv1"} : () -> ()
  func.call @device() {packing.layer = "conv1"} : () -> ()
  func.return
}
// CHECK: func.func private @device() -> () attributes {packing.device}
func.func private @device() attributes {packing.device}
// CHECK: func.func private @program() -> () attributes {packing.program}
func.func private @program() attributes {packing.program}
