// RUN: vtac-opt %s -p canonicalize | filecheck %s

// CHECK-LABEL: func.func @there_and_back
func.func @there_and_back(%x: tensor<30x20xi8>) -> tensor<30x20xi8> {
  // CHECK-NEXT: func.return %x
  %p = packing.pack %x dims [0, 1] tiles [1, 16] order [0, 1] : tensor<30x20xi8> to tensor<30x2x1x16xi8>
  %u = packing.unpack %p dims [0, 1] tiles [1, 16] order [0, 1] : tensor<30x2x1x16xi8> to tensor<30x20xi8>
  func.return %u : tensor<30x20xi8>
}

// CHECK-LABEL: func.func @another_layout
func.func @another_layout(%x: tensor<32x32xi8>) -> tensor<32x32xi8> {
  // CHECK-NEXT: packing.pack
  // CHECK-NEXT: packing.unpack
  %p = packing.pack %x dims [0, 1] tiles [1, 16] order [0, 1] : tensor<32x32xi8> to tensor<32x2x1x16xi8>
  %u = packing.unpack %p dims [1, 0] tiles [1, 16] order [1, 0] : tensor<32x2x1x16xi8> to tensor<32x32xi8>
  func.return %u : tensor<32x32xi8>
}

// CHECK-LABEL: func.func @back_and_there
func.func @back_and_there(%p: tensor<32x2x1x16xi8>) -> tensor<32x2x1x16xi8> {
  // CHECK-NEXT: func.return %p
  %u = packing.unpack %p dims [0, 1] tiles [1, 16] order [0, 1] : tensor<32x2x1x16xi8> to tensor<32x32xi8>
  %q = packing.pack %u dims [0, 1] tiles [1, 16] order [0, 1] : tensor<32x32xi8> to tensor<32x2x1x16xi8>
  func.return %q : tensor<32x2x1x16xi8>
}

// What fills the last tile need not be zero before; afterwards it is.
// CHECK-LABEL: func.func @incomplete_tiles
func.func @incomplete_tiles(%p: tensor<32x2x1x16xi8>) -> tensor<32x2x1x16xi8> {
  // CHECK-NEXT: packing.unpack
  // CHECK-NEXT: packing.pack
  %u = packing.unpack %p dims [0, 1] tiles [1, 16] order [0, 1] : tensor<32x2x1x16xi8> to tensor<32x20xi8>
  %q = packing.pack %u dims [0, 1] tiles [1, 16] order [0, 1] : tensor<32x20xi8> to tensor<32x2x1x16xi8>
  func.return %q : tensor<32x2x1x16xi8>
}

// CHECK-LABEL: func.func @reshapes
func.func @reshapes(%x: tensor<4x6xi8>) -> (tensor<4x6xi8>, tensor<24xi8>) {
  // CHECK-NEXT: %b = packing.reshape %x : tensor<4x6xi8> to tensor<24xi8>
  // CHECK-NEXT: func.return %x, %b
  %a = packing.reshape %x : tensor<4x6xi8> to tensor<2x12xi8>
  %b = packing.reshape %a : tensor<2x12xi8> to tensor<24xi8>
  %c = packing.reshape %a : tensor<2x12xi8> to tensor<4x6xi8>
  func.return %c, %b : tensor<4x6xi8>, tensor<24xi8>
}

// CHECK-LABEL: func.func @transposes
func.func @transposes(%x: tensor<2x3x4xi8>) -> (tensor<4x2x3xi8>, tensor<2x3x4xi8>, tensor<2x3x4xi8>) {
  // CHECK-NEXT: %b = packing.transpose %x permutation [2, 0, 1] : tensor<2x3x4xi8> to tensor<4x2x3xi8>
  // CHECK-NEXT: func.return %b, %x, %x
  %a = packing.transpose %x permutation [1, 2, 0] : tensor<2x3x4xi8> to tensor<3x4x2xi8>
  %b = packing.transpose %a permutation [1, 2, 0] : tensor<3x4x2xi8> to tensor<4x2x3xi8>
  %c = packing.transpose %a permutation [2, 0, 1] : tensor<3x4x2xi8> to tensor<2x3x4xi8>
  %d = packing.transpose %x permutation [0, 1, 2] : tensor<2x3x4xi8> to tensor<2x3x4xi8>
  func.return %b, %c, %d : tensor<4x2x3xi8>, tensor<2x3x4xi8>, tensor<2x3x4xi8>
}
