// RUN: vtac-opt %s -p multiply-biases | filecheck %s
// RUN: vtac-opt %s -p multiply-biases,multiply-biases | filecheck %s

// A bias of 2 output blocks on 40 rows of accumulators: one product of a constant tile, 127 in all lanes but the last,
// with weights; 3 = 0 * 127 + 3, 1000 = 8 * 127 - 16, 15 weights add up to the 8.

// CHECK-LABEL: func.func @net
// CHECK:         %[[W:.*]] = arith.constant dense<"0x{{(0{30}03){16}(01){8}(00){7}F0}}
// CHECK-NEXT:    %y = func.call @sum(%x, %w, %[[W]])
// CHECK-SAME:      (tensor<40x1x1x16xi8>, tensor<2x1x16x16xi8>, tensor<2x16x16xi8>) -> tensor<40x2x1x16xi8>
// CHECK:         func.func private @sum(%x: tensor<40x1x1x16xi8>, %w: tensor<2x1x16x16xi8>, %b: tensor<2x16x16xi8>)
// CHECK:           %total = linalg.generic
// CHECK:           %[[ONES:.*]] = arith.constant dense<{{\[\[127, 127, .*, 127, 1\]\]}}> : tensor<1x16xi8>
// CHECK-NEXT:      linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d2, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d1, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>]
// CHECK-SAME:        "reduction"
// CHECK-SAME:        ins(%[[ONES]], %b : tensor<1x16xi8>, tensor<2x16x16xi8>) outs(%total
// CHECK:           arith.trunci
func.func @net(%x: tensor<40x1x1x16xi8>, %w: tensor<2x1x16x16xi8>) -> tensor<40x2x1x16xi8> {
  %b = arith.constant dense<[[[3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]], [[1000, -1, 241935, -241998, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]]> : tensor<2x1x16xi32>
  %y = func.call @sum(%x, %w, %b) : (tensor<40x1x1x16xi8>, tensor<2x1x16x16xi8>, tensor<2x1x16xi32>) -> tensor<40x2x1x16xi8>
  func.return %y : tensor<40x2x1x16xi8>
}
func.func private @sum(%x: tensor<40x1x1x16xi8>, %w: tensor<2x1x16x16xi8>, %b: tensor<2x1x16xi32>) -> tensor<40x2x1x16xi8> attributes {packing.device} {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<40x2x1x16xi32>
  %start = linalg.fill ins(%zero : i32) outs(%e : tensor<40x2x1x16xi32>) -> tensor<40x2x1x16xi32>
  %total = linalg.generic {
    indexing_maps = [affine_map<(n, f, b, o, c, k) -> (n, c, b, k)>, affine_map<(n, f, b, o, c, k) -> (f, c, o, k)>, affine_map<(n, f, b, o, c, k) -> (n, f, b, o)>],
    iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
  } ins(%x, %w : tensor<40x1x1x16xi8>, tensor<2x1x16x16xi8>) outs(%start : tensor<40x2x1x16xi32>) {
  ^bb0(%p: i8, %q: i8, %acc: i32):
    %p32 = arith.extsi %p : i8 to i32
    %q32 = arith.extsi %q : i8 to i32
    %m = arith.muli %p32, %q32 : i32
    %s = arith.addi %acc, %m : i32
    linalg.yield %s : i32
  } -> tensor<40x2x1x16xi32>
  %biased = linalg.generic {
    indexing_maps = [affine_map<(n, f, b, o) -> (n, f, b, o)>, affine_map<(n, f, b, o) -> (f, b, o)>, affine_map<(n, f, b, o) -> (n, f, b, o)>],
    iterator_types = ["parallel", "parallel", "parallel", "parallel"]
  } ins(%total, %b : tensor<40x2x1x16xi32>, tensor<2x1x16xi32>) outs(%e : tensor<40x2x1x16xi32>) {
  ^bb0(%p: i32, %q: i32, %o: i32):
    %s = arith.addi %p, %q : i32
    linalg.yield %s : i32
  } -> tensor<40x2x1x16xi32>
  %e8 = tensor.empty() : tensor<40x2x1x16xi8>
  %y = linalg.generic {
    indexing_maps = [affine_map<(n, f, b, o) -> (n, f, b, o)>, affine_map<(n, f, b, o) -> (n, f, b, o)>],
    iterator_types = ["parallel", "parallel", "parallel", "parallel"]
  } ins(%biased : tensor<40x2x1x16xi32>) outs(%e8 : tensor<40x2x1x16xi8>) {
  ^bb0(%p: i32, %o: i8):
    %t = arith.trunci %p : i32 to i8
    linalg.yield %t : i8
  } -> tensor<40x2x1x16xi8>
  func.return %y : tensor<40x2x1x16xi8>
}

// A bias that no weights reach, and one of so few rows that its weights would be waited for, stay additions.

// CHECK-LABEL: func.func @others
// CHECK:         func.call @far(%x, %far) : (tensor<40x1x1x16xi32>, tensor<1x1x16xi32>)
// CHECK-NEXT:    func.call @few(%p, %b) : (tensor<8x1x1x16xi8>, tensor<1x1x16xi32>)
// CHECK-LABEL: func.func private @far(
// CHECK-NOT:     "reduction"
// CHECK-LABEL: func.func private @few(
// CHECK:         arith.addi
// CHECK:         ins(%total, %b : tensor<8x1x1x16xi32>, tensor<1x1x16xi32>)
func.func @others(%x: tensor<40x1x1x16xi32>, %p: tensor<8x1x1x16xi8>) -> (tensor<40x1x1x16xi32>, tensor<8x1x1x16xi32>) {
  %b = arith.constant dense<100> : tensor<1x1x16xi32>
  %far = arith.constant dense<241999> : tensor<1x1x16xi32>
  %y = func.call @far(%x, %far) : (tensor<40x1x1x16xi32>, tensor<1x1x16xi32>) -> tensor<40x1x1x16xi32>
  %z = func.call @few(%p, %b) : (tensor<8x1x1x16xi8>, tensor<1x1x16xi32>) -> tensor<8x1x1x16xi32>
  func.return %y, %z : tensor<40x1x1x16xi32>, tensor<8x1x1x16xi32>
}
func.func private @far(%x: tensor<40x1x1x16xi32>, %b: tensor<1x1x16xi32>) -> tensor<40x1x1x16xi32> attributes {packing.device} {
  %e = tensor.empty() : tensor<40x1x1x16xi32>
  %biased = linalg.generic {
    indexing_maps = [affine_map<(n, f, b, o) -> (n, f, b, o)>, affine_map<(n, f, b, o) -> (f, b, o)>, affine_map<(n, f, b, o) -> (n, f, b, o)>],
    iterator_types = ["parallel", "parallel", "parallel", "parallel"]
  } ins(%x, %b : tensor<40x1x1x16xi32>, tensor<1x1x16xi32>) outs(%e : tensor<40x1x1x16xi32>) {
  ^bb0(%p: i32, %q: i32, %o: i32):
    %s = arith.addi %p, %q : i32
    linalg.yield %s : i32
  } -> tensor<40x1x1x16xi32>
  func.return %biased : tensor<40x1x1x16xi32>
}
func.func private @few(%x: tensor<8x1x1x16xi8>, %b: tensor<1x1x16xi32>) -> tensor<8x1x1x16xi32> attributes {packing.device} {
  %eye = arith.constant dense<1> : tensor<16x16xi8>
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<8x1x1x16xi32>
  %start = linalg.fill ins(%zero : i32) outs(%e : tensor<8x1x1x16xi32>) -> tensor<8x1x1x16xi32>
  %total = linalg.generic {
    indexing_maps = [affine_map<(n, f, b, o, k) -> (n, f, b, k)>, affine_map<(n, f, b, o, k) -> (o, k)>, affine_map<(n, f, b, o, k) -> (n, f, b, o)>],
    iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]
  } ins(%x, %eye : tensor<8x1x1x16xi8>, tensor<16x16xi8>) outs(%start : tensor<8x1x1x16xi32>) {
  ^bb0(%p: i8, %q: i8, %acc: i32):
    %p32 = arith.extsi %p : i8 to i32
    %q32 = arith.extsi %q : i8 to i32
    %m = arith.muli %p32, %q32 : i32
    %s = arith.addi %acc, %m : i32
    linalg.yield %s : i32
  } -> tensor<8x1x1x16xi32>
  %biased = linalg.generic {
    indexing_maps = [affine_map<(n, f, b, o) -> (n, f, b, o)>, affine_map<(n, f, b, o) -> (f, b, o)>, affine_map<(n, f, b, o) -> (n, f, b, o)>],
    iterator_types = ["parallel", "parallel", "parallel", "parallel"]
  } ins(%total, %b : tensor<8x1x1x16xi32>, tensor<1x1x16xi32>) outs(%e : tensor<8x1x1x16xi32>) {
  ^bb0(%p: i32, %q: i32, %o: i32):
    %s = arith.addi %p, %q : i32
    linalg.yield %s : i32
  } -> tensor<8x1x1x16xi32>
  func.return %biased : tensor<8x1x1x16xi32>
}
