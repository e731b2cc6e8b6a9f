// RUN: vtac-opt %s -p swap-factors | filecheck %s
// RUN: vtac-opt %s -p swap-factors,swap-factors | filecheck %s

#left = affine_map<(i, j, k) -> (i, k)>
#right = affine_map<(i, j, k) -> (k, j)>
#turned = affine_map<(i, j, k) -> (k, i)>
#whole = affine_map<(i, j, k) -> (i, j)>
#rows = affine_map<(i, j) -> (i, j)>

// The second product sums up over the rows of the first: that has its weights as data.

// CHECK-LABEL: func.func @turned
// CHECK:         [[P:%.*]] = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>], {{.*}} ins(%w, %x : tensor<20x32xi8>, tensor<24x20xi8>)
// CHECK:         [[Y:%.*]] = linalg.generic {{.*}} ins([[P]] :
// CHECK:         linalg.generic {{.*}} ins([[Y]], %v : tensor<24x32xi8>, tensor<24x8xi8>)
func.func @turned(%x: tensor<24x20xi8>, %w: tensor<20x32xi8>, %v: tensor<24x8xi8>) -> tensor<32x8xi32> {
  %c0 = arith.constant 0 : i32
  %e = tensor.empty() : tensor<24x32xi32>
  %z = linalg.fill ins(%c0 : i32) outs(%e : tensor<24x32xi32>) -> tensor<24x32xi32>
  %p = linalg.matmul ins(%x, %w : tensor<24x20xi8>, tensor<20x32xi8>) outs(%z : tensor<24x32xi32>) -> tensor<24x32xi32>
  %f = tensor.empty() : tensor<24x32xi8>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<24x32xi32>) outs(%f : tensor<24x32xi8>) {
  ^bb0(%a: i32, %o: i8):
    %t = arith.trunci %a : i32 to i8
    linalg.yield %t : i8
  } -> tensor<24x32xi8>
  %g = tensor.empty() : tensor<32x8xi32>
  %s = linalg.fill ins(%c0 : i32) outs(%g : tensor<32x8xi32>) -> tensor<32x8xi32>
  %q = linalg.generic {indexing_maps = [#turned, #right, #whole], iterator_types = ["parallel", "parallel", "reduction"]} ins(%y, %v : tensor<24x32xi8>, tensor<24x8xi8>) outs(%s : tensor<32x8xi32>) {
  ^bb0(%a: i8, %b: i8, %acc: i32):
    %l = arith.extsi %a : i8 to i32
    %r = arith.extsi %b : i8 to i32
    %m = arith.muli %l, %r : i32
    %n = arith.addi %acc, %m : i32
    linalg.yield %n : i32
  } -> tensor<32x8xi32>
  func.return %q : tensor<32x8xi32>
}

// What is read both ways keeps its factors, and so does what is read transposed by few rows: each would fill a block.

// CHECK-LABEL: func.func @both
// CHECK:         linalg.matmul ins(%x, %w :
// CHECK-LABEL: func.func @few_rows
// CHECK:         linalg.matmul ins(%x, %w :
func.func @both(%x: tensor<24x20xi8>, %w: tensor<20x24xi8>) -> tensor<24x24xi32> {
  %c0 = arith.constant 0 : i32
  %e = tensor.empty() : tensor<24x24xi32>
  %z = linalg.fill ins(%c0 : i32) outs(%e : tensor<24x24xi32>) -> tensor<24x24xi32>
  %p = linalg.matmul ins(%x, %w : tensor<24x20xi8>, tensor<20x24xi8>) outs(%z : tensor<24x24xi32>) -> tensor<24x24xi32>
  %f = tensor.empty() : tensor<24x24xi8>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<24x24xi32>) outs(%f : tensor<24x24xi8>) {
  ^bb0(%a: i32, %o: i8):
    %t = arith.trunci %a : i32 to i8
    linalg.yield %t : i8
  } -> tensor<24x24xi8>
  %q = linalg.matmul ins(%y, %y : tensor<24x24xi8>, tensor<24x24xi8>) outs(%z : tensor<24x24xi32>) -> tensor<24x24xi32>
  func.return %q : tensor<24x24xi32>
}
func.func @few_rows(%x: tensor<2x64xi8>, %w: tensor<64x32xi8>, %v: tensor<2x8xi8>) -> tensor<32x8xi32> {
  %c0 = arith.constant 0 : i32
  %e = tensor.empty() : tensor<2x32xi32>
  %z = linalg.fill ins(%c0 : i32) outs(%e : tensor<2x32xi32>) -> tensor<2x32xi32>
  %p = linalg.matmul ins(%x, %w : tensor<2x64xi8>, tensor<64x32xi8>) outs(%z : tensor<2x32xi32>) -> tensor<2x32xi32>
  %f = tensor.empty() : tensor<2x32xi8>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<2x32xi32>) outs(%f : tensor<2x32xi8>) {
  ^bb0(%a: i32, %o: i8):
    %t = arith.trunci %a : i32 to i8
    linalg.yield %t : i8
  } -> tensor<2x32xi8>
  %g = tensor.empty() : tensor<32x8xi32>
  %s = linalg.fill ins(%c0 : i32) outs(%g : tensor<32x8xi32>) -> tensor<32x8xi32>
  %q = linalg.generic {indexing_maps = [#turned, #right, #whole], iterator_types = ["parallel", "parallel", "reduction"]} ins(%y, %v : tensor<2x32xi8>, tensor<2x8xi8>) outs(%s : tensor<32x8xi32>) {
  ^bb0(%a: i8, %b: i8, %acc: i32):
    %l = arith.extsi %a : i8 to i32
    %r = arith.extsi %b : i8 to i32
    %m = arith.muli %l, %r : i32
    %n = arith.addi %acc, %m : i32
    linalg.yield %n : i32
  } -> tensor<32x8xi32>
  func.return %q : tensor<32x8xi32>
}
