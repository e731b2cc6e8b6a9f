// RUN: vtac-opt %s -p gpu-merge-conditions | filecheck %s
// RUN: vtac-opt %s -p gpu-merge-conditions,gpu-merge-conditions | filecheck %s

// Three neighbours under one condition become one; a value between them is made first. A barrier keeps them apart.

// CHECK-LABEL: func.func @neighbours
// CHECK:         [[C:%.*]] = arith.cmpi slt
// CHECK-NEXT:    [[NEXT:%.*]] = affine.apply
// CHECK-NEXT:    scf.if [[C]] {
// CHECK-NEXT:      memref.store %zero, %y[%t]
// CHECK-NEXT:      memref.store %zero, %y[[[NEXT]]]
// CHECK-NEXT:      memref.store %zero, %z[%t]
// CHECK-NEXT:    }
// CHECK-NEXT:    "gpu.barrier"
// CHECK-NEXT:    scf.if [[C]] {
// CHECK-NEXT:      memref.store %zero, %z[[[NEXT]]]
// CHECK-NEXT:    }
func.func @neighbours(%y: memref<32xf32>, %z: memref<32xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c16 = arith.constant 16 : index
  %zero = arith.constant 0.0 : f32
  %c = arith.cmpi slt, %t, %c16 : index
  scf.if %c {
    memref.store %zero, %y[%t] : memref<32xf32>
  }
  %next = affine.apply affine_map<(t) -> (t + 16)> (%t)
  scf.if %c {
    memref.store %zero, %y[%next] : memref<32xf32>
  }
  scf.if %c {
    memref.store %zero, %z[%t] : memref<32xf32>
  }
  "gpu.barrier"() : () -> ()
  scf.if %c {
    memref.store %zero, %z[%next] : memref<32xf32>
  }
  func.return
}

// Choices with an else or of other conditions stay.

// CHECK-LABEL: func.func @apart
// CHECK-COUNT-3: scf.if
func.func @apart(%y: memref<32xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant 0.0 : f32
  %a = arith.cmpi slt, %t, %c16 : index
  %b = arith.cmpi slt, %t, %c8 : index
  scf.if %a {
    memref.store %zero, %y[%t] : memref<32xf32>
  }
  scf.if %b {
    memref.store %zero, %y[%c8] : memref<32xf32>
  }
  scf.if %b {
    memref.store %zero, %y[%c16] : memref<32xf32>
  } else {
    memref.store %zero, %y[%c8] : memref<32xf32>
  }
  func.return
}
