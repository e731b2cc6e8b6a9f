// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-pipeline-loops | filecheck %s
// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-pipeline-loops,gpu-pipeline-loops | filecheck %s

// A tile per step in three slots: two are copied to before the loop, each step waits until one group of copies is under
// way, and begins with the copy of two steps later. The loop that runs again waits for its last readers.

// CHECK-LABEL: func.func @steps
// CHECK:         schedule.for %row = 0 to 2 {
// CHECK-NEXT:      %s = memref.alloc() {wmma.staged} : memref<192xf16, "shared">
// CHECK-NEXT:      "gpu.barrier"
// CHECK-NEXT:      schedule.for [[STAGE:%.*]] = 0 to 2 kind "unrolled" {
// CHECK-NEXT:        [[SLOT:%.*]] = affine.apply affine_map<(d0) -> ((d0 mod 3))> ([[STAGE]])
// CHECK-NEXT:        schedule.for {{.*}} kind "threadIdx.x" {
// CHECK:               affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 64)))> ({{%.*}}, [[SLOT]])
// CHECK-NEXT:          wmma.async_copy
// CHECK-NEXT:        }
// CHECK-NEXT:        wmma.async_commit
// CHECK-NEXT:      }
// CHECK-NEXT:      schedule.for %k = 0 to 4 {
// CHECK-NEXT:        wmma.async_wait 1
// CHECK-NEXT:        "gpu.barrier"
// CHECK:             [[MORE:%.*]] = arith.cmpi sge
// CHECK-NEXT:        scf.if [[MORE]] {
// CHECK:               affine.apply affine_map<(d0) -> ((d0 + 2))> (%k)
// CHECK:               wmma.async_copy
// CHECK:             wmma.async_commit
// CHECK-NEXT:        [[OWN:%.*]] = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
// CHECK-NOT:         vector.store
// CHECK:             affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 64)))> ({{%.*}}, [[OWN]])
// CHECK-NEXT:        memref.load %s
func.func @steps(%x: memref<256xf16>, %y: memref<32xf16>) {
  schedule.for %row = 0 to 2 {
    schedule.for %k = 0 to 4 attributes {pipeline = 3 : i64} {
      %s = memref.alloc() : memref<8x8xf16, "shared">
      %flat = memref.reinterpret_cast %s to offset: [0], sizes: [64], strides: [1] : memref<8x8xf16, "shared"> to memref<64xf16, "shared">
      schedule.for %i = 0 to 32 kind "threadIdx.x" {
        %from = affine.apply affine_map<(k, i) -> (k * 64 + i * 2)> (%k, %i)
        %to = affine.apply affine_map<(i) -> (i * 2)> (%i)
        %v = vector.load %x[%from] : memref<256xf16>, vector<2xf16>
        vector.store %v, %flat[%to] : memref<64xf16, "shared">, vector<2xf16>
      }
      schedule.for %j = 0 to 32 kind "threadIdx.x" {
        %w = memref.load %flat[%j] : memref<64xf16, "shared">
        memref.store %w, %y[%j] : memref<32xf16>
      }
    }
  }
  func.return
}

// -----

func.func @elsewhere(%x: memref<32xf16>, %y: memref<32xf16>) {
  // expected-error @+1 {{pipeline: no buffer in shared memory is filled once per iteration of loop 'k': compute_at the copies in that loop, or pipeline the loop that they are in}}
  schedule.for %k = 0 to 4 attributes {pipeline = 2 : i64} {
    schedule.for %i = 0 to 32 kind "threadIdx.x" {
      %v = memref.load %x[%i] : memref<32xf16>
      memref.store %v, %y[%i] : memref<32xf16>
    }
  }
  func.return
}

// -----

// Single elements are no asynchronous copies: nothing is waited for but the barrier, and what runs ahead is marked.

// CHECK-LABEL: func.func @elements
// CHECK:         %s = memref.alloc() {wmma.staged} : memref<64xf16, "shared">
// CHECK-NOT:     wmma.async
// CHECK:         schedule.for %k = 0 to 4 {
// CHECK-NEXT:      "gpu.barrier"
// CHECK:           scf.if {{.*}} {
// CHECK:             [[LOADED:%.*]] = memref.load %x
// CHECK:             affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 32)))>
// CHECK-NEXT:        memref.store [[LOADED]], %s
// CHECK:           }{wmma.ahead}
// CHECK-NEXT:      affine.apply affine_map<(d0) -> ((d0 mod 2))> (%k)
func.func @elements(%x: memref<32xf16>, %y: memref<32xf16>) {
  schedule.for %k = 0 to 4 attributes {pipeline = 2 : i64} {
    %s = memref.alloc() : memref<32xf16, "shared">
    schedule.for %i = 0 to 32 kind "threadIdx.x" {
      %v = memref.load %x[%i] : memref<32xf16>
      memref.store %v, %s[%i] : memref<32xf16, "shared">
    }
    schedule.for %j = 0 to 32 kind "threadIdx.x" {
      %w = memref.load %s[%j] : memref<32xf16, "shared">
      memref.store %w, %y[%j] : memref<32xf16>
    }
  }
  func.return
}

// -----

func.func @from_shared(%x: memref<32xf16>, %y: memref<32xf16>) {
  %t = memref.alloc() : memref<32xf16, "shared">
  schedule.for %k = 0 to 4 attributes {pipeline = 2 : i64} {
    %s = memref.alloc() : memref<32xf16, "shared">
    schedule.for %i = 0 to 32 kind "threadIdx.x" {
      // expected-error @+1 {{pipeline: a copy reads 't' in shared memory, which an earlier step may write; only copies from global memory run ahead}}
      %v = memref.load %t[%i] : memref<32xf16, "shared">
      memref.store %v, %s[%i] : memref<32xf16, "shared">
    }
  }
  func.return
}

// -----

func.func @copies_last(%x: memref<64xf16>, %y: memref<32xf16>) {
  schedule.for %k = 0 to 4 attributes {pipeline = 2 : i64} {
    %s = memref.alloc() : memref<64xf16, "shared">
    schedule.for %j = 0 to 32 kind "threadIdx.x" {
      %w = memref.load %s[%j] : memref<64xf16, "shared">
      memref.store %w, %y[%j] : memref<32xf16>
    }
    // expected-error @+1 {{pipeline: a statement copies to shared memory after another used it; copies must come first}}
    schedule.for %i = 0 to 32 kind "threadIdx.x" {
      %to = affine.apply affine_map<(i) -> (i * 2)> (%i)
      %v = vector.load %x[%to] : memref<64xf16>, vector<2xf16>
      vector.store %v, %s[%to] : memref<64xf16, "shared">, vector<2xf16>
    }
  }
  func.return
}
