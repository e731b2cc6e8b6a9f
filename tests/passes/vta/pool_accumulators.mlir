// RUN: vtac-opt %s -p pool-accumulators | filecheck %s
// RUN: vtac-opt %s -p pool-accumulators,pool-accumulators | filecheck %s

// The bias, the shift and the bounds come behind the maxima of windows of the sums, in the layout of the pooling.

// CHECK-LABEL: func.func @conv
// CHECK:         %[[LEAST:.*]] = arith.constant -2147483648 : i32
// CHECK:         %[[START:.*]] = linalg.fill ins(%[[LEAST]] : i32)
// CHECK:         %[[MOST:.*]] = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, ((d2 * 2) + d4), ((d3 * 2) + d5))>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d4, d5)>
// CHECK-SAME:      ins(%sum, %{{.*}} : tensor<1x16x8x8xi32>, tensor<2x2xi32>) outs(%[[START]] : tensor<1x16x4x4xi32>)
// CHECK:           arith.maxsi
// CHECK:         %p = linalg.generic
// CHECK-SAME:      ins(%[[MOST]], %b : tensor<1x16x4x4xi32>, tensor<16xi32>)
// CHECK:           arith.addi
// CHECK:           arith.shrsi
// CHECK:           arith.trunci
// CHECK-NOT:     linalg.pooling
func.func @conv(%x: tensor<1x16x8x8xi8>, %b: tensor<16xi32>) -> tensor<1x16x4x4xi8> {
  %k = arith.constant dense<3> : tensor<16x16x1x1xi8>
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x16x8x8xi32>
  %start = linalg.fill ins(%zero : i32) outs(%e : tensor<1x16x8x8xi32>) -> tensor<1x16x8x8xi32>
  %sum = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %k : tensor<1x16x8x8xi8>, tensor<16x16x1x1xi8>) outs(%start : tensor<1x16x8x8xi32>) -> tensor<1x16x8x8xi32>
  %e8 = tensor.empty() : tensor<1x16x8x8xi8>
  %y = linalg.generic {
    indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (c)>, affine_map<(n, c, h, w) -> (n, c, h, w)>],
    iterator_types = ["parallel", "parallel", "parallel", "parallel"]
  } ins(%sum, %b : tensor<1x16x8x8xi32>, tensor<16xi32>) outs(%e8 : tensor<1x16x8x8xi8>) {
  ^bb0(%s: i32, %c: i32, %o: i8):
    %seven = arith.constant 7 : i32
    %low = arith.constant -128 : i32
    %high = arith.constant 127 : i32
    %bounded = arith.maxsi %c, %low : i32
    %bias = arith.minsi %bounded, %high : i32
    %a = arith.addi %s, %bias : i32
    %h = arith.shrsi %a, %seven : i32
    %l = arith.maxsi %h, %low : i32
    %m = arith.minsi %l, %high : i32
    %r = arith.trunci %m : i32 to i8
    linalg.yield %r : i8
  } -> tensor<1x16x8x8xi8>
  %least = arith.constant -128 : i8
  %ep = tensor.empty() : tensor<1x16x4x4xi8>
  %first = linalg.fill ins(%least : i8) outs(%ep : tensor<1x16x4x4xi8>) -> tensor<1x16x4x4xi8>
  %window = tensor.empty() : tensor<2x2xi8>
  %p = linalg.pooling_nchw_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>} ins(%y, %window : tensor<1x16x8x8xi8>, tensor<2x2xi8>) outs(%first : tensor<1x16x4x4xi8>) -> tensor<1x16x4x4xi8>
  func.return %p : tensor<1x16x4x4xi8>
}

// A sum that may wrap, a body that falls, and a tensor that something else reads: the pooling stays.

