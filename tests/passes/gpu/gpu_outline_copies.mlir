// RUN: vtac-opt %s -p gpu-outline-copies | filecheck %s
// RUN: vtac-opt %s -p gpu-outline-copies,gpu-outline-copies | filecheck %s

// Copies of two stages in front of a loop, and of two steps later in it: a routine of the slot and the step. The condition
// around the copies stays around the calls.

// CHECK-LABEL: func.func @steps
// CHECK:         [[COPIES:%.*]] = wmma.routine extents [3, 8] : (index, index) -> () {
// CHECK-NEXT:    ^{{.*}}([[SLOT:%.*]]: index, [[STEP:%.*]]: index):
// CHECK-NEXT:      scf.for [[PIECE:%.*]] = %c0 to %c2
// CHECK-NEXT:        [[TO:%.*]] = affine.apply affine_map<(d0, d1, d2) -> ((((d0 * 2) + (d1 * 128)) + (d2 * 64)))> (%t, [[SLOT]], [[PIECE]])
// CHECK-NEXT:        [[FROM:%.*]] = affine.apply affine_map<(d0, d1, d2) -> ((((d0 * 2) + (d1 * 32)) + (d2 * 64)))> (%t, [[STEP]], [[PIECE]])
// CHECK-NEXT:        wmma.async_copy %s[[[TO]]], %x[[[FROM]]] elements 2
// CHECK:         scf.for [[STAGE:%.*]] = %c0 to %c2
// CHECK-NEXT:      wmma.call [[COPIES]]([[STAGE]], [[STAGE]])
// CHECK-NEXT:      wmma.async_commit
// CHECK:         scf.for [[STEP:%.*]] = %c0 to %c6
// CHECK-NEXT:      wmma.async_wait 1
// CHECK-NEXT:      "gpu.barrier"
// CHECK:           scf.if
// CHECK:             [[SLOT:%.*]] = affine.apply affine_map<(d0) -> (((d0 + 2) mod 3))> ([[STEP]])
// CHECK-NEXT:        [[AHEAD:%.*]] = affine.apply affine_map<(d0) -> ((d0 + 2))> ([[STEP]])
// CHECK-NEXT:        wmma.call [[COPIES]]([[SLOT]], [[AHEAD]])
// CHECK-NOT:     wmma.async_copy
// CHECK:         return
func.func @steps(%x: memref<288xf16>, %y: memref<32xf16>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c6 = arith.constant 6 : index
  %s = memref.alloc() {wmma.staged} : memref<384xf16, "shared">
  scf.for %stage = %c0 to %c2 step %c1 {
    scf.for %piece = %c0 to %c2 step %c1 {
      %to = affine.apply affine_map<(t, s, p) -> (t * 2 + s * 128 + p * 64)> (%t, %stage, %piece)
      %from = affine.apply affine_map<(t, s, p) -> (t * 2 + s * 32 + p * 64)> (%t, %stage, %piece)
      wmma.async_copy %s[%to], %x[%from] elements 2 : memref<384xf16, "shared">, memref<288xf16>
    }
    wmma.async_commit
  }
  scf.for %step = %c0 to %c6 step %c1 {
    wmma.async_wait 1
    "gpu.barrier"() : () -> ()
    %more = arith.cmpi slt, %step, %c4 : index
    scf.if %more {
      %slot = affine.apply affine_map<(s) -> ((s + 2) mod 3)> (%step)
      scf.for %piece = %c0 to %c2 step %c1 {
        %to = affine.apply affine_map<(t, s, p) -> (t * 2 + s * 128 + p * 64)> (%t, %slot, %piece)
        %from = affine.apply affine_map<(t, s, p) -> (t * 2 + s * 32 + 64 + p * 64)> (%t, %step, %piece)
        wmma.async_copy %s[%to], %x[%from] elements 2 : memref<384xf16, "shared">, memref<288xf16>
      }
    }
    wmma.async_commit
    %at = affine.apply affine_map<(t, s) -> (t * 3 + s mod 3 * 128)> (%t, %step)
    %v = memref.load %s[%at] : memref<384xf16, "shared">
    memref.store %v, %y[%t] : memref<32xf16>
  }
  func.return
}

// One stage ahead has no loop in front of the loop; whether an element is present is a part of the routine.

