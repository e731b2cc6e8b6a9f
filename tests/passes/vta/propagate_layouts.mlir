// RUN: vtac-opt %s -p propagate-layouts | filecheck %s
// RUN: vtac-opt %s -p propagate-layouts,propagate-layouts | filecheck %s

// What is unpacked only to be packed again stays in tiles: where they are full, where nothing depends on what fills
// them, and where only dimensions of extent 1 come and go between. A layout is made once. Weights need zeros.

// CHECK-LABEL: func.func @net
// CHECK-NEXT:    %y = func.call @tiles(%t)
// CHECK-NEXT:    [[VIEW:%.*]] = packing.reshape %y : tensor<4x2x1x16xi8> to tensor<4x2x1x1x1x16xi8>
// CHECK-NEXT:    %z = func.call @images([[VIEW]])
// CHECK-NEXT:    [[PLAIN:%.*]] = packing.unpack %y
// CHECK-NEXT:    [[ZEROS:%.*]] = packing.pack [[PLAIN]] dims [0, 1] tiles [1, 16] order [0, 1] : tensor<4x20xi8>
// CHECK-NEXT:    [[ONCE:%.*]] = packing.pack %x dims [0, 1] tiles [1, 16] order [0, 1] : tensor<4x20xi8>
// CHECK-NEXT:    func.return %z, [[ZEROS]], [[ONCE]], [[ONCE]]
func.func @net(%t: tensor<4x2x1x16xi8>, %x: tensor<4x20xi8>) -> (tensor<4x2x1x1x1x16xi8>, tensor<4x2x1x16xi8>, tensor<4x2x1x16xi8>, tensor<4x2x1x16xi8>) {
  %0 = packing.unpack %t dims [0, 1] tiles [1, 16] order [0, 1] : tensor<4x2x1x16xi8> to tensor<4x20xi8>
  %1 = packing.pack %0 dims [0, 1] tiles [1, 16] order [0, 1] {packing.any_fill} : tensor<4x20xi8> to tensor<4x2x1x16xi8>
  %y = func.call @tiles(%1) : (tensor<4x2x1x16xi8>) -> tensor<4x2x1x16xi8>
  %2 = packing.unpack %y dims [0, 1] tiles [1, 16] order [0, 1] : tensor<4x2x1x16xi8> to tensor<4x20xi8>
  %3 = tensor.expand_shape %2 [[0], [1, 2, 3]] output_shape [4, 20, 1, 1] : tensor<4x20xi8> into tensor<4x20x1x1xi8>
  %4 = packing.pack %3 dims [0, 1] tiles [1, 16] order [0, 1, 2, 3] {packing.any_fill} : tensor<4x20x1x1xi8> to tensor<4x2x1x1x1x16xi8>
  %z = func.call @images(%4) : (tensor<4x2x1x1x1x16xi8>) -> tensor<4x2x1x1x1x16xi8>
  %5 = packing.unpack %y dims [0, 1] tiles [1, 16] order [0, 1] : tensor<4x2x1x16xi8> to tensor<4x20xi8>
  %6 = packing.pack %5 dims [0, 1] tiles [1, 16] order [0, 1] : tensor<4x20xi8> to tensor<4x2x1x16xi8>
  %7 = packing.pack %x dims [0, 1] tiles [1, 16] order [0, 1] : tensor<4x20xi8> to tensor<4x2x1x16xi8>
  %8 = packing.pack %x dims [0, 1] tiles [1, 16] order [0, 1] {packing.any_fill} : tensor<4x20xi8> to tensor<4x2x1x16xi8>
  func.return %z, %6, %7, %8 : tensor<4x2x1x1x1x16xi8>, tensor<4x2x1x16xi8>, tensor<4x2x1x16xi8>, tensor<4x2x1x16xi8>
}
func.func private @tiles(%t: tensor<4x2x1x16xi8>) -> tensor<4x2x1x16xi8> attributes {packing.device} {
  func.return %t : tensor<4x2x1x16xi8>
}
func.func private @images(%t: tensor<4x2x1x1x1x16xi8>) -> tensor<4x2x1x1x1x16xi8> attributes {packing.device} {
  func.return %t : tensor<4x2x1x1x1x16xi8>
}

// What is joined, put in or cut out between tiles stays in tiles, made once for all that read it; what cuts through
// tiles does not.

