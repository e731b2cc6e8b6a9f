// RUN: vtac-opt %s -p lift-arithmetic | filecheck %s
// RUN: vtac-opt %s -p lift-arithmetic,lift-arithmetic | filecheck %s

// Sums, casts, and a selection with its comparison; constants stay.

// CHECK-LABEL: func.func @sum
// CHECK:         %k = arith.constant dense<3> : tensor<4x8xi32>
// CHECK:         %y = linalg.generic {{.*}} ins(%a, %k : tensor<4x8xi8>, tensor<4x8xi32>) outs({{.*}} : tensor<4x8xi32>)
// CHECK:           arith.extsi {{.*}} : i8 to i32
// CHECK-NEXT:      arith.muli {{.*}} : i32
// CHECK:         %z = linalg.generic {{.*}} ins(%y : tensor<4x8xi32>) outs({{.*}} : tensor<4x8xi8>)
// CHECK:           arith.trunci
// CHECK:         func.return %z
func.func @sum(%a: tensor<4x8xi8>) -> tensor<4x8xi8> {
  %w = arith.extsi %a : tensor<4x8xi8> to tensor<4x8xi32>
  %k = arith.constant dense<3> : tensor<4x8xi32>
  %y = arith.muli %w, %k : tensor<4x8xi32>
  %z = arith.trunci %y : tensor<4x8xi32> to tensor<4x8xi8>
  func.return %z : tensor<4x8xi8>
}

// CHECK-LABEL: func.func @larger
// CHECK:         %z = linalg.generic {{.*}} ins(%a, %b : tensor<4x8xi32>, tensor<4x8xi32>)
// CHECK:           [[BIT:%.*]] = arith.cmpi sgt
// CHECK-NEXT:      arith.select [[BIT]]
// CHECK-NOT:     arith.cmpi
func.func @larger(%a: tensor<4x8xi32>, %b: tensor<4x8xi32>) -> tensor<4x8xi32> {
  %c = arith.cmpi sgt, %a, %b : tensor<4x8xi32>
  %z = arith.select %c, %a, %b : tensor<4x8xi1>, tensor<4x8xi32>
  func.return %z : tensor<4x8xi32>
}

// CHECK-LABEL: func.func @exponential
// CHECK:         linalg.generic {{.*}} ins(%a : tensor<8xf32>)
// CHECK:           math.exp {{.*}} : f32
func.func @exponential(%a: tensor<8xf32>) -> tensor<8xf32> {
  %z = math.exp %a : tensor<8xf32>
  func.return %z : tensor<8xf32>
}
