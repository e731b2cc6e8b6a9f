// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-double-buffer-fragments | filecheck %s
// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-double-buffer-fragments,gpu-double-buffer-fragments | filecheck %s

// Fragments with two copies: the first are loaded before the loop, each iteration loads those of the next into the other
// copy and multiplies with its own, the last multiply follows the loop. Declarations leave the loop.

func.func @steps(%a: memref<1024xf16, "shared">, %b: memref<1024xf16, "shared">) {
  %c = wmma.fragments : !wmma.fragment<2 x accumulator [16, 16, 16] f32>
  schedule.for %k = 0 to 4 kind "unrolled" {
    %x = wmma.fragments {wmma.copies = 2 : i64} : !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>
    %y = wmma.fragments {wmma.copies = 2 : i64} : !wmma.fragment<1 x matrix_b [16, 16, 16] f16 row_major>
    %zero = arith.constant 0 : index
    %offset = affine.apply affine_map<(k) -> (k * 256)> (%k)
    schedule.for %i = 0 to 2 {
      wmma.load_matrix_sync %x[%i], %a[%offset] leading 16 : !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, memref<1024xf16, "shared">
    }
    wmma.load_matrix_sync %y[%zero], %b[%offset] leading 16 : !wmma.fragment<1 x matrix_b [16, 16, 16] f16 row_major>, memref<1024xf16, "shared">
    schedule.for %j = 0 to 2 {
      wmma.mma_sync %c[%j], %x[%j], %y[%zero] : !wmma.fragment<2 x accumulator [16, 16, 16] f32>, !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, !wmma.fragment<1 x matrix_b [16, 16, 16] f16 row_major>
    }
  }
  func.return
}

// CHECK-LABEL: func.func @steps
// CHECK: %x = wmma.fragments : !wmma.fragment<4 x matrix_a [16, 16, 16] f16 row_major>
// CHECK-NEXT: %y = wmma.fragments : !wmma.fragment<2 x matrix_b [16, 16, 16] f16 row_major>
// CHECK: [[FIRST:%.*]] = arith.constant 0 : index
// CHECK: affine.apply affine_map<(d0) -> ((d0 * 256))> ([[FIRST]])
// CHECK: affine.apply affine_map<(d0, d1) -> ((d0 + ((d1 mod 2) * 2)))> (%i, [[FIRST]])
// CHECK-NEXT: wmma.load_matrix_sync %x
// CHECK: wmma.load_matrix_sync %y
// CHECK-NOT: wmma.mma_sync
// CHECK: schedule.for %k = 0 to 3 kind "unrolled" {
// CHECK-NEXT: [[NEXT:%.*]] = affine.apply affine_map<(d0) -> ((d0 + 1))> (%k)
// CHECK: affine.apply affine_map<(d0) -> ((d0 * 256))> ([[NEXT]])
// CHECK: affine.apply affine_map<(d0, d1) -> ((d0 + ((d1 mod 2) * 2)))> ({{%.*}}, [[NEXT]])
// CHECK-NEXT: wmma.load_matrix_sync %x
// CHECK: wmma.load_matrix_sync %y
// CHECK: affine.apply affine_map<(d0, d1) -> ((d0 + ((d1 mod 2) * 2)))> (%j, %k)
// CHECK: wmma.mma_sync %c[%j]
// CHECK: [[LAST:%.*]] = arith.constant 3 : index
// CHECK-NOT: wmma.load_matrix_sync
// CHECK: affine.apply affine_map<(d0, d1) -> ((d0 + ((d1 mod 2) * 2)))> ({{%.*}}, [[LAST]])
// CHECK: wmma.mma_sync

// -----

func.func @once(%a: memref<256xf16, "shared">) {
  %c = wmma.fragments : !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  %y = wmma.fragments : !wmma.fragment<1 x matrix_b [16, 16, 16] f16 row_major>
  %zero = arith.constant 0 : index
  // expected-error @+1 {{double_buffer of 'x': loop 'k', which loads it, has extent 1; 2 copies need 2 iterations or more}}
  %x = wmma.fragments {wmma.copies = 2 : i64} : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>
  schedule.for %k = 0 to 1 {
    wmma.load_matrix_sync %x[%zero], %a[%zero] leading 16 : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>, memref<256xf16, "shared">
    wmma.mma_sync %c[%zero], %x[%zero], %y[%zero] : !wmma.fragment<1 x accumulator [16, 16, 16] f32>, !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>, !wmma.fragment<1 x matrix_b [16, 16, 16] f16 row_major>
  }
  func.return
}

// -----

func.func @no_loop(%a: memref<256xf16, "shared">) {
  %c = wmma.fragments : !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  %y = wmma.fragments : !wmma.fragment<1 x matrix_b [16, 16, 16] f16 row_major>
  %zero = arith.constant 0 : index
  // expected-error @+1 {{double_buffer of 'x': no serial loop holds its loads together with the multiplies}}
  %x = wmma.fragments {wmma.copies = 2 : i64} : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>
  wmma.load_matrix_sync %x[%zero], %a[%zero] leading 16 : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>, memref<256xf16, "shared">
  wmma.mma_sync %c[%zero], %x[%zero], %y[%zero] : !wmma.fragment<1 x accumulator [16, 16, 16] f32>, !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>, !wmma.fragment<1 x matrix_b [16, 16, 16] f16 row_major>
  func.return
}

// -----

func.func @idle(%a: memref<256xf16, "shared">) {
  // expected-error @+1 {{double_buffer of 'x': nothing loads it or nothing multiplies with it}}
  %x = wmma.fragments {wmma.copies = 2 : i64} : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>
  func.return
}
