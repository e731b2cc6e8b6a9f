// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// scf's operations as mlir-opt prints them.

// CHECK: func.func @any_order
func.func @any_order(%m: memref<4xi32>, %n: memref<4xi32>, %first: index, %end: index, %step: index) {
  %z = arith.constant 0 : i32
  // CHECK: scf.parallel (%a, %b) = (%first, %first) to (%end, %end) step (%step, %step) {
  scf.parallel (%a, %b) = (%first, %first) to (%end, %end) step (%step, %step) {
    %x = memref.load %m[%a] : memref<4xi32>
    memref.store %x, %n[%b] : memref<4xi32>
    // CHECK-NOT: scf.reduce
    // CHECK: } {note}
  } {note}
  // CHECK: %s, %t = scf.parallel (%a_1) = (%first) to (%end) step (%step) init (%z, %z) -> (i32, i32) {
  %s, %t = scf.parallel (%a) = (%first) to (%end) step (%step) init (%z, %z) -> (i32, i32) {
    %x = memref.load %m[%a] : memref<4xi32>
    // CHECK: scf.reduce(%x_1, %x_1 : i32, i32)
    scf.reduce(%x, %x : i32, i32) {
    ^bb0(%l: i32, %r: i32):
      %y = arith.addi %l, %r : i32
      scf.reduce.return %y : i32
    }, {
    ^bb0(%l: i32, %r: i32):
      %y = arith.maxsi %l, %r : i32
      // CHECK: scf.reduce.return %y_1 : i32
      scf.reduce.return %y : i32
    }
  }
  func.return
}

// CHECK: func.func @unsigned
func.func @unsigned(%m: memref<4xi32>, %first: index, %end: index, %step: index, %z: i32) -> i32 {
  // CHECK: scf.for unsigned %a = %first to %end step %step {
  scf.for unsigned %a = %first to %end step %step {
    memref.store %z, %m[%a] : memref<4xi32>
  } {note}
  // CHECK: %s = scf.for unsigned %i = %z to %z step %z iter_args(%c = %z) -> (i32) : i32 {
  %s = scf.for unsigned %i = %z to %z step %z iter_args(%c = %z) -> (i32) : i32 {
    scf.yield %c : i32
  }
  // CHECK: scf.for %a_1 = %first to %end step %step {
  scf.for %a = %first to %end step %step {
  }
  func.return %s : i32
}

// CHECK: func.func @shared
func.func @shared(%m: memref<4x8xi32>, %t: tensor<4xi32>, %z: i32, %n: index) -> tensor<4xi32> {
  // CHECK: scf.forall (%a, %b) in (4, %n) {
  scf.forall (%a, %b) in (4, %n) {
    memref.store %z, %m[%a, %b] : memref<4x8xi32>
  }
  // CHECK: scf.forall (%a_1) = (0) to (%n) step (2) {
  scf.forall (%a) = (0) to (%n) step (2) {
  } {note}
  // CHECK: %r = scf.forall (%a_2) = (0) to (4) step (2) shared_outs(%o = %t) -> (tensor<4xi32>) {
  %r = scf.forall (%a) = (0) to (4) step (2) shared_outs(%o = %t) -> (tensor<4xi32>) {
    %part = tensor.extract_slice %o[%a] [2] [1] : tensor<4xi32> to tensor<2xi32>
    // CHECK: scf.forall.in_parallel {
    // CHECK-NEXT: tensor.parallel_insert_slice %part into %o[%a_2] [2] [1] : tensor<2xi32> into tensor<4xi32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %part into %o[%a] [2] [1] : tensor<2xi32> into tensor<4xi32>
    }
  } {note}
  // CHECK: %s = scf.forall (%a_3) in (4) shared_outs(%o_1 = %r) -> (tensor<4xi32>) {
  // CHECK-NEXT: scf.forall.in_parallel {
  // CHECK-NEXT: }
  %s = scf.forall (%a) in (4) shared_outs(%o = %r) -> (tensor<4xi32>) {
    scf.forall.in_parallel {
    }
  // CHECK: } {mapping = [#gpu.block<x>]}
  } {mapping = [#gpu.block<x>]}
  // CHECK: } {mapping = [#gpu.thread<linear_dim_1>, #gpu.warp<y>]}
  scf.forall (%a, %b) in (2, 2) {
  } {mapping = [#gpu.thread<linear_dim_1>, #gpu.warp<y>]}
  func.return %s : tensor<4xi32>
}
