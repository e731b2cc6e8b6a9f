// RUN: vtac-opt %s --split-input-file --verify-diagnostics

func.func @no_index(%a: i32) -> i8 {
  // expected-error@+1 {{'arith.index_castui' of i32 to i8: one of them is index}}
  %b = arith.index_castui %a : i32 to i8
  func.return %b : i8
}

// -----

func.func @bits(%a: f32) -> i8 {
  // expected-error@+1 {{'math.isnan' of f32 gives i1}}
  %b = "math.isnan"(%a) : (f32) -> i8
  func.return %b : i8
}
