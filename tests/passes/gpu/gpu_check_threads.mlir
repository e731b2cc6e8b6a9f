// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-check-threads | filecheck %s
// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-check-threads,gpu-check-threads | filecheck %s

// A sum with one thread per element passes, and stays as it is.

// CHECK-LABEL: func.func @own_elements
// CHECK-NEXT:    schedule.for %i = 0 to 32 kind "threadIdx.x" {
// CHECK-NEXT:      schedule.for %k = 0 to 4 {
// CHECK-NEXT:        memref.load %y[%i]
func.func @own_elements(%x: memref<32xf32>, %y: memref<32xf32>) {
  schedule.for %i = 0 to 32 kind "threadIdx.x" {
    schedule.for %k = 0 to 4 {
      %old = memref.load %y[%i] : memref<32xf32>
      %v = memref.load %x[%i] : memref<32xf32>
      %new = arith.addf %old, %v : f32
      memref.store %new, %y[%i] : memref<32xf32>
    }
  }
  func.return
}

// -----

func.func @sum_of_all(%x: memref<32xf32>, %y: memref<1xf32>) {
  %zero = arith.constant 0 : index
  schedule.for %i = 0 to 32 kind "threadIdx.x" {
    %old = memref.load %y[%zero] : memref<1xf32>
    %v = memref.load %x[%i] : memref<32xf32>
    %new = arith.addf %old, %v : f32
    // expected-error @+1 {{all 32 of threadIdx.x add to the same elements of 'y', each time anew: bind a spatial loop of that sum to threadIdx.x, or leave threadIdx.x out of the kernel}}
    memref.store %new, %y[%zero] : memref<1xf32>
  }
  func.return
}

// -----

func.func @handed_over(%y: memref<32xf32>, %z: memref<32xf32>) {
  schedule.for %i = 0 to 32 kind "threadIdx.x" {
    %v = memref.load %z[%i] : memref<32xf32>
    memref.store %v, %y[%i] : memref<32xf32>
  }
  schedule.for %j = 0 to 32 kind "threadIdx.x" {
    %other = affine.apply affine_map<(j) -> (31 - j)> (%j)
    // expected-error @+1 {{'y' is written by one thread of threadIdx.x and read by another, in global memory, where nothing makes the one wait for the other}}
    %v = memref.load %y[%other] : memref<32xf32>
    memref.store %v, %z[%j] : memref<32xf32>
  }
  func.return
}

// -----

func.func @other_blocks(%x: memref<4xf32>) {
  %s = memref.alloc() : memref<4xf32, "shared">
  schedule.for %b = 0 to 4 kind "blockIdx.x" {
    %v = memref.load %x[%b] : memref<4xf32>
    // expected-error @+1 {{each block writes another part of 's', which lies in shared memory, and blocks do not see each other's: compute_at it in the loop bound to blockIdx.x, or do not bind its own loop}}
    memref.store %v, %s[%b] : memref<4xf32, "shared">
  }
  func.return
}

// -----

func.func @own(%x: memref<32xf32>) {
  %t = memref.alloc() : memref<32xf32, "local">
  schedule.for %i = 0 to 32 kind "threadIdx.x" {
    %v = memref.load %x[%i] : memref<32xf32>
    // expected-error @+1 {{'t' lies in local memory, of which each thread has its own, and loop 'i', bound to threadIdx.x, writes parts of it: compute_at it inside that loop, or set_scope it to shared}}
    memref.store %v, %t[%i] : memref<32xf32, "local">
  }
  func.return
}

// -----

func.func @intermediate(%x: memref<32xf32>) {
  // expected-error @+1 {{'t' is an intermediate result in global memory, of which a kernel has none: inline it, or set_scope it to shared and compute it where it is used}}
  %t = memref.alloc() : memref<32xf32>
  schedule.for %i = 0 to 32 kind "threadIdx.x" {
    %v = memref.load %x[%i] : memref<32xf32>
    memref.store %v, %t[%i] : memref<32xf32>
  }
  func.return
}

// -----

func.func @part_of_a_warp() {
  %c = wmma.fragments : !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  %zero = arith.constant 0 : index
  schedule.for %i = 0 to 16 kind "threadIdx.x" {
    // expected-error @+1 {{'wmma.fill_fragment' in blocks of 16 threads; whole warps of 32 are required: bind a loop of 32 iterations to threadIdx.x}}
    wmma.fill_fragment %c[%zero], 0.0 : f32 : !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  }
  func.return
}

// -----

func.func @lanes_disagree() {
  %c = wmma.fragments : !wmma.fragment<32 x accumulator [16, 16, 16] f32>
  schedule.for %i = 0 to 32 kind "threadIdx.x" {
    // expected-error @+1 {{lanes of one warp do different things at 'wmma.fill_fragment', which depends on threadIdx.x; all 32 have to agree}}
    wmma.fill_fragment %c[%i], 0.0 : f32 : !wmma.fragment<32 x accumulator [16, 16, 16] f32>
  }
  func.return
}
