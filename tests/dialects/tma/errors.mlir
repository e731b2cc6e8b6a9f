// RUN: vtac-opt %s --split-input-file --verify-diagnostics

// Every message of the tma dialect: mbarriers, bulk copies and their maps, roles of warps.

func.func @f(%b: memref<3xi64>, %i: index) {
  // expected-error @+1 {{mbarrier_init: mbarriers in memref<3xi64>; a row of i64 in shared memory is required, as in memref<3xi64, "shared">}}
  tma.mbarrier_init %b[%i] arrivals 1 : memref<3xi64>
  func.return
}

// -----

func.func @f(%b: memref<3xi64>, %i: index) {
  // expected-error @+1 {{arrive: mbarriers in memref<3xi64>; a row of i64 in shared memory is required, as in memref<3xi64, "shared">}}
  tma.arrive %b[%i] : memref<3xi64>
  func.return
}

// -----

func.func @f(%b: memref<3xi64>, %i: index) {
  // expected-error @+1 {{arrive_expect: mbarriers in memref<3xi64>; a row of i64 in shared memory is required, as in memref<3xi64, "shared">}}
  tma.arrive_expect %b[%i] bytes 16 : memref<3xi64>
  func.return
}

// -----

func.func @f(%b: memref<3xi64>, %i: index) {
  // expected-error @+1 {{wait: mbarriers in memref<3xi64>; a row of i64 in shared memory is required, as in memref<3xi64, "shared">}}
  tma.wait %b[%i] parity %i : memref<3xi64>
  func.return
}

// -----

func.func @f(%b: memref<3xi32, "shared">, %i: index) {
  // expected-error @+1 {{arrive: mbarriers in memref<3xi32, "shared">; a row of i64}}
  tma.arrive %b[%i] : memref<3xi32, "shared">
  func.return
}

// -----

func.func @f(%b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{mbarrier_init: 0 arrivals; 1 to 1048575 are possible}}
  tma.mbarrier_init %b[%i] arrivals 0 : memref<3xi64, "shared">
  func.return
}

// -----

func.func @f(%b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{arrive_expect: 1048576 bytes; 0 to 1048575 are possible}}
  tma.arrive_expect %b[%i] bytes 1048576 : memref<3xi64, "shared">
  func.return
}

// -----

func.func @f(%a: memref<100x256xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{arrive_expect: 4080 bytes are expected, the copies after it on this mbarrier bring 4096}}
  tma.arrive_expect %b[%i] bytes 4080 : memref<3xi64, "shared">
  tma.load %t[%i], %a[%i, %i], %b[%i] boxes <[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<100x256xf16>, memref<3xi64, "shared">
  func.return
}

// -----

func.func @f(%a: memref<100x256xf16, "shared">, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: from shared to shared memory; from global to shared is possible}}
  tma.copy %t[%i], %a[%i, %i] boxes <[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<100x256xf16, "shared">
  func.return
}

// -----

func.func @f(%a: memref<100x256xf32>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: the array holds f32, shared memory f16}}
  tma.copy %t[%i], %a[%i, %i] boxes <[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<100x256xf32>
  func.return
}

// -----

func.func @f(%a: memref<100x256xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: 1 coordinates for 2 dimensions}}
  tma.copy %t[%i], %a[%i] boxes <[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<100x256xf16>
  func.return
}

// -----

func.func @f(%a: memref<100x256xf16>, %t: memref<1024xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: a box of 4096 bytes to a buffer of 2048}}
  tma.copy %t[%i], %a[%i, %i] boxes <[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<1024xf16, "shared">, memref<100x256xf16>
  func.return
}

// -----

func.func @f(%a: memref<80x256xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: the map reaches 51200 bytes far, the array has 40960}}
  tma.copy %t[%i], %a[%i, %i] boxes <[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<80x256xf16>
  func.return
}

// -----

func.func @f(%a: memref<100x256xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: a box of 64 x 257 elements; each extent is from 1 to 256}}
  tma.copy %t[%i], %a[%i, %i] boxes <[64, 257] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<100x256xf16>
  func.return
}

// -----

func.func @f(%a: memref<100x256xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: a stride of 520 bytes; a multiple of 16 below 2**40 is required}}
  tma.copy %t[%i], %a[%i, %i] boxes <[64, 32] of [256, 100] strides [520] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<100x256xf16>
  func.return
}

// -----

