// RUN: vtac-opt %s -p outline-gpu-kernels --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p outline-gpu-kernels,outline-gpu-kernels --split-input-file --verify-diagnostics | filecheck %s

// Two products, each with its tail, are one function and two calls.

// CHECK-LABEL: func.func private @repeated_x0(%x: tensor<16x32xf16>, %w: tensor<32x32xf16>) -> tensor<16x32xf16> {
// CHECK-COUNT-2: linalg.generic
// CHECK-NOT:   linalg.generic
// CHECK-LABEL: func.func @repeated(
// CHECK-NEXT:  %x0 = func.call @repeated_x0(%x, %w)
// CHECK-NEXT:  %x1 = func.call @repeated_x0(%x0, %w)
// CHECK-NEXT:  func.return %x1

func.func @repeated(%x: tensor<16x32xf16>, %w: tensor<32x32xf16>) -> (tensor<16x32xf16>) {
  %p0_start = arith.constant 0.0 : f32
  %p0_none = tensor.empty() : tensor<16x32xf32>
  %p0_init = linalg.fill ins(%p0_start : f32) outs(%p0_none : tensor<16x32xf32>) -> tensor<16x32xf32>
  %p0 = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%x, %w : tensor<16x32xf16>, tensor<32x32xf16>) outs(%p0_init : tensor<16x32xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<16x32xf32>
  %x0_empty = tensor.empty() : tensor<16x32xf16>
  %x0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
    ins(%p0 : tensor<16x32xf32>) outs(%x0_empty : tensor<16x32xf16>) {
  ^bb0(%in_a0: f32, %in_acc: f16):
    %in_y = arith.truncf %in_a0 : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<16x32xf16>
  %p1_start = arith.constant 0.0 : f32
  %p1_none = tensor.empty() : tensor<16x32xf32>
  %p1_init = linalg.fill ins(%p1_start : f32) outs(%p1_none : tensor<16x32xf32>) -> tensor<16x32xf32>
  %p1 = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%x0, %w : tensor<16x32xf16>, tensor<32x32xf16>) outs(%p1_init : tensor<16x32xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<16x32xf32>
  %x1_empty = tensor.empty() : tensor<16x32xf16>
  %x1 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
    ins(%p1 : tensor<16x32xf32>) outs(%x1_empty : tensor<16x32xf16>) {
  ^bb0(%in_a0: f32, %in_acc: f16):
    %in_y = arith.truncf %in_a0 : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<16x32xf16>
  func.return %x1 : tensor<16x32xf16>
}

// -----

// One product and what follows it stay as they are.

// CHECK-NOT:   private
// CHECK-LABEL: func.func @repeated(
// CHECK-COUNT-2: linalg.generic

func.func @repeated(%x: tensor<16x32xf16>, %w: tensor<32x32xf16>) -> (tensor<16x32xf16>) {
  %p0_start = arith.constant 0.0 : f32
  %p0_none = tensor.empty() : tensor<16x32xf32>
  %p0_init = linalg.fill ins(%p0_start : f32) outs(%p0_none : tensor<16x32xf32>) -> tensor<16x32xf32>
  %p0 = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%x, %w : tensor<16x32xf16>, tensor<32x32xf16>) outs(%p0_init : tensor<16x32xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<16x32xf32>
  %x0_empty = tensor.empty() : tensor<16x32xf16>
  %x0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
    ins(%p0 : tensor<16x32xf32>) outs(%x0_empty : tensor<16x32xf16>) {
  ^bb0(%in_a0: f32, %in_acc: f16):
    %in_y = arith.truncf %in_a0 : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<16x32xf16>
  func.return %x0 : tensor<16x32xf16>
}

// -----

func.func @foreign(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{outline-gpu-kernels: op 'tensor.insert_slice' is not supported; it takes linalg ops, tensor.pad, tensor.extract_slice, tensor.expand_shape, tensor.collapse_shape, packing.pack, packing.unpack, tensor.empty, arith.constant and func.return: rewrite it as one of these}}
  %z = tensor.insert_slice %x into %y[0] [4] [1] : tensor<4xf32> into tensor<4xf32>
  func.return %z : tensor<4xf32>
}
