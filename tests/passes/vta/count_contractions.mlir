// RUN: vtac-opt %s -p count-contractions | filecheck %s
// RUN: vtac-opt %s -p count-contractions,count-contractions | filecheck %s

// Sums of products count, of whatever numbers; sums of one operand, elementwise products and device functions do not.

// CHECK-LABEL: func.func @net
// CHECK-SAME:    attributes {packing.contractions = [
// CHECK-SAME:      {location = "{{.*}}:17:8", macs = 512 : i64},
// CHECK-SAME:      {location = "{{.*}}:28:8", macs = 32 : i64, float}]}
// CHECK-LABEL: func.func @none
// CHECK-SAME:    attributes {packing.contractions = []}
// CHECK-LABEL: func.func private @on_device
// CHECK-SAME:    attributes {packing.device} {
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @net(%x: tensor<4x8xi8>, %w: tensor<8x16xi8>, %s: tensor<4x16xi32>,
               %f: tensor<4x8xf32>, %t: tensor<4x8xf32>) -> (tensor<4x16xi32>, tensor<4xf32>, tensor<4x16xi32>) {
  %p = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
      affine_map<(m, n, k) -> (m, n)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x8xi8>, tensor<8x16xi8>) outs(%s : tensor<4x16xi32>) {
  ^bb0(%a: i8, %b: i8, %c: i32):
    %a32 = arith.extsi %a : i8 to i32
    %b32 = arith.extsi %b : i8 to i32
    %q = arith.muli %a32, %b32 : i32
    %r = arith.addi %c, %q : i32
    linalg.yield %r : i32
  } -> tensor<4x16xi32>
  %v = tensor.empty() : tensor<4xf32>
  %d = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m, k)>,
      affine_map<(m, k) -> (m)>], iterator_types = ["parallel", "reduction"]}
      ins(%f, %t : tensor<4x8xf32>, tensor<4x8xf32>) outs(%v : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %q = arith.mulf %a, %b : f32
    %r = arith.addf %c, %q : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %m = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p, %p : tensor<4x16xi32>, tensor<4x16xi32>) outs(%s : tensor<4x16xi32>) {
  ^bb0(%a: i32, %b: i32, %c: i32):
    %q = arith.muli %a, %b : i32
    linalg.yield %q : i32
  } -> tensor<4x16xi32>
  func.return %p, %d, %m : tensor<4x16xi32>, tensor<4xf32>, tensor<4x16xi32>
}

func.func @none(%x: tensor<4x8xi8>) -> tensor<4x8xi8> {
  func.return %x : tensor<4x8xi8>
}

func.func private @on_device(%x: tensor<1x8xi8>) -> tensor<1x8xi8> attributes {packing.device} {
  func.return %x : tensor<1x8xi8>
}
