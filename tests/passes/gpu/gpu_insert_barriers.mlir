// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-insert-barriers | filecheck %s
// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-insert-barriers,gpu-insert-barriers | filecheck %s

// Barriers stand between a write of shared memory and another statement's access, and before a loop's next
// iteration overwrites what the last one read; inside a condition only where a block's threads agree on it, never where
// nothing is shared.

// CHECK-LABEL: func.func @exchange
func.func @exchange(%x: memref<64xf32>, %y: memref<64xf32>) attributes {gpu.kernel} {
  %s = memref.alloc() : memref<64xf32, "shared">
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  // CHECK: memref.load %x
  // CHECK-NEXT: memref.store {{.*}}, %s
  // CHECK-NEXT: affine.apply
  // CHECK-NEXT: "gpu.barrier"
  // CHECK-NEXT: memref.load %s
  // CHECK-NEXT: memref.store {{.*}}, %y
  // CHECK-NOT: gpu.barrier
  %v = memref.load %x[%t] : memref<64xf32>
  memref.store %v, %s[%t] : memref<64xf32, "shared">
  %u = affine.apply affine_map<(t) -> (63 - t)> (%t)
  %w = memref.load %s[%u] : memref<64xf32, "shared">
  memref.store %w, %y[%t] : memref<64xf32>
  func.return
}

// CHECK-LABEL: func.func @steps
func.func @steps(%x: memref<64xf32>, %y: memref<64xf32>) attributes {gpu.kernel} {
  %s = memref.alloc() : memref<64xf32, "shared">
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  // CHECK: schedule.for
  // CHECK-NEXT: memref.load %x
  // CHECK-NEXT: "gpu.barrier"
  // CHECK-NEXT: memref.store {{.*}}, %s
  // CHECK-NEXT: affine.apply
  // CHECK-NEXT: "gpu.barrier"
  // CHECK-NEXT: memref.load %s
  schedule.for %k = 0 to 4 {
    %v = memref.load %x[%t] : memref<64xf32>
    memref.store %v, %s[%t] : memref<64xf32, "shared">
    %u = affine.apply affine_map<(t) -> (63 - t)> (%t)
    %w = memref.load %s[%u] : memref<64xf32, "shared">
    memref.store %w, %y[%t] : memref<64xf32>
  }
  func.return
}

// One iteration has no next one.
// CHECK-LABEL: func.func @once
func.func @once(%x: memref<64xf32>, %y: memref<64xf32>) attributes {gpu.kernel} {
  %s = memref.alloc() : memref<64xf32, "shared">
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  // CHECK: schedule.for
  // CHECK-NEXT: memref.load %x
  // CHECK-NEXT: memref.store {{.*}}, %s
  // CHECK-NEXT: "gpu.barrier"
  // CHECK-NEXT: memref.load %s
  // CHECK-NOT: gpu.barrier
  schedule.for %k = 0 to 1 {
    %v = memref.load %x[%t] : memref<64xf32>
    memref.store %v, %s[%t] : memref<64xf32, "shared">
    %w = memref.load %s[%t] : memref<64xf32, "shared">
    memref.store %w, %y[%t] : memref<64xf32>
  }
  func.return
}

// A condition that reads is waited for outside of it.
// CHECK-LABEL: func.func @condition
func.func @condition(%x: memref<64xf32>, %y: memref<64xf32>, %p: i1) attributes {gpu.kernel} {
  %s = memref.alloc() : memref<64xf32, "shared">
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  // CHECK: memref.store {{.*}}, %s
  // CHECK-NEXT: "gpu.barrier"
  // CHECK-NEXT: scf.if
  // CHECK-NEXT: memref.load %s
  // CHECK-NOT: gpu.barrier
  %v = memref.load %x[%t] : memref<64xf32>
  memref.store %v, %s[%t] : memref<64xf32, "shared">
  scf.if %p {
    %w = memref.load %s[%t] : memref<64xf32, "shared">
    memref.store %w, %y[%t] : memref<64xf32>
  }
  func.return
}

