// RUN: vtac-opt %s -p split-intermediates | filecheck %s
// RUN: vtac-opt %s -p split-intermediates,split-intermediates | filecheck %s

// Of two products that are added up, one goes through memory: 32 products of i8 need three signed bytes. A product
// that the host reads is four bytes and a word. What a device function reads itself stays as it is.

// CHECK-LABEL: func.func @net
// CHECK:       %p = linalg.matmul
// CHECK:       %p_1 = linalg.generic {{.*}} ins(%p : tensor<4x20xi32>)
// CHECK:         arith.constant 128 : i32
// CHECK:         arith.constant 8 : i32
// CHECK:       %p_2 = linalg.generic {{.*}} ins(%p_1 : tensor<4x20xi32>)
// CHECK:       [[LOW:%.*]] = linalg.generic {{.*}} ins(%p : tensor<4x20xi32>) outs({{.*}} : tensor<4x20xi8>) attrs = {{.*}}packing.choice = "an i32 intermediate in 3 planes of bytes (the store unit writes 8 bits)"
// CHECK:         arith.trunci
// CHECK:       [[MIDDLE:%.*]] = linalg.generic {{.*}} ins(%p_1 : tensor<4x20xi32>)
// CHECK:       [[HIGH:%.*]] = linalg.generic {{.*}} ins(%p_2 : tensor<4x20xi32>)
// CHECK:       %q = linalg.matmul
// CHECK:       %y = linalg.generic {{.*}} ins([[LOW]], [[MIDDLE]], [[HIGH]], %q, %b : tensor<4x20xi8>, tensor<4x20xi8>, tensor<4x20xi8>, tensor<4x20xi32>, tensor<20xi32>)
// CHECK:         arith.extsi
// CHECK:         arith.shli
// CHECK:       func.return %y
// CHECK-LABEL: func.func @word
// CHECK:       %q = linalg.matmul
// CHECK-COUNT-3: arith.shrsi
// CHECK:       packing.choice = "an i32 result in four planes of bytes (the store unit writes 8 bits), interleaved by the host"
// CHECK:       [[WORDS:%.*]] = packing.interleave
// CHECK:       func.return [[WORDS]]
#id = affine_map<(d0, d1) -> (d0, d1)>
#col = affine_map<(d0, d1) -> (d1)>
func.func @net(%x: tensor<4x32xi8>, %w: tensor<32x20xi8>, %v: tensor<32x20xi8>, %b: tensor<20xi32>) -> tensor<4x20xi8> {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<4x20xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<4x20xi32>) -> tensor<4x20xi32>
  %p = linalg.matmul ins(%x, %w : tensor<4x32xi8>, tensor<32x20xi8>) outs(%f : tensor<4x20xi32>) -> tensor<4x20xi32>
  %q = linalg.matmul ins(%x, %v : tensor<4x32xi8>, tensor<32x20xi8>) outs(%f : tensor<4x20xi32>) -> tensor<4x20xi32>
  %o = tensor.empty() : tensor<4x20xi8>
  %y = linalg.generic {indexing_maps = [#id, #id, #col, #id], iterator_types = ["parallel", "parallel"]}
    ins(%p, %q, %b : tensor<4x20xi32>, tensor<4x20xi32>, tensor<20xi32>) outs(%o : tensor<4x20xi8>) {
  ^bb0(%a0: i32, %a1: i32, %a2: i32, %out: i8):
    %s0 = arith.addi %a0, %a1 : i32
    %s1 = arith.addi %s0, %a2 : i32
    %c7 = arith.constant 7 : i32
    %s2 = arith.shrsi %s1, %c7 : i32
    %t = arith.trunci %s2 : i32 to i8
    linalg.yield %t : i8
  } -> tensor<4x20xi8>
  func.return %y : tensor<4x20xi8>
}
func.func @word(%x: tensor<4x32xi8>, %w: tensor<32x20xi8>) -> tensor<4x20xi32> {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<4x20xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<4x20xi32>) -> tensor<4x20xi32>
  %q = linalg.matmul ins(%x, %w : tensor<4x32xi8>, tensor<32x20xi8>) outs(%f : tensor<4x20xi32>) -> tensor<4x20xi32>
  func.return %q : tensor<4x20xi32>
}