func.func @f(%a: memref<100x256xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: rows of a box of 128 bytes, swizzled within 64: a row has to fit}}
  tma.copy %t[%i], %a[%i, %i] boxes <[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 64 fill zero> : memref<6144xf16, "shared">, memref<100x256xf16>
  func.return
}

// -----

func.func @f(%a: memref<100x256xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: steps [1, 9]; each is from 1 to 8}}
  tma.copy %t[%i], %a[%i, %i] boxes <[64, 32] of [256, 100] strides [512] steps [1, 9] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<100x256xf16>
  func.return
}

// -----

func.func @f(%a: memref<100x256xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: rows of a box of 120 bytes; a multiple of 16 is required}}
  tma.copy %t[%i], %a[%i, %i] boxes <[60, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<100x256xf16>
  func.return
}

// -----

func.func @f(%a: memref<100x256xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: a fill of 'one'; zero or nan is possible}}
  tma.copy %t[%i], %a[%i, %i] boxes <[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill one> : memref<6144xf16, "shared">, memref<100x256xf16>
  func.return
}

// -----

func.func @f(%a: memref<100x256xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: 2 dimensions with 0 strides, 2 extents of the box and 2 steps}}
  tma.copy %t[%i], %a[%i, %i] boxes <[64, 32] of [256, 100] strides [] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<100x256xf16>
  func.return
}

// -----

func.func @f(%a: memref<100x256xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{load: a box of 64 x 0 elements; each extent is from 1 to 256}}
  tma.load %t[%i], %a[%i, %i], %b[%i] boxes <[64, 0] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<100x256xf16>, memref<3xi64, "shared">
  func.return
}

// -----

func.func @f() {
  // expected-error @+1 {{elect: threadIdx.z -1; it is 0 or more}}
  %e = tma.elect z -1
  func.return
}

// -----

func.func @f() {
  // expected-error @+1 {{setmaxnreg: 'set'; "inc" or "dec" is possible}}
  tma.setmaxnreg "set" 40
  func.return
}

// -----

func.func @f() {
  // expected-error @+1 {{setmaxnreg: 42 registers; a multiple of 8 from 24 to 256 is required}}
  tma.setmaxnreg "dec" 42
  func.return
}

// -----

func.func @f(%x: memref<2x9x14x64xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: 1 offsets of pixels, one for each dimension of space; 2 are required}}
  tma.copy %t[%i], %x[%i, %i, %i, %i] offsets [%i] boxes <[64, 32] of [64, 14, 9, 2] strides [128, 1792, 16128] steps [1, 2, 1, 1] im2col [-1, -1] to [-1, -1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<2x9x14x64xf16>
  func.return
}

// -----

func.func @f(%x: memref<2x9x14x64xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: 2 offsets of a tiled box; 0 are required}}
  tma.copy %t[%i], %x[%i, %i, %i, %i] offsets [%i, %i] boxes <[64, 4, 4, 1] of [64, 14, 9, 2] strides [128, 1792, 16128] steps [1, 2, 1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<2x9x14x64xf16>
  func.return
}

// -----

func.func @f(%x: memref<2x9x14x64xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: pixels of 2 dimensions; channels, 1 to 3 dimensions of space and images are possible}}
  tma.copy %t[%i], %x[%i, %i, %i, %i] offsets [%i, %i] boxes <[64, 32] of [64, 14] strides [128] steps [1, 1] im2col [-1, -1] to [-1, -1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<2x9x14x64xf16>
  func.return
}

// -----

func.func @f(%x: memref<2x9x14x64xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: a box of 4 extents; channels and pixels are required}}
  tma.copy %t[%i], %x[%i, %i, %i, %i] offsets [%i, %i] boxes <[64, 4, 4, 1] of [64, 14, 9, 2] strides [128, 1792, 16128] steps [1, 2, 1, 1] im2col [-1, -1] to [-1, -1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<2x9x14x64xf16>
  func.return
}

// -----

func.func @f(%x: memref<2x9x14x64xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: corners [-1] and [-1, -1] for 2 dimensions of space; one of each for each is required}}
  tma.copy %t[%i], %x[%i, %i, %i, %i] offsets [%i, %i] boxes <[64, 32] of [64, 14, 9, 2] strides [128, 1792, 16128] steps [1, 2, 1, 1] im2col [-1] to [-1, -1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<2x9x14x64xf16>
  func.return
}

// -----

func.func @f(%x: memref<2x9x14x64xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: boxes of 64 channels of 1025 pixels; 1 to 256 and 1 to 1024 are possible}}
  tma.copy %t[%i], %x[%i, %i, %i, %i] offsets [%i, %i] boxes <[64, 1025] of [64, 14, 9, 2] strides [128, 1792, 16128] steps [1, 2, 1, 1] im2col [-1, -1] to [-1, -1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<2x9x14x64xf16>
  func.return
}

