// RUN: vtac-opt %s --split-input-file --verify-diagnostics

// Every message of the wgmma dialect: how matrices lie, products, waits.

// expected-error @+1 {{a matrix of f32; wgmma reads f16, bf16, tf32, s8 and u8}}
func.func @f(%x: !wgmma.descriptor<f32 k_major swizzle 128 leading 16 stride 1024>) {
  func.return
}

// -----

// expected-error @+1 {{unknown order 'm_major'; the orders are k_major, mn_major}}
func.func @f(%x: !wgmma.descriptor<f16 m_major swizzle 128 leading 16 stride 1024>) {
  func.return
}

// -----

// expected-error @+1 {{a swizzle of 96 bytes; 32, 64 or 128 are possible, or 0 for none}}
func.func @f(%x: !wgmma.descriptor<f16 k_major swizzle 96 leading 16 stride 1024>) {
  func.return
}

// -----

// expected-error @+1 {{a matrix of s8 in mn_major; elements of 16 bits only are read so: lay it out along k}}
func.func @f(%x: !wgmma.descriptor<s8 mn_major swizzle 128 leading 16 stride 1024>) {
  func.return
}

// -----

// expected-error @+1 {{leading 8; a multiple of 16 bytes below 262,144 is required}}
func.func @f(%x: !wgmma.descriptor<f16 k_major swizzle 128 leading 8 stride 1024>) {
  func.return
}

// -----

// expected-error @+1 {{stride 262144; a multiple of 16 bytes below 262,144 is required}}
func.func @f(%x: !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 262144>) {
  func.return
}

// -----

func.func @f(%m: memref<64xf16>, %i: index) {
  // expected-error @+1 {{wgmma.descriptor: memory of scope 'global'; wgmma reads 'shared' memory}}
  %d = wgmma.descriptor %m[%i] : memref<64xf16> -> !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
  func.return
}

// -----

func.func @f(%m: memref<64xbf16, "shared">, %i: index) {
  // expected-error @+1 {{wgmma.descriptor: memory holds bf16, the matrix f16}}
  %d = wgmma.descriptor %m[%i] : memref<64xbf16, "shared"> -> !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
  func.return
}

// -----

func.func @f(%c: !mma.tiles<8 x matrix_a m16n8k16 f16>, %i: index, %a: !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>) {
  // expected-error @+1 {{wgmma.mma_async: expected tiles of accumulator, found matrix_a}}
  wgmma.mma_async %c[%i], %a, %a n 64 : !mma.tiles<8 x matrix_a m16n8k16 f16>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
  func.return
}

// -----

func.func @f(%c: !mma.tiles<8 x accumulator m16n8k16 f32>, %i: index, %a: !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>, %b: !wgmma.descriptor<bf16 k_major swizzle 128 leading 16 stride 1024>) {
  // expected-error @+1 {{wgmma.mma_async: A holds f16, B bf16}}
  wgmma.mma_async %c[%i], %a, %b n 64 : !mma.tiles<8 x accumulator m16n8k16 f32>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>, !wgmma.descriptor<bf16 k_major swizzle 128 leading 16 stride 1024>
  func.return
}

// -----

func.func @f(%c: !mma.tiles<8 x accumulator m16n8k16 f32>, %i: index, %a: !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>) {
  // expected-error @+1 {{wgmma.mma_async: wgmma with n 60: n is a multiple of 8 from 8 to 256}}
  wgmma.mma_async %c[%i], %a, %a n 60 : !mma.tiles<8 x accumulator m16n8k16 f32>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
  func.return
}

// -----

func.func @f(%c: !mma.tiles<8 x accumulator m16n8k8 f32>, %i: index, %a: !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>) {
  // expected-error @+1 {{wgmma.mma_async: tiles of m16n8k8; sums of m64n64k16 are m16n8k16}}
  wgmma.mma_async %c[%i], %a, %a n 64 : !mma.tiles<8 x accumulator m16n8k8 f32>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
  func.return
}

// -----

func.func @f(%c: !mma.tiles<8 x accumulator m16n8k16 f32>, %i: index, %a: !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>) {
  // expected-error @+1 {{wgmma.mma_async: 8 tiles; m64n128k16 takes 16 of each warp}}
  wgmma.mma_async %c[%i], %a, %a n 128 : !mma.tiles<8 x accumulator m16n8k16 f32>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
  func.return
}

// -----

func.func @f(%c: !mma.tiles<8 x accumulator m16n8k16 f32>) {
  // expected-error @+1 {{wgmma.wait_group: 8 groups; 0 to 7 may stay under way}}
  wgmma.wait_group 8
  func.return
}

// -----

func.func @f(%c: !mma.tiles<8 x accumulator m16n8k16 f32>) {
  // expected-error @+1 {{wgmma.wait_group: 1 groups stay under way, and sums of theirs may be among those named}}
  wgmma.wait_group 1 for %c : !mma.tiles<8 x accumulator m16n8k16 f32>
  func.return
}
