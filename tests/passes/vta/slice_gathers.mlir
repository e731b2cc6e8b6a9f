// RUN: vtac-opt %s -p slice-gathers --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p slice-gathers,slice-gathers --split-input-file --verify-diagnostics | filecheck %s

// Nearest upsampling, as the index of a row divided by 2, and of a column times a scale in floats.

// CHECK-LABEL: func.func @upsampled
// CHECK:         [[R:%.*]] = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4)>, {{.*}}ins(%x : tensor<1x3x4x5xi8>) {{.*}}tensor<1x3x4x2x5x3xi8>
// CHECK:         [[Y:%.*]] = tensor.collapse_shape [[R]] {{.*}}[2 : i64, 3 : i64], [4 : i64, 5 : i64]] {{.*}} into tensor<1x3x8x15xi8>
// CHECK-NEXT:    func.return [[Y]]
func.func @upsampled(%x: tensor<1x3x4x5xi8>) -> tensor<1x3x8x15xi8> {
  %e = tensor.empty() : tensor<1x3x8x15xi8>
  %two = arith.constant 2 : index
  %scale = arith.constant 3.0 : f32
  %y = linalg.generic {indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%e : tensor<1x3x8x15xi8>) {
  ^bb0(%o: i8):
    %n = linalg.index 0 : index
    %c = linalg.index 1 : index
    %h = linalg.index 2 : index
    %w = linalg.index 3 : index
    %i = arith.floordivsi %h, %two : index
    %w64 = arith.index_cast %w : index to i64
    %wf = arith.sitofp %w64 : i64 to f32
    %jf = arith.divf %wf, %scale : f32
    %jr = math.floor %jf : f32
    %j64 = arith.fptosi %jr : f32 to i64
    %j = arith.index_cast %j64 : i64 to index
    %v = tensor.extract %x[%n, %c, %i, %j] : tensor<1x3x4x5xi8>
    linalg.yield %v : i8
  } -> tensor<1x3x8x15xi8>
  func.return %y : tensor<1x3x8x15xi8>
}

// -----

// Rows in the order of a constant: what rises in equal steps is one slice.

// CHECK-LABEL: func.func @chosen
// CHECK:         [[A:%.*]] = tensor.extract_slice %x[1, 0] [3, 4] [2, 1]
// CHECK-NEXT:    [[B:%.*]] = tensor.extract_slice %x[0, 0] [1, 4] [1, 1]
// CHECK-NEXT:    [[Y:%.*]] = tensor.concat dim(0) [[A]], [[B]]
// CHECK-NEXT:    func.return [[Y]]
func.func @chosen(%x: tensor<6x4xi8>) -> tensor<4x4xi8> {
  %e = tensor.empty() : tensor<4x4xi8>
  %rows = arith.constant dense<[1, 3, 5, 0]> : tensor<4xi64>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} ins(%rows : tensor<4xi64>) outs(%e : tensor<4x4xi8>) {
  ^bb0(%r: i64, %o: i8):
    %i = arith.index_cast %r : i64 to index
    %j = linalg.index 1 : index
    %v = tensor.extract %x[%i, %j] : tensor<6x4xi8>
    linalg.yield %v : i8
  } -> tensor<4x4xi8>
  func.return %y : tensor<4x4xi8>
}

// -----

// The same number everywhere: one row, transposed against the other indices.

// CHECK-LABEL: func.func @row
// CHECK:         [[A:%.*]] = tensor.extract_slice %x[0, 2, 0] [3, 1, 4] [1, 1, 1]
// CHECK-NEXT:    [[B:%.*]] = tensor.collapse_shape [[A]] {{.*}} : tensor<3x1x4xi8> into tensor<3x4xi8>
// CHECK:         [[Y:%.*]] = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, {{.*}} ins([[B]] :
// CHECK:         func.return [[Y]]
func.func @row(%x: tensor<3x5x4xi8>) -> tensor<4x3xi8> {
  %e = tensor.empty() : tensor<4x3xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<4x3xi8>) {
  ^bb0(%o: i8):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %two = arith.constant 2 : index
    %v = tensor.extract %x[%j, %two, %i] : tensor<3x5x4xi8>
    linalg.yield %v : i8
  } -> tensor<4x3xi8>
  func.return %y : tensor<4x3xi8>
}

// -----

// Indices that are no constants stay, as do those of two loops.

// CHECK-LABEL: func.func @kept
// CHECK:         tensor.extract %x
// CHECK:         tensor.extract %x
func.func @kept(%x: tensor<9xi8>, %rows: tensor<4xi64>) -> (tensor<4xi8>, tensor<4x5xi8>) {
  %e = tensor.empty() : tensor<4xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%rows : tensor<4xi64>) outs(%e : tensor<4xi8>) {
  ^bb0(%r: i64, %o: i8):
    %i = arith.index_cast %r : i64 to index
    %v = tensor.extract %x[%i] : tensor<9xi8>
    linalg.yield %v : i8
  } -> tensor<4xi8>
  %f = tensor.empty() : tensor<4x5xi8>
  %z = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} outs(%f : tensor<4x5xi8>) {
  ^bb0(%o: i8):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = arith.addi %i, %j : index
    %v = tensor.extract %x[%k] : tensor<9xi8>
    linalg.yield %v : i8
  } -> tensor<4x5xi8>
  func.return %y, %z : tensor<4xi8>, tensor<4x5xi8>
}

// -----

func.func @outside(%x: tensor<4xi8>) -> tensor<4xi8> {
  %e = tensor.empty() : tensor<4xi8>
  %one = arith.constant 1 : index
  // expected-error@+1 {{'tensor.extract' reads index 1 to 4 of dimension 0, whose extent is 4; indices from 0 to 3 are required}}
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%e : tensor<4xi8>) {
  ^bb0(%o: i8):
    %i = linalg.index 0 : index
    %j = arith.addi %i, %one : index
    %v = tensor.extract %x[%j] : tensor<4xi8>
    linalg.yield %v : i8
  } -> tensor<4xi8>
  func.return %y : tensor<4xi8>
}
