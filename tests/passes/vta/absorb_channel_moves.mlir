// RUN: vtac-opt %s -p absorb-channel-moves | filecheck %s
// RUN: vtac-opt %s -p absorb-channel-moves,absorb-channel-moves | filecheck %s

// 24 and 20 channels lie in tiles of their own, and the kernel has zeros between.

// CHECK-LABEL: func.func @joined
// CHECK:         packing.unspecified : tensor<1x64x4x4xi8>
// CHECK:         [[A:%.*]] = tensor.insert_slice %a into {{%.*}}[0, 0, 0, 0] [1, 24, 4, 4] [1, 1, 1, 1]
// CHECK-NEXT:    [[C:%.*]] = tensor.insert_slice %b into [[A]][0, 32, 0, 0] [1, 20, 4, 4] [1, 1, 1, 1]
// CHECK:         [[Z:%.*]] = arith.constant dense<0> : tensor<9x64x1x1xi8>
// CHECK-NEXT:    [[W0:%.*]] = tensor.extract_slice %w[0, 0, 0, 0] [9, 24, 1, 1] [1, 1, 1, 1]
// CHECK-NEXT:    [[V0:%.*]] = tensor.insert_slice [[W0]] into [[Z]][0, 0, 0, 0]
// CHECK-NEXT:    [[W1:%.*]] = tensor.extract_slice %w[0, 24, 0, 0] [9, 20, 1, 1] [1, 1, 1, 1]
// CHECK-NEXT:    [[V:%.*]] = tensor.insert_slice [[W1]] into [[V0]][0, 32, 0, 0]
// CHECK-NEXT:    linalg.conv_2d_nchw_fchw {{.*}} ins([[C]], [[V]] : tensor<1x64x4x4xi8>, tensor<9x64x1x1xi8>)
func.func @joined(%x: tensor<1x24x4x4xi32>, %y: tensor<1x20x4x4xi32>, %w: tensor<9x44x1x1xi8>, %s: tensor<1x9x4x4xi32>) -> tensor<1x9x4x4xi32> {
  %e = tensor.empty() : tensor<1x24x4x4xi8>
  %a = linalg.generic {indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (n, c, h, w)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x : tensor<1x24x4x4xi32>) outs(%e : tensor<1x24x4x4xi8>) {
  ^bb0(%i: i32, %o: i8):
    %t = arith.trunci %i : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x24x4x4xi8>
  %f = tensor.empty() : tensor<1x20x4x4xi8>
  %b = linalg.generic {indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (n, c, h, w)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%y : tensor<1x20x4x4xi32>) outs(%f : tensor<1x20x4x4xi8>) {
  ^bb0(%i: i32, %o: i8):
    %t = arith.trunci %i : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x20x4x4xi8>
  %c = tensor.concat dim(1) %a, %b : (tensor<1x24x4x4xi8>, tensor<1x20x4x4xi8>) -> tensor<1x44x4x4xi8>
  %r = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%c, %w : tensor<1x44x4x4xi8>, tensor<9x44x1x1xi8>) outs(%s : tensor<1x9x4x4xi32>) -> tensor<1x9x4x4xi32>
  func.return %r : tensor<1x9x4x4xi32>
}

// What is given is joined by the host, which packs it; whole tiles lie behind one another.

// CHECK-LABEL: func.func @given
// CHECK:         tensor.concat
// CHECK-NEXT:    linalg.conv_2d_nchw_fchw
func.func @given(%a: tensor<1x24x4x4xi8>, %b: tensor<1x20x4x4xi8>, %w: tensor<9x44x1x1xi8>, %s: tensor<1x9x4x4xi32>) -> tensor<1x9x4x4xi32> {
  %c = tensor.concat dim(1) %a, %b : (tensor<1x24x4x4xi8>, tensor<1x20x4x4xi8>) -> tensor<1x44x4x4xi8>
  %r = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%c, %w : tensor<1x44x4x4xi8>, tensor<9x44x1x1xi8>) outs(%s : tensor<1x9x4x4xi32>) -> tensor<1x9x4x4xi32>
  func.return %r : tensor<1x9x4x4xi32>
}