// Threads of a block agree on its number and on a loop's iteration: a barrier may stand under their condition.
// CHECK-LABEL: func.func @agreed
func.func @agreed(%x: memref<64xf32>, %y: memref<64xf32>) attributes {gpu.kernel} {
  %s = memref.alloc() : memref<64xf32, "shared">
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %n = "gpu.block_id"() <{dimension = #gpu<dim x>}> : () -> index
  // CHECK: scf.if
  // CHECK-NEXT: memref.load %x
  // CHECK-NEXT: memref.store {{.*}}, %s
  // CHECK-NEXT: affine.apply
  // CHECK-NEXT: "gpu.barrier"
  // CHECK-NEXT: memref.load %s
  schedule.for %k = 0 to 1 {
    %i = affine.apply affine_map<(n, k) -> (n + k)> (%n, %k)
    %p = arith.cmpi slt, %i, %n : index
    scf.if %p {
      %v = memref.load %x[%t] : memref<64xf32>
      memref.store %v, %s[%t] : memref<64xf32, "shared">
      %u = affine.apply affine_map<(t) -> (63 - t)> (%t)
      %w = memref.load %s[%u] : memref<64xf32, "shared">
      memref.store %w, %y[%t] : memref<64xf32>
    }
  }
  func.return
}

// Two buffers need no order between them; registers and global memory need none at all.
// CHECK-LABEL: func.func @apart
func.func @apart(%x: memref<64xf32>, %y: memref<64xf32>) attributes {gpu.kernel} {
  %s = memref.alloc() : memref<64xf32, "shared">
  %r = memref.alloc() : memref<64xf32, "shared">
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  // CHECK-NOT: gpu.barrier
  // CHECK: memref.store {{.*}}, %s
  // CHECK-NEXT: memref.store {{.*}}, %r
  // CHECK-NEXT: memref.store {{.*}}, %y
  // CHECK-NEXT: memref.load %y
  // CHECK-NEXT: func.return
  %v = memref.load %x[%t] : memref<64xf32>
  memref.store %v, %s[%t] : memref<64xf32, "shared">
  memref.store %v, %r[%t] : memref<64xf32, "shared">
  memref.store %v, %y[%t] : memref<64xf32>
  %w = memref.load %y[%t] : memref<64xf32>
  func.return
}

// What is no kernel is left alone.
// CHECK-LABEL: func.func @host
// CHECK-NOT: gpu.barrier
func.func @host(%s: memref<64xf32, "shared">, %t: index) {
  %v = memref.load %s[%t] : memref<64xf32, "shared">
  memref.store %v, %s[%t] : memref<64xf32, "shared">
  func.return
}

// -----

func.func @disagreed(%x: memref<64xf32>, %y: memref<64xf32>) attributes {gpu.kernel} {
  %s = memref.alloc() : memref<64xf32, "shared">
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %half = arith.constant 32 : index
  %p = arith.cmpi slt, %t, %half : index
  scf.if %p {
    %v = memref.load %x[%t] : memref<64xf32>
    memref.store %v, %s[%t] : memref<64xf32, "shared">
    %u = affine.apply affine_map<(t) -> (31 - t)> (%t)
    // expected-error @+1 {{threads exchange s under a condition that differs between the threads of a block: a barrier there would wait for threads that never come}}
    %w = memref.load %s[%u] : memref<64xf32, "shared">
    memref.store %w, %y[%t] : memref<64xf32>
  }
  func.return
}

// -----

func.func @barrier_of_a_pipeline(%x: memref<64xf32>) attributes {gpu.kernel} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %half = arith.constant 32 : index
  %p = arith.cmpi slt, %t, %half : index
  // expected-error @+1 {{threads exchange copies of a pipeline under a condition that differs between the threads of a block}}
  scf.if %p {
    "gpu.barrier"() : () -> ()
    %v = memref.load %x[%t] : memref<64xf32>
    memref.store %v, %x[%t] : memref<64xf32>
  }
  func.return
}

// -----

func.func @called(%x: memref<64xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{kernel 'called' has a routine, whose accesses run, under other conditions, where it is called: run gpu-insert-barriers before gpu-outline-copies}}
  %read = wmma.routine extents [64] : (index) -> () {
  ^bb0(%at: index):
    %v = memref.load %x[%at] : memref<64xf32>
    memref.store %v, %x[%at] : memref<64xf32>
  }
  wmma.call %read(%c0) : (index) -> ()
  func.return
}
