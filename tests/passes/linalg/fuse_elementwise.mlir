// RUN: vtac-opt %s -p fuse-elementwise | filecheck %s
// RUN: vtac-opt %s -p fuse-elementwise,fuse-elementwise | filecheck %s
// RUN: vtac-opt %s -p 'fuse-elementwise{most=4}' | filecheck %s --check-prefix=FEW

// A diamond that %q closes; what is truncated to bytes that may wrap is cut off where it is read again.

// CHECK-LABEL: func.func @diamond
// CHECK:       linalg.generic {{.*}} ins(%x : tensor<4x8xi32>) outs(%{{.*}} : tensor<4x8xi8>)
// CHECK:         [[THREE:%.*]] = arith.constant 3 : i32
// CHECK:         [[A:%.*]] = arith.addi %{{.*}}, [[THREE]] : i32
// CHECK:         [[UP:%.*]] = arith.shli [[A]], %{{.*}} : i32
// CHECK:         [[BYTE:%.*]] = arith.shrsi [[UP]], %{{.*}} : i32
// CHECK:         [[B:%.*]] = arith.maxsi [[BYTE]], [[THREE]] : i32
// CHECK:         arith.addi [[BYTE]], [[B]] : i32
// CHECK-NOT:   linalg.generic
// CHECK:       func.return
// FEW-LABEL:   func.func @diamond
// FEW-COUNT-3: linalg.generic
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @diamond(%x: tensor<4x8xi32>) -> tensor<4x8xi8> {
  %e = tensor.empty() : tensor<4x8xi32>
  %o = tensor.empty() : tensor<4x8xi8>
  %three = arith.constant 3 : i32
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xi32>) outs(%o : tensor<4x8xi8>) {
  ^bb0(%in: i32, %out: i8):
    %f = arith.addi %in, %three : i32
    %g = arith.trunci %f : i32 to i8
    linalg.yield %g : i8
  } -> tensor<4x8xi8>
  %b = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<4x8xi8>) outs(%e : tensor<4x8xi32>) {
  ^bb0(%in: i8, %out: i32):
    %f = arith.extsi %in : i8 to i32
    %g = arith.maxsi %f, %three : i32
    linalg.yield %g : i32
  } -> tensor<4x8xi32>
  %q = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%a, %b : tensor<4x8xi8>, tensor<4x8xi32>) outs(%o : tensor<4x8xi8>) {
  ^bb0(%in: i8, %other: i32, %out: i8):
    %f = arith.extsi %in : i8 to i32
    %g = arith.addi %f, %other : i32
    %h = arith.trunci %g : i32 to i8
    linalg.yield %h : i8
  } -> tensor<4x8xi8>
  func.return %q : tensor<4x8xi8>
}

// A value of two readers stays, bytes that are multiplied stay, and a transpose is read in another order.

// CHECK-LABEL: func.func @stays
// CHECK:       [[A:%.*]] = linalg.generic {{.*}} ins(%x : tensor<4x8xi8>)
// CHECK:       [[B:%.*]] = linalg.generic {{.*}}affine_map<(d0, d1) -> (d1, d0)>{{.*}} ins([[A]] : tensor<4x8xi8>)
// CHECK:       [[C:%.*]] = linalg.generic {{.*}} ins([[B]] : tensor<8x4xi8>)
// CHECK:         arith.muli
// CHECK:       func.return [[A]], [[C]]
func.func @stays(%x: tensor<4x8xi8>) -> (tensor<4x8xi8>, tensor<8x4xi8>) {
  %o = tensor.empty() : tensor<4x8xi8>
  %t = tensor.empty() : tensor<8x4xi8>
  %three = arith.constant 3 : i32
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xi8>) outs(%o : tensor<4x8xi8>) {
  ^bb0(%in: i8, %out: i8):
    %f = arith.extsi %in : i8 to i32
    %g = arith.maxsi %f, %three : i32
    %h = arith.trunci %g : i32 to i8
    linalg.yield %h : i8
  } -> tensor<4x8xi8>
  %b = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, #id], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<4x8xi8>) outs(%t : tensor<8x4xi8>) {
  ^bb0(%in: i8, %out: i8):
    linalg.yield %in : i8
  } -> tensor<8x4xi8>
  %c = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%b : tensor<8x4xi8>) outs(%t : tensor<8x4xi8>) {
  ^bb0(%in: i8, %out: i8):
    %f = arith.extsi %in : i8 to i32
    %g = arith.muli %f, %three : i32
    %h = arith.trunci %g : i32 to i8
    linalg.yield %h : i8
  } -> tensor<8x4xi8>
  func.return %a, %c : tensor<4x8xi8>, tensor<8x4xi8>
}
