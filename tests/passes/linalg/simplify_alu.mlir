// RUN: vtac-opt %s -p simplify-alu | filecheck %s
// RUN: vtac-opt %s -p simplify-alu,simplify-alu | filecheck %s

// Additions before and after a bound come together in the bias, and a bound that never binds goes.

// CHECK-LABEL: func.func @product
// CHECK:       [[BIAS:%.*]] = arith.constant dense<[9, 10]> : tensor<2xi32>
// CHECK:       [[START:%.*]] = linalg.broadcast ins([[BIAS]]:tensor<2xi32>)
// CHECK:       linalg.matmul {{.*}} outs([[START]] : tensor<3x2xi32>)
// CHECK:       ^bb0([[SUM:%.*]]: i32, %{{.*}}: i8):
// CHECK-NEXT:    [[N:%.*]] = arith.constant 3 : i32
// CHECK-NEXT:    [[FOUR:%.*]] = arith.constant 4 : i32
// CHECK-NEXT:    [[MAX:%.*]] = arith.maxsi [[SUM]], [[FOUR]] : i32
// CHECK-NEXT:    [[SHIFTED:%.*]] = arith.shrsi [[MAX]], [[N]] : i32
// CHECK-NEXT:    arith.trunci [[SHIFTED]] : i32 to i8
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @product(%x: tensor<3x4xi8>, %w: tensor<4x2xi8>) -> tensor<3x2xi8> {
  %b = arith.constant dense<[4, 5]> : tensor<2xi32>
  %e = tensor.empty() : tensor<3x2xi32>
  %o = tensor.empty() : tensor<3x2xi8>
  %start = linalg.broadcast ins(%b : tensor<2xi32>) outs(%e : tensor<3x2xi32>) dimensions = [0]
  %y = linalg.matmul ins(%x, %w : tensor<3x4xi8>, tensor<4x2xi8>) outs(%start : tensor<3x2xi32>) -> tensor<3x2xi32>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%y : tensor<3x2xi32>) outs(%o : tensor<3x2xi8>) {
  ^bb0(%in: i32, %out: i8):
    %one = arith.constant 1 : i32
    %zero = arith.constant 0 : i32
    %three = arith.constant 3 : i32
    %four = arith.constant 4 : i32
    %many = arith.constant 100000 : i32
    %f = arith.addi %in, %one : i32
    %g = arith.maxsi %f, %zero : i32
    %h = arith.minsi %g, %many : i32
    %i = arith.addi %h, %four : i32
    %j = arith.shrsi %i, %three : i32
    %k = arith.trunci %j : i32 to i8
    linalg.yield %k : i8
  } -> tensor<3x2xi8>
  func.return %q : tensor<3x2xi8>
}

// A start of zeros costs nothing, and the addition is an immediate.

// CHECK-LABEL: func.func @zeros
// CHECK:       linalg.fill
// CHECK:       arith.addi
func.func @zeros(%x: tensor<3x4xi8>, %w: tensor<4x2xi8>) -> tensor<3x2xi32> {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<3x2xi32>
  %start = linalg.fill ins(%zero : i32) outs(%e : tensor<3x2xi32>) -> tensor<3x2xi32>
  %y = linalg.matmul ins(%x, %w : tensor<3x4xi8>, tensor<4x2xi8>) outs(%start : tensor<3x2xi32>) -> tensor<3x2xi32>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%y : tensor<3x2xi32>) outs(%e : tensor<3x2xi32>) {
  ^bb0(%in: i32, %out: i32):
    %one = arith.constant 1 : i32
    %f = arith.addi %in, %one : i32
    linalg.yield %f : i32
  } -> tensor<3x2xi32>
  func.return %q : tensor<3x2xi32>
}

// A constant per channel joins the bias, and is no operand any more.

// CHECK-LABEL: func.func @per_channel
// CHECK:       arith.constant dense<[14, 25]> : tensor<2xi32>
// CHECK:       [[Y:%.*]] = linalg.matmul
// CHECK:       linalg.generic {{.*}} ins([[Y]] : tensor<3x2xi32>)
// CHECK:       ^bb0([[SUM:%.*]]: i32, %{{.*}}: i32):
// CHECK-NEXT:    arith.constant 0 : i32
// CHECK-NEXT:    arith.maxsi [[SUM]]
func.func @per_channel(%x: tensor<3x4xi8>, %w: tensor<4x2xi8>) -> tensor<3x2xi32> {
  %b = arith.constant dense<[4, 5]> : tensor<2xi32>
  %c = arith.constant dense<[10, 20]> : tensor<2xi32>
  %e = tensor.empty() : tensor<3x2xi32>
  %start = linalg.broadcast ins(%b : tensor<2xi32>) outs(%e : tensor<3x2xi32>) dimensions = [0]
  %y = linalg.matmul ins(%x, %w : tensor<3x4xi8>, tensor<4x2xi8>) outs(%start : tensor<3x2xi32>) -> tensor<3x2xi32>
  %q = linalg.generic {indexing_maps = [#id, affine_map<(d0, d1) -> (d1)>, #id], iterator_types = ["parallel", "parallel"]} ins(%y, %c : tensor<3x2xi32>, tensor<2xi32>) outs(%e : tensor<3x2xi32>) {
  ^bb0(%in: i32, %v: i32, %out: i32):
    %zero = arith.constant 0 : i32
    %f = arith.addi %in, %v : i32
    %g = arith.maxsi %f, %zero : i32
    linalg.yield %g : i32
  } -> tensor<3x2xi32>
  func.return %q : tensor<3x2xi32>
}
