// RUN: vtac-opt %s -p fuse-attention --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p fuse-attention,fuse-attention --split-input-file --verify-diagnostics | filecheck %s

// Two heads: the product of queries and keys, a softmax of rows, the product with the values, rounded to f16.

// CHECK-LABEL: func.func @heads(
// CHECK-NEXT:    %result = wmma.attention %q, %k, %v sizes array<i64: 2, 8, 24, 16, 32> scale 2.500000e-01 : f32 maps [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, {{.*}}] : tensor<2x8x16xf16>, tensor<2x24x16xf16>, tensor<2x24x32xf16> -> tensor<2x8x32xf16>
// CHECK-NEXT:    func.return %result
func.func @heads(%q: tensor<2x8x16xf16>, %k: tensor<2x24x16xf16>, %v: tensor<2x24x32xf16>) -> (tensor<2x8x32xf16>) {
  %scores_start = arith.constant 0.0 : f32
  %scores_none = tensor.empty() : tensor<2x8x24xf32>
  %scores_init = linalg.fill ins(%scores_start : f32) outs(%scores_none : tensor<2x8x24xf32>) -> tensor<2x8x24xf32>
  %scores = linalg.generic {indexing_maps = [affine_map<(h, i, j, d) -> (h, i, d)>, affine_map<(h, i, j, d) -> (h, j, d)>, affine_map<(h, i, j, d) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<2x8x16xf16>, tensor<2x24x16xf16>) outs(%scores_init : tensor<2x8x24xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x24xf32>
  %scaled_empty = tensor.empty() : tensor<2x8x24xf32>
  %scaled = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scores : tensor<2x8x24xf32>) outs(%scaled_empty : tensor<2x8x24xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_n = arith.constant 2.50000000000000000e-01 : f32
    %in_y = arith.mulf %in_a0, %in_n : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x24xf32>
  %most_start = arith.constant 0xFF800000 : f32
  %most_none = tensor.empty() : tensor<2x8xf32>
  %most_init = linalg.fill ins(%most_start : f32) outs(%most_none : tensor<2x8xf32>) -> tensor<2x8xf32>
  %most = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%scaled : tensor<2x8x24xf32>) outs(%most_init : tensor<2x8xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.maximumf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8xf32>
  %parts_empty = tensor.empty() : tensor<2x8x24xf32>
  %parts = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scaled, %most : tensor<2x8x24xf32>, tensor<2x8xf32>) outs(%parts_empty : tensor<2x8x24xf32>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f32):
    %in_d = arith.subf %in_a0, %in_a1 : f32
    %in_y = math.exp %in_d : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x24xf32>
  %total_start = arith.constant 0.0 : f32
  %total_none = tensor.empty() : tensor<2x8xf32>
  %total_init = linalg.fill ins(%total_start : f32) outs(%total_none : tensor<2x8xf32>) -> tensor<2x8xf32>
  %total = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%parts : tensor<2x8x24xf32>) outs(%total_init : tensor<2x8xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.addf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8xf32>
  %weights_empty = tensor.empty() : tensor<2x8x24xf16>
  %weights = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%parts, %total : tensor<2x8x24xf32>, tensor<2x8xf32>) outs(%weights_empty : tensor<2x8x24xf16>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f16):
    %in_q = arith.divf %in_a0, %in_a1 : f32
    %in_y = arith.truncf %in_q : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<2x8x24xf16>
  %mixed_start = arith.constant 0.0 : f32
  %mixed_none = tensor.empty() : tensor<2x8x32xf32>
  %mixed_init = linalg.fill ins(%mixed_start : f32) outs(%mixed_none : tensor<2x8x32xf32>) -> tensor<2x8x32xf32>
  %mixed = linalg.generic {indexing_maps = [affine_map<(h, i, d, j) -> (h, i, j)>, affine_map<(h, i, d, j) -> (h, j, d)>, affine_map<(h, i, d, j) -> (h, i, d)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%weights, %v : tensor<2x8x24xf16>, tensor<2x24x32xf16>) outs(%mixed_init : tensor<2x8x32xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x32xf32>
  %result_empty = tensor.empty() : tensor<2x8x32xf16>
  %result = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%mixed : tensor<2x8x32xf32>) outs(%result_empty : tensor<2x8x32xf16>) {
  ^bb0(%in_a0: f32, %in_acc: f16):
    %in_y = arith.truncf %in_a0 : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<2x8x32xf16>
  func.return %result : tensor<2x8x32xf16>
}

// -----

// As torch-mlir writes it: heads as a batch in one dimension for the products and in two for the softmax, keys
// transposed, a mask of one row of heads, maxima and sums that keep a dimension.

// CHECK-LABEL: func.func @torch(
// CHECK-NEXT:    %o = wmma.attention %q, %k, %v mask %mask sizes array<i64: 6, 8, 24, 16, 16> scale 2.500000e-01 : f32 maps
// CHECK-SAME:      [affine_map<(d0, d1, d2) -> ((d0 floordiv 3), (d0 mod 3), d1, d2)>, affine_map<(d0, d1, d2) -> ((d0 floordiv 3), (d0 mod 3), d1, d2)>, affine_map<(d0, d1, d2) -> ((d0 floordiv 3), (d0 mod 3), d1, d2)>, affine_map<(d0, d1, d2) -> ((d0 floordiv 3), 0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>]
// CHECK-NEXT:    tensor.expand_shape %o
func.func @torch(%q: tensor<2x3x8x16xf16>, %k: tensor<2x3x24x16xf16>, %v: tensor<2x3x24x16xf16>, %mask: tensor<2x1x8x24xf16>) -> tensor<2x3x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %four = arith.constant 4.0 : f32
  %qf = tensor.collapse_shape %q [[0, 1], [2], [3]] : tensor<2x3x8x16xf16> into tensor<6x8x16xf16>
  %kt_empty = tensor.empty() : tensor<2x3x16x24xf16>
  %kt = linalg.transpose ins(%k : tensor<2x3x24x16xf16>) outs(%kt_empty : tensor<2x3x16x24xf16>) permutation = [0, 1, 3, 2]
  %kf = tensor.collapse_shape %kt [[0, 1], [2], [3]] : tensor<2x3x16x24xf16> into tensor<6x16x24xf16>
  %vf = tensor.collapse_shape %v [[0, 1], [2], [3]] : tensor<2x3x24x16xf16> into tensor<6x24x16xf16>
  %s_empty = tensor.empty() : tensor<6x8x24xf32>
  %s_zero = linalg.fill ins(%zero : f32) outs(%s_empty : tensor<6x8x24xf32>) -> tensor<6x8x24xf32>
  %s = linalg.batch_matmul ins(%qf, %kf : tensor<6x8x16xf16>, tensor<6x16x24xf16>) outs(%s_zero : tensor<6x8x24xf32>) -> tensor<6x8x24xf32>
  %s4 = tensor.expand_shape %s [[0, 1], [2], [3]] output_shape [2, 3, 8, 24] : tensor<6x8x24xf32> into tensor<2x3x8x24xf32>
  %e = tensor.empty() : tensor<2x3x8x24xf32>
  %scaled = linalg.generic {indexing_maps = [affine_map<(a, b, i, j) -> (a, b, i, j)>, affine_map<(a, b, i, j) -> (a, b, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%s4 : tensor<2x3x8x24xf32>) outs(%e : tensor<2x3x8x24xf32>) {
  ^bb0(%x: f32, %o: f32):
    %y = arith.divf %x, %four : f32
    linalg.yield %y : f32
  } -> tensor<2x3x8x24xf32>
  %masked = linalg.generic {indexing_maps = [affine_map<(a, b, i, j) -> (a, b, i, j)>, affine_map<(a, b, i, j) -> (a, 0, i, j)>, affine_map<(a, b, i, j) -> (a, b, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%scaled, %mask : tensor<2x3x8x24xf32>, tensor<2x1x8x24xf16>) outs(%e : tensor<2x3x8x24xf32>) {
  ^bb0(%x: f32, %m: f16, %o: f32):
    %w = arith.extf %m : f16 to f32
    %y = arith.addf %x, %w : f32
    linalg.yield %y : f32
  } -> tensor<2x3x8x24xf32>
  %row = tensor.empty() : tensor<2x3x8x1xf32>
  %row_least = linalg.fill ins(%least : f32) outs(%row : tensor<2x3x8x1xf32>) -> tensor<2x3x8x1xf32>
  %most = linalg.generic {indexing_maps = [affine_map<(a, b, i, j) -> (a, b, i, j)>, affine_map<(a, b, i, j) -> (a, b, i, 0)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%masked : tensor<2x3x8x24xf32>) outs(%row_least : tensor<2x3x8x1xf32>) {
  ^bb0(%x: f32, %o: f32):
    %y = arith.maximumf %x, %o : f32
    linalg.yield %y : f32
  } -> tensor<2x3x8x1xf32>
  %less = linalg.generic {indexing_maps = [affine_map<(a, b, i, j) -> (a, b, i, j)>, affine_map<(a, b, i, j) -> (a, b, i, 0)>, affine_map<(a, b, i, j) -> (a, b, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%masked, %most : tensor<2x3x8x24xf32>, tensor<2x3x8x1xf32>) outs(%e : tensor<2x3x8x24xf32>) {
  ^bb0(%x: f32, %m: f32, %o: f32):
    %y = arith.subf %x, %m : f32
    linalg.yield %y : f32
  } -> tensor<2x3x8x24xf32>
  %parts = linalg.generic {indexing_maps = [affine_map<(a, b, i, j) -> (a, b, i, j)>, affine_map<(a, b, i, j) -> (a, b, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%less : tensor<2x3x8x24xf32>) outs(%e : tensor<2x3x8x24xf32>) {
  ^bb0(%x: f32, %o: f32):
    %y = math.exp %x : f32
    linalg.yield %y : f32
  } -> tensor<2x3x8x24xf32>
  %row_zero = linalg.fill ins(%zero : f32) outs(%row : tensor<2x3x8x1xf32>) -> tensor<2x3x8x1xf32>
  %total = linalg.generic {indexing_maps = [affine_map<(a, b, i, j) -> (a, b, i, j)>, affine_map<(a, b, i, j) -> (a, b, i, 0)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%parts : tensor<2x3x8x24xf32>) outs(%row_zero : tensor<2x3x8x1xf32>) {
  ^bb0(%x: f32, %o: f32):
    %y = arith.addf %x, %o : f32
    linalg.yield %y : f32
  } -> tensor<2x3x8x1xf32>
  %weights = linalg.generic {indexing_maps = [affine_map<(a, b, i, j) -> (a, b, i, j)>, affine_map<(a, b, i, j) -> (a, b, i, 0)>, affine_map<(a, b, i, j) -> (a, b, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%parts, %total : tensor<2x3x8x24xf32>, tensor<2x3x8x1xf32>) outs(%e : tensor<2x3x8x24xf32>) {
  ^bb0(%x: f32, %t: f32, %o: f32):
    %y = arith.divf %x, %t : f32
    linalg.yield %y : f32
  } -> tensor<2x3x8x24xf32>
  %h = tensor.empty() : tensor<2x3x8x24xf16>
  %half = linalg.generic {indexing_maps = [affine_map<(a, b, i, j) -> (a, b, i, j)>, affine_map<(a, b, i, j) -> (a, b, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%weights : tensor<2x3x8x24xf32>) outs(%h : tensor<2x3x8x24xf16>) {
  ^bb0(%x: f32, %o: f16):
    %y = arith.truncf %x : f32 to f16
    linalg.yield %y : f16
  } -> tensor<2x3x8x24xf16>
  %pf = tensor.collapse_shape %half [[0, 1], [2], [3]] : tensor<2x3x8x24xf16> into tensor<6x8x24xf16>
  %o_empty = tensor.empty() : tensor<6x8x16xf32>
  %o_zero = linalg.fill ins(%zero : f32) outs(%o_empty : tensor<6x8x16xf32>) -> tensor<6x8x16xf32>
  %o = linalg.batch_matmul ins(%pf, %vf : tensor<6x8x24xf16>, tensor<6x24x16xf16>) outs(%o_zero : tensor<6x8x16xf32>) -> tensor<6x8x16xf32>
  %r = tensor.expand_shape %o [[0, 1], [2], [3]] output_shape [2, 3, 8, 16] : tensor<6x8x16xf32> into tensor<2x3x8x16xf32>
  func.return %r : tensor<2x3x8x16xf32>
}

// -----

// Keys beyond the row have minus infinity for a score.

// CHECK-LABEL: func.func @causal(
// CHECK-NEXT:    %result = wmma.attention %q, %k, %v sizes array<i64: 1, 2, 3, 16, 16> scale 2.500000e-01 : f32 diagonal 0 maps
func.func @causal(%q: tensor<1x2x16xf16>, %k: tensor<1x3x16xf16>, %v: tensor<1x3x16xf16>) -> (tensor<1x2x16xf16>) {
  %scores_start = arith.constant 0.0 : f32
  %scores_none = tensor.empty() : tensor<1x2x3xf32>
  %scores_init = linalg.fill ins(%scores_start : f32) outs(%scores_none : tensor<1x2x3xf32>) -> tensor<1x2x3xf32>
  %scores = linalg.generic {indexing_maps = [affine_map<(h, i, j, d) -> (h, i, d)>, affine_map<(h, i, j, d) -> (h, j, d)>, affine_map<(h, i, j, d) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<1x2x16xf16>, tensor<1x3x16xf16>) outs(%scores_init : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %scaled_empty = tensor.empty() : tensor<1x2x3xf32>
  %scaled = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scores : tensor<1x2x3xf32>) outs(%scaled_empty : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_n = arith.constant 2.50000000000000000e-01 : f32
    %in_y = arith.mulf %in_a0, %in_n : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %causal_empty = tensor.empty() : tensor<1x2x3xf32>
  %causal = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scaled : tensor<1x2x3xf32>) outs(%causal_empty : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_row = linalg.index 1 : index
    %in_key = linalg.index 2 : index
    %in_counts = arith.cmpi sge, %in_row, %in_key : index
    %in_least = arith.constant 0xFF800000 : f32
    %in_y = arith.select %in_counts, %in_a0, %in_least : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %most_start = arith.constant 0xFF800000 : f32
  %most_none = tensor.empty() : tensor<1x2xf32>
  %most_init = linalg.fill ins(%most_start : f32) outs(%most_none : tensor<1x2xf32>) -> tensor<1x2xf32>
  %most = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%causal : tensor<1x2x3xf32>) outs(%most_init : tensor<1x2xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.maximumf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2xf32>
  %parts_empty = tensor.empty() : tensor<1x2x3xf32>
  %parts = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%causal, %most : tensor<1x2x3xf32>, tensor<1x2xf32>) outs(%parts_empty : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f32):
    %in_d = arith.subf %in_a0, %in_a1 : f32
    %in_y = math.exp %in_d : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %total_start = arith.constant 0.0 : f32
  %total_none = tensor.empty() : tensor<1x2xf32>
  %total_init = linalg.fill ins(%total_start : f32) outs(%total_none : tensor<1x2xf32>) -> tensor<1x2xf32>
  %total = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%parts : tensor<1x2x3xf32>) outs(%total_init : tensor<1x2xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.addf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2xf32>
  %weights_empty = tensor.empty() : tensor<1x2x3xf16>
  %weights = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%parts, %total : tensor<1x2x3xf32>, tensor<1x2xf32>) outs(%weights_empty : tensor<1x2x3xf16>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f16):
    %in_q = arith.divf %in_a0, %in_a1 : f32
    %in_y = arith.truncf %in_q : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<1x2x3xf16>
  %mixed_start = arith.constant 0.0 : f32
  %mixed_none = tensor.empty() : tensor<1x2x16xf32>
  %mixed_init = linalg.fill ins(%mixed_start : f32) outs(%mixed_none : tensor<1x2x16xf32>) -> tensor<1x2x16xf32>
  %mixed = linalg.generic {indexing_maps = [affine_map<(h, i, d, j) -> (h, i, j)>, affine_map<(h, i, d, j) -> (h, j, d)>, affine_map<(h, i, d, j) -> (h, i, d)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%weights, %v : tensor<1x2x3xf16>, tensor<1x3x16xf16>) outs(%mixed_init : tensor<1x2x16xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x16xf32>
  %result_empty = tensor.empty() : tensor<1x2x16xf16>
  %result = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%mixed : tensor<1x2x16xf32>) outs(%result_empty : tensor<1x2x16xf16>) {
  ^bb0(%in_a0: f32, %in_acc: f16):
    %in_y = arith.truncf %in_a0 : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<1x2x16xf16>
  func.return %result : tensor<1x2x16xf16>
}

// -----

// More heads of queries than rows share keys: the mask says which loop are the rows.

// CHECK-LABEL: func.func @short(
// CHECK-NEXT:    %mixed = wmma.attention %q, %k, %v sizes array<i64: 3, 4, 2, 47, 16, 16> scale 1.000000e+00 : f32 diagonal 0 maps
func.func @short(%q: tensor<3x4x2x16xf16>, %k: tensor<3x47x16xf16>, %v: tensor<3x47x16xf16>) -> (tensor<3x4x2x16xf32>) {
  %scores_start = arith.constant 0.0 : f32
  %scores_none = tensor.empty() : tensor<3x4x2x47xf32>
  %scores_init = linalg.fill ins(%scores_start : f32) outs(%scores_none : tensor<3x4x2x47xf32>) -> tensor<3x4x2x47xf32>
  %scores = linalg.generic {indexing_maps = [affine_map<(h, g, i, j, d) -> (h, g, i, d)>, affine_map<(h, g, i, j, d) -> (h, j, d)>, affine_map<(h, g, i, j, d) -> (h, g, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<3x4x2x16xf16>, tensor<3x47x16xf16>) outs(%scores_init : tensor<3x4x2x47xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<3x4x2x47xf32>
  %causal_empty = tensor.empty() : tensor<3x4x2x47xf32>
  %causal = linalg.generic {indexing_maps = [affine_map<(h, g, i, j) -> (h, g, i, j)>, affine_map<(h, g, i, j) -> (h, g, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%scores : tensor<3x4x2x47xf32>) outs(%causal_empty : tensor<3x4x2x47xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_group = linalg.index 1 : index
    %in_row = linalg.index 2 : index
    %in_key = linalg.index 3 : index
    %in_zero = arith.constant 0 : index
    %in_off = arith.constant 0 : index
    %in_last = arith.addi %in_row, %in_off : index
    %in_counts = arith.cmpi sge, %in_last, %in_key : index
    %in_least = arith.constant 0xFF800000 : f32
    %in_y = arith.select %in_counts, %in_a0, %in_least : f32
    linalg.yield %in_y : f32
  } -> tensor<3x4x2x47xf32>
  %most_start = arith.constant 0xFF800000 : f32
  %most_none = tensor.empty() : tensor<3x4x2xf32>
  %most_init = linalg.fill ins(%most_start : f32) outs(%most_none : tensor<3x4x2xf32>) -> tensor<3x4x2xf32>
  %most = linalg.generic {indexing_maps = [affine_map<(h, g, i, j) -> (h, g, i, j)>, affine_map<(h, g, i, j) -> (h, g, i)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%causal : tensor<3x4x2x47xf32>) outs(%most_init : tensor<3x4x2xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.maximumf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<3x4x2xf32>
  %parts_empty = tensor.empty() : tensor<3x4x2x47xf32>
  %parts = linalg.generic {indexing_maps = [affine_map<(h, g, i, j) -> (h, g, i, j)>, affine_map<(h, g, i, j) -> (h, g, i)>, affine_map<(h, g, i, j) -> (h, g, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%causal, %most : tensor<3x4x2x47xf32>, tensor<3x4x2xf32>) outs(%parts_empty : tensor<3x4x2x47xf32>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f32):
    %in_d = arith.subf %in_a0, %in_a1 : f32
    %in_y = math.exp %in_d : f32
    linalg.yield %in_y : f32
  } -> tensor<3x4x2x47xf32>
  %total_start = arith.constant 0.0 : f32
  %total_none = tensor.empty() : tensor<3x4x2xf32>
  %total_init = linalg.fill ins(%total_start : f32) outs(%total_none : tensor<3x4x2xf32>) -> tensor<3x4x2xf32>
  %total = linalg.generic {indexing_maps = [affine_map<(h, g, i, j) -> (h, g, i, j)>, affine_map<(h, g, i, j) -> (h, g, i)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%parts : tensor<3x4x2x47xf32>) outs(%total_init : tensor<3x4x2xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.addf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<3x4x2xf32>
  %weights_empty = tensor.empty() : tensor<3x4x2x47xf16>
  %weights = linalg.generic {indexing_maps = [affine_map<(h, g, i, j) -> (h, g, i, j)>, affine_map<(h, g, i, j) -> (h, g, i)>, affine_map<(h, g, i, j) -> (h, g, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%parts, %total : tensor<3x4x2x47xf32>, tensor<3x4x2xf32>) outs(%weights_empty : tensor<3x4x2x47xf16>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f16):
    %in_q = arith.divf %in_a0, %in_a1 : f32
    %in_y = arith.truncf %in_q : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<3x4x2x47xf16>
  %mixed_start = arith.constant 0.0 : f32
  %mixed_none = tensor.empty() : tensor<3x4x2x16xf32>
  %mixed_init = linalg.fill ins(%mixed_start : f32) outs(%mixed_none : tensor<3x4x2x16xf32>) -> tensor<3x4x2x16xf32>
  %mixed = linalg.generic {indexing_maps = [affine_map<(h, g, i, c, j) -> (h, g, i, j)>, affine_map<(h, g, i, c, j) -> (h, j, c)>, affine_map<(h, g, i, c, j) -> (h, g, i, c)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
    ins(%weights, %v : tensor<3x4x2x47xf16>, tensor<3x47x16xf16>) outs(%mixed_init : tensor<3x4x2x16xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<3x4x2x16xf32>
  func.return %mixed : tensor<3x4x2x16xf32>
}

// -----

// Each head's one row counts the same keys: the heads are the rows, of as many keys.

// CHECK-LABEL: func.func @decoding(
// CHECK-NEXT:    %mixed = wmma.attention %q, %k, %v sizes array<i64: 3, 1, 4, 21, 16, 16> scale 1.000000e+00 : f32 maps
func.func @decoding(%q: tensor<3x4x1x16xf16>, %k: tensor<3x47x16xf16>, %v: tensor<3x47x16xf16>) -> (tensor<3x4x1x16xf32>) {
  %scores_start = arith.constant 0.0 : f32
  %scores_none = tensor.empty() : tensor<3x4x1x47xf32>
  %scores_init = linalg.fill ins(%scores_start : f32) outs(%scores_none : tensor<3x4x1x47xf32>) -> tensor<3x4x1x47xf32>
  %scores = linalg.generic {indexing_maps = [affine_map<(h, g, i, j, d) -> (h, g, i, d)>, affine_map<(h, g, i, j, d) -> (h, j, d)>, affine_map<(h, g, i, j, d) -> (h, g, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<3x4x1x16xf16>, tensor<3x47x16xf16>) outs(%scores_init : tensor<3x4x1x47xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<3x4x1x47xf32>
  %causal_empty = tensor.empty() : tensor<3x4x1x47xf32>
  %causal = linalg.generic {indexing_maps = [affine_map<(h, g, i, j) -> (h, g, i, j)>, affine_map<(h, g, i, j) -> (h, g, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%scores : tensor<3x4x1x47xf32>) outs(%causal_empty : tensor<3x4x1x47xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_group = linalg.index 1 : index
    %in_row = linalg.index 2 : index
    %in_key = linalg.index 3 : index
    %in_zero = arith.constant 0 : index
    %in_off = arith.constant 20 : index
    %in_last = arith.addi %in_row, %in_off : index
    %in_counts = arith.cmpi sge, %in_last, %in_key : index
    %in_least = arith.constant 0xFF800000 : f32
    %in_y = arith.select %in_counts, %in_a0, %in_least : f32
    linalg.yield %in_y : f32
  } -> tensor<3x4x1x47xf32>
  %most_start = arith.constant 0xFF800000 : f32
  %most_none = tensor.empty() : tensor<3x4x1xf32>
  %most_init = linalg.fill ins(%most_start : f32) outs(%most_none : tensor<3x4x1xf32>) -> tensor<3x4x1xf32>
  %most = linalg.generic {indexing_maps = [affine_map<(h, g, i, j) -> (h, g, i, j)>, affine_map<(h, g, i, j) -> (h, g, i)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%causal : tensor<3x4x1x47xf32>) outs(%most_init : tensor<3x4x1xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.maximumf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<3x4x1xf32>
  %parts_empty = tensor.empty() : tensor<3x4x1x47xf32>
  %parts = linalg.generic {indexing_maps = [affine_map<(h, g, i, j) -> (h, g, i, j)>, affine_map<(h, g, i, j) -> (h, g, i)>, affine_map<(h, g, i, j) -> (h, g, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%causal, %most : tensor<3x4x1x47xf32>, tensor<3x4x1xf32>) outs(%parts_empty : tensor<3x4x1x47xf32>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f32):
    %in_d = arith.subf %in_a0, %in_a1 : f32
    %in_y = math.exp %in_d : f32
    linalg.yield %in_y : f32
  } -> tensor<3x4x1x47xf32>
  %total_start = arith.constant 0.0 : f32
  %total_none = tensor.empty() : tensor<3x4x1xf32>
  %total_init = linalg.fill ins(%total_start : f32) outs(%total_none : tensor<3x4x1xf32>) -> tensor<3x4x1xf32>
  %total = linalg.generic {indexing_maps = [affine_map<(h, g, i, j) -> (h, g, i, j)>, affine_map<(h, g, i, j) -> (h, g, i)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%parts : tensor<3x4x1x47xf32>) outs(%total_init : tensor<3x4x1xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.addf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<3x4x1xf32>
  %weights_empty = tensor.empty() : tensor<3x4x1x47xf16>
  %weights = linalg.generic {indexing_maps = [affine_map<(h, g, i, j) -> (h, g, i, j)>, affine_map<(h, g, i, j) -> (h, g, i)>, affine_map<(h, g, i, j) -> (h, g, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%parts, %total : tensor<3x4x1x47xf32>, tensor<3x4x1xf32>) outs(%weights_empty : tensor<3x4x1x47xf16>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f16):
    %in_q = arith.divf %in_a0, %in_a1 : f32
    %in_y = arith.truncf %in_q : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<3x4x1x47xf16>
  %mixed_start = arith.constant 0.0 : f32
  %mixed_none = tensor.empty() : tensor<3x4x1x16xf32>
  %mixed_init = linalg.fill ins(%mixed_start : f32) outs(%mixed_none : tensor<3x4x1x16xf32>) -> tensor<3x4x1x16xf32>
  %mixed = linalg.generic {indexing_maps = [affine_map<(h, g, i, c, j) -> (h, g, i, j)>, affine_map<(h, g, i, c, j) -> (h, j, c)>, affine_map<(h, g, i, c, j) -> (h, g, i, c)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
    ins(%weights, %v : tensor<3x4x1x47xf16>, tensor<3x47x16xf16>) outs(%mixed_init : tensor<3x4x1x16xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<3x4x1x16xf32>
  func.return %mixed : tensor<3x4x1x16xf32>
}

// -----

// A constant mask says the same.

// CHECK-LABEL: func.func @constant(
// CHECK-NEXT:    %result = wmma.attention %q, %k, %v sizes array<i64: 1, 2, 3, 16, 16> scale 2.500000e-01 : f32 diagonal 0 maps
func.func @constant(%q: tensor<1x2x16xf16>, %k: tensor<1x3x16xf16>, %v: tensor<1x3x16xf16>) -> (tensor<1x2x16xf16>) {
  %mask = arith.constant dense<[[0.0, -1.0e38, -1.0e38], [0.0, 0.0, -1.0e38]]> : tensor<2x3xf32>
  %scores_start = arith.constant 0.0 : f32
  %scores_none = tensor.empty() : tensor<1x2x3xf32>
  %scores_init = linalg.fill ins(%scores_start : f32) outs(%scores_none : tensor<1x2x3xf32>) -> tensor<1x2x3xf32>
  %scores = linalg.generic {indexing_maps = [affine_map<(h, i, j, d) -> (h, i, d)>, affine_map<(h, i, j, d) -> (h, j, d)>, affine_map<(h, i, j, d) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<1x2x16xf16>, tensor<1x3x16xf16>) outs(%scores_init : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %scaled_empty = tensor.empty() : tensor<1x2x3xf32>
  %scaled = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (i, j)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scores, %mask : tensor<1x2x3xf32>, tensor<2x3xf32>) outs(%scaled_empty : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f32):
    %in_n = arith.constant 2.50000000000000000e-01 : f32
    %in_s = arith.mulf %in_a0, %in_n : f32
    %in_y = arith.addf %in_s, %in_a1 : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %most_start = arith.constant 0xFF800000 : f32
  %most_none = tensor.empty() : tensor<1x2xf32>
  %most_init = linalg.fill ins(%most_start : f32) outs(%most_none : tensor<1x2xf32>) -> tensor<1x2xf32>
  %most = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%scaled : tensor<1x2x3xf32>) outs(%most_init : tensor<1x2xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.maximumf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2xf32>
  %parts_empty = tensor.empty() : tensor<1x2x3xf32>
  %parts = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scaled, %most : tensor<1x2x3xf32>, tensor<1x2xf32>) outs(%parts_empty : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f32):
    %in_d = arith.subf %in_a0, %in_a1 : f32
    %in_y = math.exp %in_d : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %total_start = arith.constant 0.0 : f32
  %total_none = tensor.empty() : tensor<1x2xf32>
  %total_init = linalg.fill ins(%total_start : f32) outs(%total_none : tensor<1x2xf32>) -> tensor<1x2xf32>
  %total = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%parts : tensor<1x2x3xf32>) outs(%total_init : tensor<1x2xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.addf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2xf32>
  %weights_empty = tensor.empty() : tensor<1x2x3xf16>
  %weights = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%parts, %total : tensor<1x2x3xf32>, tensor<1x2xf32>) outs(%weights_empty : tensor<1x2x3xf16>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f16):
    %in_q = arith.divf %in_a0, %in_a1 : f32
    %in_y = arith.truncf %in_q : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<1x2x3xf16>
  %mixed_start = arith.constant 0.0 : f32
  %mixed_none = tensor.empty() : tensor<1x2x16xf32>
  %mixed_init = linalg.fill ins(%mixed_start : f32) outs(%mixed_none : tensor<1x2x16xf32>) -> tensor<1x2x16xf32>
  %mixed = linalg.generic {indexing_maps = [affine_map<(h, i, d, j) -> (h, i, j)>, affine_map<(h, i, d, j) -> (h, j, d)>, affine_map<(h, i, d, j) -> (h, i, d)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%weights, %v : tensor<1x2x3xf16>, tensor<1x3x16xf16>) outs(%mixed_init : tensor<1x2x16xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x16xf32>
  %result_empty = tensor.empty() : tensor<1x2x16xf16>
  %result = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%mixed : tensor<1x2x16xf32>) outs(%result_empty : tensor<1x2x16xf16>) {
  ^bb0(%in_a0: f32, %in_acc: f16):
    %in_y = arith.truncf %in_a0 : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<1x2x16xf16>
  func.return %result : tensor<1x2x16xf16>
}

// -----

// The weights are returned too: they have to lie somewhere.

func.func @returned(%q: tensor<2x8x16xf16>, %k: tensor<2x24x16xf16>, %v: tensor<2x24x32xf16>) -> (tensor<2x8x32xf16>, tensor<2x8x24xf16>) {
  %scores_start = arith.constant 0.0 : f32
  %scores_none = tensor.empty() : tensor<2x8x24xf32>
  %scores_init = linalg.fill ins(%scores_start : f32) outs(%scores_none : tensor<2x8x24xf32>) -> tensor<2x8x24xf32>
  %scores = linalg.generic {indexing_maps = [affine_map<(h, i, j, d) -> (h, i, d)>, affine_map<(h, i, j, d) -> (h, j, d)>, affine_map<(h, i, j, d) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<2x8x16xf16>, tensor<2x24x16xf16>) outs(%scores_init : tensor<2x8x24xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x24xf32>
  %scaled_empty = tensor.empty() : tensor<2x8x24xf32>
  %scaled = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scores : tensor<2x8x24xf32>) outs(%scaled_empty : tensor<2x8x24xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_n = arith.constant 2.50000000000000000e-01 : f32
    %in_y = arith.mulf %in_a0, %in_n : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x24xf32>
  %most_start = arith.constant 0xFF800000 : f32
  %most_none = tensor.empty() : tensor<2x8xf32>
  %most_init = linalg.fill ins(%most_start : f32) outs(%most_none : tensor<2x8xf32>) -> tensor<2x8xf32>
  %most = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%scaled : tensor<2x8x24xf32>) outs(%most_init : tensor<2x8xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.maximumf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8xf32>
  %parts_empty = tensor.empty() : tensor<2x8x24xf32>
  %parts = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scaled, %most : tensor<2x8x24xf32>, tensor<2x8xf32>) outs(%parts_empty : tensor<2x8x24xf32>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f32):
    %in_d = arith.subf %in_a0, %in_a1 : f32
    %in_y = math.exp %in_d : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x24xf32>
  %total_start = arith.constant 0.0 : f32
  %total_none = tensor.empty() : tensor<2x8xf32>
  %total_init = linalg.fill ins(%total_start : f32) outs(%total_none : tensor<2x8xf32>) -> tensor<2x8xf32>
  %total = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%parts : tensor<2x8x24xf32>) outs(%total_init : tensor<2x8xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.addf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8xf32>
  %weights_empty = tensor.empty() : tensor<2x8x24xf16>
  %weights = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%parts, %total : tensor<2x8x24xf32>, tensor<2x8xf32>) outs(%weights_empty : tensor<2x8x24xf16>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f16):
    %in_q = arith.divf %in_a0, %in_a1 : f32
    %in_y = arith.truncf %in_q : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<2x8x24xf16>
  %mixed_start = arith.constant 0.0 : f32
  %mixed_none = tensor.empty() : tensor<2x8x32xf32>
  %mixed_init = linalg.fill ins(%mixed_start : f32) outs(%mixed_none : tensor<2x8x32xf32>) -> tensor<2x8x32xf32>
  // expected-error @+1 {{cannot compute 'linalg.generic' as attention: what 'linalg.generic' computes on the way is read by 'func.return' too}}
  %mixed = linalg.generic {indexing_maps = [affine_map<(h, i, d, j) -> (h, i, j)>, affine_map<(h, i, d, j) -> (h, j, d)>, affine_map<(h, i, d, j) -> (h, i, d)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%weights, %v : tensor<2x8x24xf16>, tensor<2x24x32xf16>) outs(%mixed_init : tensor<2x8x32xf32>) attrs = {wmma.fused} {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x32xf32>
  %result_empty = tensor.empty() : tensor<2x8x32xf16>
  %result = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%mixed : tensor<2x8x32xf32>) outs(%result_empty : tensor<2x8x32xf16>) {
  ^bb0(%in_a0: f32, %in_acc: f16):
    %in_y = arith.truncf %in_a0 : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<2x8x32xf16>
  func.return %result, %weights : tensor<2x8x32xf16>, tensor<2x8x24xf16>
}

// -----

// The softmax is one of columns.

func.func @another_axis(%q: tensor<2x8x16xf16>, %k: tensor<2x24x16xf16>, %v: tensor<2x24x32xf16>) -> (tensor<2x8x32xf16>) {
  %scores_start = arith.constant 0.0 : f32
  %scores_none = tensor.empty() : tensor<2x8x24xf32>
  %scores_init = linalg.fill ins(%scores_start : f32) outs(%scores_none : tensor<2x8x24xf32>) -> tensor<2x8x24xf32>
  %scores = linalg.generic {indexing_maps = [affine_map<(h, i, j, d) -> (h, i, d)>, affine_map<(h, i, j, d) -> (h, j, d)>, affine_map<(h, i, j, d) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<2x8x16xf16>, tensor<2x24x16xf16>) outs(%scores_init : tensor<2x8x24xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x24xf32>
  %scaled_empty = tensor.empty() : tensor<2x8x24xf32>
  %scaled = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scores : tensor<2x8x24xf32>) outs(%scaled_empty : tensor<2x8x24xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_n = arith.constant 2.50000000000000000e-01 : f32
    %in_y = arith.mulf %in_a0, %in_n : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x24xf32>
  %most_start = arith.constant 0xFF800000 : f32
  %most_none = tensor.empty() : tensor<2x24xf32>
  %most_init = linalg.fill ins(%most_start : f32) outs(%most_none : tensor<2x24xf32>) -> tensor<2x24xf32>
  %most = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, j)>], iterator_types = ["parallel", "reduction", "parallel"]}
    ins(%scaled : tensor<2x8x24xf32>) outs(%most_init : tensor<2x24xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.maximumf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<2x24xf32>
  %parts_empty = tensor.empty() : tensor<2x8x24xf32>
  %parts = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, j)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scaled, %most : tensor<2x8x24xf32>, tensor<2x24xf32>) outs(%parts_empty : tensor<2x8x24xf32>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f32):
    %in_d = arith.subf %in_a0, %in_a1 : f32
    %in_y = math.exp %in_d : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x24xf32>
  %total_start = arith.constant 0.0 : f32
  %total_none = tensor.empty() : tensor<2x24xf32>
  %total_init = linalg.fill ins(%total_start : f32) outs(%total_none : tensor<2x24xf32>) -> tensor<2x24xf32>
  %total = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, j)>], iterator_types = ["parallel", "reduction", "parallel"]}
    ins(%parts : tensor<2x8x24xf32>) outs(%total_init : tensor<2x24xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.addf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<2x24xf32>
  %weights_empty = tensor.empty() : tensor<2x8x24xf16>
  %weights = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, j)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%parts, %total : tensor<2x8x24xf32>, tensor<2x24xf32>) outs(%weights_empty : tensor<2x8x24xf16>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f16):
    %in_q = arith.divf %in_a0, %in_a1 : f32
    %in_y = arith.truncf %in_q : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<2x8x24xf16>
  %mixed_start = arith.constant 0.0 : f32
  %mixed_none = tensor.empty() : tensor<2x8x32xf32>
  %mixed_init = linalg.fill ins(%mixed_start : f32) outs(%mixed_none : tensor<2x8x32xf32>) -> tensor<2x8x32xf32>
  // expected-error @+1 {{cannot compute 'linalg.generic' as attention: neither operand is a softmax over the keys: another sum divides}}
  %mixed = linalg.generic {indexing_maps = [affine_map<(h, i, d, j) -> (h, i, j)>, affine_map<(h, i, d, j) -> (h, j, d)>, affine_map<(h, i, d, j) -> (h, i, d)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%weights, %v : tensor<2x8x24xf16>, tensor<2x24x32xf16>) outs(%mixed_init : tensor<2x8x32xf32>) attrs = {wmma.fused} {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x32xf32>
  %result_empty = tensor.empty() : tensor<2x8x32xf16>
  %result = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%mixed : tensor<2x8x32xf32>) outs(%result_empty : tensor<2x8x32xf16>) {
  ^bb0(%in_a0: f32, %in_acc: f16):
    %in_y = arith.truncf %in_a0 : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<2x8x32xf16>
  func.return %result : tensor<2x8x32xf16>
}

// -----

func.func @odd(%q: tensor<2x8x16xf16>, %k: tensor<2x24x16xf16>, %v: tensor<2x24x24xf16>) -> (tensor<2x8x24xf16>) {
  %scores_start = arith.constant 0.0 : f32
  %scores_none = tensor.empty() : tensor<2x8x24xf32>
  %scores_init = linalg.fill ins(%scores_start : f32) outs(%scores_none : tensor<2x8x24xf32>) -> tensor<2x8x24xf32>
  %scores = linalg.generic {indexing_maps = [affine_map<(h, i, j, d) -> (h, i, d)>, affine_map<(h, i, j, d) -> (h, j, d)>, affine_map<(h, i, j, d) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<2x8x16xf16>, tensor<2x24x16xf16>) outs(%scores_init : tensor<2x8x24xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x24xf32>
  %scaled_empty = tensor.empty() : tensor<2x8x24xf32>
  %scaled = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scores : tensor<2x8x24xf32>) outs(%scaled_empty : tensor<2x8x24xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_n = arith.constant 2.50000000000000000e-01 : f32
    %in_y = arith.mulf %in_a0, %in_n : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x24xf32>
  %most_start = arith.constant 0xFF800000 : f32
  %most_none = tensor.empty() : tensor<2x8xf32>
  %most_init = linalg.fill ins(%most_start : f32) outs(%most_none : tensor<2x8xf32>) -> tensor<2x8xf32>
  %most = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%scaled : tensor<2x8x24xf32>) outs(%most_init : tensor<2x8xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.maximumf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8xf32>
  %parts_empty = tensor.empty() : tensor<2x8x24xf32>
  %parts = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scaled, %most : tensor<2x8x24xf32>, tensor<2x8xf32>) outs(%parts_empty : tensor<2x8x24xf32>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f32):
    %in_d = arith.subf %in_a0, %in_a1 : f32
    %in_y = math.exp %in_d : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x24xf32>
  %total_start = arith.constant 0.0 : f32
  %total_none = tensor.empty() : tensor<2x8xf32>
  %total_init = linalg.fill ins(%total_start : f32) outs(%total_none : tensor<2x8xf32>) -> tensor<2x8xf32>
  %total = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%parts : tensor<2x8x24xf32>) outs(%total_init : tensor<2x8xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.addf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8xf32>
  %weights_empty = tensor.empty() : tensor<2x8x24xf16>
  %weights = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%parts, %total : tensor<2x8x24xf32>, tensor<2x8xf32>) outs(%weights_empty : tensor<2x8x24xf16>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f16):
    %in_q = arith.divf %in_a0, %in_a1 : f32
    %in_y = arith.truncf %in_q : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<2x8x24xf16>
  %mixed_start = arith.constant 0.0 : f32
  %mixed_none = tensor.empty() : tensor<2x8x24xf32>
  %mixed_init = linalg.fill ins(%mixed_start : f32) outs(%mixed_none : tensor<2x8x24xf32>) -> tensor<2x8x24xf32>
  // expected-error @+1 {{cannot compute 'linalg.generic' as attention: heads of 16 and 24 features; multiples of 16 are required}}
  %mixed = linalg.generic {indexing_maps = [affine_map<(h, i, d, j) -> (h, i, j)>, affine_map<(h, i, d, j) -> (h, j, d)>, affine_map<(h, i, d, j) -> (h, i, d)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%weights, %v : tensor<2x8x24xf16>, tensor<2x24x24xf16>) outs(%mixed_init : tensor<2x8x24xf32>) attrs = {wmma.fused} {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x24xf32>
  %result_empty = tensor.empty() : tensor<2x8x24xf16>
  %result = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%mixed : tensor<2x8x24xf32>) outs(%result_empty : tensor<2x8x24xf16>) {
  ^bb0(%in_a0: f32, %in_acc: f16):
    %in_y = arith.truncf %in_a0 : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<2x8x24xf16>
  func.return %result : tensor<2x8x24xf16>
}

// -----

func.func @large(%q: tensor<2x8x16xf16>, %k: tensor<2x24x16xf16>, %v: tensor<2x24x512xf16>) -> (tensor<2x8x512xf16>) {
  %scores_start = arith.constant 0.0 : f32
  %scores_none = tensor.empty() : tensor<2x8x24xf32>
  %scores_init = linalg.fill ins(%scores_start : f32) outs(%scores_none : tensor<2x8x24xf32>) -> tensor<2x8x24xf32>
  %scores = linalg.generic {indexing_maps = [affine_map<(h, i, j, d) -> (h, i, d)>, affine_map<(h, i, j, d) -> (h, j, d)>, affine_map<(h, i, j, d) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<2x8x16xf16>, tensor<2x24x16xf16>) outs(%scores_init : tensor<2x8x24xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x24xf32>
  %scaled_empty = tensor.empty() : tensor<2x8x24xf32>
  %scaled = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scores : tensor<2x8x24xf32>) outs(%scaled_empty : tensor<2x8x24xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_n = arith.constant 2.50000000000000000e-01 : f32
    %in_y = arith.mulf %in_a0, %in_n : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x24xf32>
  %most_start = arith.constant 0xFF800000 : f32
  %most_none = tensor.empty() : tensor<2x8xf32>
  %most_init = linalg.fill ins(%most_start : f32) outs(%most_none : tensor<2x8xf32>) -> tensor<2x8xf32>
  %most = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%scaled : tensor<2x8x24xf32>) outs(%most_init : tensor<2x8xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.maximumf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8xf32>
  %parts_empty = tensor.empty() : tensor<2x8x24xf32>
  %parts = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scaled, %most : tensor<2x8x24xf32>, tensor<2x8xf32>) outs(%parts_empty : tensor<2x8x24xf32>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f32):
    %in_d = arith.subf %in_a0, %in_a1 : f32
    %in_y = math.exp %in_d : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x24xf32>
  %total_start = arith.constant 0.0 : f32
  %total_none = tensor.empty() : tensor<2x8xf32>
  %total_init = linalg.fill ins(%total_start : f32) outs(%total_none : tensor<2x8xf32>) -> tensor<2x8xf32>
  %total = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%parts : tensor<2x8x24xf32>) outs(%total_init : tensor<2x8xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.addf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8xf32>
  %weights_empty = tensor.empty() : tensor<2x8x24xf16>
  %weights = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%parts, %total : tensor<2x8x24xf32>, tensor<2x8xf32>) outs(%weights_empty : tensor<2x8x24xf16>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f16):
    %in_q = arith.divf %in_a0, %in_a1 : f32
    %in_y = arith.truncf %in_q : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<2x8x24xf16>
  %mixed_start = arith.constant 0.0 : f32
  %mixed_none = tensor.empty() : tensor<2x8x512xf32>
  %mixed_init = linalg.fill ins(%mixed_start : f32) outs(%mixed_none : tensor<2x8x512xf32>) -> tensor<2x8x512xf32>
  // expected-error @+1 {{cannot compute 'linalg.generic' as attention: heads of 16 and 512 features do not fit the shared memory and registers of a block on every architecture}}
  %mixed = linalg.generic {indexing_maps = [affine_map<(h, i, d, j) -> (h, i, j)>, affine_map<(h, i, d, j) -> (h, j, d)>, affine_map<(h, i, d, j) -> (h, i, d)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%weights, %v : tensor<2x8x24xf16>, tensor<2x24x512xf16>) outs(%mixed_init : tensor<2x8x512xf32>) attrs = {wmma.fused} {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<2x8x512xf32>
  %result_empty = tensor.empty() : tensor<2x8x512xf16>
  %result = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%mixed : tensor<2x8x512xf32>) outs(%result_empty : tensor<2x8x512xf16>) {
  ^bb0(%in_a0: f32, %in_acc: f16):
    %in_y = arith.truncf %in_a0 : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<2x8x512xf16>
  func.return %result : tensor<2x8x512xf16>
}

// -----

func.func @plain(%a: tensor<16x16xf16>, %b: tensor<16x16xf16>, %start: tensor<16x16xf32>) -> tensor<16x16xf32> {
  // expected-error @+1 {{cannot compute 'linalg.matmul' as attention: neither operand is a softmax}}
  %c = linalg.matmul {wmma.fused} ins(%a, %b : tensor<16x16xf16>, tensor<16x16xf16>) outs(%start : tensor<16x16xf32>) -> tensor<16x16xf32>
  func.return %c : tensor<16x16xf32>
}

// -----

// What a product starts from has no place in the operation.
func.func @scores_from_tensor(%q: tensor<1x2x16xf16>, %k: tensor<1x3x16xf16>, %v: tensor<1x3x16xf16>, %bias: tensor<1x2x3xf32>) -> (tensor<1x2x16xf16>) {
  %scores_start = arith.constant 0.0 : f32
  %scores_none = tensor.empty() : tensor<1x2x3xf32>
  %scores_init = linalg.fill ins(%scores_start : f32) outs(%scores_none : tensor<1x2x3xf32>) -> tensor<1x2x3xf32>
  %scores = linalg.generic {indexing_maps = [affine_map<(h, i, j, d) -> (h, i, d)>, affine_map<(h, i, j, d) -> (h, j, d)>, affine_map<(h, i, j, d) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<1x2x16xf16>, tensor<1x3x16xf16>) outs(%bias : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %scaled_empty = tensor.empty() : tensor<1x2x3xf32>
  %scaled = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scores : tensor<1x2x3xf32>) outs(%scaled_empty : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_n = arith.constant 2.50000000000000000e-01 : f32
    %in_y = arith.mulf %in_a0, %in_n : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %most_start = arith.constant 0xFF800000 : f32
  %most_none = tensor.empty() : tensor<1x2xf32>
  %most_init = linalg.fill ins(%most_start : f32) outs(%most_none : tensor<1x2xf32>) -> tensor<1x2xf32>
  %most = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%scaled : tensor<1x2x3xf32>) outs(%most_init : tensor<1x2xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.maximumf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2xf32>
  %parts_empty = tensor.empty() : tensor<1x2x3xf32>
  %parts = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scaled, %most : tensor<1x2x3xf32>, tensor<1x2xf32>) outs(%parts_empty : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f32):
    %in_d = arith.subf %in_a0, %in_a1 : f32
    %in_y = math.exp %in_d : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %total_start = arith.constant 0.0 : f32
  %total_none = tensor.empty() : tensor<1x2xf32>
  %total_init = linalg.fill ins(%total_start : f32) outs(%total_none : tensor<1x2xf32>) -> tensor<1x2xf32>
  %total = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%parts : tensor<1x2x3xf32>) outs(%total_init : tensor<1x2xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.addf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2xf32>
  %weights_empty = tensor.empty() : tensor<1x2x3xf16>
  %weights = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%parts, %total : tensor<1x2x3xf32>, tensor<1x2xf32>) outs(%weights_empty : tensor<1x2x3xf16>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f16):
    %in_q = arith.divf %in_a0, %in_a1 : f32
    %in_y = arith.truncf %in_q : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<1x2x3xf16>
  %mixed_start = arith.constant 0.0 : f32
  %mixed_none = tensor.empty() : tensor<1x2x16xf32>
  %mixed_init = linalg.fill ins(%mixed_start : f32) outs(%mixed_none : tensor<1x2x16xf32>) -> tensor<1x2x16xf32>
  // expected-error @+1 {{cannot compute 'linalg.generic' as attention: the product of its scores is added to what is not zero}}
  %mixed = linalg.generic {indexing_maps = [affine_map<(h, i, d, j) -> (h, i, j)>, affine_map<(h, i, d, j) -> (h, j, d)>, affine_map<(h, i, d, j) -> (h, i, d)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%weights, %v : tensor<1x2x3xf16>, tensor<1x3x16xf16>) outs(%mixed_init : tensor<1x2x16xf32>) attrs = {wmma.fused} {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x16xf32>
  %result_empty = tensor.empty() : tensor<1x2x16xf16>
  %result = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%mixed : tensor<1x2x16xf32>) outs(%result_empty : tensor<1x2x16xf16>) {
  ^bb0(%in_a0: f32, %in_acc: f16):
    %in_y = arith.truncf %in_a0 : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<1x2x16xf16>
  func.return %result : tensor<1x2x16xf16>
}

// -----

func.func @values_from_number(%q: tensor<1x2x16xf16>, %k: tensor<1x3x16xf16>, %v: tensor<1x3x16xf16>) -> (tensor<1x2x16xf16>) {
  %scores_start = arith.constant 0.0 : f32
  %scores_none = tensor.empty() : tensor<1x2x3xf32>
  %scores_init = linalg.fill ins(%scores_start : f32) outs(%scores_none : tensor<1x2x3xf32>) -> tensor<1x2x3xf32>
  %scores = linalg.generic {indexing_maps = [affine_map<(h, i, j, d) -> (h, i, d)>, affine_map<(h, i, j, d) -> (h, j, d)>, affine_map<(h, i, j, d) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<1x2x16xf16>, tensor<1x3x16xf16>) outs(%scores_init : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %scaled_empty = tensor.empty() : tensor<1x2x3xf32>
  %scaled = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scores : tensor<1x2x3xf32>) outs(%scaled_empty : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_n = arith.constant 2.50000000000000000e-01 : f32
    %in_y = arith.mulf %in_a0, %in_n : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %most_start = arith.constant 0xFF800000 : f32
  %most_none = tensor.empty() : tensor<1x2xf32>
  %most_init = linalg.fill ins(%most_start : f32) outs(%most_none : tensor<1x2xf32>) -> tensor<1x2xf32>
  %most = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%scaled : tensor<1x2x3xf32>) outs(%most_init : tensor<1x2xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.maximumf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2xf32>
  %parts_empty = tensor.empty() : tensor<1x2x3xf32>
  %parts = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scaled, %most : tensor<1x2x3xf32>, tensor<1x2xf32>) outs(%parts_empty : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f32):
    %in_d = arith.subf %in_a0, %in_a1 : f32
    %in_y = math.exp %in_d : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %total_start = arith.constant 0.0 : f32
  %total_none = tensor.empty() : tensor<1x2xf32>
  %total_init = linalg.fill ins(%total_start : f32) outs(%total_none : tensor<1x2xf32>) -> tensor<1x2xf32>
  %total = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%parts : tensor<1x2x3xf32>) outs(%total_init : tensor<1x2xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.addf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2xf32>
  %weights_empty = tensor.empty() : tensor<1x2x3xf16>
  %weights = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%parts, %total : tensor<1x2x3xf32>, tensor<1x2xf32>) outs(%weights_empty : tensor<1x2x3xf16>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f16):
    %in_q = arith.divf %in_a0, %in_a1 : f32
    %in_y = arith.truncf %in_q : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<1x2x3xf16>
  %mixed_start = arith.constant 2.0 : f32
  %mixed_none = tensor.empty() : tensor<1x2x16xf32>
  %mixed_init = linalg.fill ins(%mixed_start : f32) outs(%mixed_none : tensor<1x2x16xf32>) -> tensor<1x2x16xf32>
  // expected-error @+1 {{cannot compute 'linalg.generic' as attention: the product of its values is added to what is not zero}}
  %mixed = linalg.generic {indexing_maps = [affine_map<(h, i, d, j) -> (h, i, j)>, affine_map<(h, i, d, j) -> (h, j, d)>, affine_map<(h, i, d, j) -> (h, i, d)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%weights, %v : tensor<1x2x3xf16>, tensor<1x3x16xf16>) outs(%mixed_init : tensor<1x2x16xf32>) attrs = {wmma.fused} {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x16xf32>
  %result_empty = tensor.empty() : tensor<1x2x16xf16>
  %result = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%mixed : tensor<1x2x16xf32>) outs(%result_empty : tensor<1x2x16xf16>) {
  ^bb0(%in_a0: f32, %in_acc: f16):
    %in_y = arith.truncf %in_a0 : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<1x2x16xf16>
  func.return %result : tensor<1x2x16xf16>
}

// -----

// Numbers of 8 bits wrap around: this is no causal mask.
func.func @wrapped(%q: tensor<1x2x16xf16>, %k: tensor<1x3x16xf16>, %v: tensor<1x3x16xf16>) -> (tensor<1x2x16xf16>) {
  %scores_start = arith.constant 0.0 : f32
  %scores_none = tensor.empty() : tensor<1x2x3xf32>
  %scores_init = linalg.fill ins(%scores_start : f32) outs(%scores_none : tensor<1x2x3xf32>) -> tensor<1x2x3xf32>
  %scores = linalg.generic {indexing_maps = [affine_map<(h, i, j, d) -> (h, i, d)>, affine_map<(h, i, j, d) -> (h, j, d)>, affine_map<(h, i, j, d) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<1x2x16xf16>, tensor<1x3x16xf16>) outs(%scores_init : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %scaled_empty = tensor.empty() : tensor<1x2x3xf32>
  %scaled = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scores : tensor<1x2x3xf32>) outs(%scaled_empty : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_n = arith.constant 2.50000000000000000e-01 : f32
    %in_y = arith.mulf %in_a0, %in_n : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %causal_empty = tensor.empty() : tensor<1x2x3xf32>
  %causal = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scaled : tensor<1x2x3xf32>) outs(%causal_empty : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_row = linalg.index 1 : index
    %in_key = linalg.index 2 : index
    %in_r = arith.index_cast %in_row : index to i8
    %in_k = arith.index_cast %in_key : index to i8
    %in_counts = arith.cmpi sge, %in_r, %in_k : i8
    %in_least = arith.constant 0xFF800000 : f32
    %in_y = arith.select %in_counts, %in_a0, %in_least : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %most_start = arith.constant 0xFF800000 : f32
  %most_none = tensor.empty() : tensor<1x2xf32>
  %most_init = linalg.fill ins(%most_start : f32) outs(%most_none : tensor<1x2xf32>) -> tensor<1x2xf32>
  %most = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%causal : tensor<1x2x3xf32>) outs(%most_init : tensor<1x2xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.maximumf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2xf32>
  %parts_empty = tensor.empty() : tensor<1x2x3xf32>
  %parts = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%causal, %most : tensor<1x2x3xf32>, tensor<1x2xf32>) outs(%parts_empty : tensor<1x2x3xf32>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f32):
    %in_d = arith.subf %in_a0, %in_a1 : f32
    %in_y = math.exp %in_d : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x3xf32>
  %total_start = arith.constant 0.0 : f32
  %total_none = tensor.empty() : tensor<1x2xf32>
  %total_init = linalg.fill ins(%total_start : f32) outs(%total_none : tensor<1x2xf32>) -> tensor<1x2xf32>
  %total = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%parts : tensor<1x2x3xf32>) outs(%total_init : tensor<1x2xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.addf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2xf32>
  %weights_empty = tensor.empty() : tensor<1x2x3xf16>
  %weights = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%parts, %total : tensor<1x2x3xf32>, tensor<1x2xf32>) outs(%weights_empty : tensor<1x2x3xf16>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f16):
    %in_q = arith.divf %in_a0, %in_a1 : f32
    %in_y = arith.truncf %in_q : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<1x2x3xf16>
  %mixed_start = arith.constant 0.0 : f32
  %mixed_none = tensor.empty() : tensor<1x2x16xf32>
  %mixed_init = linalg.fill ins(%mixed_start : f32) outs(%mixed_none : tensor<1x2x16xf32>) -> tensor<1x2x16xf32>
  // expected-error @+1 {{cannot compute 'linalg.generic' as attention: its mask by indices has to put -1e30 or less where key > row + d, or where key > d, with a constant d of 0 or more, and compare in a type whose numbers do not wrap around; no other kernel computes a mask by indices: add one that is a tensor}}
  %mixed = linalg.generic {indexing_maps = [affine_map<(h, i, d, j) -> (h, i, j)>, affine_map<(h, i, d, j) -> (h, j, d)>, affine_map<(h, i, d, j) -> (h, i, d)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%weights, %v : tensor<1x2x3xf16>, tensor<1x3x16xf16>) outs(%mixed_init : tensor<1x2x16xf32>) attrs = {wmma.fused} {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<1x2x16xf32>
  %result_empty = tensor.empty() : tensor<1x2x16xf16>
  %result = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%mixed : tensor<1x2x16xf32>) outs(%result_empty : tensor<1x2x16xf16>) {
  ^bb0(%in_a0: f32, %in_acc: f16):
    %in_y = arith.truncf %in_a0 : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<1x2x16xf16>
  func.return %result : tensor<1x2x16xf16>
}

// -----

// No kernel has a mask of other indices, asked for or not.

func.func @earlier(%q: tensor<1x4x2x16xf16>, %k: tensor<1x33x16xf16>, %v: tensor<1x33x16xf16>) -> (tensor<1x4x2x16xf32>) {
  %scores_start = arith.constant 0.0 : f32
  %scores_none = tensor.empty() : tensor<1x4x2x33xf32>
  %scores_init = linalg.fill ins(%scores_start : f32) outs(%scores_none : tensor<1x4x2x33xf32>) -> tensor<1x4x2x33xf32>
  %scores = linalg.generic {indexing_maps = [affine_map<(h, g, i, j, d) -> (h, g, i, d)>, affine_map<(h, g, i, j, d) -> (h, j, d)>, affine_map<(h, g, i, j, d) -> (h, g, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<1x4x2x16xf16>, tensor<1x33x16xf16>) outs(%scores_init : tensor<1x4x2x33xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<1x4x2x33xf32>
  %causal_empty = tensor.empty() : tensor<1x4x2x33xf32>
  %causal = linalg.generic {indexing_maps = [affine_map<(h, g, i, j) -> (h, g, i, j)>, affine_map<(h, g, i, j) -> (h, g, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%scores : tensor<1x4x2x33xf32>) outs(%causal_empty : tensor<1x4x2x33xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_group = linalg.index 1 : index
    %in_row = linalg.index 2 : index
    %in_key = linalg.index 3 : index
    %in_zero = arith.constant 0 : index
    %in_off = arith.constant 0 : index
    %in_last = arith.addi %in_key, %in_off : index
    %in_counts = arith.cmpi sge, %in_last, %in_key : index
    %in_least = arith.constant 0xFF800000 : f32
    %in_y = arith.select %in_counts, %in_a0, %in_least : f32
    linalg.yield %in_y : f32
  } -> tensor<1x4x2x33xf32>
  %most_start = arith.constant 0xFF800000 : f32
  %most_none = tensor.empty() : tensor<1x4x2xf32>
  %most_init = linalg.fill ins(%most_start : f32) outs(%most_none : tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
  %most = linalg.generic {indexing_maps = [affine_map<(h, g, i, j) -> (h, g, i, j)>, affine_map<(h, g, i, j) -> (h, g, i)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%causal : tensor<1x4x2x33xf32>) outs(%most_init : tensor<1x4x2xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.maximumf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<1x4x2xf32>
  %parts_empty = tensor.empty() : tensor<1x4x2x33xf32>
  %parts = linalg.generic {indexing_maps = [affine_map<(h, g, i, j) -> (h, g, i, j)>, affine_map<(h, g, i, j) -> (h, g, i)>, affine_map<(h, g, i, j) -> (h, g, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%causal, %most : tensor<1x4x2x33xf32>, tensor<1x4x2xf32>) outs(%parts_empty : tensor<1x4x2x33xf32>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f32):
    %in_d = arith.subf %in_a0, %in_a1 : f32
    %in_y = math.exp %in_d : f32
    linalg.yield %in_y : f32
  } -> tensor<1x4x2x33xf32>
  %total_start = arith.constant 0.0 : f32
  %total_none = tensor.empty() : tensor<1x4x2xf32>
  %total_init = linalg.fill ins(%total_start : f32) outs(%total_none : tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
  %total = linalg.generic {indexing_maps = [affine_map<(h, g, i, j) -> (h, g, i, j)>, affine_map<(h, g, i, j) -> (h, g, i)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%parts : tensor<1x4x2x33xf32>) outs(%total_init : tensor<1x4x2xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.addf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<1x4x2xf32>
  %weights_empty = tensor.empty() : tensor<1x4x2x33xf16>
  %weights = linalg.generic {indexing_maps = [affine_map<(h, g, i, j) -> (h, g, i, j)>, affine_map<(h, g, i, j) -> (h, g, i)>, affine_map<(h, g, i, j) -> (h, g, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%parts, %total : tensor<1x4x2x33xf32>, tensor<1x4x2xf32>) outs(%weights_empty : tensor<1x4x2x33xf16>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f16):
    %in_q = arith.divf %in_a0, %in_a1 : f32
    %in_y = arith.truncf %in_q : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<1x4x2x33xf16>
  %mixed_start = arith.constant 0.0 : f32
  %mixed_none = tensor.empty() : tensor<1x4x2x16xf32>
  %mixed_init = linalg.fill ins(%mixed_start : f32) outs(%mixed_none : tensor<1x4x2x16xf32>) -> tensor<1x4x2x16xf32>
  // expected-error @+1 {{cannot compute 'linalg.generic' as attention: its mask by indices has to put -1e30 or less where key > row + d}}
  %mixed = linalg.generic {indexing_maps = [affine_map<(h, g, i, c, j) -> (h, g, i, j)>, affine_map<(h, g, i, c, j) -> (h, j, c)>, affine_map<(h, g, i, c, j) -> (h, g, i, c)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
    ins(%weights, %v : tensor<1x4x2x33xf16>, tensor<1x33x16xf16>) outs(%mixed_init : tensor<1x4x2x16xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<1x4x2x16xf32>
  func.return %mixed : tensor<1x4x2x16xf32>
}

// -----

// Of no heads there is nothing to compute: the products stay as they are.

// CHECK-LABEL: func.func @nothing(
// CHECK-NOT:     wmma.attention
// CHECK:         func.return
func.func @nothing(%q: tensor<0x2x16xf16>, %k: tensor<0x3x16xf16>, %v: tensor<0x3x16xf16>) -> (tensor<0x2x16xf16>) {
  %mask = arith.constant dense<[[0.0, -1.0e38, -1.0e38], [0.0, 0.0, -1.0e38]]> : tensor<2x3xf32>
  %scores_start = arith.constant 0.0 : f32
  %scores_none = tensor.empty() : tensor<0x2x3xf32>
  %scores_init = linalg.fill ins(%scores_start : f32) outs(%scores_none : tensor<0x2x3xf32>) -> tensor<0x2x3xf32>
  %scores = linalg.generic {indexing_maps = [affine_map<(h, i, j, d) -> (h, i, d)>, affine_map<(h, i, j, d) -> (h, j, d)>, affine_map<(h, i, j, d) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<0x2x16xf16>, tensor<0x3x16xf16>) outs(%scores_init : tensor<0x2x3xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<0x2x3xf32>
  %scaled_empty = tensor.empty() : tensor<0x2x3xf32>
  %scaled = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (i, j)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scores, %mask : tensor<0x2x3xf32>, tensor<2x3xf32>) outs(%scaled_empty : tensor<0x2x3xf32>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f32):
    %in_n = arith.constant 2.50000000000000000e-01 : f32
    %in_s = arith.mulf %in_a0, %in_n : f32
    %in_y = arith.addf %in_s, %in_a1 : f32
    linalg.yield %in_y : f32
  } -> tensor<0x2x3xf32>
  %most_start = arith.constant 0xFF800000 : f32
  %most_none = tensor.empty() : tensor<0x2xf32>
  %most_init = linalg.fill ins(%most_start : f32) outs(%most_none : tensor<0x2xf32>) -> tensor<0x2xf32>
  %most = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%scaled : tensor<0x2x3xf32>) outs(%most_init : tensor<0x2xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.maximumf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<0x2xf32>
  %parts_empty = tensor.empty() : tensor<0x2x3xf32>
  %parts = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%scaled, %most : tensor<0x2x3xf32>, tensor<0x2xf32>) outs(%parts_empty : tensor<0x2x3xf32>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f32):
    %in_d = arith.subf %in_a0, %in_a1 : f32
    %in_y = math.exp %in_d : f32
    linalg.yield %in_y : f32
  } -> tensor<0x2x3xf32>
  %total_start = arith.constant 0.0 : f32
  %total_none = tensor.empty() : tensor<0x2xf32>
  %total_init = linalg.fill ins(%total_start : f32) outs(%total_none : tensor<0x2xf32>) -> tensor<0x2xf32>
  %total = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%parts : tensor<0x2x3xf32>) outs(%total_init : tensor<0x2xf32>) {
  ^bb0(%in_a0: f32, %in_acc: f32):
    %in_y = arith.addf %in_acc, %in_a0 : f32
    linalg.yield %in_y : f32
  } -> tensor<0x2xf32>
  %weights_empty = tensor.empty() : tensor<0x2x3xf16>
  %weights = linalg.generic {indexing_maps = [affine_map<(h, i, j) -> (h, i, j)>, affine_map<(h, i, j) -> (h, i)>, affine_map<(h, i, j) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%parts, %total : tensor<0x2x3xf32>, tensor<0x2xf32>) outs(%weights_empty : tensor<0x2x3xf16>) {
  ^bb0(%in_a0: f32, %in_a1: f32, %in_acc: f16):
    %in_q = arith.divf %in_a0, %in_a1 : f32
    %in_y = arith.truncf %in_q : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<0x2x3xf16>
  %mixed_start = arith.constant 0.0 : f32
  %mixed_none = tensor.empty() : tensor<0x2x16xf32>
  %mixed_init = linalg.fill ins(%mixed_start : f32) outs(%mixed_none : tensor<0x2x16xf32>) -> tensor<0x2x16xf32>
  %mixed = linalg.generic {indexing_maps = [affine_map<(h, i, d, j) -> (h, i, j)>, affine_map<(h, i, d, j) -> (h, j, d)>, affine_map<(h, i, d, j) -> (h, i, d)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%weights, %v : tensor<0x2x3xf16>, tensor<0x3x16xf16>) outs(%mixed_init : tensor<0x2x16xf32>) {
  ^bb0(%in_a0: f16, %in_a1: f16, %in_acc: f32):
    %in_a0_wide = arith.extf %in_a0 : f16 to f32
    %in_a1_wide = arith.extf %in_a1 : f16 to f32
    %in_a_product = arith.mulf %in_a0_wide, %in_a1_wide : f32
    %in_y = arith.addf %in_acc, %in_a_product : f32
    linalg.yield %in_y : f32
  } -> tensor<0x2x16xf32>
  %result_empty = tensor.empty() : tensor<0x2x16xf16>
  %result = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%mixed : tensor<0x2x16xf32>) outs(%result_empty : tensor<0x2x16xf16>) {
  ^bb0(%in_a0: f32, %in_acc: f16):
    %in_y = arith.truncf %in_a0 : f32 to f16
    linalg.yield %in_y : f16
  } -> tensor<0x2x16xf16>
  func.return %result : tensor<0x2x16xf16>
}
