// RUN: vtac-opt %s -p narrow-integers | filecheck %s
// RUN: vtac-opt %s -p narrow-integers,narrow-integers | filecheck %s

// As PyTorch's integer convolutions are printed: factors of i32 that are bytes, sums of i64 that are truncated.

// CHECK-LABEL: func.func @product
// CHECK:       [[START:%.*]] = linalg.fill ins(%{{.*}} : i32)
// CHECK:       [[Y:%.*]] = linalg.matmul ins(%x, %w : tensor<4x8xi8>, tensor<8x16xi8>) outs([[START]] : tensor<4x16xi32>)
// CHECK-NOT:   i64
// CHECK:       func.return [[Y]]
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @product(%x: tensor<4x8xi8>, %w: tensor<8x16xi8>) -> tensor<4x16xi32> {
  %zero = arith.constant 0 : i64
  %ex = tensor.empty() : tensor<4x8xi32>
  %ew = tensor.empty() : tensor<8x16xi32>
  %ey = tensor.empty() : tensor<4x16xi64>
  %o = tensor.empty() : tensor<4x16xi32>
  %wx = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xi8>) outs(%ex : tensor<4x8xi32>) {
  ^bb0(%a: i8, %out: i32):
    %f = arith.extsi %a : i8 to i32
    linalg.yield %f : i32
  } -> tensor<4x8xi32>
  %ww = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%w : tensor<8x16xi8>) outs(%ew : tensor<8x16xi32>) {
  ^bb0(%a: i8, %out: i32):
    %f = arith.extsi %a : i8 to i32
    linalg.yield %f : i32
  } -> tensor<8x16xi32>
  %start = linalg.fill ins(%zero : i64) outs(%ey : tensor<4x16xi64>) -> tensor<4x16xi64>
  %y = linalg.matmul ins(%wx, %ww : tensor<4x8xi32>, tensor<8x16xi32>) outs(%start : tensor<4x16xi64>) -> tensor<4x16xi64>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%y : tensor<4x16xi64>) outs(%o : tensor<4x16xi32>) {
  ^bb0(%a: i64, %out: i32):
    %f = arith.trunci %a : i64 to i32
    linalg.yield %f : i32
  } -> tensor<4x16xi32>
  func.return %q : tensor<4x16xi32>
}

// Bytes that are added as bytes wrap; unsigned bytes are signed ones with the top bit turned over.

// CHECK-LABEL: func.func @bytes
// CHECK:       [[A:%.*]] = arith.extsi %{{.*}} : i8 to i32
// CHECK:       [[B:%.*]] = arith.extsi %{{.*}} : i8 to i32
// CHECK:       [[SUM:%.*]] = arith.addi [[A]], [[B]] : i32
// CHECK:       [[N:%.*]] = arith.constant 24 : i32
// CHECK:       [[UP:%.*]] = arith.shli [[SUM]], [[N]] : i32
// CHECK:       arith.shrsi [[UP]], [[N]] : i32
// CHECK:       arith.maxsi %{{.*}}, %{{.*}} : i32
// CHECK:       arith.trunci %{{.*}} : i32 to i8
func.func @bytes(%x: tensor<4x8xi8>, %y: tensor<4x8xi8>) -> tensor<4x8xi8> {
  %o = tensor.empty() : tensor<4x8xi8>
  %three = arith.constant 3 : i8
  %q = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %y : tensor<4x8xi8>, tensor<4x8xi8>) outs(%o : tensor<4x8xi8>) {
  ^bb0(%a: i8, %b: i8, %out: i8):
    %f = arith.addi %a, %b : i8
    %g = arith.maxsi %f, %three : i8
    linalg.yield %g : i8
  } -> tensor<4x8xi8>
  func.return %q : tensor<4x8xi8>
}

// A 64-bit argument stays what it is, and what is computed from it, too.

// CHECK-LABEL: func.func @wide
// CHECK:       arith.shrsi %{{.*}}, %{{.*}} : i64
func.func @wide(%x: tensor<4x8xi64>) -> tensor<4x8xi32> {
  %o = tensor.empty() : tensor<4x8xi32>
  %three = arith.constant 3 : i64
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xi64>) outs(%o : tensor<4x8xi32>) {
  ^bb0(%a: i64, %out: i32):
    %f = arith.shrsi %a, %three : i64
    %g = arith.trunci %f : i64 to i32
    linalg.yield %g : i32
  } -> tensor<4x8xi32>
  func.return %q : tensor<4x8xi32>
}