// CHECK-LABEL: func.func @joined
// CHECK-NEXT:    [[EMPTY:%.*]] = tensor.empty() : tensor<1x4x3x3x1x16xi8>
// CHECK-NEXT:    [[ONE:%.*]] = tensor.insert_slice %a into [[EMPTY]][0, 0, 0, 0, 0, 0] [1, 2, 3, 3, 1, 16] [1, 1, 1, 1, 1, 1]
// CHECK-NEXT:    [[BOTH:%.*]] = tensor.insert_slice %b into [[ONE]][0, 2, 0, 0, 0, 0] [1, 2, 3, 3, 1, 16] [1, 1, 1, 1, 1, 1]
// CHECK-NEXT:    [[CUT:%.*]] = tensor.extract_slice [[BOTH]][0, 1, 0, 1, 0, 0] [1, 3, 3, 1, 1, 16] [1, 1, 1, 2, 1, 1]
// CHECK-NEXT:    func.return [[BOTH]], [[BOTH]], [[CUT]]
func.func @joined(%a: tensor<1x2x3x3x1x16xi8>, %b: tensor<1x2x3x3x1x16xi8>) -> (tensor<1x4x3x3x1x16xi8>, tensor<1x4x3x3x1x16xi8>, tensor<1x3x3x1x1x16xi8>) {
  %0 = packing.unpack %a dims [0, 1] tiles [1, 16] order [0, 1, 2, 3] : tensor<1x2x3x3x1x16xi8> to tensor<1x32x3x3xi8>
  %1 = packing.unpack %b dims [0, 1] tiles [1, 16] order [0, 1, 2, 3] : tensor<1x2x3x3x1x16xi8> to tensor<1x20x3x3xi8>
  %2 = tensor.concat dim(1) %0, %1 : (tensor<1x32x3x3xi8>, tensor<1x20x3x3xi8>) -> tensor<1x52x3x3xi8>
  %3 = packing.pack %2 dims [0, 1] tiles [1, 16] order [0, 1, 2, 3] {packing.any_fill} : tensor<1x52x3x3xi8> to tensor<1x4x3x3x1x16xi8>
  %4 = packing.pack %2 dims [0, 1] tiles [1, 16] order [0, 1, 2, 3] {packing.any_fill} : tensor<1x52x3x3xi8> to tensor<1x4x3x3x1x16xi8>
  %5 = tensor.extract_slice %2[0, 16, 0, 1] [1, 36, 3, 1] [1, 1, 1, 2] : tensor<1x52x3x3xi8> to tensor<1x36x3x1xi8>
  %6 = packing.pack %5 dims [0, 1] tiles [1, 16] order [0, 1, 2, 3] {packing.any_fill} : tensor<1x36x3x1xi8> to tensor<1x3x3x1x1x16xi8>
  func.return %3, %4, %6 : tensor<1x4x3x3x1x16xi8>, tensor<1x4x3x3x1x16xi8>, tensor<1x3x3x1x1x16xi8>
}

// What the host puts into an empty tensor before the device goes on in it comes in tiles, too: it is not whole yet.

// CHECK-LABEL: func.func @begun_by_the_host
// CHECK-NEXT:    [[EMPTY:%.*]] = tensor.empty() : tensor<1x2x3x3x1x16xi8>
// CHECK-NEXT:    [[TILES:%.*]] = packing.pack %h dims [0, 1]
// CHECK-NEXT:    [[FIRST:%.*]] = tensor.insert_slice [[TILES]] into [[EMPTY]][0, 0, 0, 0, 0, 0] [1, 2, 1, 3, 1, 16]
// CHECK-NEXT:    [[BOTH:%.*]] = tensor.insert_slice %a into [[FIRST]][0, 0, 1, 0, 0, 0] [1, 2, 2, 3, 1, 16]
// CHECK-NEXT:    func.return [[BOTH]]
func.func @begun_by_the_host(%h: tensor<1x20x1x3xi8>, %a: tensor<1x2x2x3x1x16xi8>) -> tensor<1x2x3x3x1x16xi8> {
  %e = tensor.empty() : tensor<1x20x3x3xi8>
  %0 = packing.unpack %a dims [0, 1] tiles [1, 16] order [0, 1, 2, 3] : tensor<1x2x2x3x1x16xi8> to tensor<1x20x2x3xi8>
  %1 = tensor.insert_slice %h into %e[0, 0, 0, 0] [1, 20, 1, 3] [1, 1, 1, 1] : tensor<1x20x1x3xi8> into tensor<1x20x3x3xi8>
  %2 = tensor.insert_slice %0 into %1[0, 0, 1, 0] [1, 20, 2, 3] [1, 1, 1, 1] : tensor<1x20x2x3xi8> into tensor<1x20x3x3xi8>
  %3 = packing.pack %2 dims [0, 1] tiles [1, 16] order [0, 1, 2, 3] {packing.any_fill} : tensor<1x20x3x3xi8> to tensor<1x2x3x3x1x16xi8>
  func.return %3 : tensor<1x2x3x3x1x16xi8>
}

