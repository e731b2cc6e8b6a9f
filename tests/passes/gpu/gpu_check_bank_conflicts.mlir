// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-check-bank-conflicts | filecheck %s

// Rows of 80 bytes, an odd multiple of 16: eight rows at one column meet all banks, whichever lanes come first.

// CHECK-LABEL: func.func @padded
// CHECK:         mma.ldmatrix
func.func @padded() attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %s = memref.alloc() : memref<640xf16, "shared">
  %left = mma.tiles : !mma.tiles<1 x matrix_a m16n8k16 f16>
  %c0 = arith.constant 0 : index
  %at = affine.apply affine_map<(t) -> (t mod 16 * 40 + t floordiv 16 * 8)> (%t)
  mma.ldmatrix %left[%c0], %s[%at] matrices 4 : !mma.tiles<1 x matrix_a m16n8k16 f16>, memref<640xf16, "shared">
  func.return
}

// -----

func.func @plain() attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %s = memref.alloc() : memref<1024xf16, "shared">
  %left = mma.tiles : !mma.tiles<1 x matrix_a m16n8k16 f16>
  %c0 = arith.constant 0 : index
  %at = affine.apply affine_map<(t) -> (t mod 16 * 64 + t floordiv 16 * 8)> (%t)
  // expected-error @+1 {{kernel 'plain': 'mma.ldmatrix' reads 's' in 8 turns, at most 1 allowed: rows that lie a multiple of 128 bytes apart meet the same banks; swizzle the buffer, or give it a pitch of an odd multiple of 16 bytes (storage_align)}}
  mma.ldmatrix %left[%c0], %s[%at] matrices 4 : !mma.tiles<1 x matrix_a m16n8k16 f16>, memref<1024xf16, "shared">
  func.return
}

// -----

// A column of floats, written by the lanes of a warp.

func.func @column(%x: f32) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %s = memref.alloc() : memref<1024xf32, "shared">
  %at = affine.apply affine_map<(t) -> (t * 32)> (%t)
  // expected-error @+1 {{kernel 'column': 'memref.store' writes 's' in 32 turns}}
  memref.store %x, %s[%at] : memref<1024xf32, "shared">
  func.return
}

// -----

// expected-error @+1 {{kernel 'crowded' has blocks of 35,184,372,088,864 threads; at most 1,024 are possible: bind smaller loops to threads}}
func.func @crowded(%x: f32) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1099511627777, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %s = memref.alloc() : memref<1024xf32, "shared">
  memref.store %x, %s[%t] : memref<1024xf32, "shared">
  func.return
}
