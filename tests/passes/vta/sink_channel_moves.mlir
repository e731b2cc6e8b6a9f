// RUN: vtac-opt %s -p sink-channel-moves | filecheck %s
// RUN: vtac-opt %s -p sink-channel-moves,sink-channel-moves | filecheck %s

#image = affine_map<(n, c, h, w) -> (n, c, h, w)>
#channel = affine_map<(n, c, h, w) -> (c)>

// What each part has, and its share of a vector for all channels; padding lies around each.

// CHECK-LABEL: func.func @joined
// CHECK:         [[V0:%.*]] = tensor.extract_slice %v[0] [24] [1]
// CHECK:         [[D0:%.*]] = linalg.generic {{.*}} ins(%a, [[V0]] : tensor<1x24x4x4xi8>, tensor<24xi32>)
// CHECK:         [[V1:%.*]] = tensor.extract_slice %v[24] [20] [1]
// CHECK:         [[D1:%.*]] = linalg.generic {{.*}} ins(%b, [[V1]] : tensor<1x20x4x4xi8>, tensor<20xi32>)
// CHECK:         [[P0:%.*]] = tensor.pad [[D0]] low[0, 0, 1, 1]
// CHECK:         [[M0:%.*]] = linalg.pooling_nchw_max {{.*}} ins([[P0]], {{.*}} -> tensor<1x24x2x2xi8>
// CHECK:         [[P1:%.*]] = tensor.pad [[D1]] low[0, 0, 1, 1]
// CHECK:         [[M1:%.*]] = linalg.pooling_nchw_max {{.*}} ins([[P1]], {{.*}} -> tensor<1x20x2x2xi8>
// CHECK-NEXT:    [[M:%.*]] = tensor.concat dim(1) [[M0]], [[M1]]
// CHECK-NEXT:    func.return [[M]]
func.func @joined(%x: tensor<1x24x4x4xi32>, %y: tensor<1x20x4x4xi32>, %v: tensor<44xi32>) -> tensor<1x44x2x2xi8> {
  %e = tensor.empty() : tensor<1x24x4x4xi8>
  %a = linalg.generic {indexing_maps = [#image, #image], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x : tensor<1x24x4x4xi32>) outs(%e : tensor<1x24x4x4xi8>) {
  ^bb0(%i: i32, %o: i8):
    %t = arith.trunci %i : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x24x4x4xi8>
  %f = tensor.empty() : tensor<1x20x4x4xi8>
  %b = linalg.generic {indexing_maps = [#image, #image], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%y : tensor<1x20x4x4xi32>) outs(%f : tensor<1x20x4x4xi8>) {
  ^bb0(%i: i32, %o: i8):
    %t = arith.trunci %i : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x20x4x4xi8>
  %c = tensor.concat dim(1) %a, %b : (tensor<1x24x4x4xi8>, tensor<1x20x4x4xi8>) -> tensor<1x44x4x4xi8>
  %g = tensor.empty() : tensor<1x44x4x4xi8>
  %d = linalg.generic {indexing_maps = [#image, #channel, #image], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%c, %v : tensor<1x44x4x4xi8>, tensor<44xi32>) outs(%g : tensor<1x44x4x4xi8>) {
  ^bb0(%i: i8, %k: i32, %o: i8):
    %s = arith.extsi %i : i8 to i32
    %r = arith.addi %s, %k : i32
    %t = arith.trunci %r : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x44x4x4xi8>
  %low = arith.constant -128 : i8
  %p = tensor.pad %d low[0, 0, 1, 1] high[0, 0, 0, 0] {
  ^bb0(%p0: index, %p1: index, %p2: index, %p3: index):
    tensor.yield %low : i8
  } : tensor<1x44x4x4xi8> to tensor<1x44x5x5xi8>
  %window = tensor.empty() : tensor<3x3xi8>
  %h = tensor.empty() : tensor<1x44x2x2xi8>
  %start = linalg.fill ins(%low : i8) outs(%h : tensor<1x44x2x2xi8>) -> tensor<1x44x2x2xi8>
  %m = linalg.pooling_nchw_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>} ins(%p, %window : tensor<1x44x5x5xi8>, tensor<3x3xi8>) outs(%start : tensor<1x44x2x2xi8>) -> tensor<1x44x2x2xi8>
  func.return %m : tensor<1x44x2x2xi8>
}

// A cut is behind what computes its tiles, and their share of a vector has zeros elsewhere; a shuffle behind all.

// CHECK-LABEL: func.func @cut
// CHECK:         [[T:%.*]] = tensor.extract_slice %a[0, 16, 0, 0] [1, 32, 4, 4] [1, 1, 1, 1]
// CHECK:         [[Z:%.*]] = arith.constant dense<0> : tensor<32xi32>
// CHECK:         [[V:%.*]] = tensor.insert_slice {{%.*}} into [[Z]][2] [24] [1]
// CHECK:         [[D:%.*]] = linalg.generic {{.*}} ins([[T]], [[V]] : tensor<1x32x4x4xi8>, tensor<32xi32>)
// CHECK:         [[C:%.*]] = tensor.extract_slice [[D]][0, 2, 0, 0] [1, 24, 4, 4] [1, 1, 1, 1]
// CHECK-NEXT:    func.return [[C]]
func.func @cut(%x: tensor<1x64x4x4xi32>, %v: tensor<24xi32>) -> tensor<1x24x4x4xi8> {
  %e = tensor.empty() : tensor<1x64x4x4xi8>
  %a = linalg.generic {indexing_maps = [#image, #image], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x : tensor<1x64x4x4xi32>) outs(%e : tensor<1x64x4x4xi8>) {
  ^bb0(%i: i32, %o: i8):
    %t = arith.trunci %i : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x64x4x4xi8>
  %c = tensor.extract_slice %a[0, 18, 0, 0] [1, 24, 4, 4] [1, 1, 1, 1] : tensor<1x64x4x4xi8> to tensor<1x24x4x4xi8>
  %g = tensor.empty() : tensor<1x24x4x4xi8>
  %d = linalg.generic {indexing_maps = [#image, #channel, #image], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%c, %v : tensor<1x24x4x4xi8>, tensor<24xi32>) outs(%g : tensor<1x24x4x4xi8>) {
  ^bb0(%i: i8, %k: i32, %o: i8):
    %s = arith.extsi %i : i8 to i32
    %r = arith.addi %s, %k : i32
    %t = arith.trunci %r : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x24x4x4xi8>
  func.return %d : tensor<1x24x4x4xi8>
}

// CHECK-LABEL: func.func @shuffled
// CHECK:         [[G:%.*]] = packing.reshape %w : tensor<12x3x3xi8> to tensor<6x2x3x3xi8>
// CHECK:         [[T:%.*]] = linalg.transpose ins([[G]]:{{.*}}) permutation = [1, 0, 2, 3]
// CHECK:         [[W:%.*]] = packing.reshape [[T]] : tensor<2x6x3x3xi8> to tensor<12x3x3xi8>
// CHECK:         [[D:%.*]] = linalg.depthwise_conv_2d_nchw_chw {{.*}} ins(%a, [[W]] : tensor<1x12x4x4xi8>, tensor<12x3x3xi8>)
// CHECK:         [[E:%.*]] = tensor.expand_shape [[D]] {{.*}} into tensor<1x2x6x2x2xi32>
// CHECK:         [[T:%.*]] = linalg.transpose ins([[E]]:{{.*}}) permutation = [0, 2, 1, 3, 4]
// CHECK-NEXT:    [[S:%.*]] = tensor.collapse_shape [[T]]
// CHECK-NEXT:    func.return [[S]]
func.func @shuffled(%x: tensor<1x12x4x4xi32>, %w: tensor<12x3x3xi8>) -> tensor<1x12x2x2xi32> {
  %e = tensor.empty() : tensor<1x12x4x4xi8>
  %a = linalg.generic {indexing_maps = [#image, #image], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x : tensor<1x12x4x4xi32>) outs(%e : tensor<1x12x4x4xi8>) {
  ^bb0(%i: i32, %o: i8):
    %t = arith.trunci %i : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x12x4x4xi8>
  %grid = tensor.expand_shape %a [[0], [1, 2], [3], [4]] output_shape [1, 2, 6, 4, 4] : tensor<1x12x4x4xi8> into tensor<1x2x6x4x4xi8>
  %f = tensor.empty() : tensor<1x6x2x4x4xi8>
  %turned = linalg.transpose ins(%grid : tensor<1x2x6x4x4xi8>) outs(%f : tensor<1x6x2x4x4xi8>) permutation = [0, 2, 1, 3, 4]
  %s = tensor.collapse_shape %turned [[0], [1, 2], [3], [4]] : tensor<1x6x2x4x4xi8> into tensor<1x12x4x4xi8>
  %zero = arith.constant 0 : i32
  %h = tensor.empty() : tensor<1x12x2x2xi32>
  %start = linalg.fill ins(%zero : i32) outs(%h : tensor<1x12x2x2xi32>) -> tensor<1x12x2x2xi32>
  %d = linalg.depthwise_conv_2d_nchw_chw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%s, %w : tensor<1x12x4x4xi8>, tensor<12x3x3xi8>) outs(%start : tensor<1x12x2x2xi32>) -> tensor<1x12x2x2xi32>
  func.return %d : tensor<1x12x2x2xi32>
}

// Rows are placed where they belong, and operands that have channels of their own order are not cut for others.

// CHECK-LABEL: func.func @kept
// CHECK:         [[R:%.*]] = tensor.concat dim(2)
// CHECK:         linalg.generic {{.*}} ins([[R]] :
// CHECK:         [[C:%.*]] = tensor.extract_slice
// CHECK:         linalg.generic {{.*}} ins([[C]], %b :
func.func @kept(%x: tensor<1x24x4x4xi32>, %y: tensor<1x12x4x4xi32>) -> (tensor<1x24x8x4xi8>, tensor<1x12x4x4xi8>) {
  %e = tensor.empty() : tensor<1x24x4x4xi8>
  %a = linalg.generic {indexing_maps = [#image, #image], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x : tensor<1x24x4x4xi32>) outs(%e : tensor<1x24x4x4xi8>) {
  ^bb0(%i: i32, %o: i8):
    %t = arith.trunci %i : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x24x4x4xi8>
  %f = tensor.empty() : tensor<1x12x4x4xi8>
  %b = linalg.generic {indexing_maps = [#image, #image], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%y : tensor<1x12x4x4xi32>) outs(%f : tensor<1x12x4x4xi8>) {
  ^bb0(%i: i32, %o: i8):
    %t = arith.trunci %i : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x12x4x4xi8>
  %rows = tensor.concat dim(2) %a, %a : (tensor<1x24x4x4xi8>, tensor<1x24x4x4xi8>) -> tensor<1x24x8x4xi8>
  %g = tensor.empty() : tensor<1x24x8x4xi8>
  %d = linalg.generic {indexing_maps = [#image, #image], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%rows : tensor<1x24x8x4xi8>) outs(%g : tensor<1x24x8x4xi8>) {
  ^bb0(%i: i8, %o: i8):
    %s = arith.extsi %i : i8 to i32
    %r = arith.addi %s, %s : i32
    %t = arith.trunci %r : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x24x8x4xi8>
  %c = tensor.extract_slice %a[0, 6, 0, 0] [1, 12, 4, 4] [1, 1, 1, 1] : tensor<1x24x4x4xi8> to tensor<1x12x4x4xi8>
  %h = tensor.empty() : tensor<1x12x4x4xi8>
  %k = linalg.generic {indexing_maps = [#image, #image, #image], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%c, %b : tensor<1x12x4x4xi8>, tensor<1x12x4x4xi8>) outs(%h : tensor<1x12x4x4xi8>) {
  ^bb0(%i: i8, %j: i8, %o: i8):
    %s = arith.extsi %i : i8 to i32
    %u = arith.extsi %j : i8 to i32
    %r = arith.addi %s, %u : i32
    %t = arith.trunci %r : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x12x4x4xi8>
  func.return %d, %k : tensor<1x24x8x4xi8>, tensor<1x12x4x4xi8>
}
