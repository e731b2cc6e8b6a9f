// RUN: vtac-opt %s -p pack-for-vta | filecheck %s

// i8 operands reach the accumulators by GEMM: the first onto zeros, times 4, the second onto it, negated.

#id = affine_map<(m, n) -> (m, n)>
func.func @f(%a: tensor<3x20xi8>, %b: tensor<3x20xi8>) -> tensor<3x20xi8> {
  %e = tensor.empty() : tensor<3x20xi8>
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%a, %b : tensor<3x20xi8>, tensor<3x20xi8>) outs(%e : tensor<3x20xi8>) {
  ^bb0(%x: i8, %y: i8, %o: i8):
    %two = arith.constant 2 : i32
    %five = arith.constant 5 : i32
    %wx = arith.extsi %x : i8 to i32
    %wy = arith.extsi %y : i8 to i32
    %s = arith.shli %wx, %two : i32
    %d = arith.subi %s, %wy : i32
    %q = arith.shrsi %d, %five : i32
    %t = arith.trunci %q : i32 to i8
    linalg.yield %t : i8
  } -> tensor<3x20xi8>
  func.return %r : tensor<3x20xi8>
}

// CHECK:        func.func @f(%a: tensor<3x20xi8>, %b: tensor<3x20xi8>) -> tensor<3x20xi8> {
// CHECK-NEXT:     %a_packed = packing.pack %a
// CHECK-NEXT:     %b_packed = packing.pack %b
// CHECK-NEXT:     %r_packed = func.call @f_0(%a_packed, %b_packed)
// CHECK:        func.func private @f_0(%a: tensor<3x2x1x16xi8>, %b: tensor<3x2x1x16xi8>) -> tensor<3x2x1x16xi8>
// CHECK:          %[[ZEROS:.*]] = linalg.fill
// CHECK-NEXT:     %eye = arith.constant dense<"0x0400000000
// CHECK-SAME:       : tensor<16x16xi8>
// CHECK-NEXT:     %res_widen = linalg.generic
// CHECK-SAME:       affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d3, d4)>
// CHECK-SAME:       affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
// CHECK-SAME:       iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]
// CHECK-SAME:       ins(%a, %eye : tensor<3x2x1x16xi8>, tensor<16x16xi8>) outs(%[[ZEROS]] : tensor<3x2x1x16xi32>)
// CHECK:          %eye_1 = arith.constant dense<"0xFF00000000
// CHECK-NEXT:     %res_residual = linalg.generic
// CHECK-SAME:       ins(%b, %eye_1 : tensor<3x2x1x16xi8>, tensor<16x16xi8>) outs(%res_widen : tensor<3x2x1x16xi32>)
// CHECK:            arith.extsi
// CHECK:            arith.muli
// CHECK:            arith.addi
// CHECK:          %res_shr = linalg.generic
// CHECK-NOT:      arith.subi
