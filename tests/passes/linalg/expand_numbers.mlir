// RUN: vtac-opt %s -p expand-numbers | filecheck %s
// RUN: vtac-opt %s -p expand-numbers,expand-numbers | filecheck %s

// A sum without dimensions is one of a single element, and so is what follows from it. What starts from a constant still
// does.

// CHECK-LABEL: func.func @norm
// CHECK:         %[[EMPTY:.*]] = tensor.empty() : tensor<1xf32>
// CHECK-NEXT:    %[[START:.*]] = linalg.fill ins(%zero : f32) outs(%[[EMPTY]] : tensor<1xf32>)
// CHECK-NEXT:    %sum_one = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d1)>], iterator_types = ["reduction", "parallel"]} ins(%x : tensor<8xf32>) outs(%[[START]] : tensor<1xf32>)
// CHECK:         %sum = packing.reshape %sum_one : tensor<1xf32> to tensor<f32>
// CHECK:         %root_one = linalg.generic {indexing_maps = [affine_map<(d0) -> ()>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%sum : tensor<f32>)
// CHECK:         %root = packing.reshape %root_one
// CHECK-NEXT:    func.return %root
func.func @norm(%x: tensor<8xf32>) -> tensor<f32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<f32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<f32>) -> tensor<f32>
  %sum = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>], iterator_types = ["reduction"]}
    ins(%x : tensor<8xf32>) outs(%init : tensor<f32>) {
  ^bb0(%v: f32, %acc: f32):
    %s = arith.addf %acc, %v : f32
    linalg.yield %s : f32
  } -> tensor<f32>
  %root = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
    ins(%sum : tensor<f32>) outs(%empty : tensor<f32>) {
  ^bb0(%v: f32, %acc: f32):
    %r = math.sqrt %v : f32
    linalg.yield %r : f32
  } -> tensor<f32>
  func.return %root : tensor<f32>
}

// A sum that goes on from an argument takes that as one element.

// CHECK-LABEL: func.func @more
// CHECK:         %[[START:.*]] = packing.reshape %start : tensor<f32> to tensor<1xf32>
// CHECK-NEXT:    linalg.generic {{.*}} outs(%[[START]] : tensor<1xf32>)
func.func @more(%x: tensor<8xf32>, %start: tensor<f32>) -> tensor<f32> {
  %sum = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>], iterator_types = ["reduction"]}
    ins(%x : tensor<8xf32>) outs(%start : tensor<f32>) {
  ^bb0(%v: f32, %acc: f32):
    %s = arith.addf %acc, %v : f32
    linalg.yield %s : f32
  } -> tensor<f32>
  func.return %sum : tensor<f32>
}

// Results with dimensions, and fills, stay.
// CHECK-LABEL: func.func @rows
// CHECK-NOT:     shape
func.func @rows(%v: f32) -> (tensor<2xf32>, tensor<f32>) {
  %empty = tensor.empty() : tensor<2xf32>
  %two = linalg.fill ins(%v : f32) outs(%empty : tensor<2xf32>) -> tensor<2xf32>
  %none = tensor.empty() : tensor<f32>
  %one = linalg.fill ins(%v : f32) outs(%none : tensor<f32>) -> tensor<f32>
  func.return %two, %one : tensor<2xf32>, tensor<f32>
}
