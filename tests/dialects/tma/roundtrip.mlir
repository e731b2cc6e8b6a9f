// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// Operations of the tma dialect print as they are read.

// CHECK-LABEL: func.func @f
// CHECK:         %elected = tma.elect z 2
// CHECK:         tma.mbarrier_init %full[%i] arrivals 1 : memref<3xi64, "shared">
// CHECK-NEXT:    tma.fence_mbarrier_init
// CHECK:         tma.copy %tile[%i], %a[%x, %y] boxes <[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<100x256xf16>
// CHECK:         tma.arrive_expect %full[%i] bytes 4096 : memref<3xi64, "shared">
// CHECK-NEXT:    tma.load %tile[%i], %a[%x, %y], %full[%i] boxes <[64, 32] of [256, 100] strides [512] steps [1, 2] swizzle 128 fill nan> : memref<6144xf16, "shared">, memref<100x256xf16>, memref<3xi64, "shared">
// CHECK:         tma.wait %full[%i] parity %p : memref<3xi64, "shared">
// CHECK-NEXT:    tma.arrive %full[%i] : memref<3xi64, "shared">
// CHECK-NEXT:    tma.setmaxnreg "inc" 232
// CHECK-NEXT:    tma.load %tile[%i], %a[%x, %y], %full[%x] boxes <[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> mask 3 : memref<6144xf16, "shared">, memref<100x256xf16>, memref<3xi64, "shared">
// CHECK-NEXT:    tma.wait %full[%i] parity %p cluster : memref<3xi64, "shared">
// CHECK-NEXT:    tma.arrive %full[%i] blocks 2 : memref<3xi64, "shared">
// CHECK-NEXT:    tma.cluster_arrive
// CHECK-NEXT:    tma.cluster_wait
func.func @f(%a: memref<100x256xf16>, %tile: memref<6144xf16, "shared">, %full: memref<3xi64, "shared">, %i: index, %x: index, %y: index, %p: index) {
  %elected = tma.elect z 2
  tma.mbarrier_init %full[%i] arrivals 1 : memref<3xi64, "shared">
  tma.fence_mbarrier_init
  tma.copy %tile[%i], %a[%x, %y] boxes <[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<100x256xf16>
  tma.arrive_expect %full[%i] bytes 4096 : memref<3xi64, "shared">
  tma.load %tile[%i], %a[%x, %y], %full[%i] boxes <[64, 32] of [256, 100] strides [512] steps [1, 2] swizzle 128 fill nan> : memref<6144xf16, "shared">, memref<100x256xf16>, memref<3xi64, "shared">
  tma.wait %full[%i] parity %p : memref<3xi64, "shared">
  tma.arrive %full[%i] : memref<3xi64, "shared">
  tma.setmaxnreg "inc" 232
  tma.load %tile[%i], %a[%x, %y], %full[%x] boxes <[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> mask 3 : memref<6144xf16, "shared">, memref<100x256xf16>, memref<3xi64, "shared">
  tma.wait %full[%i] parity %p cluster : memref<3xi64, "shared">
  tma.arrive %full[%i] blocks 2 : memref<3xi64, "shared">
  tma.cluster_arrive
  tma.cluster_wait
  func.return
}

// CHECK-LABEL: func.func @pixels
// CHECK:         tma.copy %tile[%i], %x[%c, %w, %h, %n] offsets[%s, %r] boxes <[64, 32] of [64, 14, 9, 2] strides [128, 1792, 16128] steps [1, 2, 1, 1] im2col [-1, -1] to [-2, -1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<2x9x14x64xf16>
// CHECK-NEXT:    tma.load %tile[%i], %x[%c, %w, %h, %n] offsets[%s, %r], %full[%i] boxes <[64, 32] of [64, 14, 9, 2] strides [128, 1792, 16128] steps [1, 2, 1, 1] im2col [-1, -1] to [-2, -1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<2x9x14x64xf16>, memref<3xi64, "shared">
func.func @pixels(%x: memref<2x9x14x64xf16>, %tile: memref<6144xf16, "shared">, %full: memref<3xi64, "shared">, %i: index, %c: index, %w: index, %h: index, %n: index, %s: index, %r: index) {
  tma.copy %tile[%i], %x[%c, %w, %h, %n] offsets [%s, %r] boxes <[64, 32] of [64, 14, 9, 2] strides [128, 1792, 16128] steps [1, 2, 1, 1] im2col [-1, -1] to [-2, -1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<2x9x14x64xf16>
  tma.load %tile[%i], %x[%c, %w, %h, %n] offsets [%s, %r], %full[%i] boxes <[64, 32] of [64, 14, 9, 2] strides [128, 1792, 16128] steps [1, 2, 1, 1] im2col [-1, -1] to [-2, -1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<2x9x14x64xf16>, memref<3xi64, "shared">
  func.return
}

// CHECK-LABEL: func.func @stores
// CHECK:         tma.publish
// CHECK-NEXT:    tma.store %tile[%i], %c[%x, %y] boxes <[64, 16] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<100x256xf16>
// CHECK-NEXT:    tma.commit_stores
// CHECK-NEXT:    tma.wait_stores 1 read
// CHECK-NEXT:    tma.wait_stores 0
func.func @stores(%c: memref<100x256xf16>, %tile: memref<6144xf16, "shared">, %i: index, %x: index, %y: index) {
  tma.publish
  tma.store %tile[%i], %c[%x, %y] boxes <[64, 16] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<100x256xf16>
  tma.commit_stores
  tma.wait_stores 1 read
  tma.wait_stores 0
  func.return
}
