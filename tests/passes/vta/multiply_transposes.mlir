// RUN: vtac-opt %s -p multiply-transposes | filecheck %s
// RUN: vtac-opt %s -p multiply-transposes,multiply-transposes | filecheck %s

#right = affine_map<(i, j, k) -> (k, j)>
#turned = affine_map<(i, j, k) -> (k, i)>
#whole = affine_map<(i, j, k) -> (i, j)>
#rows = affine_map<(i, j) -> (i, j)>

// What a product sums up over the rows of, but is stored with its columns in lanes, is transposed a block of columns at a
// time, by products with unit matrices whose weights it is.

// CHECK-LABEL: func.func @turned
// CHECK:         [[P:%.*]] = linalg.matmul ins(%x, %w :
// CHECK:         [[Y:%.*]] = linalg.generic {{.*}} ins([[P]] :
// CHECK:         [[A:%.*]] = tensor.extract_slice [[Y]][0, 0] [24, 16] [1, 1] : tensor<24x20xi8> to tensor<24x16xi8>
// CHECK-NEXT:    [[U:%.*]] = arith.constant dense<{{.*}}> : tensor<16x16xi8>
// CHECK:         [[S:%.*]] = linalg.generic {{.*}} ins([[U]], [[A]] : tensor<16x16xi8>, tensor<24x16xi8>) outs({{.*}} : tensor<16x24xi32>)
// CHECK:         [[T:%.*]] = linalg.generic {{.*}} ins([[S]] : tensor<16x24xi32>) outs({{.*}} : tensor<16x24xi8>) attrs =  {packing.choice = "24 x 20 bytes transposed by products with unit matrices of 6,528 MACs, 40 cycles of GEMM"}
// CHECK:         [[B:%.*]] = tensor.extract_slice [[Y]][0, 16] [24, 4] [1, 1] : tensor<24x20xi8> to tensor<24x4xi8>
// CHECK:         [[R:%.*]] = linalg.generic {{.*}} ins({{.*}} : tensor<4x24xi32>) outs({{.*}} : tensor<4x24xi8>) {
// CHECK:         [[C:%.*]] = tensor.concat dim(0) [[T]], [[R]] : (tensor<16x24xi8>, tensor<4x24xi8>) -> tensor<20x24xi8>
// CHECK:         linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, {{.*}} ins([[C]], %v : tensor<20x24xi8>, tensor<24x8xi8>)
func.func @turned(%x: tensor<24x9xi8>, %w: tensor<9x20xi8>, %v: tensor<24x8xi8>) -> tensor<20x8xi32> {
  %c0 = arith.constant 0 : i32
  %e = tensor.empty() : tensor<24x20xi32>
  %z = linalg.fill ins(%c0 : i32) outs(%e : tensor<24x20xi32>) -> tensor<24x20xi32>
  %p = linalg.matmul ins(%x, %w : tensor<24x9xi8>, tensor<9x20xi8>) outs(%z : tensor<24x20xi32>) -> tensor<24x20xi32>
  %f = tensor.empty() : tensor<24x20xi8>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<24x20xi32>) outs(%f : tensor<24x20xi8>) {
  ^bb0(%a: i32, %o: i8):
    %t = arith.trunci %a : i32 to i8
    linalg.yield %t : i8
  } -> tensor<24x20xi8>
  %g = tensor.empty() : tensor<20x8xi32>
  %s = linalg.fill ins(%c0 : i32) outs(%g : tensor<20x8xi32>) -> tensor<20x8xi32>
  %q = linalg.generic {indexing_maps = [#turned, #right, #whole], iterator_types = ["parallel", "parallel", "reduction"]} ins(%y, %v : tensor<24x20xi8>, tensor<24x8xi8>) outs(%s : tensor<20x8xi32>) {
  ^bb0(%a: i8, %b: i8, %acc: i32):
    %l = arith.extsi %a : i8 to i32
    %r = arith.extsi %b : i8 to i32
    %m = arith.muli %l, %r : i32
    %n = arith.addi %acc, %m : i32
    linalg.yield %n : i32
  } -> tensor<20x8xi32>
  func.return %q : tensor<20x8xi32>
}

// What is read in the lanes that it is stored in, and what the host gives, stays as it is.

// CHECK-LABEL: func.func @straight
// CHECK-NOT:     tensor.extract_slice
// CHECK-LABEL: func.func @given
// CHECK-NOT:     tensor.extract_slice
func.func @straight(%x: tensor<24x9xi8>, %w: tensor<9x20xi8>, %v: tensor<20x8xi8>) -> tensor<24x8xi32> {
  %c0 = arith.constant 0 : i32
  %e = tensor.empty() : tensor<24x20xi32>
  %z = linalg.fill ins(%c0 : i32) outs(%e : tensor<24x20xi32>) -> tensor<24x20xi32>
  %p = linalg.matmul ins(%x, %w : tensor<24x9xi8>, tensor<9x20xi8>) outs(%z : tensor<24x20xi32>) -> tensor<24x20xi32>
  %f = tensor.empty() : tensor<24x20xi8>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<24x20xi32>) outs(%f : tensor<24x20xi8>) {
  ^bb0(%a: i32, %o: i8):
    %t = arith.trunci %a : i32 to i8
    linalg.yield %t : i8
  } -> tensor<24x20xi8>
  %g = tensor.empty() : tensor<24x8xi32>
  %s = linalg.fill ins(%c0 : i32) outs(%g : tensor<24x8xi32>) -> tensor<24x8xi32>
  %q = linalg.matmul ins(%y, %v : tensor<24x20xi8>, tensor<20x8xi8>) outs(%s : tensor<24x8xi32>) -> tensor<24x8xi32>
  func.return %q : tensor<24x8xi32>
}
func.func @given(%y: tensor<24x20xi8>, %v: tensor<24x8xi8>) -> tensor<20x8xi32> {
  %c0 = arith.constant 0 : i32
  %g = tensor.empty() : tensor<20x8xi32>
  %s = linalg.fill ins(%c0 : i32) outs(%g : tensor<20x8xi32>) -> tensor<20x8xi32>
  %q = linalg.generic {indexing_maps = [#turned, #right, #whole], iterator_types = ["parallel", "parallel", "reduction"]} ins(%y, %v : tensor<24x20xi8>, tensor<24x8xi8>) outs(%s : tensor<20x8xi32>) {
  ^bb0(%a: i8, %b: i8, %acc: i32):
    %l = arith.extsi %a : i8 to i32
    %r = arith.extsi %b : i8 to i32
    %m = arith.muli %l, %r : i32
    %n = arith.addi %acc, %m : i32
    linalg.yield %n : i32
  } -> tensor<20x8xi32>
  func.return %q : tensor<20x8xi32>
}
