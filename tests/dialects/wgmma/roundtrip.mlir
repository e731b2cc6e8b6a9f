// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// Every operation and type of the wgmma dialect, printed as it is written.

// CHECK: func.func @kernel(%s: memref<8192xf16, "shared">, %i: index) {
func.func @kernel(%s: memref<8192xf16, "shared">, %i: index) {
  %sums = mma.tiles : !mma.tiles<8 x accumulator m16n8k16 f32>
  // CHECK: %a = wgmma.descriptor %s[%i] : memref<8192xf16, "shared"> -> !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
  %a = wgmma.descriptor %s[%i] : memref<8192xf16, "shared"> -> !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
  // CHECK-NEXT: %b = wgmma.descriptor %s[%i] : memref<8192xf16, "shared"> -> !wgmma.descriptor<f16 mn_major swizzle 64 leading 4096 stride 512>
  %b = wgmma.descriptor %s[%i] : memref<8192xf16, "shared"> -> !wgmma.descriptor<f16 mn_major swizzle 64 leading 4096 stride 512>
  // CHECK-NEXT: wgmma.fence_proxy_async reason "tiles were copied"
  wgmma.fence_proxy_async reason "tiles were copied"
  // CHECK-NEXT: wgmma.fence reason "sums were set"
  wgmma.fence reason "sums were set"
  // CHECK-NEXT: wgmma.mma_async %sums[%i], %a, %b n 64 : !mma.tiles<8 x accumulator m16n8k16 f32>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>, !wgmma.descriptor<f16 mn_major swizzle 64 leading 4096 stride 512>
  wgmma.mma_async %sums[%i], %a, %b n 64 : !mma.tiles<8 x accumulator m16n8k16 f32>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>, !wgmma.descriptor<f16 mn_major swizzle 64 leading 4096 stride 512>
  // CHECK-NEXT: wgmma.commit_group
  wgmma.commit_group
  // CHECK-NEXT: wgmma.wait_group 1
  wgmma.wait_group 1
  // CHECK-NEXT: wgmma.wait_group 0 for %sums : !mma.tiles<8 x accumulator m16n8k16 f32> reason "results"
  wgmma.wait_group 0 for %sums : !mma.tiles<8 x accumulator m16n8k16 f32> reason "results"
  // CHECK: mma.layout = #mma.layout<swizzle 128 pitch 512 panels 64>
  %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 512 panels 64>} : memref<64x256xf16, "shared">
  func.return
}
