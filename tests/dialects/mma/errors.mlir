// RUN: vtac-opt %s --split-input-file --verify-diagnostics

// Every message of the mma dialect: tiles in registers, operations on them, layouts of shared memory.

// expected-error @+1 {{unknown role 'matrix_c'; the roles are matrix_a, matrix_b, accumulator}}
func.func @f(%x: !mma.tiles<1 x matrix_c m16n8k16 f16>) {
  func.return
}

// -----

// expected-error @+1 {{unknown shape 'm8n8k4' of mma.sync; the shapes are m16n8k16, m16n8k8, m16n8k32}}
func.func @f(%x: !mma.tiles<1 x matrix_a m8n8k4 f16>) {
  func.return
}

// -----

// expected-error @+1 {{an array of 0 tiles; at least 1 is required}}
func.func @f(%x: !mma.tiles<0 x matrix_a m16n8k16 f16>) {
  func.return
}

// -----

// expected-error @+1 {{mma.sync has no matrix_a of s8 in m16n8k16}}
func.func @f(%x: !mma.tiles<1 x matrix_a m16n8k16 s8>) {
  func.return
}

// -----

func.func @f(%c: !mma.tiles<1 x accumulator m16n8k16 f32>, %i: index) {
  // expected-error @+1 {{fill: a number of type f16 for tiles of f32}}
  mma.fill %c[%i], 0.0 : f16 : !mma.tiles<1 x accumulator m16n8k16 f32>
  func.return
}

// -----

func.func @f(%c: !mma.tiles<1 x accumulator m16n8k16 f32>, %s: memref<512xf32, "shared">, %i: index) {
  // expected-error @+1 {{ldmatrix: an accumulator is filled, not loaded}}
  mma.ldmatrix %c[%i], %s[%i] matrices 4 : !mma.tiles<1 x accumulator m16n8k16 f32>, memref<512xf32, "shared">
  func.return
}

// -----

func.func @f(%a: !mma.tiles<1 x matrix_a m16n8k16 f16>, %s: memref<512xf16, "shared">, %i: index) {
  // expected-error @+1 {{ldmatrix: 3 matrices; 1, 2 or 4 are loaded at once}}
  mma.ldmatrix %a[%i], %s[%i] matrices 3 : !mma.tiles<1 x matrix_a m16n8k16 f16>, memref<512xf16, "shared">
  func.return
}

// -----

func.func @f(%a: !mma.tiles<1 x matrix_a m16n8k16 f16>, %s: memref<512xf16, "shared">, %i: index) {
  // expected-error @+1 {{ldmatrix: 2 matrices are no whole number of tiles of matrix_a, which are 4}}
  mma.ldmatrix %a[%i], %s[%i] matrices 2 : !mma.tiles<1 x matrix_a m16n8k16 f16>, memref<512xf16, "shared">
  func.return
}

// -----

func.func @f(%a: !mma.tiles<1 x matrix_a m16n8k16 f16>, %s: memref<512xf16>, %i: index) {
  // expected-error @+1 {{ldmatrix: memory of scope 'global'; it reads 'shared' memory}}
  mma.ldmatrix %a[%i], %s[%i] matrices 4 : !mma.tiles<1 x matrix_a m16n8k16 f16>, memref<512xf16>
  func.return
}

// -----

func.func @f(%a: !mma.tiles<1 x matrix_a m16n8k16 f16>, %s: memref<512xbf16, "shared">, %i: index) {
  // expected-error @+1 {{ldmatrix: memory holds bf16, the tiles f16}}
  mma.ldmatrix %a[%i], %s[%i] matrices 4 : !mma.tiles<1 x matrix_a m16n8k16 f16>, memref<512xbf16, "shared">
  func.return
}

// -----

func.func @f(%a: !mma.tiles<1 x matrix_b m16n8k32 s8>, %s: memref<512xi8, "shared">, %i: index) {
  // expected-error @+1 {{ldmatrix: 2 matrices of s8 transposed; 4 are two tiles, which take turns}}
  mma.ldmatrix %a[%i], %s[%i] matrices 2 transposed : !mma.tiles<1 x matrix_b m16n8k32 s8>, memref<512xi8, "shared">
  func.return
}

// -----

func.func @f(%a: !mma.tiles<1 x matrix_a m16n8k32 s8>, %s: memref<512xi8, "shared">, %i: index) {
  // expected-error @+1 {{ldmatrix: matrix_a of s8 transposed; elements of 16 bits are, and bytes of matrix_b}}
  mma.ldmatrix %a[%i], %s[%i] matrices 4 transposed : !mma.tiles<1 x matrix_a m16n8k32 s8>, memref<512xi8, "shared">
  func.return
}

// -----

