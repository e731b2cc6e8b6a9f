// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// affine's operations as mlir-opt prints them: values are dimensions, symbol(..) are symbols.

#set = affine_set<(d0)[s0] : (d0 - s0 >= 0, d0 mod 2 == 0)>

// CHECK: func.func @accesses
func.func @accesses(%m: memref<8x8xi32>, %n: index) {
  %z = arith.constant 0 : i32
  affine.for %i = 0 to 4 {
    affine.for %j = affine_map<(d0) -> (d0)>(%i) to min affine_map<(d0)[s0] -> (d0 + 2, s0)>(%i)[%n] step 2 {
      // CHECK: %x = affine.load %m[%i + symbol(%n) floordiv 2, %j * 2 + -1] : memref<8x8xi32>
      %x = affine.load %m[%i + symbol(%n) floordiv 2, %j * 2 - 1] : memref<8x8xi32>
      // CHECK: affine.store %x, %m[(%i + %j) mod 8, symbol(%n)] {note} : memref<8x8xi32>
      affine.store %x, %m[(%i + %j) mod 8, symbol(%n)] {note} : memref<8x8xi32>
      // CHECK: affine.store %z, %m[7, %i + %n * 3] : memref<8x8xi32>
      affine.store %z, %m[7, %i + %n * 3] : memref<8x8xi32>
    }
  }
  func.return
}

// CHECK: func.func @choices
func.func @choices(%m: memref<8xi32>, %n: index) {
  %z = arith.constant 0 : i32
  affine.for %i = 0 to 8 {
    // CHECK: affine.if affine_set<(d0)[s0] : ((d0 + (s0 * -1)) >= 0, (d0 mod 2) == 0)>(%i)[%n] {
    // CHECK-NEXT: affine.store
    // CHECK-NEXT: } else {
    affine.if #set(%i)[%n] {
      affine.store %z, %m[%i] : memref<8xi32>
    } else {
      affine.store %z, %m[%i floordiv 2] : memref<8xi32>
    }
    // CHECK: affine.if affine_set<() : (1 >= 0)>() {
    affine.if affine_set<() : (1 >= 0)>() {
    } {note}
    // CHECK: %r, %s = affine.if {{.*}}(%i)[%n] -> (i32, index) {
    // CHECK-NEXT: affine.yield %z, %i : i32, index
    %r, %s = affine.if #set(%i)[%n] -> (i32, index) {
      affine.yield %z, %i : i32, index
    } else {
      affine.yield %z, %n : i32, index
    }
    affine.store %r, %m[symbol(%n)] : memref<8xi32>
  }
  func.return
}

// CHECK: func.func @any_order
func.func @any_order(%m: memref<8xi32>, %n: index, %k: index) {
  %z = arith.constant 0 : i32
  // CHECK: affine.parallel (%i, %j) = (0, 0) to (4, symbol(%n)) step (1, 2) {
  affine.parallel (%i, %j) = (0, 0) to (4, symbol(%n)) step (1, 2) {
    affine.store %z, %m[%i] : memref<8xi32>
  } {note}
  // CHECK: %r, %s = affine.parallel (%i_1, %j_1) = (0, max(%n + -3, 0)) to (4, min(%n + 3, %k)) reduce ("addi", "muli") -> (i32, i32) {
  %r, %s = affine.parallel (%i, %j) = (0, max(%n - 3, 0)) to (4, min(%n + 3, %k)) reduce ("addi", "muli") -> (i32, i32) {
    %x = affine.load %m[%i] : memref<8xi32>
    affine.yield %x, %x : i32, i32
  }
  // CHECK: affine.max affine_map<(d0)[s0] -> (d0, s0)>(%n)[%k]
  %x = affine.max affine_map<(d0)[s0] -> (d0, s0)>(%n)[%k]
  func.return
}
