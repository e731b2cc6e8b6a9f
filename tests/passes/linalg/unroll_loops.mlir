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
