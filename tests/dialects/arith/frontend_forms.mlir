// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// Flags that promise something of the operands change no result: they are read and dropped.

func.func @promises(%a: i32, %b: f32, %t: tensor<4xi32>) -> (i32, f16, f64, i8) {
  // CHECK: %r = arith.shrsi %a, %a : i32
  %r = arith.shrsi %a, %a exact : i32
  // CHECK: %s = arith.divsi %r, %a : i32
  %s = arith.divsi %r, %a exact : i32
  // CHECK: %u = arith.shrui %t, %t : tensor<4xi32>
  %u = arith.shrui %t, %t : tensor<4xi32>
  // CHECK: %v = arith.divui %s, %a {note} : i32
  %v = "arith.divui"(%s, %a) <{isExact}> {note} : (i32, i32) -> i32
  // CHECK: %w = arith.truncf %b : f32 to f16
  %w = arith.truncf %b to_nearest_even fastmath<fast> : f32 to f16
  // CHECK: %x = arith.extf %b : f32 to f64
  %x = "arith.extf"(%b) <{fastmath = #arith.fastmath<nnan>}> : (f32) -> f64
  // CHECK: %y = arith.trunci %v : i32 to i8
  %y = arith.trunci %v overflow<nsw> : i32 to i8
  func.return %v, %w, %x, %y : i32, f16, f64, i8
}