// CHECK-LABEL: func.func @wraps
// CHECK:         linalg.pooling_nchw_max
// CHECK-LABEL: func.func @falls
// CHECK:         linalg.pooling_nchw_max
// CHECK-LABEL: func.func @read
// CHECK:         linalg.pooling_nchw_max
func.func @wraps(%x: tensor<1x16x8x8xi8>, %b: tensor<16xi32>) -> tensor<1x16x4x4xi8> {
  %k = arith.constant dense<3> : tensor<16x16x1x1xi8>
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x16x8x8xi32>
  %start = linalg.fill ins(%zero : i32) outs(%e : tensor<1x16x8x8xi32>) -> tensor<1x16x8x8xi32>
  %sum = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %k : tensor<1x16x8x8xi8>, tensor<16x16x1x1xi8>) outs(%start : tensor<1x16x8x8xi32>) -> tensor<1x16x8x8xi32>
  %e8 = tensor.empty() : tensor<1x16x8x8xi8>
  %y = linalg.generic {
    indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (c)>, affine_map<(n, c, h, w) -> (n, c, h, w)>],
    iterator_types = ["parallel", "parallel", "parallel", "parallel"]
  } ins(%sum, %b : tensor<1x16x8x8xi32>, tensor<16xi32>) outs(%e8 : tensor<1x16x8x8xi8>) {
  ^bb0(%s: i32, %c: i32, %o: i8):
    %seven = arith.constant 7 : i32
    %low = arith.constant -128 : i32
    %high = arith.constant 127 : i32
    %bounded = arith.maxsi %c, %low : i32
    %bias = arith.minsi %bounded, %high : i32
    %a = arith.addi %s, %c : i32
    %h = arith.shrsi %a, %seven : i32
    %l = arith.maxsi %h, %low : i32
    %m = arith.minsi %l, %high : i32
    %r = arith.trunci %m : i32 to i8
    linalg.yield %r : i8
  } -> tensor<1x16x8x8xi8>
  %least = arith.constant -128 : i8
  %ep = tensor.empty() : tensor<1x16x4x4xi8>
  %first = linalg.fill ins(%least : i8) outs(%ep : tensor<1x16x4x4xi8>) -> tensor<1x16x4x4xi8>
  %window = tensor.empty() : tensor<2x2xi8>
  %p = linalg.pooling_nchw_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>} ins(%y, %window : tensor<1x16x8x8xi8>, tensor<2x2xi8>) outs(%first : tensor<1x16x4x4xi8>) -> tensor<1x16x4x4xi8>
  func.return %p : tensor<1x16x4x4xi8>
}
func.func @falls(%x: tensor<1x16x8x8xi8>, %b: tensor<16xi32>) -> tensor<1x16x4x4xi8> {
  %k = arith.constant dense<3> : tensor<16x16x1x1xi8>
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x16x8x8xi32>
  %start = linalg.fill ins(%zero : i32) outs(%e : tensor<1x16x8x8xi32>) -> tensor<1x16x8x8xi32>
  %sum = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %k : tensor<1x16x8x8xi8>, tensor<16x16x1x1xi8>) outs(%start : tensor<1x16x8x8xi32>) -> tensor<1x16x8x8xi32>
  %e8 = tensor.empty() : tensor<1x16x8x8xi8>
  %y = linalg.generic {
    indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (c)>, affine_map<(n, c, h, w) -> (n, c, h, w)>],
    iterator_types = ["parallel", "parallel", "parallel", "parallel"]
  } ins(%sum, %b : tensor<1x16x8x8xi32>, tensor<16xi32>) outs(%e8 : tensor<1x16x8x8xi8>) {
  ^bb0(%s: i32, %c: i32, %o: i8):
    %two = arith.constant 2 : i32
    %r = arith.trunci %s : i32 to i8
    linalg.yield %r : i8
  } -> tensor<1x16x8x8xi8>
  %least = arith.constant -128 : i8
  %ep = tensor.empty() : tensor<1x16x4x4xi8>
  %first = linalg.fill ins(%least : i8) outs(%ep : tensor<1x16x4x4xi8>) -> tensor<1x16x4x4xi8>
  %window = tensor.empty() : tensor<2x2xi8>
  %p = linalg.pooling_nchw_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>} ins(%y, %window : tensor<1x16x8x8xi8>, tensor<2x2xi8>) outs(%first : tensor<1x16x4x4xi8>) -> tensor<1x16x4x4xi8>
  func.return %p : tensor<1x16x4x4xi8>
}
func.func @read(%x: tensor<1x16x8x8xi8>, %b: tensor<16xi32>) -> (tensor<1x16x4x4xi8>, tensor<1x16x8x8xi8>) {
  %k = arith.constant dense<3> : tensor<16x16x1x1xi8>
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x16x8x8xi32>
  %start = linalg.fill ins(%zero : i32) outs(%e : tensor<1x16x8x8xi32>) -> tensor<1x16x8x8xi32>
  %sum = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %k : tensor<1x16x8x8xi8>, tensor<16x16x1x1xi8>) outs(%start : tensor<1x16x8x8xi32>) -> tensor<1x16x8x8xi32>
  %e8 = tensor.empty() : tensor<1x16x8x8xi8>
  %y = linalg.generic {
    indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (c)>, affine_map<(n, c, h, w) -> (n, c, h, w)>],
    iterator_types = ["parallel", "parallel", "parallel", "parallel"]
  } ins(%sum, %b : tensor<1x16x8x8xi32>, tensor<16xi32>) outs(%e8 : tensor<1x16x8x8xi8>) {
  ^bb0(%s: i32, %c: i32, %o: i8):
    %seven = arith.constant 7 : i32
    %low = arith.constant -128 : i32
    %high = arith.constant 127 : i32
    %bounded = arith.maxsi %c, %low : i32
    %bias = arith.minsi %bounded, %high : i32
    %a = arith.addi %s, %bias : i32
    %h = arith.shrsi %a, %seven : i32
    %l = arith.maxsi %h, %low : i32
    %m = arith.minsi %l, %high : i32
    %r = arith.trunci %m : i32 to i8
    linalg.yield %r : i8
  } -> tensor<1x16x8x8xi8>
  %least = arith.constant -128 : i8
  %ep = tensor.empty() : tensor<1x16x4x4xi8>
  %first = linalg.fill ins(%least : i8) outs(%ep : tensor<1x16x4x4xi8>) -> tensor<1x16x4x4xi8>
  %window = tensor.empty() : tensor<2x2xi8>
  %p = linalg.pooling_nchw_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>} ins(%y, %window : tensor<1x16x8x8xi8>, tensor<2x2xi8>) outs(%first : tensor<1x16x4x4xi8>) -> tensor<1x16x4x4xi8>
  func.return %p, %y : tensor<1x16x4x4xi8>, tensor<1x16x8x8xi8>
}
