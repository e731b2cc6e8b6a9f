// RUN: vtac-opt %s -p gpu-simplify-indices | filecheck %s
// RUN: vtac-opt %s -p gpu-simplify-indices,gpu-simplify-indices | filecheck %s

// A condition says `sum < sum` or `sum >= number`; what ranges decide is decided: block p is in row p / 14 of 14.

// CHECK-LABEL: func.func @window
// CHECK:         [[P:%.*]] = "gpu.block_id"
// CHECK-NOT:     gpu.thread_id
// CHECK:         scf.for [[K:%.*]] =
// CHECK:           [[SUM:%.*]] = affine.apply affine_map<(d0, d1) -> (((d0 floordiv 14) + d1))>
// CHECK:           [[BOUND:%.*]] = arith.constant 15 : index
// CHECK:           [[BELOW:%.*]] = arith.cmpi slt, [[SUM]], [[BOUND]]
// CHECK-NEXT:      scf.if [[BELOW]] {
// CHECK-NEXT:        [[AT:%.*]] = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 14)))>
// CHECK-NEXT:        memref.load %x[[[AT]]]
func.func @window(%x: memref<1024xf32>, %y: memref<196xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 196, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %p = "gpu.block_id"() <{dimension = #gpu<dim x>}> : () -> index
  %unread = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  scf.for %k = %c0 to %c3 step %c1 {
    %bottom = affine.apply affine_map<(p, k) -> (14 - p floordiv 14 - k)> (%p, %k)
    %always = affine.apply affine_map<(p, k) -> (p mod 14 + k + 1 - 1)> (%p, %k)
    %a = arith.cmpi sge, %bottom, %c0 : index
    %b = arith.cmpi sge, %always, %c0 : index
    %inside = arith.andi %a, %b : i1
    scf.if %inside {
      %row = affine.apply affine_map<(k) -> (k * 14)> (%k)
      %at = affine.apply affine_map<(p, r) -> (p + r)> (%p, %row)
      %v = memref.load %x[%at] : memref<1024xf32>
      memref.store %v, %y[%p] : memref<196xf32>
    }
  }
  func.return
}

// What threads make of an index never carries into the next multiple of 64, so the quotient is one of the step alone.

// CHECK-LABEL: func.func @tap
// CHECK:         affine.apply affine_map<(d0, d1) -> (((((d1 floordiv 4) * 1024) + ((d1 mod 4) * 64)) + ((d0 mod 8) * 8)))>
func.func @tap(%x: memref<8192xf32>, %y: memref<32xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  scf.for %k = %c0 to %c32 step %c1 {
    %at = affine.apply affine_map<(t, k) -> ((k * 64 + (t mod 8) * 8) floordiv 256 * 1024 + (k * 64 + (t mod 8) * 8) mod 256)> (%t, %k)
    %v = memref.load %x[%at] : memref<8192xf32>
    memref.store %v, %y[%t] : memref<32xf32>
  }
  func.return
}

// Of a choice that is decided the part that is chosen stays; one with results gives them.

// CHECK-LABEL: func.func @decided
// CHECK-NOT:     scf.if
// CHECK:         [[V:%.*]] = memref.load %x
// CHECK-NEXT:    memref.store [[V]], %y
// CHECK-NEXT:    return
func.func @decided(%x: memref<32xf32>, %y: memref<32xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f32
  %inside = arith.cmpi slt, %t, %c32 : index
  %outside = arith.cmpi sge, %t, %c32 : index
  %v = scf.if %inside -> (f32) {
    %w = memref.load %x[%t] : memref<32xf32>
    scf.yield %w : f32
  } else {
    scf.yield %zero : f32
  }
  scf.if %outside {
    memref.store %zero, %y[%t] : memref<32xf32>
  }
  memref.store %v, %y[%t] : memref<32xf32>
  func.return
}

// What data decides is left as it is, and so is a function that is no kernel.

// CHECK-LABEL: func.func @data
// CHECK:         arith.cmpi sge, %i, %c0
func.func @data(%i: index, %y: memref<32xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %some = arith.cmpi sge, %i, %c0 : index
  scf.if %some {
    memref.store %zero, %y[%c0] : memref<32xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @host
// CHECK:         affine.apply affine_map<(d0) -> (((d0 * -1) + 68))>
func.func @host(%i: index) -> index {
  %left = affine.apply affine_map<(i) -> (68 - i)> (%i)
  func.return %left : index
}