func.func @f(%a: !mma.tiles<2 x matrix_b m16n8k8 tf32>, %s: memref<512xf32, "shared">, %i: index) {
  // expected-error @+1 {{ldmatrix: matrix_b of tf32 transposed; elements of 16 bits are, and bytes of matrix_b}}
  mma.ldmatrix %a[%i], %s[%i] matrices 4 transposed : !mma.tiles<2 x matrix_b m16n8k8 tf32>, memref<512xf32, "shared">
  func.return
}

// -----

func.func @f(%c: !mma.tiles<1 x accumulator m16n8k16 f32>, %a: !mma.tiles<1 x matrix_a m16n8k16 f16>, %i: index) {
  // expected-error @+1 {{mma.sync: expected tiles of matrix_b, found matrix_a}}
  mma.sync %c[%i], %a[%i], %a[%i] : !mma.tiles<1 x accumulator m16n8k16 f32>, !mma.tiles<1 x matrix_a m16n8k16 f16>, !mma.tiles<1 x matrix_a m16n8k16 f16>
  func.return
}

// -----

func.func @f(%c: !mma.tiles<1 x accumulator m16n8k16 f32>, %a: !mma.tiles<1 x matrix_a m16n8k16 f16>, %b: !mma.tiles<1 x matrix_b m16n8k8 tf32>, %i: index) {
  // expected-error @+1 {{mma.sync: tiles of different shapes: m16n8k16, m16n8k16, m16n8k8}}
  mma.sync %c[%i], %a[%i], %b[%i] : !mma.tiles<1 x accumulator m16n8k16 f32>, !mma.tiles<1 x matrix_a m16n8k16 f16>, !mma.tiles<1 x matrix_b m16n8k8 tf32>
  func.return
}

// -----

func.func @f(%c: !mma.tiles<1 x accumulator m16n8k16 f32>, %a: !mma.tiles<1 x matrix_a m16n8k16 f16>, %b: !mma.tiles<1 x matrix_b m16n8k16 bf16>, %i: index) {
  // expected-error @+1 {{mma.sync: A holds f16, B bf16}}
  mma.sync %c[%i], %a[%i], %b[%i] : !mma.tiles<1 x accumulator m16n8k16 f32>, !mma.tiles<1 x matrix_a m16n8k16 f16>, !mma.tiles<1 x matrix_b m16n8k16 bf16>
  func.return
}

// -----

func.func @f(%c: !mma.tiles<1 x accumulator m16n8k16 f16>, %a: !mma.tiles<1 x matrix_a m16n8k16 bf16>, %b: !mma.tiles<1 x matrix_b m16n8k16 bf16>, %i: index) {
  // expected-error @+1 {{mma.sync: no instruction m16n8k16 adds up products of bf16 in f16}}
  mma.sync %c[%i], %a[%i], %b[%i] : !mma.tiles<1 x accumulator m16n8k16 f16>, !mma.tiles<1 x matrix_a m16n8k16 bf16>, !mma.tiles<1 x matrix_b m16n8k16 bf16>
  func.return
}

// -----

func.func @f(%a: !mma.tiles<1 x matrix_a m16n8k16 f16>, %i: index) {
  // expected-error @+1 {{extract: elements are taken from accumulators, not from matrix_a}}
  %x = mma.extract %a[%i] element 0 : !mma.tiles<1 x matrix_a m16n8k16 f16> -> f16
  func.return
}

// -----

func.func @f(%c: !mma.tiles<1 x accumulator m16n8k16 f32>, %i: index) {
  // expected-error @+1 {{extract: element 4; a lane holds 4 of a tile}}
  %x = mma.extract %c[%i] element 4 : !mma.tiles<1 x accumulator m16n8k16 f32> -> f32
  func.return
}

// -----

func.func @f(%c: !mma.tiles<1 x accumulator m16n8k16 f32>, %i: index) {
  // expected-error @+1 {{extract: an element of type f16 of tiles of f32}}
  %x = mma.extract %c[%i] element 0 : !mma.tiles<1 x accumulator m16n8k16 f32> -> f16
  func.return
}

// -----

func.func @f(%x: f32, %y: f16, %m: memref<8xf32>, %i: index) {
  // expected-error @+1 {{store_pair: values of type f32 and f16; memory holds f32}}
  mma.store_pair %x, %y, %m[%i] : f32, f16, memref<8xf32>
  func.return
}

// -----

func.func @f(%m: memref<8xi1>, %i: index) {
  // expected-error @+1 {{load_pair: two elements of i1; f16, bf16, f32, i32 and i8 move in pairs}}
  %x, %y = mma.load_pair %m[%i] : memref<8xi1> -> i1, i1
  func.return
}

// -----

