// RUN: vtac-opt %s -p split-device-operations,pack-device-functions | filecheck %s
// RUN: vtac-opt %s -p split-device-operations,pack-device-functions,pack-device-functions | filecheck %s

// Operands are packed at the call, weights by features and channels, a bias into lanes and repeated for each row; the
// result is unpacked after it. GEMM adds the residual by a weight tile with ones on its diagonal.

// CHECK-LABEL: func.func @net
// CHECK:         [[DATA:%.*]] = packing.pack %x dims [0, 1] tiles [1, 16] order [0, 1] {packing.any_fill} : tensor<4x32xi8> to tensor<4x2x1x16xi8>
// CHECK:         [[WEIGHT:%.*]] = packing.pack %w dims [1, 0] tiles [16, 16] order [1, 0] : tensor<32x20xi8> to tensor<2x2x16x16xi8>
// CHECK:         [[LANES:%.*]] = packing.pack %b dims [0] tiles [16] order [0]
// CHECK:         [[BIAS:%.*]] = linalg.broadcast ins([[LANES]]
// CHECK:         [[RESIDUAL:%.*]] = packing.pack %r dims [0, 1] tiles [1, 16] order [0, 1]
// CHECK:         [[RESULT:%.*]] = func.call @net_0([[DATA]], [[WEIGHT]], [[BIAS]], [[RESIDUAL]], {{.*}}) {packing.layer = "y"}
// CHECK-NEXT:    %y = packing.unpack [[RESULT]] dims [0, 1] tiles [1, 16] order [0, 1] : tensor<4x2x1x16xi8> to tensor<4x20xi8>
// CHECK:       func.func private @net_0(%data: tensor<4x2x1x16xi8>, %weight: tensor<2x2x16x16xi8>, %b: tensor<2x1x16xi32>, %r: tensor<4x2x1x16xi8>, %number: tensor<1x16xi32>) -> tensor<4x2x1x16xi8> attributes {packing.device} {
// CHECK:         iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
// CHECK:         %eye = arith.constant dense<{{.*}}> : tensor<16x16xi8>
// CHECK:         linalg.generic {{.*}} ins(%r, %eye
// CHECK-NOT:     tensor<4x20x
#id = affine_map<(d0, d1) -> (d0, d1)>
#col = affine_map<(d0, d1) -> (d1)>
func.func @net(%x: tensor<4x32xi8>, %w: tensor<32x20xi8>, %r: tensor<4x20xi8>, %b: tensor<20xi32>) -> tensor<4x20xi8> {
  %y = func.call @net_0(%x, %w, %r, %b) {packing.layer = "y"} : (tensor<4x32xi8>, tensor<32x20xi8>, tensor<4x20xi8>, tensor<20xi32>) -> tensor<4x20xi8>
  func.return %y : tensor<4x20xi8>
}
func.func private @net_0(%x: tensor<4x32xi8>, %w: tensor<32x20xi8>, %r: tensor<4x20xi8>, %b: tensor<20xi32>) -> tensor<4x20xi8> attributes {packing.device, packing.plain, packing.order = array<i64: 0, 1>} {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<4x20xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<4x20xi32>) -> tensor<4x20xi32>
  %p = linalg.matmul ins(%x, %w : tensor<4x32xi8>, tensor<32x20xi8>) outs(%f : tensor<4x20xi32>) -> tensor<4x20xi32>
  %o = tensor.empty() : tensor<4x20xi8>
  %y = linalg.generic {indexing_maps = [#id, #id, #col, #id], iterator_types = ["parallel", "parallel"]}
    ins(%p, %r, %b : tensor<4x20xi32>, tensor<4x20xi8>, tensor<20xi32>) outs(%o : tensor<4x20xi8>) {
  ^bb0(%a0: i32, %a8: i8, %a2: i32, %out: i8):
    %a1 = arith.extsi %a8 : i8 to i32
    %s0 = arith.addi %a0, %a1 : i32
    %s1 = arith.addi %s0, %a2 : i32
    %c7 = arith.constant 7 : i32
    %s2 = arith.shrsi %s1, %c7 : i32
    %s3 = arith.constant 100000 : i32
    %s4 = arith.minsi %s2, %s3 : i32
    %t = arith.trunci %s4 : i32 to i8
    linalg.yield %t : i8
  } -> tensor<4x20xi8>
  func.return %y : tensor<4x20xi8>
}
