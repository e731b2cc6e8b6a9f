// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// Every operation and attribute of the mma dialect, printed as it is written.

// CHECK: func.func @kernel(%s: memref<512xf16, "shared">, %c: memref<256xf32>, %i: index) {
func.func @kernel(%s: memref<512xf16, "shared">, %c: memref<256xf32>, %i: index) {
  // CHECK-NEXT: %left = mma.tiles : !mma.tiles<2 x matrix_a m16n8k16 f16>
  %left = mma.tiles : !mma.tiles<2 x matrix_a m16n8k16 f16>
  // CHECK-NEXT: %right = mma.tiles : !mma.tiles<4 x matrix_b m16n8k16 f16>
  %right = mma.tiles : !mma.tiles<4 x matrix_b m16n8k16 f16>
  // CHECK-NEXT: %sums = mma.tiles : !mma.tiles<8 x accumulator m16n8k16 f32>
  %sums = mma.tiles : !mma.tiles<8 x accumulator m16n8k16 f32>
  // CHECK-NEXT: mma.fill %sums[%i], 0.000000e+00 : f32 : !mma.tiles<8 x accumulator m16n8k16 f32>
  mma.fill %sums[%i], 0.0 : f32 : !mma.tiles<8 x accumulator m16n8k16 f32>
  // CHECK-NEXT: mma.ldmatrix %left[%i], %s[%i] matrices 4 : !mma.tiles<2 x matrix_a m16n8k16 f16>, memref<512xf16, "shared">
  mma.ldmatrix %left[%i], %s[%i] matrices 4 : !mma.tiles<2 x matrix_a m16n8k16 f16>, memref<512xf16, "shared">
  // CHECK-NEXT: mma.ldmatrix %right[%i], %s[%i] matrices 2 transposed : !mma.tiles<4 x matrix_b m16n8k16 f16>, memref<512xf16, "shared">
  mma.ldmatrix %right[%i], %s[%i] matrices 2 transposed : !mma.tiles<4 x matrix_b m16n8k16 f16>, memref<512xf16, "shared">
  // CHECK-NEXT: mma.sync %sums[%i], %left[%i], %right[%i] : !mma.tiles<8 x accumulator m16n8k16 f32>, !mma.tiles<2 x matrix_a m16n8k16 f16>, !mma.tiles<4 x matrix_b m16n8k16 f16>
  mma.sync %sums[%i], %left[%i], %right[%i] : !mma.tiles<8 x accumulator m16n8k16 f32>, !mma.tiles<2 x matrix_a m16n8k16 f16>, !mma.tiles<4 x matrix_b m16n8k16 f16>
  // CHECK-NEXT: %x = mma.extract %sums[%i] element 3 : !mma.tiles<8 x accumulator m16n8k16 f32> -> f32
  %x = mma.extract %sums[%i] element 3 : !mma.tiles<8 x accumulator m16n8k16 f32> -> f32
  // CHECK-NEXT: %y, %z = mma.load_pair %c[%i] : memref<256xf32> -> f32, f32
  %y, %z = mma.load_pair %c[%i] : memref<256xf32> -> f32, f32
  // CHECK-NEXT: mma.store_pair %x, %y, %c[%i] : f32, f32, memref<256xf32>
  mma.store_pair %x, %y, %c[%i] : f32, f32, memref<256xf32>
  // CHECK-NEXT: %h = arith.truncf %x : f32 to f16
  %h = arith.truncf %x : f32 to f16
  // CHECK-NEXT: mma.stmatrix %h, %h, %h, %h to %s[%i] : f16, f16, f16, f16 to memref<512xf16, "shared">
  mma.stmatrix %h, %h, %h, %h to %s[%i] : f16, f16, f16, f16 to memref<512xf16, "shared">
  // CHECK-NEXT: mma.stmatrix %h, %h to %s[%i] transposed : f16, f16 to memref<512xf16, "shared">
  mma.stmatrix %h, %h to %s[%i] transposed : f16, f16 to memref<512xf16, "shared">
  // CHECK-NEXT: %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 256>} : memref<64x128xf16, "shared">
  %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 256>} : memref<64x128xf16, "shared">
  // CHECK-NEXT: %u = memref.alloc() {mma.placed = #mma.layout<swizzle 0 pitch 144>} : memref<64x64xf16, "shared">
  %u = memref.alloc() {mma.placed = #mma.layout<swizzle 0 pitch 144>} : memref<64x64xf16, "shared">
  // CHECK-NEXT: mma.insert %x, %sums[%i] element 2 : f32, !mma.tiles<8 x accumulator m16n8k16 f32>
  mma.insert %x, %sums[%i] element 2 : f32, !mma.tiles<8 x accumulator m16n8k16 f32>
  // CHECK-NEXT: mma.pack %sums[%i, %i] into %left[%i] : !mma.tiles<8 x accumulator m16n8k16 f32>, !mma.tiles<2 x matrix_a m16n8k16 f16>
  mma.pack %sums[%i, %i] into %left[%i] : !mma.tiles<8 x accumulator m16n8k16 f32>, !mma.tiles<2 x matrix_a m16n8k16 f16>
  // CHECK-NEXT: %w = mma.shuffle_xor %x, 2 : f32
  %w = mma.shuffle_xor %x, 2 : f32
  func.return
}

// CHECK: func.func @tf32(%s: memref<512xf32, "shared">, %i: index) {
func.func @tf32(%s: memref<512xf32, "shared">, %i: index) {
  // CHECK-NEXT: %left = mma.tiles : !mma.tiles<2 x matrix_a m16n8k8 tf32>
  %left = mma.tiles : !mma.tiles<2 x matrix_a m16n8k8 tf32>
  // CHECK-NEXT: mma.ldmatrix %left[%i], %s[%i] matrices 4 cut : !mma.tiles<2 x matrix_a m16n8k8 tf32>, memref<512xf32, "shared">
  mma.ldmatrix %left[%i], %s[%i] matrices 4 cut : !mma.tiles<2 x matrix_a m16n8k8 tf32>, memref<512xf32, "shared">
  func.return
}