// CHECK-LABEL: func.func @through_tiles
// CHECK:         tensor.concat dim(1)
// CHECK-NEXT:    packing.pack
func.func @through_tiles(%a: tensor<1x2x3x3x1x16xi8>) -> tensor<1x3x3x3x1x16xi8> {
  %0 = packing.unpack %a dims [0, 1] tiles [1, 16] order [0, 1, 2, 3] : tensor<1x2x3x3x1x16xi8> to tensor<1x20x3x3xi8>
  %1 = tensor.concat dim(1) %0, %0 : (tensor<1x20x3x3xi8>, tensor<1x20x3x3xi8>) -> tensor<1x40x3x3xi8>
  %2 = packing.pack %1 dims [0, 1] tiles [1, 16] order [0, 1, 2, 3] {packing.any_fill} : tensor<1x40x3x3xi8> to tensor<1x3x3x3x1x16xi8>
  func.return %2 : tensor<1x3x3x3x1x16xi8>
}

// A border of a number around tiles: they are put into a constant that holds it.

// CHECK-LABEL: func.func @border
// CHECK:         [[BORDER:%.*]] = arith.constant dense<-128> : tensor<1x2x5x4x1x16xi8>
// CHECK-NEXT:    [[IN:%.*]] = tensor.insert_slice %a into [[BORDER]][0, 0, 1, 0, 0, 0] [1, 2, 3, 3, 1, 16] [1, 1, 1, 1, 1, 1]
// CHECK-NEXT:    func.return [[IN]]
func.func @border(%a: tensor<1x2x3x3x1x16xi8>) -> tensor<1x2x5x4x1x16xi8> {
  %c = arith.constant -128 : i8
  %0 = packing.unpack %a dims [0, 1] tiles [1, 16] order [0, 1, 2, 3] : tensor<1x2x3x3x1x16xi8> to tensor<1x20x3x3xi8>
  %1 = tensor.pad %0 low[0, 0, 1, 0] high[0, 0, 1, 1] {
  ^bb0(%p0: index, %p1: index, %p2: index, %p3: index):
    tensor.yield %c : i8
  } : tensor<1x20x3x3xi8> to tensor<1x20x5x4xi8>
  %2 = packing.pack %1 dims [0, 1] tiles [1, 16] order [0, 1, 2, 3] {packing.any_fill} : tensor<1x20x5x4xi8> to tensor<1x2x5x4x1x16xi8>
  func.return %2 : tensor<1x2x5x4x1x16xi8>
}

// Rows of tiles are those of weight tiles, once they are stored in that order: nothing is unpacked. Where the lanes that
// are missing would have to be zeros, or others are lanes, it is.

// CHECK-LABEL: func.func @weights
// CHECK-NEXT:    [[PLAIN:%.*]] = packing.unpack %a
// CHECK-NEXT:    [[T:%.*]] = packing.transpose %a permutation [1, 0, 2, 3] : tensor<10x2x2x16xi8> to tensor<2x10x2x16xi8>
// CHECK-NEXT:    [[ANY:%.*]] = packing.unspecified : tensor<2x16x2x16xi8>
// CHECK-NEXT:    [[IN:%.*]] = tensor.insert_slice [[T]] into [[ANY]][0, 0, 0, 0] [2, 10, 2, 16] [1, 1, 1, 1]
// CHECK-NEXT:    [[TALL:%.*]] = packing.reshape [[IN]] : tensor<2x16x2x16xi8> to tensor<2x2x16x16xi8>
// CHECK-NEXT:    [[W:%.*]] = packing.transpose [[TALL]] permutation [1, 0, 2, 3]
// CHECK-NEXT:    [[ZEROS:%.*]] = packing.pack [[PLAIN]] dims [1, 0] tiles [16, 16]
// CHECK-NEXT:    func.return [[W]], [[W]], [[ZEROS]]
func.func @weights(%a: tensor<10x2x2x16xi8>) -> (tensor<2x2x16x16xi8>, tensor<2x2x16x16xi8>, tensor<2x2x16x16xi8>) {
  %0 = packing.unpack %a dims [1, 0] tiles [2, 16] order [1, 0] : tensor<10x2x2x16xi8> to tensor<30x20xi8>
  %1 = packing.pack %0 dims [1, 0] tiles [16, 16] order [1, 0] {packing.any_fill} : tensor<30x20xi8> to tensor<2x2x16x16xi8>
  %2 = packing.pack %0 dims [1, 0] tiles [16, 16] order [1, 0] {packing.any_fill} : tensor<30x20xi8> to tensor<2x2x16x16xi8>
  %3 = packing.pack %0 dims [1, 0] tiles [16, 16] order [1, 0] : tensor<30x20xi8> to tensor<2x2x16x16xi8>
  func.return %1, %2, %3 : tensor<2x2x16x16xi8>, tensor<2x2x16x16xi8>, tensor<2x2x16x16xi8>
}

