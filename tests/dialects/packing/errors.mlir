// RUN: vtac-opt %s --split-input-file --verify-diagnostics

// Every message of the packing dialect's verifiers.

func.func @packed_shape(%x: tensor<3x20xi8>) {
  // expected-error @+1 {{expected the packed shape [3, 2, 1, 16], found [3, 1, 1, 16]}}
  %p = packing.pack %x dims [0, 1] tiles [1, 16] order [0, 1] : tensor<3x20xi8> to tensor<3x1x1x16xi8>
  func.return
}

// -----

func.func @unpacked_shape(%x: tensor<3x2x1x16xi8>) {
  // expected-error @+1 {{expected the packed shape [3, 3, 1, 16], found [3, 2, 1, 16]}}
  %p = packing.unpack %x dims [0, 1] tiles [1, 16] order [0, 1] : tensor<3x2x1x16xi8> to tensor<3x33xi8>
  func.return
}

// -----

func.func @element_type(%x: tensor<3x20xi8>) {
  // expected-error @+1 {{packing keeps the element type, found i8 and i32}}
  %p = packing.pack %x dims [0, 1] tiles [1, 16] order [0, 1] : tensor<3x20xi8> to tensor<3x2x1x16xi32>
  func.return
}

// -----

func.func @dims(%x: tensor<3x20xi8>) {
  // expected-error @+1 {{expected one tile size for each of several different dimensions below 2, found dims [1, 1] and tiles [1, 16]}}
  %p = packing.pack %x dims [1, 1] tiles [1, 16] order [0, 1] : tensor<3x20xi8> to tensor<3x2x1x16xi8>
  func.return
}

// -----

func.func @tile_size(%x: tensor<3x20xi8>) {
  // expected-error @+1 {{expected positive tile sizes, found [0]}}
  %p = packing.pack %x dims [1] tiles [0] order [0, 1] : tensor<3x20xi8> to tensor<3x2x16xi8>
  func.return
}

// -----

func.func @order(%x: tensor<3x20xi8>) {
  // expected-error @+1 {{expected an order of all 2 dimensions, found [0]}}
  %p = packing.pack %x dims [1] tiles [16] order [0] : tensor<3x20xi8> to tensor<3x2x16xi8>
  func.return
}

// -----

func.func @dynamic(%x: tensor<?x20xi8>) {
  // expected-error @+1 {{expected static, non-empty shapes}}
  %p = packing.pack %x dims [1] tiles [16] order [0, 1] : tensor<?x20xi8> to tensor<3x2x16xi8>
  func.return
}

// -----

func.func @reshape(%x: tensor<3x20xi8>) {
  // expected-error @+1 {{expected as many elements of the same type, found tensor<3x20xi8> and tensor<61xi8>}}
  %p = packing.reshape %x : tensor<3x20xi8> to tensor<61xi8>
  func.return
}

// -----

func.func @transposed_twice(%x: tensor<3x20xi8>) {
  // expected-error @+1 {{expected a permutation of all 2 dimensions, found [0, 0]}}
  %p = packing.transpose %x permutation [0, 0] : tensor<3x20xi8> to tensor<3x3xi8>
  func.return
}

// -----

func.func @transposed_shape(%x: tensor<3x20xi8>) {
  // expected-error @+1 {{expected the result tensor<20x3xi8>, found tensor<3x20xi8>}}
  %p = packing.transpose %x permutation [1, 0] : tensor<3x20xi8> to tensor<3x20xi8>
  func.return
}

// -----

func.func @plane_count(%x: tensor<3xi8>) {
  // expected-error @+1 {{expected four planes and an i32 result, found 2 and tensor<3xi32>}}
  %p = packing.interleave %x, %x : tensor<3xi8>, tensor<3xi8> to tensor<3xi32>
  func.return
}

// -----

