// RUN: vtac-opt %s --split-input-file --verify-diagnostics

// Every message of the wmma dialect: fragment types, warp operations, asynchronous copies.

// Fragment types.
// expected-error @+1 {{unknown fragment role 'matrix_c'; the roles are matrix_a, matrix_b, accumulator}}
func.func @f(%x: !wmma.fragment<2 x matrix_c [16, 16, 16] f16>) {
  func.return
}

// -----

// expected-error @+1 {{an array of 0 fragments; at least 1 is required}}
func.func @f(%x: !wmma.fragment<0 x accumulator [16, 16, 16] f32>) {
  func.return
}

// -----

// expected-error @+1 {{an accumulator has no layout: load and store name it}}
func.func @f(%x: !wmma.fragment<1 x accumulator [16, 16, 16] f32 row_major>) {
  func.return
}

// -----

// expected-error @+1 {{a matrix_a fragment needs a layout: row_major or col_major}}
func.func @f(%x: !wmma.fragment<1 x matrix_a [16, 16, 16] f16>) {
  func.return
}

// -----

// expected-error @+1 {{a matrix_b fragment needs a layout: row_major or col_major}}
func.func @f(%x: !wmma.fragment<1 x matrix_b [16, 16, 16] f16 diagonal>) {
  func.return
}

// -----

// expected-error @+1 {{CUDA has no matrix_a fragment of 16x8x16 with f16 elements}}
func.func @f(%x: !wmma.fragment<1 x matrix_a [16, 8, 16] f16 row_major>) {
  func.return
}

// -----

// expected-error @+1 {{CUDA has no matrix_a fragment of 16x16x16 with tf32 elements}}
func.func @f(%x: !wmma.fragment<1 x matrix_a [16, 16, 16] tf32 row_major>) {
  func.return
}

// -----

// expected-error @+1 {{CUDA has no accumulator fragment of 16x16x8 with f16 elements}}
func.func @f(%x: !wmma.fragment<1 x accumulator [16, 16, 8] f16>) {
  func.return
}

// -----

// expected-error @+1 {{CUDA has no accumulator fragment of 16x16x16 with s8 elements}}
func.func @f(%x: !wmma.fragment<1 x accumulator [16, 16, 16] s8>) {
  func.return
}

// -----

// expected-error @+1 {{a fragment shape is [m, n, k]; found 2 numbers}}
func.func @f(%x: !wmma.fragment<1 x matrix_a [16, 16] f16 row_major>) {
  func.return
}

// -----

// Warp operations.
func.func @f(%f: !wmma.fragment<2 x accumulator [16, 16, 16] f32>, %i: index) {
  // expected-error @+1 {{fill_fragment: a number of type f16 for a fragment of f32}}
  wmma.fill_fragment %f[%i], 0.0 : f16 : !wmma.fragment<2 x accumulator [16, 16, 16] f32>
  func.return
}

// -----

func.func @f(%f: !wmma.fragment<2 x accumulator [16, 16, 16] f32>, %i: index, %m: memref<256xf16>) {
  // expected-error @+1 {{load_matrix_sync: memory holds f16, the fragment f32}}
  wmma.load_matrix_sync %f[%i], %m[%i] leading 16 : !wmma.fragment<2 x accumulator [16, 16, 16] f32>, memref<256xf16>
  func.return
}

// -----

func.func @f(%f: !wmma.fragment<2 x accumulator [16, 16, 16] f32>, %g: !wmma.fragment<1 x accumulator [16, 16, 16] f16>, %i: index) {
  // expected-error @+1 {{multiply_fragment: accumulators of one type are required, found 2 x accumulator [16, 16, 16] f32 and 1 x accumulator [16, 16, 16] f16}}
  wmma.multiply_fragment %f[%i] by %g[%i] : !wmma.fragment<2 x accumulator [16, 16, 16] f32>, !wmma.fragment<1 x accumulator [16, 16, 16] f16>
  func.return
}

// -----

func.func @f(%q: tensor<16x16xf16>) {
  // expected-error @+1 {{attention: 3 maps; one per operand and one for the result}}
  %r = wmma.attention %q, %q, %q sizes array<i64: 16, 16, 16, 16> scale 1.0 : f32 maps [affine_map<(i, d) -> (i, d)>, affine_map<(i, d) -> (i, d)>, affine_map<(i, d) -> (i, d)>] : tensor<16x16xf16>, tensor<16x16xf16>, tensor<16x16xf16> -> tensor<16x16xf16>
  func.return
}

// -----

func.func @f(%q: tensor<16x16xf16>) {
  // expected-error @+1 {{attention: sizes are those of the batch, then rows, keys, features, columns, each 1 or more}}
  %r = wmma.attention %q, %q, %q sizes array<i64: 16, 0, 16, 16> scale 1.0 : f32 maps [affine_map<(i, d) -> (i, d)>, affine_map<(i, d) -> (i, d)>, affine_map<(i, d) -> (i, d)>, affine_map<(i, d) -> (i, d)>] : tensor<16x16xf16>, tensor<16x16xf16>, tensor<16x16xf16> -> tensor<16x16xf16>
  func.return
}

