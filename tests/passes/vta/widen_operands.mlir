// RUN: vtac-opt %s -p widen-operands | filecheck %s
// RUN: vtac-opt %s -p widen-operands,widen-operands | filecheck %s

#map = affine_map<(d0, d1) -> (d0, d1)>

func.func @f(%a: tensor<2x4xi8>, %b: tensor<2x4xi16>) -> (tensor<2x4xi32>, tensor<2x4xi16>) {
  %e = tensor.empty() : tensor<2x4xi32>
  %r = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]}
    ins(%a, %b : tensor<2x4xi8>, tensor<2x4xi16>) outs(%e : tensor<2x4xi32>) {
  ^bb0(%x: i8, %y: i16, %o: i32):
    %p = arith.extsi %x : i8 to i32
    %q = arith.extsi %y : i16 to i32
    %s = arith.addi %p, %q : i32
    linalg.yield %s : i32
  } -> tensor<2x4xi32>
  func.return %r, %b : tensor<2x4xi32>, tensor<2x4xi16>
}

// CHECK: func.func @f
// CHECK: packing.host "operand 'b' is i16, widened by the host (the VTA loads i8 and i32)"
// CHECK: arith.extsi %{{.*}} : i16 to i32
// CHECK: linalg.generic {{.*}} ins(%a, %b_1 : tensor<2x4xi8>, tensor<2x4xi32>)
// CHECK: arith.extsi %{{.*}} : i8 to i32
// CHECK-NEXT: arith.addi
// CHECK-NOT: packing.host
