// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// Operations of arith and math that frontends emit and xDSL lacks.

func.func @scalars(%a: f32, %t: tensor<4xf32>, %i: index) -> (f32, i8, tensor<4xi1>) {
  // CHECK: %b = arith.remf %a, %a : f32
  %b = arith.remf %a, %a : f32
  // CHECK: %c = arith.index_castui %i : index to i8
  %c = arith.index_castui %i : index to i8
  // CHECK: %d = math.erfc %b : f32
  %d = math.erfc %b : f32
  // CHECK: %e = math.clampf %d to [%a, %b] : f32
  %e = math.clampf %d to [%a, %b] : f32
  // CHECK: %f = math.isnan %t : tensor<4xf32>
  %f = math.isnan %t : tensor<4xf32>
  // CHECK: %g = math.isfinite %e : f32
  %g = math.isfinite %e : f32
  // CHECK: %h = math.isinf %t {note, fastmath = #arith.fastmath<nnan>} : tensor<4xf32>
  %h = math.isinf %t {note, fastmath = #arith.fastmath<nnan>} : tensor<4xf32>
  func.return %e, %c, %h : f32, i8, tensor<4xi1>
}
