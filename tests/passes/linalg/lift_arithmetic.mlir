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

// Elements that are computed from their indices, those that a body looks at; extents that are given stay.

// CHECK-LABEL: func.func @generated
// CHECK-NOT:     tensor.generate
// CHECK:         [[EMPTY:%.*]] = tensor.empty() : tensor<4x6xi32>
// CHECK-NEXT:    %g = linalg.generic {{.*}} outs([[EMPTY]] : tensor<4x6xi32>)
// CHECK-NEXT:    bb0({{.*}}: i32):
// CHECK-NEXT:      [[COLUMN:%.*]] = linalg.index 1 : index
// CHECK-NEXT:      [[VALUE:%.*]] = tensor.extract %x{{\[}}[[COLUMN]]] : tensor<6xi32>
// CHECK-NEXT:      linalg.yield [[VALUE]] : i32
// CHECK:         tensor.generate %n
func.func @generated(%x: tensor<6xi32>, %n: index) -> (tensor<4x6xi32>, tensor<?xindex>) {
  %g = tensor.generate {
  ^bb0(%i: index, %j: index):
    %v = tensor.extract %x[%j] : tensor<6xi32>
    tensor.yield %v : i32
  } : tensor<4x6xi32>
  %h = tensor.generate %n {
  ^bb0(%i: index):
    tensor.yield %i : index
  } : tensor<?xindex>
  func.return %g, %h : tensor<4x6xi32>, tensor<?xindex>
}
