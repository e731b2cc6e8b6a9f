// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-swizzle-accesses | filecheck %s
// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-swizzle-accesses,gpu-swizzle-accesses | filecheck %s

// A thread copies a chunk of a row; a lane names a row of the matrices of a step, whose chunk the step chooses. Which
// chunk lies there is worked out in as few loops as it can be.

// CHECK-LABEL: func.func @rows
// CHECK:         %s = memref.alloc() {mma.placed = #mma.layout<swizzle 128 pitch 128>}
// CHECK:         [[N1:%.*]] = affine.apply affine_map<(d0) -> ((d0 mod 8))> (%t)
// CHECK-NEXT:    [[R1:%.*]] = affine.apply affine_map<(d0) -> ((d0 floordiv 8))> (%t)
// CHECK-NEXT:    [[C1:%.*]] = arith.xori [[N1]], [[R1]] : index
// CHECK-NEXT:    scf.for %piece
// CHECK-NEXT:      [[AT:%.*]] = affine.apply
// CHECK-NEXT:      [[F1:%.*]] = affine.apply {{.*}}(%t, %piece)
// CHECK-NEXT:      [[P1:%.*]] = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 8)))> ([[F1]], [[C1]])
// CHECK-NEXT:      wmma.async_copy %s[[[P1]]], %a[[[AT]]]
// CHECK:         scf.for %k
// CHECK-NEXT:      [[N2:%.*]] = affine.apply {{.*}}(%t, %k)
// CHECK-NEXT:      [[R2:%.*]] = affine.apply {{.*}}(%t)
// CHECK-NEXT:      [[C2:%.*]] = arith.xori [[N2]], [[R2]] : index
// CHECK-NEXT:      scf.for %row
// CHECK:             [[P2:%.*]] = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 8)))> ({{%.*}}, [[C2]])
// CHECK-NEXT:        mma.ldmatrix %left[%row], %s[[[P2]]] matrices 4
func.func @rows(%a: memref<2048xf16>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %s = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<2048xf16, "shared">
  %left = mma.tiles : !mma.tiles<2 x matrix_a m16n8k16 f16>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  scf.for %piece = %c0 to %c4 step %c2 {
    // The place in global memory, the same value, stays as it is.
    %at = affine.apply affine_map<(t, p) -> (t * 8 + p * 512)> (%t, %piece)
    wmma.async_copy %s[%at], %a[%at] elements 8 : memref<2048xf16, "shared">, memref<2048xf16>
  }
  scf.for %k = %c0 to %c4 step %c1 {
    scf.for %row = %c0 to %c2 step %c1 {
      %at = affine.apply affine_map<(t, k, r) -> (t mod 16 * 64 + t floordiv 16 * 8 + k * 16 + r * 1024)> (%t, %k, %row)
      mma.ldmatrix %left[%row], %s[%at] matrices 4 : !mma.tiles<2 x matrix_a m16n8k16 f16>, memref<2048xf16, "shared">
    }
  }
  func.return
}

// -----

// Copies of an unrolled loop are written out: which chunk each of them goes to, no loop changes then.

// CHECK-LABEL: func.func @halves
// CHECK-NOT:     scf.for
// CHECK:         [[C1:%.*]] = arith.xori
// CHECK:         wmma.async_copy %s
// CHECK:         [[C2:%.*]] = arith.xori
// CHECK:         wmma.async_copy %s
// CHECK-NOT:     wmma.async_copy
// CHECK:         return
func.func @halves(%a: memref<2048xf16>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %s = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<2048xf16, "shared">
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  scf.for %half = %c0 to %c2 step %c1 {
    %at = affine.apply affine_map<(t, h) -> (t floordiv 4 * 64 + h * 32 + t mod 4 * 8)> (%t, %half)
    wmma.async_copy %s[%at], %a[%at] elements 8 : memref<2048xf16, "shared">, memref<2048xf16>
  } {unroll}
  func.return
}

// -----

func.func @wide(%a: memref<2048xf32>, %v: vector<8xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %s = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<1024xf32, "shared">
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{'vector.store' of 's', which is swizzled: only accesses of at most 16 bytes that stay within a multiple of 16 can be; load its tiles by mma.ldmatrix, and copy vectors}}
  vector.store %v, %s[%c0] : memref<1024xf32, "shared">, vector<8xf32>
  func.return
}

// -----

func.func @fragments() attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %s = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<1024xf16, "shared">
  %f = wmma.fragments : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{'wmma.load_matrix_sync' of 's', which is swizzled}}
  wmma.load_matrix_sync %f[%c0], %s[%c0] leading 64 : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>, memref<1024xf16, "shared">
  func.return
}
