// RUN: vtac-opt %s -p gpu-hoist-indices | filecheck %s
// RUN: vtac-opt %s -p gpu-hoist-indices,gpu-hoist-indices | filecheck %s

// What threads make of a place stands at the start of the kernel, what a step makes of it in front of the inner loop;
// equal parts are one variable. A quotient that a step uses twice is a variable of the step.

// CHECK-LABEL: func.func @steps
// CHECK:         [[T:%.*]] = "gpu.thread_id"
// CHECK:         affine.apply {{.*}}([[T]])
// CHECK-NEXT:    %x_from = wmma.variable
// CHECK:         scf.for [[STEP:%.*]] = %c0 to %c64
// CHECK-NEXT:      affine.apply affine_map<(d0) -> ((d0 mod 3))> ([[STEP]])
// CHECK-NEXT:      [[SLOT:%.*]] = wmma.variable
// CHECK-NEXT:      affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 1024)))> (%x_from, [[SLOT]])
// CHECK-NEXT:      %x_from_1 = wmma.variable
// CHECK-NEXT:      scf.for [[PIECE:%.*]] = %c0 to %c4
// CHECK-NEXT:        [[AT:%.*]] = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 8)))> (%x_from_1, [[PIECE]])
// CHECK-NEXT:        memref.load %x[[[AT]]]
// CHECK:             memref.store {{%.*}}, %y[[[SLOT]]]
func.func @steps(%x: memref<8192xf32>, %y: memref<64xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  scf.for %step = %c0 to %c64 step %c1 {
    scf.for %piece = %c0 to %c4 step %c1 {
      %at = affine.apply affine_map<(t, s, p) -> (t floordiv 4 * 40 + t mod 4 * 2 + s mod 3 * 1024 + p * 8)> (%t, %step, %piece)
      %v = memref.load %x[%at] : memref<8192xf32>
      %slot = affine.apply affine_map<(s) -> (s mod 3)> (%step)
      memref.store %v, %y[%slot] : memref<64xf32>
    }
  }
  func.return
}

// Places a constant apart have one variable.

// CHECK-LABEL: func.func @apart
// CHECK:         %x_from = wmma.variable
// CHECK-NOT:     wmma.variable
// CHECK:         scf.for [[P:%.*]] =
// CHECK-NEXT:      affine.apply affine_map<(d0, d1) -> ((d0 + d1))> (%x_from, [[P]])
// CHECK:           affine.apply affine_map<(d0, d1) -> (((d0 + d1) + 32))> (%x_from, [[P]])
// CHECK:         return
func.func @apart(%x: memref<8192xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %piece = %c0 to %c4 step %c1 {
    %one = affine.apply affine_map<(t, p) -> (t floordiv 4 * 40 + t mod 4 + p + 7)> (%t, %piece)
    %v = memref.load %x[%one] : memref<8192xf32>
    %two = affine.apply affine_map<(t, p) -> (t floordiv 4 * 40 + t mod 4 + p + 39)> (%t, %piece)
    memref.store %v, %x[%two] : memref<8192xf32>
  }
  func.return
}

// One multiplication is left where it is, and so is what stands in no loop.

// CHECK-LABEL: func.func @cheap
// CHECK-NOT:     wmma.variable
// CHECK:         return
func.func @cheap(%x: memref<8192xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  scf.for %piece = %c0 to %c4 step %c1 {
    %at = affine.apply affine_map<(t, p) -> (t * 40 + p)> (%t, %piece)
    memref.store %zero, %x[%at] : memref<8192xf32>
  }
  %last = affine.apply affine_map<(t) -> (t floordiv 4 * 40 + t mod 4)> (%t)
  memref.store %zero, %x[%last] : memref<8192xf32>
  func.return
}
