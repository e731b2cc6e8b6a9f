// RUN: vtac-opt %s -p isolate-host-operations | filecheck %s
// RUN: vtac-opt %s -p isolate-host-operations,isolate-host-operations | filecheck %s

// What no step of the ALU computes is the host's; what only moves elements stays as it is, and what the ALU computes.

// CHECK-LABEL: func.func @net
// CHECK:         %d = packing.host "'linalg.generic' cannot run on the VTA: 'arith.divsi' is none of the operations that the VTA's ALU has (add, max, min, shifts)"
// CHECK:         %t = linalg.generic
// CHECK:         %s = linalg.generic
// CHECK:         func.return %d, %t, %s
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @net(%a: tensor<4x16xi32>, %b: tensor<16x4xi32>) -> (tensor<4x16xi32>, tensor<4x16xi32>, tensor<4x16xi32>) {
  %e = tensor.empty() : tensor<4x16xi32>
  %d = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<4x16xi32>) outs(%e : tensor<4x16xi32>) {
  ^bb0(%x: i32, %out: i32):
    %c = arith.constant 3 : i32
    %q = arith.divsi %x, %c : i32
    linalg.yield %q : i32
  } -> tensor<4x16xi32>
  %t = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, #id], iterator_types = ["parallel", "parallel"]} ins(%b : tensor<16x4xi32>) outs(%e : tensor<4x16xi32>) {
  ^bb0(%x: i32, %out: i32):
    linalg.yield %x : i32
  } -> tensor<4x16xi32>
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<4x16xi32>) outs(%e : tensor<4x16xi32>) {
  ^bb0(%x: i32, %out: i32):
    %c = arith.constant 3 : i32
    %q = arith.addi %x, %c : i32
    linalg.yield %q : i32
  } -> tensor<4x16xi32>
  func.return %d, %t, %s : tensor<4x16xi32>, tensor<4x16xi32>, tensor<4x16xi32>
}
