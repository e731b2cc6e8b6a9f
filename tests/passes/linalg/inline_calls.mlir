// RUN: vtac-opt %s -p inline-calls --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p inline-calls,inline-calls --split-input-file --verify-diagnostics | filecheck %s

// Functions are computed where they are called, in calls of calls too, and are gone.

// CHECK-NOT:   @twice
// CHECK-LABEL: func.func @f(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:  %a = linalg.add ins(%x, %x
// CHECK-NEXT:  %a_1 = linalg.add ins(%a, %a
// CHECK-NEXT:  func.return %a_1, %x
// CHECK-NOT:   @

func.func private @twice(%v: tensor<4xf32>) -> tensor<4xf32> {
  %a = linalg.add ins(%v, %v : tensor<4xf32>, tensor<4xf32>) outs(%v : tensor<4xf32>) -> tensor<4xf32>
  func.return %a : tensor<4xf32>
}
func.func private @both(%v: tensor<4xf32>, %w: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %a = func.call @twice(%v) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %a, %w : tensor<4xf32>, tensor<4xf32>
}
func.func @f(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %y = func.call @twice(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %z, %w = func.call @both(%y, %x) : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  func.return %z, %w : tensor<4xf32>, tensor<4xf32>
}

// -----

func.func @odd(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = func.call @even(%x) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
func.func @even(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{inline-calls: 'odd' calls itself by way of others; a program has no recursion: write it as a loop or unrolled}}
  %y = func.call @odd(%x) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
