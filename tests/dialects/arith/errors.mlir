// RUN: vtac-opt %s --split-input-file --verify-diagnostics

// Another rounding than to the nearest would change results.
func.func @rounding(%b: f32) -> f16 {
  // expected-error@+1 {{'arith.truncf' does not verify: property 'roundingmode' is not defined by the operation 'arith.truncf'}}
  %w = "arith.truncf"(%b) <{roundingmode = 3 : i32}> : (f32) -> f16
  func.return %w : f16
}
