// RUN: vtac-opt %s -p legalize-for-alu | filecheck %s
// RUN: vtac-opt %s -p legalize-for-alu,legalize-for-alu | filecheck %s

// A selection by a comparison is a maximum, a number taken off one added; 64 bits that only shift are 32. What the ALU
// has no word for stays.

// CHECK:       %m = linalg.generic {{.*}} ins(%a, %b : tensor<4x16xi32>, tensor<4x16xi32>)
// CHECK-NEXT:  ^bb0({{.*}}):
// CHECK-NEXT:    arith.maxsi
// CHECK-NEXT:    arith.constant -3 : i32
// CHECK-NEXT:    arith.addi
// CHECK-NEXT:    linalg.yield
// CHECK:       %w = linalg.generic
// CHECK-NOT:     i64
// CHECK:         arith.shrsi
// CHECK:         arith.trunci {{.*}} : i32 to i8
// CHECK:       %d = linalg.generic
// CHECK:         arith.divsi
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @net(%a: tensor<4x16xi32>, %b: tensor<4x16xi32>) -> (tensor<4x16xi32>, tensor<4x16xi8>, tensor<4x16xi32>) {
  %e = tensor.empty() : tensor<4x16xi32>
  %o = tensor.empty() : tensor<4x16xi8>
  %m = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%a, %b : tensor<4x16xi32>, tensor<4x16xi32>) outs(%e : tensor<4x16xi32>) {
  ^bb0(%x: i32, %y: i32, %out: i32):
    %c = arith.cmpi sgt, %x, %y : i32
    %s = arith.select %c, %x, %y : i32
    %three = arith.constant 3 : i32
    %t = arith.subi %s, %three : i32
    linalg.yield %t : i32
  } -> tensor<4x16xi32>
  %w = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<4x16xi32>) outs(%o : tensor<4x16xi8>) {
  ^bb0(%x: i32, %out: i8):
    %wide = arith.extsi %x : i32 to i64
    %factor = arith.constant 1073741824 : i64
    %half = arith.constant 137438953472 : i64
    %amount = arith.constant 38 : i64
    %p = arith.muli %wide, %factor : i64
    %q = arith.addi %p, %half : i64
    %r = arith.shrsi %q, %amount : i64
    %t = arith.trunci %r : i64 to i8
    linalg.yield %t : i8
  } -> tensor<4x16xi8>
  %d = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%a, %b : tensor<4x16xi32>, tensor<4x16xi32>) outs(%e : tensor<4x16xi32>) {
  ^bb0(%x: i32, %y: i32, %out: i32):
    %t = arith.divsi %x, %y : i32
    linalg.yield %t : i32
  } -> tensor<4x16xi32>
  func.return %m, %w, %d : tensor<4x16xi32>, tensor<4x16xi8>, tensor<4x16xi32>
}