// -----

func.func @f(%q: tensor<16x16xf16>) {
  // expected-error @+1 {{attention: (d0) -> (d0, d0) does not take [16, 16] to a tensor of [16, 16]}}
  %r = wmma.attention %q, %q, %q sizes array<i64: 16, 16, 16, 16> scale 1.0 : f32 maps [affine_map<(i) -> (i, i)>, affine_map<(i, d) -> (i, d)>, affine_map<(i, d) -> (i, d)>, affine_map<(i, d) -> (i, d)>] : tensor<16x16xf16>, tensor<16x16xf16>, tensor<16x16xf16> -> tensor<16x16xf16>
  func.return
}

// -----

func.func @f(%a: !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, %i: index, %m: memref<256xf32>) {
  // expected-error @+1 {{load_matrix_sync: memory holds f32, the fragment f16}}
  wmma.load_matrix_sync %a[%i], %m[%i] leading 16 : !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, memref<256xf32>
  func.return
}

// -----

func.func @f(%a: !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, %i: index, %m: memref<256xf16, "local">) {
  // expected-error @+1 {{load_matrix_sync: memory of scope 'local' is a thread's own; a warp's fragments lie in shared or global memory}}
  wmma.load_matrix_sync %a[%i], %m[%i] leading 16 : !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, memref<256xf16, "local">
  func.return
}

// -----

func.func @f(%a: !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, %i: index, %m: memref<256xf16, "shared">) {
  // expected-error @+1 {{load_matrix_sync: a leading dimension of 20 elements of 2 bytes; a multiple of 16 bytes is required}}
  wmma.load_matrix_sync %a[%i], %m[%i] leading 20 : !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, memref<256xf16, "shared">
  func.return
}

// -----

func.func @f(%a: !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, %i: index, %m: memref<256xf16, "shared">) {
  // expected-error @+1 {{store_matrix_sync: only accumulators are stored, not matrix_a}}
  wmma.store_matrix_sync %m[%i] leading 16, %a[%i] : memref<256xf16, "shared">, !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>
  func.return
}

// -----

func.func @f(%f: !wmma.fragment<2 x accumulator [16, 16, 16] f32>, %i: index, %m: memref<256xf16, "shared">) {
  // expected-error @+1 {{store_matrix_sync: memory holds f16, the fragment f32}}
  wmma.store_matrix_sync %m[%i] leading 16, %f[%i] : memref<256xf16, "shared">, !wmma.fragment<2 x accumulator [16, 16, 16] f32>
  func.return
}

// -----

func.func @f(%f: !wmma.fragment<2 x accumulator [16, 16, 16] f32>, %i: index, %m: memref<256xf32>) {
  // expected-error @+1 {{store_matrix_sync: a leading dimension of 0 elements of 4 bytes; a multiple of 16 bytes is required}}
  wmma.store_matrix_sync %m[%i] leading 0, %f[%i] : memref<256xf32>, !wmma.fragment<2 x accumulator [16, 16, 16] f32>
  func.return
}

// -----

func.func @f(%f: !wmma.fragment<2 x accumulator [16, 16, 16] f32>, %a: !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, %b: !wmma.fragment<2 x matrix_b [16, 16, 16] f16 row_major>, %i: index) {
  // expected-error @+1 {{mma_sync: expected a matrix_a fragment, found matrix_b}}
  wmma.mma_sync %f[%i], %b[%i], %a[%i] : !wmma.fragment<2 x accumulator [16, 16, 16] f32>, !wmma.fragment<2 x matrix_b [16, 16, 16] f16 row_major>, !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>
  func.return
}

// -----

func.func @f(%f: !wmma.fragment<2 x accumulator [16, 16, 16] f32>, %a: !wmma.fragment<1 x matrix_a [32, 8, 16] f16 row_major>, %b: !wmma.fragment<2 x matrix_b [16, 16, 16] f16 row_major>, %i: index) {
  // expected-error @+1 {{mma_sync: fragments of different shapes: 16x16x16, 32x8x16, 16x16x16}}
  wmma.mma_sync %f[%i], %a[%i], %b[%i] : !wmma.fragment<2 x accumulator [16, 16, 16] f32>, !wmma.fragment<1 x matrix_a [32, 8, 16] f16 row_major>, !wmma.fragment<2 x matrix_b [16, 16, 16] f16 row_major>
  func.return
}

// -----

func.func @f(%f: !wmma.fragment<2 x accumulator [16, 16, 16] f32>, %a: !wmma.fragment<1 x matrix_a [16, 16, 16] bf16 row_major>, %b: !wmma.fragment<2 x matrix_b [16, 16, 16] f16 row_major>, %i: index) {
  // expected-error @+1 {{mma_sync: A holds bf16, B f16}}
  wmma.mma_sync %f[%i], %a[%i], %b[%i] : !wmma.fragment<2 x accumulator [16, 16, 16] f32>, !wmma.fragment<1 x matrix_a [16, 16, 16] bf16 row_major>, !wmma.fragment<2 x matrix_b [16, 16, 16] f16 row_major>
  func.return
}