// CHECK-LABEL: func.func @other_lanes
// CHECK-NEXT:    packing.unpack
// CHECK-NEXT:    packing.pack
func.func @other_lanes(%a: tensor<32x2x1x16xi8>) -> tensor<2x2x16x16xi8> {
  %0 = packing.unpack %a dims [1, 0] tiles [1, 16] order [1, 0] : tensor<32x2x1x16xi8> to tensor<32x32xi8>
  %1 = packing.pack %0 dims [0, 1] tiles [16, 16] order [0, 1] {packing.any_fill} : tensor<32x32xi8> to tensor<2x2x16x16xi8>
  func.return %1 : tensor<2x2x16x16xi8>
}

// Rows that become images, and images that are turned, are stored in the order in which they are read; tiles of two rows
// have them apart.

// CHECK-LABEL: func.func @rows_of_images
// CHECK:         [[T:%.*]] = packing.transpose %a permutation [1, 0, 2, 3] : tensor<12x2x1x16xi8> to tensor<2x12x1x16xi8>
// CHECK-NEXT:    [[R:%.*]] = packing.reshape [[T]] : tensor<2x12x1x16xi8> to tensor<1x2x4x3x1x16xi8>
// CHECK-NEXT:    [[E:%.*]] = tensor.empty() : tensor<1x2x4x3x1x16xi8>
// CHECK-NEXT:    [[I:%.*]] = tensor.insert_slice [[R]] into [[E]][0, 0, 0, 0, 0, 0] [1, 2, 4, 3, 1, 16]
// CHECK-NEXT:    func.return [[I]]
func.func @rows_of_images(%a: tensor<12x2x1x16xi8>) -> tensor<1x2x4x3x1x16xi8> {
  %0 = packing.unpack %a dims [1, 0] tiles [1, 16] order [1, 0] : tensor<12x2x1x16xi8> to tensor<20x12xi8>
  %1 = packing.reshape %0 : tensor<20x12xi8> to tensor<1x20x4x3xi8>
  %2 = packing.pack %1 dims [0, 1] tiles [1, 16] order [0, 1, 2, 3] {packing.any_fill} : tensor<1x20x4x3xi8> to tensor<1x2x4x3x1x16xi8>
  func.return %2 : tensor<1x2x4x3x1x16xi8>
}

// CHECK-LABEL: func.func @turned
// CHECK:         [[T:%.*]] = packing.transpose %a permutation [0, 1, 3, 2, 4, 5] : tensor<2x2x5x4x2x16xi8> to tensor<2x2x4x5x2x16xi8>
// CHECK:         tensor.insert_slice [[T]]
func.func @turned(%a: tensor<2x2x5x4x2x16xi8>) -> tensor<2x2x4x5x2x16xi8> {
  %0 = packing.unpack %a dims [0, 1] tiles [2, 16] order [0, 1, 2, 3] : tensor<2x2x5x4x2x16xi8> to tensor<3x20x5x4xi8>
  %1 = packing.pack %0 dims [0, 1] tiles [2, 16] order [0, 1, 3, 2] {packing.any_fill} : tensor<3x20x5x4xi8> to tensor<2x2x4x5x2x16xi8>
  func.return %1 : tensor<2x2x4x5x2x16xi8>
}

// CHECK-LABEL: func.func @two_rows
// CHECK-NEXT:    packing.unpack
// CHECK-NEXT:    packing.reshape
// CHECK-NEXT:    packing.pack
func.func @two_rows(%a: tensor<6x2x2x16xi8>) -> tensor<1x2x4x3x2x16xi8> {
  %0 = packing.unpack %a dims [1, 0] tiles [2, 16] order [1, 0] : tensor<6x2x2x16xi8> to tensor<20x12xi8>
  %1 = packing.reshape %0 : tensor<20x12xi8> to tensor<1x20x4x3xi8>
  %2 = packing.pack %1 dims [0, 1] tiles [2, 16] order [0, 1, 2, 3] {packing.any_fill} : tensor<1x20x4x3xi8> to tensor<1x2x4x3x2x16xi8>
  func.return %2 : tensor<1x2x4x3x2x16xi8>
}
