// RUN: vtac-opt %s -p unroll-loops | filecheck %s
// RUN: vtac-opt %s -p unroll-loops,unroll-loops | filecheck %s

// Two loops, one in the other; the offsets of slices are those of each iteration.

// CHECK-LABEL: func.func @nested
// CHECK-NOT:     scf.for
// CHECK:         %part = tensor.extract_slice %x[0, 0] [1, 3] [1, 1]
// CHECK:         %part_1 = tensor.extract_slice %x[0, 3] [1, 3] [1, 1]
// CHECK:         %part_2 = tensor.extract_slice %x[1, 0] [1, 3] [1, 1]
// CHECK:         %part_3 = tensor.extract_slice %x[1, 3] [1, 3] [1, 1]
// CHECK:         [[LAST:%.*]] = arith.addi {{.*}}, %part_3
// CHECK:         func.return [[LAST]]
func.func @nested(%x: tensor<2x6xi32>, %s: tensor<1x3xi32>) -> tensor<1x3xi32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c6 = arith.constant 6 : index
  %r = scf.for %i = %c0 to %c2 step %c1 iter_args(%a = %s) -> (tensor<1x3xi32>) {
    %q = scf.for %j = %c0 to %c6 step %c3 iter_args(%b = %a) -> (tensor<1x3xi32>) {
      %part = tensor.extract_slice %x[%i, %j] [1, 3] [1, 1] : tensor<2x6xi32> to tensor<1x3xi32>
      %sum = arith.addi %b, %part : tensor<1x3xi32>
      scf.yield %sum : tensor<1x3xi32>
    }
    scf.yield %q : tensor<1x3xi32>
  }
  func.return %r : tensor<1x3xi32>
}

// A loop that never runs gives what it starts from.

// CHECK-LABEL: func.func @never
// CHECK:         func.return %x
func.func @never(%x: tensor<3xi32>) -> tensor<3xi32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c1 to %c0 step %c1 iter_args(%a = %x) -> (tensor<3xi32>) {
    %sum = arith.addi %a, %a : tensor<3xi32>
    scf.yield %sum : tensor<3xi32>
  }
  func.return %r : tensor<3xi32>
}

// Loops in any order put the slices of one iteration after the other into what they share, of which each sees what was
// there before; a slice of nothing written is nothing written.

// CHECK-LABEL: func.func @any_order
// CHECK-NOT:     scf.forall
// CHECK:         %part = tensor.extract_slice %x[0] [2] [1]
// CHECK:         %here = tensor.empty() : tensor<2xi32>
// CHECK:         %sum = linalg.add ins(%part, %part {{.*}}outs(%here
// CHECK:         [[FIRST:%.*]] = tensor.insert_slice %sum into %e[0] [2] [1]
// CHECK:         %part_1 = tensor.extract_slice %x[2] [2] [1]
// CHECK:         [[LAST:%.*]] = tensor.insert_slice %sum_1 into [[FIRST]][2] [2] [1]
// CHECK:         func.return [[LAST]]
func.func @any_order(%x: tensor<4xi32>) -> tensor<4xi32> {
  %e = tensor.empty() : tensor<4xi32>
  %c4 = arith.constant 4 : index
  %r = scf.forall (%i) = (0) to (%c4) step (2) shared_outs(%o = %e) -> (tensor<4xi32>) {
    %part = tensor.extract_slice %x[%i] [2] [1] : tensor<4xi32> to tensor<2xi32>
    %here = tensor.extract_slice %o[%i] [2] [1] : tensor<4xi32> to tensor<2xi32>
    %sum = linalg.add ins(%part, %part : tensor<2xi32>, tensor<2xi32>) outs(%here : tensor<2xi32>) -> tensor<2xi32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %sum into %o[%i] [2] [1] : tensor<2xi32> into tensor<4xi32>
    }
  }
  func.return %r : tensor<4xi32>
}

// Bounds that are no constants stay.

// CHECK-LABEL: func.func @open
// CHECK:         scf.forall
func.func @open(%x: tensor<4xi32>, %n: index) -> tensor<4xi32> {
  %r = scf.forall (%i) in (%n) shared_outs(%o = %x) -> (tensor<4xi32>) {
  }
  func.return %r : tensor<4xi32>
}

// A loop over integers that compares them without signs has indices of their type.

// CHECK-LABEL: func.func @integers
// CHECK-NOT:     scf.for
// CHECK:         arith.constant 1 : i8
// CHECK:         arith.constant 3 : i8
func.func @integers(%x: tensor<2xi8>) -> tensor<2xi8> {
  %c1 = arith.constant 1 : i8
  %c2 = arith.constant 2 : i8
  %c5 = arith.constant 5 : i8
  %r = scf.for unsigned %i = %c1 to %c5 step %c2 iter_args(%a = %x) -> (tensor<2xi8>) : i8 {
    %s = tensor.splat %i : tensor<2xi8>
    %sum = arith.addi %a, %s : tensor<2xi8>
    scf.yield %sum : tensor<2xi8>
  }
  func.return %r : tensor<2xi8>
}

// Ranks and extents that types say are constants, and padding by constants is stated.

// CHECK-LABEL: func.func @shapes
// CHECK-NOT:     tensor.dim
// CHECK-NOT:     tensor.rank
// CHECK:         [[PADDED:%.*]] = tensor.pad %x low[1, 0] high[2, 3]
// CHECK:         tensor<2x?xi8> to tensor<5x?xi8>
func.func @shapes(%x: tensor<2x4xi8>, %y: tensor<2x?xi8>, %z: i8, %n: index) -> (index, index, tensor<5x7xi8>, tensor<5x?xi8>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %r = tensor.rank %x : tensor<2x4xi8>
  %d = tensor.dim %x, %c1 : tensor<2x4xi8>
  %p = tensor.pad %x low[%c1, 0] high[%c2, %c3] {
  ^bb0(%i: index, %j: index):
    tensor.yield %z : i8
  } : tensor<2x4xi8> to tensor<5x7xi8>
  %q = tensor.pad %y low[%c1, 0] high[%c2, %n] {
  ^bb0(%i: index, %j: index):
    tensor.yield %z : i8
  } : tensor<2x?xi8> to tensor<5x?xi8>
  func.return %r, %d, %p, %q : index, index, tensor<5x7xi8>, tensor<5x?xi8>
}
