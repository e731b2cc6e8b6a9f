// RUN: vtac-opt %s -p reduce-wide-shifts | filecheck %s
// RUN: vtac-opt %s -p reduce-wide-shifts,reduce-wide-shifts | filecheck %s
// RUN: vtac-opt %s -p reduce-wide-shifts,narrow-integers | filecheck %s --check-prefix=NARROW

// TOSA's rescale by 2^-8 with both of its roundings, as it lowers to arith: (x * 2^30 + 2^37 + sign * 2^30) >> 38.

// CHECK-LABEL: func.func @rescale
// CHECK:       [[WIDE:%.*]] = arith.extsi %{{.*}} : i32 to i64
// CHECK:       [[SIGN:%.*]] = arith.shrsi %{{.*}}, %{{.*}} : i32
// CHECK:       [[LONG:%.*]] = arith.extsi [[SIGN]] : i32 to i64
// CHECK:       [[ONE:%.*]] = arith.constant 1 : i64
// CHECK:       [[TWICE:%.*]] = arith.shli [[LONG]], [[ONE]] : i64
// CHECK:       arith.addi {{.*}}[[TWICE]]
// CHECK:       [[N:%.*]] = arith.constant 8 : i64
// CHECK:       arith.shrsi %{{.*}}, [[N]] : i64
// NARROW-LABEL: func.func @rescale
// NARROW-NOT:  i64
// NARROW:      return
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @rescale(%a: tensor<4x8xi8>) -> tensor<4x8xi32> {
  %e = tensor.empty() : tensor<4x8xi32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<4x8xi8>) outs(%e : tensor<4x8xi32>) {
  ^bb0(%in: i8, %out: i32):
    %zero = arith.constant 0 : i32
    %scale = arith.constant 1073741824 : i64
    %half = arith.constant 137438953472 : i64
    %up = arith.constant 1073741824 : i64
    %down = arith.constant -1073741824 : i64
    %n = arith.constant 38 : i64
    %x = arith.extsi %in : i8 to i32
    %w = arith.extsi %x : i32 to i64
    %p = arith.muli %w, %scale : i64
    %h = arith.addi %p, %half : i64
    %positive = arith.cmpi sge, %x, %zero : i32
    %sign = arith.select %positive, %up, %down : i64
    %r = arith.addi %sign, %h : i64
    %s = arith.shrsi %r, %n : i64
    %t = arith.trunci %s : i64 to i32
    linalg.yield %t : i32
  } -> tensor<4x8xi32>
  func.return %y : tensor<4x8xi32>
}

// A multiplier that is no power of two stays.

// CHECK-LABEL: func.func @stays
// CHECK:       arith.muli
// CHECK:       arith.shrsi
func.func @stays(%a: tensor<4x8xi8>) -> tensor<4x8xi32> {
  %e = tensor.empty() : tensor<4x8xi32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<4x8xi8>) outs(%e : tensor<4x8xi32>) {
  ^bb0(%in: i8, %out: i32):
    %scale = arith.constant 3 : i64
    %n = arith.constant 1 : i64
    %x = arith.extsi %in : i8 to i64
    %p = arith.muli %x, %scale : i64
    %s = arith.shrsi %p, %n : i64
    %t = arith.trunci %s : i64 to i32
    linalg.yield %t : i32
  } -> tensor<4x8xi32>
  func.return %y : tensor<4x8xi32>
}
