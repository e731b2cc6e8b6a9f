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

// The window of a pooling has no elements that are read: it does not decide on the data's, and stays as it is.

#data = affine_map<(n, c, h, w, i, j) -> (n, c, 2 * h + i, 2 * w + j)>
#window = affine_map<(n, c, h, w, i, j) -> (i, j)>
#out = affine_map<(n, c, h, w, i, j) -> (n, c, h, w)>

// CHECK-LABEL: func.func @pooled
// CHECK:       [[P:%.*]] = linalg.pooling_nchw_max {{.*}} ins(%x, %{{.*}} : tensor<2x16x4x4xi8>, tensor<2x2xi32>) outs(%{{.*}} : tensor<2x16x2x2xi8>)
// CHECK-NEXT:  [[Q:%.*]] = tensor.pad [[P]]
// CHECK:       : tensor<2x16x2x2xi8> to tensor<2x16x4x4xi8>
// CHECK:       linalg.generic {{.*}} ins([[Q]] : tensor<2x16x4x4xi8>) outs(%{{.*}} : tensor<16x4x4xi32>)
// CHECK:       arith.extsi
// CHECK-LABEL: func.func @by_hand
// CHECK:       [[P:%.*]] = linalg.generic {{.*}} ins(%x, %{{.*}} : tensor<2x16x4x4xi8>, tensor<2x2xi32>) outs(%{{.*}} : tensor<2x16x2x2xi8>) {
// CHECK-NEXT:  ^{{.*}}(%{{.*}}: i8, %{{.*}}: i32, %{{.*}}: i8):
// CHECK:       linalg.conv_2d_nchw_fchw {{.*}} ins([[P]], %k : tensor<2x16x2x2xi8>, tensor<16x16x1x1xi8>)
func.func @pooled(%x: tensor<2x16x4x4xi8>) -> tensor<16x4x4xi32> {
  %window = tensor.empty() : tensor<2x2xi32>
  %least = arith.constant -128 : i32
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<2x16x2x2xi32>
  %s = linalg.fill ins(%least : i32) outs(%e : tensor<2x16x2x2xi32>) -> tensor<2x16x2x2xi32>
  %p = linalg.pooling_nchw_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}
      ins(%x, %window : tensor<2x16x4x4xi8>, tensor<2x2xi32>) outs(%s : tensor<2x16x2x2xi32>) -> tensor<2x16x2x2xi32>
  %q = tensor.pad %p low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%n: index, %c: index, %h: index, %w: index):
    tensor.yield %zero : i32
  } : tensor<2x16x2x2xi32> to tensor<2x16x4x4xi32>
  %g = tensor.empty() : tensor<16x4x4xi32>
  %f = linalg.fill ins(%zero : i32) outs(%g : tensor<16x4x4xi32>) -> tensor<16x4x4xi32>
  %r = linalg.generic {indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (c, h, w)>],
      iterator_types = ["reduction", "parallel", "parallel", "parallel"]}
      ins(%q : tensor<2x16x4x4xi32>) outs(%f : tensor<16x4x4xi32>) {
  ^bb0(%a: i32, %b: i32):
    %t = arith.addi %a, %b : i32
    linalg.yield %t : i32
  } -> tensor<16x4x4xi32>
  func.return %r : tensor<16x4x4xi32>
}

func.func @by_hand(%x: tensor<2x16x4x4xi8>, %k: tensor<16x16x1x1xi8>) -> tensor<2x16x2x2xi32> {
  %window = tensor.empty() : tensor<2x2xi32>
  %least = arith.constant -128 : i32
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<2x16x2x2xi32>
  %s = linalg.fill ins(%least : i32) outs(%e : tensor<2x16x2x2xi32>) -> tensor<2x16x2x2xi32>
  %p = linalg.generic {indexing_maps = [#data, #window, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %window : tensor<2x16x4x4xi8>, tensor<2x2xi32>) outs(%s : tensor<2x16x2x2xi32>) {
  ^bb0(%a: i8, %b: i32, %c: i32):
    %y = arith.extsi %a : i8 to i32
    %m = arith.maxsi %c, %y : i32
    linalg.yield %m : i32
  } -> tensor<2x16x2x2xi32>
  %wide = tensor.empty() : tensor<16x16x1x1xi32>
  %l = linalg.generic {indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (n, c, h, w)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%k : tensor<16x16x1x1xi8>) outs(%wide : tensor<16x16x1x1xi32>) {
  ^bb0(%a: i8, %b: i32):
    %y = arith.extsi %a : i8 to i32
    linalg.yield %y : i32
  } -> tensor<16x16x1x1xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<2x16x2x2xi32>) -> tensor<2x16x2x2xi32>
  %r = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%p, %l : tensor<2x16x2x2xi32>, tensor<16x16x1x1xi32>) outs(%f : tensor<2x16x2x2xi32>) -> tensor<2x16x2x2xi32>
  func.return %r : tensor<2x16x2x2xi32>
}
