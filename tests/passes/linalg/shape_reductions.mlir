// RUN: vtac-opt %s -p shape-reductions | filecheck %s
// RUN: vtac-opt %s -p shape-reductions,shape-reductions | filecheck %s

// Sums along rows are a pooling with windows of a row; a mean that keeps its dimensions has windows of an image.

// CHECK-LABEL: func.func @rows
// CHECK:         [[X:%.*]] = packing.reshape %x : tensor<6x20xi8> to tensor<1x1x6x20xi8>
// CHECK:         [[W:%.*]] = tensor.empty() : tensor<1x20xi32>
// CHECK:         %y = linalg.generic
// CHECK-SAME:      ((d0 + d4), d1, d2, (d3 + d5))
// CHECK-SAME:      ins([[X]], [[W]] : tensor<1x1x6x20xi8>, tensor<1x20xi32>) outs({{.*}} : tensor<1x1x6x1xi32>)
// CHECK:         packing.reshape %y : tensor<1x1x6x1xi32> to tensor<6xi32>
func.func @rows(%x: tensor<6x20xi8>, %s: tensor<6xi32>) -> tensor<6xi32> {
  %y = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>],
      iterator_types = ["parallel", "reduction"]} ins(%x : tensor<6x20xi8>) outs(%s : tensor<6xi32>) {
  ^bb0(%v: i8, %o: i32):
    %w = arith.extsi %v : i8 to i32
    %r = arith.addi %o, %w : i32
    linalg.yield %r : i32
  } -> tensor<6xi32>
  func.return %y : tensor<6xi32>
}

// CHECK-LABEL: func.func @images
// CHECK:         tensor.empty() : tensor<7x7xi32>
// CHECK:         linalg.generic
// CHECK-SAME:      (d0, d1, (d2 + d4), (d3 + d5))
// CHECK-SAME:      outs(%s : tensor<2x3x1x1xi32>)
func.func @images(%x: tensor<2x3x7x7xi8>, %s: tensor<2x3x1x1xi32>) -> tensor<2x3x1x1xi32> {
  %y = linalg.generic {indexing_maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>, affine_map<(a, b, c, d) -> (a, b, 0, 0)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x : tensor<2x3x7x7xi8>) outs(%s : tensor<2x3x1x1xi32>) {
  ^bb0(%v: i8, %o: i32):
    %w = arith.extsi %v : i8 to i32
    %r = arith.addi %o, %w : i32
    linalg.yield %r : i32
  } -> tensor<2x3x1x1xi32>
  func.return %y : tensor<2x3x1x1xi32>
}

// Products of vectors get a column, and a row.

// CHECK-LABEL: func.func @vectors
// CHECK:         packing.reshape %v : tensor<8xi8> to tensor<8x1xi8>
// CHECK:         %y = linalg.generic {{.*}} outs({{.*}} : tensor<4x1xi32>)
// CHECK:         [[V:%.*]] = packing.reshape %v : tensor<8xi8> to tensor<1x8xi8>
// CHECK:         [[U:%.*]] = packing.reshape %v : tensor<8xi8> to tensor<8x1xi8>
// CHECK:         %z = linalg.generic {{.*}} ins([[V]], [[U]] : {{.*}} outs({{.*}} : tensor<1x1xi32>)
func.func @vectors(%a: tensor<4x8xi8>, %v: tensor<8xi8>, %s: tensor<4xi32>, %t: tensor<i32>) -> (tensor<4xi32>, tensor<i32>) {
  %y = linalg.matvec ins(%a, %v : tensor<4x8xi8>, tensor<8xi8>) outs(%s : tensor<4xi32>) -> tensor<4xi32>
  %z = linalg.dot ins(%v, %v : tensor<8xi8>, tensor<8xi8>) outs(%t : tensor<i32>) -> tensor<i32>
  func.return %y, %z : tensor<4xi32>, tensor<i32>
}

// Declined: a maximum of more elements than are taken one by one.

// CHECK-LABEL: func.func @long
// CHECK-NOT:     packing.reshape
func.func @long(%x: tensor<6x65xi8>, %s: tensor<6xi8>) -> tensor<6xi8> {
  %y = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>],
      iterator_types = ["parallel", "reduction"]} ins(%x : tensor<6x65xi8>) outs(%s : tensor<6xi8>) {
  ^bb0(%v: i8, %o: i8):
    %r = arith.maxsi %o, %v : i8
    linalg.yield %r : i8
  } -> tensor<6xi8>
  func.return %y : tensor<6xi8>
}
