// RUN: vtac-opt %s -p convert-attention-to-memory --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p convert-attention-to-memory,convert-attention-to-memory --split-input-file --verify-diagnostics | filecheck %s

// 40 rows in blocks of 32, one head by each of two blocks, 100 keys in steps of 64, of which 28 are none.

// CHECK-LABEL: func.func @heads(
// CHECK-SAME:    %q: memref<2x40x16xf16>, %k: memref<2x100x16xf16>, %v: memref<2x100x32xf16>, %r: memref<2x40x32xf16> {schedule.result})
// CHECK:         schedule.for %block_x = 0 to 2 kind "blockIdx.x"
// CHECK-NEXT:    schedule.for %block_y = 0 to 2 kind "blockIdx.y"
// CHECK-NEXT:    schedule.for %warp = 0 to 2 kind "threadIdx.y"
// CHECK-NEXT:    schedule.for %lane = 0 to 32 kind "threadIdx.x"
// CHECK:         schedule.for %step = 0 to 2 {
// CHECK:           scf.if {{.*}} -> (vector<8xf16>)
// CHECK:           wmma.mma_sync %scores
// CHECK:           wmma.store_matrix_sync %scores
// CHECK:           arith.select {{.*}} : f32
// CHECK:           math.exp
// CHECK:           arith.truncf {{.*}} : f32 to f16
// CHECK:           wmma.load_matrix_sync %factor
// CHECK-NEXT:      schedule.for
// CHECK:             wmma.multiply_fragment %sums
// CHECK:           wmma.mma_sync %sums
// CHECK:         arith.divf
// CHECK:         wmma.multiply_fragment %sums
// CHECK:         wmma.store_matrix_sync %staged
// CHECK:         scf.if
func.func @heads(%q: tensor<2x40x16xf16>, %k: tensor<2x100x16xf16>, %v: tensor<2x100x32xf16>) -> tensor<2x40x32xf16> {
  %r = wmma.attention %q, %k, %v sizes array<i64: 2, 40, 100, 16, 32> scale 0.25 : f32 maps [affine_map<(b, i, d) -> (b, i, d)>, affine_map<(b, j, d) -> (b, j, d)>, affine_map<(b, j, e) -> (b, j, e)>, affine_map<(b, i, e) -> (b, i, e)>] : tensor<2x40x16xf16>, tensor<2x100x16xf16>, tensor<2x100x32xf16> -> tensor<2x40x32xf16>
  func.return %r : tensor<2x40x32xf16>
}

// -----

// Keys beyond the row do not count: steps of such keys alone are not taken, and a mask is added.

// CHECK-LABEL: func.func @causal(
// CHECK:         schedule.for %step = 0 to {{[0-9]+}} {
// CHECK-NEXT:      affine.apply
// CHECK-NEXT:      arith.constant 0
// CHECK-NEXT:      arith.cmpi sge
// CHECK-NEXT:      scf.if
// CHECK:             arith.extf {{.*}} : bf16 to f32
// CHECK:             arith.select
func.func @causal(%q: tensor<128x16xbf16>, %k: tensor<128x16xbf16>, %v: tensor<128x16xbf16>, %m: tensor<128x128xbf16>) -> tensor<128x16xf32> {
  %r = wmma.attention %q, %k, %v mask %m sizes array<i64: 128, 128, 16, 16> scale 0.25 : f32 diagonal 0 maps [affine_map<(i, d) -> (i, d)>, affine_map<(j, d) -> (j, d)>, affine_map<(j, e) -> (j, e)>, affine_map<(i, j) -> (i, j)>, affine_map<(i, e) -> (i, e)>] : tensor<128x16xbf16>, tensor<128x16xbf16>, tensor<128x16xbf16>, tensor<128x128xbf16> -> tensor<128x16xf32>
  func.return %r : tensor<128x16xf32>
}

// -----

func.func @large(%q: tensor<16x512xf16>, %k: tensor<16x512xf16>, %v: tensor<16x512xf16>) -> tensor<16x512xf16> {
  // expected-error @+1 {{attention with heads of 512 and 512 features: no tiling of 16 rows and 16 keys or more fits the shared memory and the registers of a block on every architecture}}
  %r = wmma.attention %q, %k, %v sizes array<i64: 16, 16, 512, 512> scale 0.25 : f32 maps [affine_map<(i, d) -> (i, d)>, affine_map<(j, d) -> (j, d)>, affine_map<(j, e) -> (j, e)>, affine_map<(i, e) -> (i, e)>] : tensor<16x512xf16>, tensor<16x512xf16>, tensor<16x512xf16> -> tensor<16x512xf16>
  func.return %r : tensor<16x512xf16>
}
