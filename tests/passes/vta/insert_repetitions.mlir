// RUN: vtac-opt %s -p insert-repetitions | filecheck %s
// RUN: vtac-opt %s -p insert-repetitions,insert-repetitions | filecheck %s

// Every element twice along rows and columns: four insertions with a step of 2.

// CHECK-LABEL: func.func @nearest
// CHECK:         [[EMPTY:%.*]] = tensor.empty() : tensor<1x3x4x10xi8>
// CHECK-NEXT:    [[A:%.*]] = tensor.insert_slice %x into [[EMPTY]][0, 0, 0, 0] [1, 3, 2, 5] [1, 1, 2, 2]
// CHECK-NEXT:    [[B:%.*]] = tensor.insert_slice %x into [[A]][0, 0, 0, 1] [1, 3, 2, 5] [1, 1, 2, 2]
// CHECK-NEXT:    [[C:%.*]] = tensor.insert_slice %x into [[B]][0, 0, 1, 0] [1, 3, 2, 5] [1, 1, 2, 2]
// CHECK-NEXT:    %y = tensor.insert_slice %x into [[C]][0, 0, 1, 1] [1, 3, 2, 5] [1, 1, 2, 2]
// CHECK-NEXT:    func.return %y
func.func @nearest(%x: tensor<1x3x2x5xi8>) -> tensor<1x3x4x10xi8> {
  %e = tensor.empty() : tensor<1x3x2x2x5x2xi8>
  %s = linalg.generic {indexing_maps = [affine_map<(n, c, h, i, w, j) -> (n, c, h, w)>, affine_map<(n, c, h, i, w, j) -> (n, c, h, i, w, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%x : tensor<1x3x2x5xi8>) outs(%e : tensor<1x3x2x2x5x2xi8>) {
  ^bb0(%a: i8, %o: i8):
    linalg.yield %a : i8
  } -> tensor<1x3x2x2x5x2xi8>
  %y = tensor.collapse_shape %s [[0], [1], [2, 3], [4, 5]] : tensor<1x3x2x2x5x2xi8> into tensor<1x3x4x10xi8>
  func.return %y : tensor<1x3x4x10xi8>
}

// The whole several times behind itself: insertions of runs.

// CHECK-LABEL: func.func @again
// CHECK:         tensor.insert_slice %x into %{{.*}}[0, 0] [2, 4] [1, 1]
// CHECK-NEXT:    %y = tensor.insert_slice %x into %{{.*}}[0, 4] [2, 4] [1, 1]
func.func @again(%x: tensor<2x4xi8>) -> tensor<2x8xi8> {
  %e = tensor.empty() : tensor<2x2x4xi8>
  %s = linalg.broadcast ins(%x : tensor<2x4xi8>) outs(%e : tensor<2x2x4xi8>) dimensions = [1]
  %y = tensor.collapse_shape %s [[0], [1, 2]] : tensor<2x2x4xi8> into tensor<2x8xi8>
  func.return %y : tensor<2x8xi8>
}

// Other element types, and more repetitions than 64, stay.

// CHECK-LABEL: func.func @others
// CHECK-NOT:     tensor.insert_slice
func.func @others(%x: tensor<2x4xi32>, %b: tensor<2x4xi8>) -> (tensor<2x8xi32>, tensor<2x260xi8>) {
  %e = tensor.empty() : tensor<2x2x4xi32>
  %s = linalg.broadcast ins(%x : tensor<2x4xi32>) outs(%e : tensor<2x2x4xi32>) dimensions = [1]
  %y = tensor.collapse_shape %s [[0], [1, 2]] : tensor<2x2x4xi32> into tensor<2x8xi32>
  %f = tensor.empty() : tensor<2x65x4xi8>
  %t = linalg.broadcast ins(%b : tensor<2x4xi8>) outs(%f : tensor<2x65x4xi8>) dimensions = [1]
  %z = tensor.collapse_shape %t [[0], [1, 2]] : tensor<2x65x4xi8> into tensor<2x260xi8>
  func.return %y, %z : tensor<2x8xi32>, tensor<2x260xi8>
}