// -----

func.func @f(%x: memref<2x9x14x64xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: a corner of -129; of 4 dimensions it is from -128 to 127}}
  tma.copy %t[%i], %x[%i, %i, %i, %i] offsets [%i, %i] boxes <[64, 32] of [64, 14, 9, 2] strides [128, 1792, 16128] steps [1, 2, 1, 1] im2col [-129, -1] to [-1, -1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<2x9x14x64xf16>
  func.return
}

// -----

func.func @f(%x: memref<2x9x14x64xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: a bounding box from 2 to 1; its last place is not before its first}}
  tma.copy %t[%i], %x[%i, %i, %i, %i] offsets [%i, %i] boxes <[64, 32] of [64, 14, 9, 2] strides [128, 1792, 16128] steps [1, 2, 1, 1] im2col [-1, 2] to [-1, -7] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<2x9x14x64xf16>
  func.return
}

// -----

func.func @f(%x: memref<2x9x14x64xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{copy: steps [1, 9, 1, 1]; each is from 1 to 8}}
  tma.copy %t[%i], %x[%i, %i, %i, %i] offsets [%i, %i] boxes <[64, 32] of [64, 14, 9, 2] strides [128, 1792, 16128] steps [1, 9, 1, 1] im2col [-1, -1] to [-1, -1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<2x9x14x64xf16>
  func.return
}

// -----

func.func @f(%b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{arrive: 16 blocks of a cluster; 2 to 8 are possible}}
  tma.arrive %b[%i] blocks 16 : memref<3xi64, "shared">
  func.return
}

// -----

func.func @f(%a: memref<100x256xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{load: 1 blocks of a cluster; 2 to 8 are possible}}
  tma.load %t[%i], %a[%i, %i], %b[%i] boxes <[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> mask 1 : memref<6144xf16, "shared">, memref<100x256xf16>, memref<3xi64, "shared">
  func.return
}

// -----

func.func @f(%a: memref<100x256xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) attributes {gpu.kernel} {
  // expected-error @+1 {{load: 2 blocks of a cluster, and the kernel has no clusters}}
  tma.load %t[%i], %a[%i, %i], %b[%i] boxes <[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> mask 3 : memref<6144xf16, "shared">, memref<100x256xf16>, memref<3xi64, "shared">
  func.return
}

// -----

func.func @f(%b: memref<3xi64, "shared">, %i: index) attributes {gpu.kernel, wmma.cluster = array<i64: 2, 1, 1>} {
  // expected-error @+1 {{arrive: 4 blocks of a cluster, and the kernel has clusters of 2}}
  tma.arrive %b[%i] blocks 4 : memref<3xi64, "shared">
  func.return
}

// -----

func.func @f(%a: memref<100x256xf16>, %t: memref<6144xf16, "shared">, %b: memref<3xi64, "shared">, %i: index) {
  // expected-error @+1 {{arrive_expect: 4096 bytes are expected, the copies after it on this mbarrier bring 8192}}
  tma.arrive_expect %b[%i] bytes 4096 : memref<3xi64, "shared">
  tma.load %t[%i], %a[%i, %i], %b[%i] boxes <[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> mask 3 : memref<6144xf16, "shared">, memref<100x256xf16>, memref<3xi64, "shared">
  func.return
}

// -----

func.func @f(%x: memref<2x9x14x64xf16>, %t: memref<6144xf16, "shared">, %i: index) {
  // expected-error @+1 {{store: a map for im2col; only tiled boxes are stored}}
  tma.store %t[%i], %x[%i, %i, %i, %i] boxes <[64, 32] of [64, 14, 9, 2] strides [128, 1792, 16128] steps [1, 1, 1, 1] im2col [-1, -1] to [-1, -1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<2x9x14x64xf16>
  func.return
}

// -----

func.func @f(%a: memref<100x256xf16>, %t: memref<6144xf16>, %i: index) {
  // expected-error @+1 {{store: from global to global memory; from shared to global is possible}}
  tma.store %t[%i], %a[%i, %i] boxes <[64, 16] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16>, memref<100x256xf16>
  func.return
}

// -----

func.func @f() {
  // expected-error @+1 {{wait_stores: 8 groups; 0 to 7 are possible}}
  tma.wait_stores 8 read
  func.return
}
