// RUN: vtac-opt %s -p multiply-channel-moves | filecheck %s
// RUN: vtac-opt %s -p multiply-channel-moves,multiply-channel-moves | filecheck %s

#rows = affine_map<(n, c) -> (n, c)>

// An addition reads channels of a tile that lie in another: a product with the unit matrix gives them.

// CHECK-LABEL: func.func @added
// CHECK:         [[C:%.*]] = tensor.extract_slice %a[0, 6] [3, 2] [1, 1]
// CHECK-NEXT:    [[U:%.*]] = arith.constant dense<[{{.*}}1, 0], [0, 1]]> : tensor<2x2xi8>
// CHECK:         [[S:%.*]] = linalg.generic {{.*}} ins([[C]], [[U]] : tensor<3x2xi8>, tensor<2x2xi8>) outs({{.*}} : tensor<3x2xi32>)
// CHECK:         [[M:%.*]] = linalg.generic {{.*}} ins([[S]] : tensor<3x2xi32>) {{.*}}packing.choice = "2 channels that lie across tiles are moved by a product of 12 MACs; join, cut and shuffle channels in multiples of 16"
// CHECK:         linalg.generic {{.*}} ins([[M]], %b :
func.func @added(%x: tensor<3x24xi32>, %y: tensor<3x2xi32>) -> tensor<3x2xi8> {
  %e = tensor.empty() : tensor<3x24xi8>
  %a = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<3x24xi32>) outs(%e : tensor<3x24xi8>) {
  ^bb0(%i: i32, %o: i8):
    %t = arith.trunci %i : i32 to i8
    linalg.yield %t : i8
  } -> tensor<3x24xi8>
  %f = tensor.empty() : tensor<3x2xi8>
  %b = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]} ins(%y : tensor<3x2xi32>) outs(%f : tensor<3x2xi8>) {
  ^bb0(%i: i32, %o: i8):
    %t = arith.trunci %i : i32 to i8
    linalg.yield %t : i8
  } -> tensor<3x2xi8>
  %c = tensor.extract_slice %a[0, 6] [3, 2] [1, 1] : tensor<3x24xi8> to tensor<3x2xi8>
  %h = tensor.empty() : tensor<3x2xi8>
  %k = linalg.generic {indexing_maps = [#rows, #rows, #rows], iterator_types = ["parallel", "parallel"]} ins(%c, %b : tensor<3x2xi8>, tensor<3x2xi8>) outs(%h : tensor<3x2xi8>) {
  ^bb0(%i: i8, %j: i8, %o: i8):
    %s = arith.extsi %i : i8 to i32
    %u = arith.extsi %j : i8 to i32
    %r = arith.addi %s, %u : i32
    %t = arith.trunci %r : i32 to i8
    linalg.yield %t : i8
  } -> tensor<3x2xi8>
  func.return %k : tensor<3x2xi8>
}

// A product with a given kernel takes the cut into it, and a result is cut by the host.

// CHECK-LABEL: func.func @read
// CHECK-NOT:     arith.constant dense
// CHECK:         [[C:%.*]] = tensor.extract_slice %a[0, 6] [3, 2] [1, 1]
// CHECK:         linalg.matmul {{.*}}ins([[C]], %w :
// CHECK:         func.return {{%.*}}, [[C]]
func.func @read(%x: tensor<3x24xi32>, %w: tensor<2x5xi8>, %start: tensor<3x5xi32>) -> (tensor<3x5xi32>, tensor<3x2xi8>) {
  %e = tensor.empty() : tensor<3x24xi8>
  %a = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<3x24xi32>) outs(%e : tensor<3x24xi8>) {
  ^bb0(%i: i32, %o: i8):
    %t = arith.trunci %i : i32 to i8
    linalg.yield %t : i8
  } -> tensor<3x24xi8>
  %c = tensor.extract_slice %a[0, 6] [3, 2] [1, 1] : tensor<3x24xi8> to tensor<3x2xi8>
  %p = linalg.matmul ins(%c, %w : tensor<3x2xi8>, tensor<2x5xi8>) outs(%start : tensor<3x5xi32>) -> tensor<3x5xi32>
  func.return %p, %c : tensor<3x5xi32>, tensor<3x2xi8>
}
