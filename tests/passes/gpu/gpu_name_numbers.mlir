// RUN: vtac-opt %s -p gpu-name-numbers | filecheck %s
// RUN: vtac-opt %s -p gpu-name-numbers,gpu-name-numbers | filecheck %s

// A pipeline of three stages over rows 40 elements apart: stages, steps, pitch and stage are variables of numbers, and
// stand for them in the loops, in the slot, in the wait, and in places and pitches of fragments.

// CHECK-LABEL: func.func @steps
// CHECK:         %stages = wmma.variable
// CHECK:         %steps = wmma.variable
// CHECK:         %tile_rows = wmma.variable
// CHECK:         %x_pitch = wmma.variable
// CHECK:         %s_pitch = wmma.variable
// CHECK:         [[PRODUCT:%.*]] = arith.muli %tile_rows, %s_pitch
// CHECK-NEXT:    %s_stage = wmma.variable [[PRODUCT]]
// CHECK:         [[AHEAD:%.*]] = arith.subi %stages
// CHECK-NEXT:    scf.for %stage = {{.*}} to [[AHEAD]]
// CHECK:           arith.muli %stage, %s_stage
// CHECK:         scf.for %step = {{.*}} to %steps
// CHECK:           [[GROUPS:%.*]] = arith.subi %stages
// CHECK-NEXT:      wmma.async_wait 1 as [[GROUPS]]
// CHECK:           [[LEFT:%.*]] = arith.subi %steps
// CHECK-NEXT:      arith.cmpi slt, %step, [[LEFT]]
// CHECK:           arith.remsi {{.*}}, %stages
// CHECK:           [[SLOT:%.*]] = arith.remsi %step, %stages
// CHECK:           arith.muli [[SLOT]], %s_stage
// CHECK:           wmma.load_matrix_sync {{.*}} leading 40 as %s_pitch
func.func @steps(%x: memref<16x256xf16>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c6 = arith.constant 6 : index
  %c8 = arith.constant 8 : index
  %left = wmma.fragments : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>
  %flat = memref.reinterpret_cast %x to offset: [0], sizes: [4096], strides: [1] : memref<16x256xf16> to memref<4096xf16>
  %s = memref.alloc() {wmma.staged} : memref<1920xf16, "shared">
  scf.for %stage = %c0 to %c2 step %c1 {
    %to = affine.apply affine_map<(t, s) -> (t floordiv 2 * 40 + t mod 2 * 8 + s * 640)> (%t, %stage)
    %from = affine.apply affine_map<(t, s) -> (t floordiv 2 * 256 + t mod 2 * 8 + s * 32)> (%t, %stage)
    wmma.async_copy %s[%to], %flat[%from] elements 8 : memref<1920xf16, "shared">, memref<4096xf16>
    wmma.async_commit
  }
  scf.for %step = %c0 to %c8 step %c1 {
    wmma.async_wait 1
    "gpu.barrier"() : () -> ()
    %more = arith.cmpi slt, %step, %c6 : index
    scf.if %more {
      %next = affine.apply affine_map<(s) -> ((s + 2) mod 3)> (%step)
      %to = affine.apply affine_map<(t, s) -> (t floordiv 2 * 40 + t mod 2 * 8 + s * 640)> (%t, %next)
      %from = affine.apply affine_map<(t, s) -> (t floordiv 2 * 256 + t mod 2 * 8 + s * 32 + 64)> (%t, %step)
      wmma.async_copy %s[%to], %flat[%from] elements 8 : memref<1920xf16, "shared">, memref<4096xf16>
    }
    wmma.async_commit
    %slot = affine.apply affine_map<(s) -> (s mod 3)> (%step)
    %at = affine.apply affine_map<(s) -> (s * 640)> (%slot)
    wmma.load_matrix_sync %left[%c0], %s[%at] leading 40 : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>, memref<1920xf16, "shared">
  }
  func.return
}

// Rows of an argument have a name without a pipeline, too; what no row is stays a number, and what nothing reads is gone.

// CHECK-LABEL: func.func @rows
// CHECK-NEXT:    {{%.*}} = arith.constant 64 : index
// CHECK-NEXT:    %x_pitch = wmma.variable
// CHECK-NOT:     wmma.variable
// CHECK:         arith.muli {{.*}}, %x_pitch
// CHECK:         affine.apply affine_map<(d0) -> (((d0 * 3) mod 32))>
// CHECK:         return
func.func @rows(%x: memref<8x64xf32>, %y: memref<32xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %flat = memref.reinterpret_cast %x to offset: [0], sizes: [512], strides: [1] : memref<8x64xf32> to memref<512xf32>
  %from = affine.apply affine_map<(t) -> (t floordiv 8 * 128 + t mod 8)> (%t)
  %to = affine.apply affine_map<(t) -> (t * 3 mod 32)> (%t)
  %v = memref.load %flat[%from] : memref<512xf32>
  memref.store %v, %y[%to] : memref<32xf32>
  func.return
}
