// RUN: vtac-opt %s -p convert-attention-to-memory --split-input-file | filecheck %s
// RUN: vtac-opt %s -p convert-attention-to-memory,convert-attention-to-memory --split-input-file | filecheck %s

// A module that asks for mma.sync: queries are loaded once, keys and values are copied ahead, scores become weights in the
// registers they are in, and two neighbours of a row are stored at a time. Rows meet by two shuffles; nothing but operands
// lies in shared memory.

// CHECK-LABEL: func.func @heads(
// CHECK:         %query_tile = memref.alloc() : memref<32x16xf16, strided<[24, 1]>, "shared">
// CHECK-NOT:     memref.alloc() : memref<{{.*}}, "shared">
// CHECK:         %queries = mma.tiles : !mma.tiles<1 x matrix_a m16n8k16 f16>
// CHECK:         mma.ldmatrix %queries
// CHECK:         schedule.for %step = 0 to 2 attributes {pipeline = 2 : i64} {
// CHECK:           %key_tile = memref.alloc() : memref<64x16xf16, strided<[24, 1]>, "shared">
// CHECK:           %value_tile = memref.alloc() : memref<64x32xf16, strided<[40, 1]>, "shared">
// CHECK:           vector.store {{.*}}, %key_tile
// CHECK:           vector.store {{.*}}, %value_tile
// CHECK:           mma.ldmatrix %keys[{{.*}}] matrices 4 :
// CHECK:           mma.sync %scores
// CHECK:           arith.select {{.*}} : f32
// CHECK:           mma.insert {{.*}}, %scores
// CHECK:           mma.shuffle_xor {{.*}}, 1 : f32
// CHECK:           mma.shuffle_xor {{.*}}, 2 : f32
// CHECK:           math.exp
// CHECK:           mma.insert {{.*}}, %sums
// CHECK:           mma.pack %scores[{{.*}}] into %weights
// CHECK:           mma.ldmatrix %values[{{.*}}] matrices 4 transposed :
// CHECK:           mma.sync %sums
// CHECK:         arith.divf
// CHECK:         scf.if
// CHECK:           mma.store_pair
module attributes {wmma.instructions = "mma.sync"} {
  func.func @heads(%q: tensor<2x40x16xf16>, %k: tensor<2x100x16xf16>, %v: tensor<2x100x32xf16>) -> tensor<2x40x32xf16> {
    %r = wmma.attention %q, %k, %v sizes array<i64: 2, 40, 100, 16, 32> scale 0.25 : f32 maps [affine_map<(b, i, d) -> (b, i, d)>, affine_map<(b, j, d) -> (b, j, d)>, affine_map<(b, j, e) -> (b, j, e)>, affine_map<(b, i, e) -> (b, i, e)>] : tensor<2x40x16xf16>, tensor<2x100x16xf16>, tensor<2x100x32xf16> -> tensor<2x40x32xf16>
    func.return %r : tensor<2x40x32xf16>
  }
}

// -----

// Three heads of five rows share their keys and values: rows 0 to 14 of one tile, in one block.

// CHECK-LABEL: func.func @shared(
// CHECK:         schedule.for %block_x = 0 to 1 kind "blockIdx.x" {
// CHECK:           schedule.for %block_y = 0 to 2 kind "blockIdx.y" {
// CHECK:             mod 5
// CHECK:             floordiv 5
module attributes {wmma.instructions = "mma.sync"} {
  func.func @shared(%q: tensor<2x5x3x16xf16>, %k: tensor<2x20x16xf16>, %v: tensor<2x20x16xf16>) -> tensor<2x3x5x16xf16> {
    %r = wmma.attention %q, %k, %v sizes array<i64: 2, 3, 5, 20, 16, 16> scale 0.25 : f32 maps [affine_map<(b, h, i, d) -> (b, i, h, d)>, affine_map<(b, h, j, d) -> (b, j, d)>, affine_map<(b, h, j, e) -> (b, j, e)>, affine_map<(b, h, i, e) -> (b, h, i, e)>] : tensor<2x5x3x16xf16>, tensor<2x20x16xf16>, tensor<2x20x16xf16> -> tensor<2x3x5x16xf16>
    func.return %r : tensor<2x3x5x16xf16>
  }
}