func.func @plane_shape(%x: tensor<3xi8>, %y: tensor<4xi8>) {
  // expected-error @+1 {{expected i8 planes of shape [3], found tensor<4xi8>}}
  %p = packing.interleave %x, %x, %x, %y : tensor<3xi8>, tensor<3xi8>, tensor<3xi8>, tensor<4xi8> to tensor<3xi32>
  func.return
}

// -----

func.func @host_yield(%x: tensor<3xi8>) {
  // expected-error @+1 {{expected packing.yield of tensor<4xi8>, found tensor<3xi8>}}
  %h = packing.host "no reason" -> tensor<4xi8> {
    packing.yield %x : tensor<3xi8>
  }
  func.return
}

// -----

func.func @diagonal_rank(%x: tensor<3x20xi8>) {
  // expected-error @+1 {{expected groups of kernels of rank 5, found tensor<3x20xi8>}}
  %p = packing.block_diagonal %x : tensor<3x20xi8> to tensor<60xi8>
  func.return
}

// -----

func.func @diagonal_result(%x: tensor<2x3x4x1x1xi8>) {
  // expected-error @+1 {{expected the result tensor<6x8x1x1xi8>, or with the channels of a divisor of 2 groups, found tensor<6x6x1x1xi8>}}
  %p = packing.block_diagonal %x : tensor<2x3x4x1x1xi8> to tensor<6x6x1x1xi8>
  func.return
}

// -----

func.func @joined(%x: tensor<2x3xi8>, %y: tensor<1x4xi8>) {
  // expected-error @+1 {{expected parts that make up tensor<3x3xi8>, found tensor<2x3xi8>, tensor<1x4xi8>}}
  %p = packing.join %x, %y : tensor<2x3xi8>, tensor<1x4xi8> to tensor<3x3xi8>
  func.return
}

// -----

func.func @no_tensor(%x: tensor<3x20xi8>) {
  // expected-error @+1 {{expected a tensor type, found memref<3x2x1x16xi8>}}
  %p = packing.pack %x dims [0, 1] tiles [1, 16] order [0, 1] : tensor<3x20xi8> to memref<3x2x1x16xi8>
  func.return
}

// -----

func.func @no_yield(%x: tensor<3xi8>) {
  // expected-error @+1 {{expected a body that ends in packing.yield}}
  packing.host "no reason" {
    "test.termop"() : () -> ()
  }
  func.return
}

// -----

func.func @fold_of_no_image(%x: tensor<8x9x3xi8>) {
  // expected-error @+1 {{expected an order of the four dimensions of an image, found [0, 1, 2] for tensor<8x9x3xi8> to tensor<1x5x5x18xi8>}}
  %p = packing.fold %x order [0, 1, 2] window [2, 3] strides [2, 1] dilations [1, 2] low [1, 0] : tensor<8x9x3xi8> to tensor<1x5x5x18xi8>
  func.return
}

// -----

func.func @fold_before(%x: tensor<1x3x8x9xi8>) {
  // expected-error @+1 {{expected two low of at least 0, found [-1, 0]}}
  %p = packing.fold %x order [0, 1, 2, 3] window [2, 3] strides [2, 1] dilations [1, 2] low [-1, 0] : tensor<1x3x8x9xi8> to tensor<1x5x5x18xi8>
  func.return
}

// -----

func.func @fold_of_nothing(%x: tensor<1x3x0x9xi8>) {
  // expected-error @+1 {{expected static, non-empty shapes}}
  %p = packing.fold %x order [0, 1, 2, 3] window [2, 3] strides [2, 1] dilations [1, 2] low [1, 0] : tensor<1x3x0x9xi8> to tensor<1x5x5x18xi8>
  func.return
}

// -----

func.func @fold_of_too_few_channels(%x: tensor<1x3x8x9xi8>) {
  // expected-error @+1 {{expected the result tensor<1x5x5x18xi8>, found tensor<1x5x5x16xi8>}}
  %p = packing.fold %x order [0, 1, 2, 3] window [2, 3] strides [2, 1] dilations [1, 2] low [1, 0] : tensor<1x3x8x9xi8> to tensor<1x5x5x16xi8>
  func.return
}
