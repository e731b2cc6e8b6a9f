// RUN: vtac-opt %s -p settle-dynamic-sizes --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p settle-dynamic-sizes,settle-dynamic-sizes --split-input-file --verify-diagnostics | filecheck %s

// A number of rows that is known when the program runs: 256 * 59 stand for it.

// CHECK:         builtin.module attributes {wmma.dynamic_size = 15104 : i64} {
// CHECK-LABEL:   func.func @product(%x: tensor<15104x64xf16>, %w: tensor<64x32xf16>) -> tensor<15104x32xf32> {
// CHECK-NOT:       tensor.dim
// CHECK:           tensor.empty() : tensor<15104x32xf32>
// CHECK:           linalg.matmul {{.*}} -> tensor<15104x32xf32>
func.func @product(%x: tensor<?x64xf16>, %w: tensor<64x32xf16>) -> tensor<?x32xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x64xf16>
  %e = tensor.empty(%n) : tensor<?x32xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<?x32xf32>) -> tensor<?x32xf32>
  %r = linalg.matmul ins(%x, %w : tensor<?x64xf16>, tensor<64x32xf16>) outs(%i : tensor<?x32xf32>) -> tensor<?x32xf32>
  func.return %r : tensor<?x32xf32>
}

// -----

// CHECK-LABEL:   func.func @static(%x: tensor<4x4xf32>) -> tensor<4x4xf32>
func.func @static(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  func.return %x : tensor<4x4xf32>
}

// -----

// expected-error @+1 {{tensor<4x?xf32>: dimension 1 is dynamic; for CUDA the outermost one alone may be, such as a batch: give the others their extents}}
func.func @inner(%x: tensor<4x?xf32>) -> tensor<4x?xf32> {
  func.return %x : tensor<4x?xf32>
}

// -----

func.func @summed(%x: tensor<?x8xf32>, %start: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @+1 {{'linalg.generic' reduces a dynamic dimension; along a dynamic dimension each element may only be computed from those of the same index: give it an extent}}
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>], iterator_types = ["reduction", "parallel"]}
    ins(%x : tensor<?x8xf32>) outs(%start : tensor<8xf32>) {
  ^bb0(%a: f32, %s: f32):
    %t = arith.addf %s, %a : f32
    linalg.yield %t : f32
  } -> tensor<8xf32>
  func.return %r : tensor<8xf32>
}

// -----

func.func @pairs(%x: tensor<?x8xf32>, %y: tensor<?x8xf32>, %e: tensor<?x?xf32>) {
  func.return
}

// expected-error @-4 {{tensor<?x?xf32>: dimension 1 is dynamic; for CUDA the outermost one alone may be}}

// -----

func.func @joined(%x: tensor<?x4x8xf32>) -> tensor<?x8xf32> {
  // expected-error @+1 {{'tensor.collapse_shape' reshapes a dynamic dimension}}
  %r = tensor.collapse_shape %x [[0, 1], [2]] : tensor<?x4x8xf32> into tensor<?x8xf32>
  func.return %r : tensor<?x8xf32>
}

// -----

func.func @padded(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %zero = arith.constant 0.0 : f32
  // expected-error @+1 {{'tensor.pad' pads a dynamic dimension}}
  %r = tensor.pad %x low[1, 0] high[0, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<?x8xf32> to tensor<?x8xf32>
  func.return %r : tensor<?x8xf32>
}

// -----

func.func @five(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %one = arith.constant 1.0 : f32
  %c5 = arith.constant 5 : index
  // expected-error @+1 {{'tensor.empty' of tensor<?x8xf32> has an extent of its own; a dynamic dimension is that of the arguments, tensor.dim of dimension 0 of one: take this, or a static type for another extent}}
  %e = tensor.empty(%c5) : tensor<?x8xf32>
  %r = linalg.fill ins(%one : f32) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  func.return %r : tensor<?x8xf32>
}

// -----

func.func @columns(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %one = arith.constant 1.0 : f32
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c1 : tensor<?x8xf32>
  // expected-error @+1 {{'tensor.empty' of tensor<?x8xf32> has an extent of its own}}
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %r = linalg.fill ins(%one : f32) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  func.return %r : tensor<?x8xf32>
}

// -----

func.func @of_another(%x: tensor<?x8xf32>, %y: tensor<5x8xf32>) -> tensor<?x8xf32> {
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %n = tensor.dim %y, %c0 : tensor<5x8xf32>
  // expected-error @+1 {{'tensor.empty' of tensor<?x8xf32> has an extent of its own}}
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %r = linalg.fill ins(%one : f32) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  func.return %r : tensor<?x8xf32>
}

// -----

func.func @narrow(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %b = arith.index_cast %n : index to i8
  %m = arith.index_cast %b : i8 to index
  // expected-error @+1 {{'tensor.empty' of tensor<?x8xf32> has an extent of its own}}
  %e = tensor.empty(%m) : tensor<?x8xf32>
  %r = linalg.fill ins(%one : f32) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  func.return %r : tensor<?x8xf32>
}

// -----

// Through casts a size is still the size; 59 * 2 is a number of the program, so 256 * 61 stand for it.

// CHECK-LABEL:   func.func @cast(%x: tensor<15616x8xi32>) -> tensor<15616x8xi32> {
// CHECK-NEXT:      %c = arith.constant 118 : i32
// CHECK-NEXT:      %e = tensor.empty() : tensor<15616x8xi32>
func.func @cast(%x: tensor<?x8xi32>) -> tensor<?x8xi32> {
  %c = arith.constant 118 : i32
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xi32>
  %i = arith.index_cast %n : index to i64
  %m = arith.index_cast %i : i64 to index
  %e = tensor.empty(%m) : tensor<?x8xi32>
  %r = linalg.fill ins(%c : i32) outs(%e : tensor<?x8xi32>) -> tensor<?x8xi32>
  func.return %r : tensor<?x8xi32>
}