// -----

func.func @f(%f: !wmma.fragment<2 x accumulator [16, 16, 16] f32>, %a: !wmma.fragment<1 x matrix_a [16, 16, 16] s8 row_major>, %b: !wmma.fragment<1 x matrix_b [16, 16, 16] s8 row_major>, %i: index) {
  // expected-error @+1 {{mma_sync: s8 operands accumulate in s32, not in f32}}
  wmma.mma_sync %f[%i], %a[%i], %b[%i] : !wmma.fragment<2 x accumulator [16, 16, 16] f32>, !wmma.fragment<1 x matrix_a [16, 16, 16] s8 row_major>, !wmma.fragment<1 x matrix_b [16, 16, 16] s8 row_major>
  func.return
}

// -----

func.func @f(%f: !wmma.fragment<2 x accumulator [16, 16, 16] f32>, %i: index) {
  // expected-error @+1 {{map: the body takes an element of the fragment, f32, and yields one; found f16, f16}}
  wmma.map %f[%i] : !wmma.fragment<2 x accumulator [16, 16, 16] f32> {
  ^bb0(%x: f16):
    wmma.yield %x : f16
  }
  func.return
}

// -----

// Asynchronous copies.
func.func @f(%s: memref<256xf32, "shared">, %g: memref<256xf16>, %i: index) {
  // expected-error @+1 {{async_copy: source and target hold different element types}}
  wmma.async_copy %s[%i], %g[%i] elements 4 : memref<256xf32, "shared">, memref<256xf16>
  func.return
}

// -----

func.func @f(%s: memref<256xf16, "shared">, %g: memref<256xf16>, %i: index) {
  // expected-error @+1 {{async_copy: 3 elements of 2 bytes; 4, 8 or 16 bytes are copied at once}}
  wmma.async_copy %s[%i], %g[%i] elements 3 : memref<256xf16, "shared">, memref<256xf16>
  func.return
}

// -----

func.func @f() {
  // expected-error @+1 {{async_wait: -1 groups; 0 or more can be left under way}}
  wmma.async_wait -1
  func.return
}

// -----

// Routines.
func.func @f() {
  // expected-error @+1 {{routine: the type is that of the body's arguments, which are indices}}
  %r = wmma.routine extents [2] : (index, index) -> () {
  ^bb0(%i: index):
  }
  func.return
}

// -----

func.func @f() {
  // expected-error @+1 {{routine: the type is that of the body's arguments, which are indices}}
  %r = wmma.routine extents [2] : (i32) -> () {
  ^bb0(%i: i32):
  }
  func.return
}

// -----

func.func @f() {
  // expected-error @+1 {{routine: 1 indices need as many extents of 1 or more}}
  %r = wmma.routine extents [0] : (index) -> () {
  ^bb0(%i: index):
  }
  func.return
}

// -----

func.func @f() {
  // expected-error @+1 {{routine: 'gpu.barrier' belongs to the kernel, not to a part that runs anywhere}}
  %r = wmma.routine extents [2] : (index) -> () {
  ^bb0(%i: index):
    "gpu.barrier"() : () -> ()
  }
  func.return
}

// -----

func.func @f(%i: index) {
  %r = wmma.routine extents [2] : (index) -> () {
  ^bb0(%j: index):
  }
  // expected-error @+1 {{call: 0 indices for a routine of 1}}
  wmma.call %r() : (index) -> ()
  func.return
}

// -----

func.func @f(%r: (index) -> (), %i: index) {
  // expected-error @+1 {{call: only a wmma.routine is called, by its own name}}
  wmma.call %r(%i) : (index) -> ()
  func.return
}

// -----

// Numbers under a name.
func.func @f() {
  %two = arith.constant 2 : index
  %stages = wmma.variable %two
  // expected-error @+1 {{async_wait: 1 by a name that is 2}}
  wmma.async_wait 1 as %stages
  func.return
}

// -----

func.func @f(%i: index) {
  // expected-error @+1 {{async_wait: 1 by a name that is no number}}
  wmma.async_wait 1 as %i
  func.return
}

// -----

func.func @f(%s: memref<256xf16, "shared">, %i: index) {
  %left = wmma.fragments : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>
  %pitch = arith.constant 24 : index
  // expected-error @+1 {{load_matrix_sync: 16 by a name that is 24}}
  wmma.load_matrix_sync %left[%i], %s[%i] leading 16 as %pitch : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>, memref<256xf16, "shared">
  func.return
}

// -----

func.func @f(%c: memref<256xf32>, %i: index) {
  %sums = wmma.fragments : !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  %eight = arith.constant 8 : index
  %more = arith.addi %eight, %eight : index
  %less = arith.subi %more, %eight : index
  %twice = arith.muli %less, %more : index
  // expected-error @+1 {{store_matrix_sync: 16 by a name that is 128}}
  wmma.store_matrix_sync %c[%i] leading 16 as %twice, %sums[%i] : memref<256xf32>, !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  func.return
}
