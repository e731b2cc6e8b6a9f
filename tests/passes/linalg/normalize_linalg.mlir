// RUN: vtac-opt %s -p normalize-linalg | filecheck %s
// RUN: vtac-opt %s -p normalize-linalg,normalize-linalg | filecheck %s

// A named operation, and loops in the order of what is read instead of what is written.

// CHECK-LABEL: func.func @forms
// CHECK:       linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>]
// CHECK:         arith.addi
// CHECK:       linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>]
// CHECK:         [[FIVE:%.*]] = arith.constant 5 : i32
// CHECK:         [[SUM:%.*]] = arith.addi [[X:%.*]], [[FIVE]] : i32
// CHECK:         arith.minsi [[SUM]], [[X]] : i32
func.func @forms(%x: tensor<4x8xi32>, %y: tensor<4x8xi32>) -> tensor<8x4xi32> {
  %e = tensor.empty() : tensor<4x8xi32>
  %t = tensor.empty() : tensor<8x4xi32>
  %a = linalg.add ins(%x, %y : tensor<4x8xi32>, tensor<4x8xi32>) outs(%e : tensor<4x8xi32>) -> tensor<4x8xi32>
  %b = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1, d0)>], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<4x8xi32>) outs(%t : tensor<8x4xi32>) {
  ^bb0(%in: i32, %out: i32):
    %five = arith.constant 5 : i32
    %f = arith.addi %five, %in : i32
    %c = arith.cmpi slt, %f, %in : i32
    %s = arith.select %c, %f, %in : i32
    linalg.yield %s : i32
  } -> tensor<8x4xi32>
  func.return %b : tensor<8x4xi32>
}

// Of floats and unsigned integers a comparison stays one.

// CHECK-LABEL: func.func @stays
// CHECK:       arith.cmpf
// CHECK:       arith.cmpi ult
func.func @stays(%x: tensor<4xf32>, %y: tensor<4xi32>) -> (tensor<4xf32>, tensor<4xi32>) {
  %zero = arith.constant 0.0 : f32
  %three = arith.constant 3 : i32
  %a = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%x : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %c = arith.cmpf ogt, %in, %zero : f32
    %s = arith.select %c, %in, %zero : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%y : tensor<4xi32>) outs(%y : tensor<4xi32>) {
  ^bb0(%in: i32, %out: i32):
    %c = arith.cmpi ult, %in, %three : i32
    %s = arith.select %c, %in, %three : i32
    linalg.yield %s : i32
  } -> tensor<4xi32>
  func.return %a, %b : tensor<4xf32>, tensor<4xi32>
}
