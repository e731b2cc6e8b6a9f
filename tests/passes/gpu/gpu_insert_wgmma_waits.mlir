// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-insert-wgmma-waits | filecheck %s
// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-insert-wgmma-waits,gpu-insert-wgmma-waits | filecheck %s

// What threads copied is fenced before the barrier after which products read it. Products of a step are one group,
// which is waited for before the next statement, as the loop's pipeline leaves none under way.

// CHECK-LABEL: func.func @each_step
// CHECK:         schedule.for %step
// CHECK-NEXT:      wmma.async_wait
// CHECK-NEXT:      wgmma.fence_proxy_async reason "what threads wrote to shared memory is there for the products"
// CHECK-NEXT:      "gpu.barrier"
// CHECK-NEXT:      wgmma.fence reason "sums that other instructions touched are settled"
// CHECK-NEXT:      schedule.for %k
// CHECK-NEXT:        wgmma.descriptor
// CHECK-NEXT:        wgmma.mma_async
// CHECK-NEXT:      }
// CHECK-NEXT:      wgmma.commit_group
// CHECK-NEXT:      wgmma.wait_group 0 for %sums : !mma.tiles<8 x accumulator m16n8k16 f32> reason "the sums are there"
// CHECK-NEXT:    }
// CHECK-NEXT:    mma.extract
func.func @each_step(%i: index) attributes {gpu.kernel} {
  %s = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<8192xf16, "shared">
  %sums = mma.tiles : !mma.tiles<8 x accumulator m16n8k16 f32>
  schedule.for %step = 0 to 4 {
    wmma.async_wait 0
    "gpu.barrier"() : () -> ()
    schedule.for %k = 0 to 4 {
      %d = wgmma.descriptor %s[%i] : memref<8192xf16, "shared"> -> !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
      wgmma.mma_async %sums[%i], %d, %d n 64 : !mma.tiles<8 x accumulator m16n8k16 f32>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
    }
  }
  %x = mma.extract %sums[%i] element 0 : !mma.tiles<8 x accumulator m16n8k16 f32> -> f32
  func.return
}

// -----

// With a slot to spare the group of a step is under way while the next one begins; the sums are waited for in the end.

// CHECK-LABEL: func.func @in_flight
// CHECK:           wgmma.descriptor
// CHECK-NEXT:      wgmma.fence reason
// CHECK-NEXT:      wgmma.mma_async
// CHECK-NEXT:      wgmma.commit_group
// CHECK-NEXT:      wgmma.wait_group 1 reason "the products of the step before are done, and its slot may be filled"
// CHECK-NEXT:    }
// CHECK-NEXT:    wgmma.wait_group 0 for %sums
func.func @in_flight(%i: index) attributes {gpu.kernel} {
  %s = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<8192xf16, "shared">
  %sums = mma.tiles : !mma.tiles<8 x accumulator m16n8k16 f32>
  schedule.for %step = 0 to 4 attributes {wgmma.in_flight = 1 : i64} {
    "gpu.barrier"() : () -> ()
    %d = wgmma.descriptor %s[%i] : memref<8192xf16, "shared"> -> !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
    wgmma.mma_async %sums[%i], %d, %d n 64 : !mma.tiles<8 x accumulator m16n8k16 f32>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
  }
  func.return
}

// -----

// Where products stand under a condition, so do their fence and their group; an empty group counts for the other steps.

// CHECK-LABEL: func.func @some(%i: index, %c: i1) attributes {gpu.kernel} {
// CHECK-NEXT:    %s = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<8192xf16, "shared">
// CHECK-NEXT:    %sums = mma.tiles : !mma.tiles<8 x accumulator m16n8k16 f32>
// CHECK-NEXT:    schedule.for %step = 0 to 4 attributes {wgmma.in_flight = 1 : i64} {
// CHECK-NEXT:      wgmma.fence_proxy_async reason "what threads wrote to shared memory is there for the products"
// CHECK-NEXT:      "gpu.barrier"() : () -> ()
// CHECK-NEXT:      scf.if %c {
// CHECK-NEXT:        wgmma.fence reason "sums that other instructions touched are settled"
// CHECK-NEXT:        %d = wgmma.descriptor %s[%i] : memref<8192xf16, "shared"> -> !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
// CHECK-NEXT:        wgmma.mma_async %sums[%i], %d, %d n 64 : !mma.tiles<8 x accumulator m16n8k16 f32>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
// CHECK-NEXT:        wgmma.commit_group
// CHECK-NEXT:      } else {
// CHECK-NEXT:        wgmma.commit_group
// CHECK-NEXT:      }
// CHECK-NEXT:      wgmma.wait_group 1 reason "the products of the step before are done, and its slot may be filled"
// CHECK-NEXT:    }
// CHECK-NEXT:    wgmma.wait_group 0 for %sums : !mma.tiles<8 x accumulator m16n8k16 f32> reason "the sums are there"
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

func.func @some(%i: index, %c: i1) attributes {gpu.kernel} {
  %s = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<8192xf16, "shared">
  %sums = mma.tiles : !mma.tiles<8 x accumulator m16n8k16 f32>
  schedule.for %step = 0 to 4 attributes {wgmma.in_flight = 1 : i64} {
    "gpu.barrier"() : () -> ()
    scf.if %c {
      %d = wgmma.descriptor %s[%i] : memref<8192xf16, "shared"> -> !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
      wgmma.mma_async %sums[%i], %d, %d n 64 : !mma.tiles<8 x accumulator m16n8k16 f32>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
    }
  }
  func.return
}

// -----

// A kernel without products stays as it is.

// CHECK-LABEL: func.func @none
// CHECK-NEXT:    "gpu.barrier"
// CHECK-NEXT:    func.return
func.func @none() attributes {gpu.kernel} {
  "gpu.barrier"() : () -> ()
  func.return
}

// -----

func.func @routine(%i: index) attributes {gpu.kernel} {
  %s = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<8192xf16, "shared">
  %sums = mma.tiles : !mma.tiles<8 x accumulator m16n8k16 f32>
  // expected-error @+1 {{kernel 'routine' has a routine, whose accesses run, under other conditions, where it is called: run gpu-insert-wgmma-waits before gpu-outline-copies}}
  %r = wmma.routine extents [4] : (index) -> () {
  ^bb0(%j: index):
    %z = arith.constant 0 : index
  }
  %d = wgmma.descriptor %s[%i] : memref<8192xf16, "shared"> -> !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
  wgmma.mma_async %sums[%i], %d, %d n 64 : !mma.tiles<8 x accumulator m16n8k16 f32>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>, !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
  func.return
}