// CHECK-LABEL: func.func @present
// CHECK:         [[COPIES:%.*]] = wmma.routine extents [2, 5]
// CHECK:           [[PRESENT:%.*]] = arith.cmpi slt
// CHECK-NEXT:      wmma.async_copy {{.*}} if [[PRESENT]]
// CHECK:         wmma.call [[COPIES]]
// CHECK-NEXT:    wmma.async_commit
// CHECK:         scf.for
// CHECK:           wmma.call [[COPIES]]
// CHECK-NOT:     wmma.async_copy
// CHECK:         return
func.func @present(%x: memref<256xf16>, %y: memref<32xf16>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c90 = arith.constant 90 : index
  %s = memref.alloc() {wmma.staged} : memref<128xf16, "shared">
  %first = affine.apply affine_map<(t) -> (t * 2)> (%t)
  %inside = affine.apply affine_map<(t) -> (t)> (%t)
  %has = arith.cmpi slt, %inside, %c90 : index
  wmma.async_copy %s[%first], %x[%first] elements 2 if %has : memref<128xf16, "shared">, memref<256xf16>
  wmma.async_commit
  scf.for %step = %c0 to %c4 step %c1 {
    wmma.async_wait 0
    "gpu.barrier"() : () -> ()
    %more = arith.cmpi slt, %step, %c3 : index
    %place = affine.apply affine_map<(t, s) -> (t + s * 24 + 24)> (%t, %step)
    %present = arith.cmpi slt, %place, %c90 : index
    scf.if %more {
      %to = affine.apply affine_map<(t, s) -> (t * 2 + (s + 1) mod 2 * 64)> (%t, %step)
      %from = affine.apply affine_map<(t, s) -> (t * 2 + s * 64 + 64)> (%t, %step)
      wmma.async_copy %s[%to], %x[%from] elements 2 if %present : memref<128xf16, "shared">, memref<256xf16>
    }
    wmma.async_commit
    %at = affine.apply affine_map<(t, s) -> (t + s mod 2 * 64)> (%t, %step)
    %v = memref.load %s[%at] : memref<128xf16, "shared">
    memref.store %v, %y[%t] : memref<32xf16>
  }
  func.return
}

// Copies of other places than the loop's stay, and so do copies of a number of their own, or into another buffer.

// CHECK-LABEL: func.func @others
// CHECK-NOT:     wmma.routine
// CHECK:         return
func.func @others(%x: memref<256xf16>, %z: memref<256xf16>, %y: memref<32xf16>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %s = memref.alloc() {wmma.staged} : memref<128xf16, "shared">
  %first = affine.apply affine_map<(t) -> (t * 2)> (%t)
  %second = affine.apply affine_map<(t) -> (t * 2 + 2)> (%t)
  wmma.async_copy %s[%first], %x[%second] elements 2 : memref<128xf16, "shared">, memref<256xf16>
  wmma.async_commit
  scf.for %step = %c0 to %c4 step %c1 {
    wmma.async_wait 0
    "gpu.barrier"() : () -> ()
    %more = arith.cmpi slt, %step, %c3 : index
    scf.if %more {
      %to = affine.apply affine_map<(t, s) -> (t * 2 + (s + 1) mod 2 * 64)> (%t, %step)
      %from = affine.apply affine_map<(t, s) -> (t * 2 + s * 64 + 64)> (%t, %step)
      wmma.async_copy %s[%to], %x[%from] elements 2 : memref<128xf16, "shared">, memref<256xf16>
    }
    wmma.async_commit
    %at = affine.apply affine_map<(t, s) -> (t + s mod 2 * 64)> (%t, %step)
    %v = memref.load %s[%at] : memref<128xf16, "shared">
    memref.store %v, %y[%t] : memref<32xf16>
  }
  wmma.async_copy %s[%first], %z[%first] elements 2 : memref<128xf16, "shared">, memref<256xf16>
  wmma.async_commit
  scf.for %step = %c0 to %c4 step %c1 {
    wmma.async_wait 0
    "gpu.barrier"() : () -> ()
    %more = arith.cmpi slt, %step, %c3 : index
    scf.if %more {
      %to = affine.apply affine_map<(t, s) -> (t * 2 + (s + 1) mod 2 * 64)> (%t, %step)
      %from = affine.apply affine_map<(t, s) -> (t * 2 + s * 64 + 64)> (%t, %step)
      wmma.async_copy %s[%to], %x[%from] elements 2 : memref<128xf16, "shared">, memref<256xf16>
    }
    wmma.async_commit
    %at = affine.apply affine_map<(t, s) -> (t + s mod 2 * 64)> (%t, %step)
    %v = memref.load %s[%at] : memref<128xf16, "shared">
    memref.store %v, %y[%t] : memref<32xf16>
  }
  func.return
}
