// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// Every operation and attribute of the wmma dialect, printed as it is written.

// CHECK: func.func @kernel(%a: memref<512xf16>, %s: memref<512xf16, "shared">, %c: memref<256xf32>, %i: index, %p: i1) {
func.func @kernel(%a: memref<512xf16>, %s: memref<512xf16, "shared">, %c: memref<256xf32>, %i: index, %p: i1) {
  // CHECK-NEXT: %left = wmma.fragments : !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>
  %left = wmma.fragments : !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>
  // CHECK-NEXT: %right = wmma.fragments : !wmma.fragment<1 x matrix_b [16, 16, 16] f16 col_major>
  %right = wmma.fragments : !wmma.fragment<1 x matrix_b [16, 16, 16] f16 col_major>
  // CHECK-NEXT: %total = wmma.fragments : !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  %total = wmma.fragments : !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  // CHECK-NEXT: %row = wmma.variable %i
  %row = wmma.variable %i
  // CHECK-NEXT: %copy = wmma.routine extents [2, 4] attributes {wmma.comment = "Twice."} : (index, index) -> () {
  // CHECK-NEXT: ^{{.*}}(%slot: index, %step: index):
  // CHECK-NEXT:   wmma.async_copy
  // CHECK-NEXT: }
  %copy = wmma.routine extents [2, 4] attributes {wmma.comment = "Twice."} : (index, index) -> () {
  ^bb0(%slot: index, %step: index):
    wmma.async_copy %s[%slot], %a[%step] elements 8 : memref<512xf16, "shared">, memref<512xf16>
  }
  // CHECK-NEXT: wmma.call %copy(%i, %row) : (index, index) -> ()
  wmma.call %copy(%i, %row) : (index, index) -> ()
  // CHECK-NEXT: wmma.fill_fragment %total[%i], 0.000000e+00 : f32 : !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  wmma.fill_fragment %total[%i], 0.0 : f32 : !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  // CHECK-NEXT: wmma.async_copy %s[%i], %a[%i] elements 8 : memref<512xf16, "shared">, memref<512xf16>
  wmma.async_copy %s[%i], %a[%i] elements 8 : memref<512xf16, "shared">, memref<512xf16>
  // CHECK-NEXT: wmma.async_copy %s[%i], %a[%i] elements 4 if %p : memref<512xf16, "shared">, memref<512xf16>
  wmma.async_copy %s[%i], %a[%i] elements 4 if %p : memref<512xf16, "shared">, memref<512xf16>
  // CHECK-NEXT: wmma.async_commit
  wmma.async_commit
  // CHECK-NEXT: wmma.async_wait 1
  wmma.async_wait 1
  // CHECK-NEXT: wmma.load_matrix_sync %left[%i], %s[%i] leading 16 : !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, memref<512xf16, "shared">
  wmma.load_matrix_sync %left[%i], %s[%i] leading 16 : !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, memref<512xf16, "shared">
  // CHECK-NEXT: wmma.mma_sync %total[%i], %left[%i], %right[%i] : !wmma.fragment<1 x accumulator [16, 16, 16] f32>, !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, !wmma.fragment<1 x matrix_b [16, 16, 16] f16 col_major>
  wmma.mma_sync %total[%i], %left[%i], %right[%i] : !wmma.fragment<1 x accumulator [16, 16, 16] f32>, !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, !wmma.fragment<1 x matrix_b [16, 16, 16] f16 col_major>
  // CHECK-NEXT: wmma.map %total[%i] : !wmma.fragment<1 x accumulator [16, 16, 16] f32> {
  // CHECK-NEXT: ^{{.*}}(%x: f32):
  // CHECK-NEXT:   %double = arith.addf %x, %x : f32
  // CHECK-NEXT:   wmma.yield %double : f32
  wmma.map %total[%i] : !wmma.fragment<1 x accumulator [16, 16, 16] f32> {
  ^bb0(%x: f32):
    %double = arith.addf %x, %x : f32
    wmma.yield %double : f32
  }
  // CHECK: wmma.load_matrix_sync %total[%i], %c[%i] leading 16 : !wmma.fragment<1 x accumulator [16, 16, 16] f32>, memref<256xf32>
  wmma.load_matrix_sync %total[%i], %c[%i] leading 16 : !wmma.fragment<1 x accumulator [16, 16, 16] f32>, memref<256xf32>
  // CHECK-NEXT: wmma.multiply_fragment %total[%i] by %total[%i] : !wmma.fragment<1 x accumulator [16, 16, 16] f32>, !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  wmma.multiply_fragment %total[%i] by %total[%i] : !wmma.fragment<1 x accumulator [16, 16, 16] f32>, !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  // CHECK-NEXT: wmma.store_matrix_sync %c[%i] leading 16, %total[%i] : memref<256xf32>, !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  wmma.store_matrix_sync %c[%i] leading 16, %total[%i] : memref<256xf32>, !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  func.return
}

// CHECK: func.func @attention(
func.func @attention(%q: tensor<16x32xf16>, %m: tensor<16x16xf32>) {
  // CHECK-NEXT: wmma.attention %q, %q, %q mask %m sizes array<i64: 16, 16, 32, 32> scale 5.000000e-01 : f32 diagonal 0 maps [affine_map<(d0, d1) -> (d0, d1)>, {{.*}}] : tensor<16x32xf16>, tensor<16x32xf16>, tensor<16x32xf16>, tensor<16x16xf32> -> tensor<16x32xf32>
  %r = wmma.attention %q, %q, %q mask %m sizes array<i64: 16, 16, 32, 32> scale 0.5 : f32 diagonal 0 maps [affine_map<(i, d) -> (i, d)>, affine_map<(j, d) -> (j, d)>, affine_map<(j, e) -> (j, e)>, affine_map<(i, j) -> (i, j)>, affine_map<(i, e) -> (i, e)>] : tensor<16x32xf16>, tensor<16x32xf16>, tensor<16x32xf16>, tensor<16x16xf32> -> tensor<16x32xf32>
  func.return
}
