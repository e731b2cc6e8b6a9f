// RUN: vtac-opt %s -p gpu-carry-counters | filecheck %s
// RUN: vtac-opt %s -p gpu-carry-counters,gpu-carry-counters | filecheck %s

// Row and column of a step of nine taps, and the channel after them, are counted along; the column ends a row, and the
// row ends a channel. What a mask gives stays.

// CHECK-LABEL: func.func @taps
// CHECK:         %c24 =
// CHECK-NEXT:    [[CHANNEL0:%.*]] = arith.constant 0 : index
// CHECK-NEXT:    [[ROW0:%.*]] = arith.constant 1 : index
// CHECK-NEXT:    [[COLUMN0:%.*]] = arith.constant 0 : index
// CHECK-NEXT:    scf.for [[STEP:%.*]] = %c0 to %c24 step %c1 iter_args([[CHANNEL:%.*]] = [[CHANNEL0]], [[ROW:%.*]] = [[ROW0]], [[COLUMN:%.*]] = [[COLUMN0]])
// CHECK-NEXT:      gpu.barrier
// CHECK-NEXT:      affine.apply affine_map<(d0, d1, d2, d3) -> (((((d3 * 32) + (d2 * 96)) + (d1 * 320)) + d0))> ({{.*}}, [[CHANNEL]], [[ROW]], [[COLUMN]])
// CHECK:           affine.apply affine_map<(d0) -> ((d0 mod 4))> ([[STEP]])
// CHECK:           [[UP:%.*]] = affine.apply affine_map<(d0) -> ((d0 + 1))> ([[CHANNEL]])
// CHECK:           [[ROW_ENDS:%.*]] = arith.cmpi eq, [[ROW]]
// CHECK:           [[COLUMN_ENDS:%.*]] = arith.cmpi eq, [[COLUMN]]
// CHECK:           [[BOTH:%.*]] = arith.andi [[COLUMN_ENDS]], [[ROW_ENDS]]
// CHECK:           [[CHANNEL1:%.*]] = arith.select [[BOTH]], [[UP]], [[CHANNEL]]
// CHECK:           arith.select [[ROW_ENDS]]
// CHECK:           [[ROW1:%.*]] = arith.select [[COLUMN_ENDS]]
// CHECK:           [[COLUMN1:%.*]] = arith.select [[COLUMN_ENDS]]
// CHECK-NEXT:      scf.yield [[CHANNEL1]], [[ROW1]], [[COLUMN1]]
func.func @taps(%x: memref<4096xf32>, %y: memref<128xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c24 = arith.constant 24 : index
  scf.for %step = %c0 to %c24 step %c1 {
    "gpu.barrier"() : () -> ()
    %at = affine.apply affine_map<(t, s) -> (t + (s + 3) floordiv 9 * 320 + (s floordiv 3 + 1) mod 3 * 96 + s mod 3 * 32)> (%t, %step)
    %v = memref.load %x[%at] : memref<4096xf32>
    %slot = affine.apply affine_map<(s) -> (s mod 4)> (%step)
    %to = affine.apply affine_map<(t, s) -> (t + s * 32)> (%t, %slot)
    memref.store %v, %y[%to] : memref<128xf32>
  }
  func.return
}

// Of two slots of three the one ahead gets what the other is; no step divides anew.

// CHECK-LABEL: func.func @slots
// CHECK:         scf.for {{%.*}} = %c0 to %c24 step %c1 iter_args([[AHEAD:%.*]] = {{.*}}, [[SLOT:%.*]] = {{.*}})
// CHECK-NOT:       mod
// CHECK:           [[NEXT:%.*]] = arith.select
// CHECK-NEXT:      scf.yield [[SLOT]], [[NEXT]]
func.func @slots(%x: memref<4096xf32>, %y: memref<96xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c24 = arith.constant 24 : index
  scf.for %step = %c0 to %c24 step %c1 {
    "gpu.barrier"() : () -> ()
    %at = affine.apply affine_map<(t, s) -> (t + (s + 2) mod 3 * 32)> (%t, %step)
    %v = memref.load %x[%at] : memref<4096xf32>
    %to = affine.apply affine_map<(t, s) -> (t + s mod 3 * 32)> (%t, %step)
    memref.store %v, %y[%to] : memref<96xf32>
  }
  func.return
}

// A quotient alone needs to know where it steps: the remainder is counted along with it.

// CHECK-LABEL: func.func @quotient
// CHECK:         scf.for {{%.*}} = %c0 to %c24 step %c1 iter_args([[QUOTIENT:%.*]] = {{.*}}, [[REST:%.*]] = {{.*}})
// CHECK:           affine.apply affine_map<(d0, d1) -> (((d1 * 32) + d0))> ({{%.*}}, [[QUOTIENT]])
// CHECK:           arith.cmpi eq, [[REST]]
func.func @quotient(%x: memref<4096xf32>, %y: memref<96xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c24 = arith.constant 24 : index
  scf.for %step = %c0 to %c24 step %c1 {
    "gpu.barrier"() : () -> ()
    %at = affine.apply affine_map<(t, s) -> (t + s floordiv 10 * 32)> (%t, %step)
    %v = memref.load %x[%at] : memref<4096xf32>
    memref.store %v, %y[%at] : memref<96xf32>
  }
  func.return
}

// Loops that compilers repeat, by the mark or because no thread waits in them, stay as they are: there the digits are
// numbers. So do digits of anything else than the iteration.

// CHECK-LABEL: func.func @kept
// CHECK-NOT:     iter_args
// CHECK:         return
func.func @kept(%x: memref<4096xf32>, %y: memref<96xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c9 = arith.constant 9 : index
  scf.for %tap = %c0 to %c9 step %c1 {
    %at = affine.apply affine_map<(t, s) -> (t + s mod 3 * 32)> (%t, %tap)
    %v = memref.load %x[%at] : memref<4096xf32>
    memref.store %v, %y[%at] : memref<96xf32>
  }
  scf.for %step = %c0 to %c9 step %c3 {
    "gpu.barrier"() : () -> ()
    %at = affine.apply affine_map<(t, s) -> (t + s mod 7 * 8)> (%t, %step)
    %v = memref.load %x[%at] : memref<4096xf32>
    memref.store %v, %y[%at] : memref<96xf32>
  }
  scf.for %step = %c0 to %c9 step %c1 {
    "gpu.barrier"() : () -> ()
    %at = affine.apply affine_map<(t, s) -> ((t + s) mod 5)> (%t, %step)
    %v = memref.load %x[%at] : memref<4096xf32>
    memref.store %v, %y[%at] : memref<96xf32>
  }
  func.return
}
