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

// Several results, and linalg.reduce.

// CHECK-LABEL: func.func @results
// CHECK:         %y = linalg.generic {{.*}} ins(%x : tensor<4x8xi32>) outs({{.*}} : tensor<4x8xi32>)
// CHECK-NEXT:    ^bb0
// CHECK-NEXT:      arith.addi
// CHECK-NEXT:      linalg.yield
// CHECK:         %y_1 = linalg.generic {{.*}} ins(%x : tensor<4x8xi32>) outs({{.*}} : tensor<4x8xi8>)
// CHECK:           arith.trunci
// CHECK:         linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]}
func.func @results(%x: tensor<4x8xi32>, %s: tensor<4xi32>) -> (tensor<4x8xi32>, tensor<4x8xi8>, tensor<4xi32>) {
  %e = tensor.empty() : tensor<4x8xi32>
  %t = tensor.empty() : tensor<4x8xi8>
  %y:2 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xi32>) outs(%e, %t : tensor<4x8xi32>, tensor<4x8xi8>) {
  ^bb0(%a: i32, %o: i32, %p: i8):
    %b = arith.addi %a, %a : i32
    %c = arith.trunci %b : i32 to i8
    linalg.yield %b, %c : i32, i8
  } -> (tensor<4x8xi32>, tensor<4x8xi8>)
  %z = linalg.reduce ins(%x : tensor<4x8xi32>) outs(%s : tensor<4xi32>) dimensions = [1]
    (%in: i32, %init: i32) {
      %0 = arith.addi %in, %init : i32
      linalg.yield %0 : i32
    }
  func.return %y#0, %y#1, %z : tensor<4x8xi32>, tensor<4x8xi8>, tensor<4xi32>
}

// A sum and a sum of squares need not each other; a maximum and its place do, and stay as they are.

// CHECK-LABEL: func.func @moments
// CHECK:         %sum = linalg.generic {{.*}} outs(%s0 : tensor<4xf32>) {
// CHECK-NEXT:    ^bb0(%v: f32, %a: f32):
// CHECK-NEXT:      %0 = arith.addf %a, %v : f32
// CHECK:         %squares = linalg.generic {{.*}} outs(%s1 : tensor<4xf32>) {
// CHECK:           arith.mulf
// CHECK:           arith.addf
func.func @moments(%x: tensor<4x8xf32>, %s0: tensor<4xf32>, %s1: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %sum, %squares = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x8xf32>) outs(%s0, %s1 : tensor<4xf32>, tensor<4xf32>) {
  ^bb0(%v: f32, %a: f32, %b: f32):
    %0 = arith.addf %a, %v : f32
    %1 = arith.mulf %v, %v : f32
    %2 = arith.addf %b, %1 : f32
    linalg.yield %0, %2 : f32, f32
  } -> (tensor<4xf32>, tensor<4xf32>)
  func.return %sum, %squares : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @coupled
// CHECK:         %most, %other = linalg.generic
func.func @coupled(%x: tensor<4x8xf32>, %s0: tensor<4xf32>, %s1: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %most, %other = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x8xf32>) outs(%s0, %s1 : tensor<4xf32>, tensor<4xf32>) {
  ^bb0(%v: f32, %a: f32, %b: f32):
    %0 = arith.maximumf %a, %v : f32
    %1 = arith.addf %b, %a : f32
    linalg.yield %0, %1 : f32, f32
  } -> (tensor<4xf32>, tensor<4xf32>)
  func.return %most, %other : tensor<4xf32>, tensor<4xf32>
}
