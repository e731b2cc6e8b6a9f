// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p convert-guards-to-conditions | filecheck %s
// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p convert-guards-to-conditions,convert-guards-to-conditions | filecheck %s
// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p convert-guards-to-conditions,convert-blocks-to-memory,convert-loops-to-gpu,gpu-insert-barriers | filecheck %s --check-prefix KERNEL

// A guard is tested once per body, around the largest statement that it decides: here around the loops over threads, and
// what depends on the thread inside. Statements stay apart, so that the barrier between them is met by all threads.

func.func @taps(%x: memref<8xf32>, %s: memref<8xf32, "shared">, %y: memref<8xf32>) {
  schedule.for %p = 0 to 8 kind "blockIdx.x" {
    schedule.for %k = 0 to 3 {
      schedule.for %i = 0 to 8 kind "threadIdx.x" {
        schedule.block "copy" <spatial 8> = (d0, d1, d2) -> (d2)(%p, %k, %i)
          where (d0, d1, d2) : (d0 + d1 + -1 >= 0)
          reads %x<(d0) -> (d0)> : memref<8xf32>
          writes %s<(d0) -> (d0)> : memref<8xf32, "shared"> {
        ^bb0(%v: f32):
          schedule.yield %v : f32
        }
      }
      schedule.for %j = 0 to 8 kind "threadIdx.x" {
        schedule.block "use" <spatial 8> = (d0, d1, d2) -> (d2)(%p, %k, %j)
          where (d0, d1, d2) : (d0 + d1 + -1 >= 0, d2 + d0 + -3 >= 0)
          reads %s<(d0) -> (d0)> : memref<8xf32, "shared">
          writes %y<(d0) -> (d0)> : memref<8xf32> {
        ^bb0(%v: f32):
          schedule.yield %v : f32
        }
      }
    }
  }
  func.return
}

// CHECK: schedule.for %k = 0 to 3 {
// CHECK-NEXT: affine.apply affine_map<(d0, d1) -> (((d0 + d1) + -1))> (%p, %k)
// CHECK-NEXT: arith.constant 0 : index
// CHECK-NEXT: [[TAP:%.*]] = arith.cmpi sge
// CHECK-NEXT: scf.if [[TAP]] {
// CHECK-NEXT: schedule.for %i = 0 to 8 kind "threadIdx.x" {
// CHECK-NEXT: schedule.block "copy" <spatial 8> = (d0) -> (d0)(%i)
// CHECK-NEXT: reads %x
// CHECK: scf.if [[TAP]] {
// CHECK-NEXT: schedule.for %j = 0 to 8 kind "threadIdx.x" {
// CHECK-NEXT: affine.apply affine_map<(d0, d1) -> (((d0 + d1) + -3))> (%p, %j)
// CHECK: [[LANE:%.*]] = arith.cmpi sge
// CHECK-NEXT: scf.if [[LANE]] {
// CHECK-NEXT: schedule.block "use" <spatial 8> = (d0) -> (d0)(%j)

// KERNEL: schedule.for %k = 0 to 3 {
// KERNEL: "gpu.barrier"
// KERNEL-NEXT: scf.if
// KERNEL-NEXT: memref.load %x
// KERNEL-NEXT: memref.store
// KERNEL: "gpu.barrier"
// KERNEL-NEXT: scf.if
// KERNEL: scf.if
// KERNEL-NEXT: memref.load %s

// Results in registers are computed element by element: their guard stays for convert-tiles-to-mma.

// CHECK-LABEL: func.func @result
// CHECK-NEXT: schedule.for %i = 0 to 16 attributes {tensorize = "mma.store"} {
// CHECK-NEXT: schedule.for %j = 0 to 8 {
// CHECK-NEXT: schedule.block "store"
// CHECK-NEXT: where
func.func @result(%fc: memref<16x8xf32, "wmma.accumulator">, %c: memref<13x8xf32>) {
  schedule.for %i = 0 to 16 attributes {tensorize = "mma.store"} {
    schedule.for %j = 0 to 8 {
      schedule.block "store" <spatial 16, spatial 8> = (d0, d1) -> (d0, d1)(%i, %j)
        where (d0, d1) : (d0 * -1 + 12 >= 0)
        reads %fc<(d0, d1) -> (d0, d1)> : memref<16x8xf32, "wmma.accumulator">
        writes %c<(d0, d1) -> (d0, d1)> : memref<13x8xf32> {
      ^bb0(%v: f32):
        schedule.yield %v : f32
      }
    }
  }
  func.return
}

// -----

// A block whose guard never holds goes, with the loops that held nothing else.

// CHECK-LABEL: func.func @never
// CHECK-NEXT:    func.return
func.func @never(%x: memref<8xf32>, %y: memref<8xf32>) {
  schedule.for %i = 0 to 8 {
    schedule.block "copy" <spatial 8> = (d0) -> (d0)(%i)
      where (d0) : (d0 - 8 >= 0)
      reads %x<(d0) -> (d0)> : memref<8xf32>
      writes %y<(d0) -> (d0)> : memref<8xf32> {
    ^bb0(%v: f32):
      schedule.yield %v : f32
    }
  }
  func.return
}

// -----

func.func @part_of_a_vector(%x: memref<8xf32>, %y: memref<8xf32>) {
  schedule.for %i = 0 to 2 kind "threadIdx.x" {
    schedule.for %j = 0 to 4 kind "vectorized" {
      // expected-error @+1 {{a guard of block 'copy' holds for a part of a vector only (loop 'j'): pad to whole tiles, or stage the tile in shared memory and guard its copy}}
      schedule.block "copy" <spatial 8> = (d0, d1) -> (d0 * 4 + d1)(%i, %j)
        where (d0, d1) : (d0 * -4 + d1 * -1 + 6 >= 0)
        reads %x<(d0) -> (d0)> : memref<8xf32>
        writes %y<(d0) -> (d0)> : memref<8xf32> {
      ^bb0(%v: f32):
        schedule.yield %v : f32
      }
    }
  }
  func.return
}