func.func @f() {
  // expected-error @+1 {{a swizzle of 48 bytes; 32, 64 or 128 are possible, or 0 for none}}
  %t = memref.alloc() {mma.layout = #mma.layout<swizzle 48 pitch 256>} : memref<64x128xf16, "shared">
  func.return
}

// -----

func.func @f() {
  // expected-error @+1 {{a pitch of 100 bytes; a multiple of 16 is required}}
  %t = memref.alloc() {mma.layout = #mma.layout<swizzle 0 pitch 100>} : memref<64x128xf16, "shared">
  func.return
}

// -----

func.func @f() {
  // expected-error @+1 {{a pitch of 144 bytes with a swizzle of 128: rows have to be whole multiples of the bytes that change places}}
  %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 144>} : memref<64x128xf16, "shared">
  func.return
}

// -----

func.func @f() {
  // expected-error @+1 {{a pitch of 96 bytes with a swizzle: it has to divide 128 or be a multiple}}
  %t = memref.alloc() {mma.layout = #mma.layout<swizzle 32 pitch 96>} : memref<64x128xf16, "shared">
  func.return
}

// -----

func.func @f(%x: f32, %i: index) {
  %t = mma.tiles : !mma.tiles<1 x matrix_a m16n8k16 f16>
  // expected-error @+1 {{insert: elements are put into accumulators of f32 or s32, not into matrix_a of f16}}
  mma.insert %x, %t[%i] element 0 : f32, !mma.tiles<1 x matrix_a m16n8k16 f16>
  func.return
}

// -----

func.func @f(%x: f32, %i: index) {
  %t = mma.tiles : !mma.tiles<1 x accumulator m16n8k16 f32>
  // expected-error @+1 {{insert: element 4; a lane holds 4 of a tile}}
  mma.insert %x, %t[%i] element 4 : f32, !mma.tiles<1 x accumulator m16n8k16 f32>
  func.return
}

// -----

func.func @f(%x: f16, %i: index) {
  %t = mma.tiles : !mma.tiles<1 x accumulator m16n8k16 f32>
  // expected-error @+1 {{insert: a number of type f16 into tiles of f32}}
  mma.insert %x, %t[%i] element 0 : f16, !mma.tiles<1 x accumulator m16n8k16 f32>
  func.return
}

// -----

func.func @f(%i: index) {
  %s = mma.tiles : !mma.tiles<2 x accumulator m16n8k16 f16>
  %t = mma.tiles : !mma.tiles<1 x matrix_a m16n8k16 f16>
  // expected-error @+1 {{pack: sums are accumulators of f32, not accumulator of f16}}
  mma.pack %s[%i, %i] into %t[%i] : !mma.tiles<2 x accumulator m16n8k16 f16>, !mma.tiles<1 x matrix_a m16n8k16 f16>
  func.return
}

// -----

func.func @f(%i: index) {
  %s = mma.tiles : !mma.tiles<2 x accumulator m16n8k8 f32>
  %t = mma.tiles : !mma.tiles<1 x matrix_a m16n8k8 tf32>
  // expected-error @+1 {{pack: sums become tiles of matrix_a of f16 or bf16, not matrix_a of tf32}}
  mma.pack %s[%i, %i] into %t[%i] : !mma.tiles<2 x accumulator m16n8k8 f32>, !mma.tiles<1 x matrix_a m16n8k8 tf32>
  func.return
}

// -----

func.func @f(%x: f32) {
  // expected-error @+1 {{shuffle_xor: a mask of 32; 1 to 31 name other lanes}}
  %y = mma.shuffle_xor %x, 32 : f32
  func.return
}

// -----

func.func @f(%m: memref<512xf16, "shared">, %i: index) {
  %t = mma.tiles : !mma.tiles<1 x matrix_a m16n8k16 f16>
  // expected-error @+1 {{ldmatrix: tiles of f16 lose no bits; those of tf32 do}}
  mma.ldmatrix %t[%i], %m[%i] matrices 4 cut : !mma.tiles<1 x matrix_a m16n8k16 f16>, memref<512xf16, "shared">
  func.return
}

// -----

func.func @f(%m: memref<64xf16, "shared">, %h: f16, %i: index) {
  // expected-error @+1 {{stmatrix: 6 values; each lane gives two of each of 1, 2 or 4 matrices}}
  mma.stmatrix %h, %h, %h, %h, %h, %h to %m[%i] : f16, f16, f16, f16, f16, f16 to memref<64xf16, "shared">
  func.return
}

// -----

func.func @f(%m: memref<64xf16>, %h: f16, %i: index) {
  // expected-error @+1 {{stmatrix: rows lie in shared memory}}
  mma.stmatrix %h, %h to %m[%i] : f16, f16 to memref<64xf16>
  func.return
}

// -----

func.func @f(%m: memref<64xf32, "shared">, %h: f32, %i: index) {
  // expected-error @+1 {{stmatrix: elements of f32; f16 and bf16 are stored}}
  mma.stmatrix %h, %h to %m[%i] : f32, f32 to memref<64xf32, "shared">
  func.return
}

// -----

func.func @f(%m: memref<64xf16, "shared">, %h: f16, %b: bf16, %i: index) {
  // expected-error @+1 {{stmatrix: a value of type bf16; memory holds f16}}
  mma.stmatrix %h, %b to %m[%i] : f16, bf16 to memref<64xf16, "shared">
  func.return
}
