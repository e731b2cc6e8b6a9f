// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// linalg's named operations of one element each. A map is read as the linalg.generic that it is.

func.func @of_one(%x: tensor<4x8xf32>, %start: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: %a = linalg.abs ins(%x : tensor<4x8xf32>) outs(%start : tensor<4x8xf32>) -> tensor<4x8xf32>
  %a = linalg.abs ins(%x : tensor<4x8xf32>) outs(%start : tensor<4x8xf32>) -> tensor<4x8xf32>
  // CHECK: %b = linalg.ceil ins(%a : tensor<4x8xf32>) outs(%start : tensor<4x8xf32>) -> tensor<4x8xf32>
  %b = linalg.ceil ins(%a : tensor<4x8xf32>) outs(%start : tensor<4x8xf32>) -> tensor<4x8xf32>
  // CHECK: %c = linalg.floor ins(%b
  %c = linalg.floor ins(%b : tensor<4x8xf32>) outs(%start : tensor<4x8xf32>) -> tensor<4x8xf32>
  // CHECK: %d = linalg.negf ins(%c
  %d = linalg.negf ins(%c : tensor<4x8xf32>) outs(%start : tensor<4x8xf32>) -> tensor<4x8xf32>
  // CHECK: %e = linalg.round ins(%d
  %e = linalg.round ins(%d : tensor<4x8xf32>) outs(%start : tensor<4x8xf32>) -> tensor<4x8xf32>
  // CHECK: %f = linalg.rsqrt ins(%e
  %f = linalg.rsqrt ins(%e : tensor<4x8xf32>) outs(%start : tensor<4x8xf32>) -> tensor<4x8xf32>
  // CHECK: %g = linalg.tanh ins(%f
  %g = linalg.tanh ins(%f : tensor<4x8xf32>) outs(%start : tensor<4x8xf32>) -> tensor<4x8xf32>
  // CHECK: %h = linalg.erf ins(%g
  %h = linalg.erf ins(%g : tensor<4x8xf32>) outs(%start : tensor<4x8xf32>) -> tensor<4x8xf32>
  // CHECK: %i = linalg.reciprocal ins(%h
  %i = linalg.reciprocal ins(%h : tensor<4x8xf32>) outs(%start : tensor<4x8xf32>) -> tensor<4x8xf32>
  // CHECK: %j = linalg.square ins(%i
  %j = linalg.square ins(%i : tensor<4x8xf32>) outs(%start : tensor<4x8xf32>) -> tensor<4x8xf32>
  func.return %j : tensor<4x8xf32>
}

func.func @of_two(%x: tensor<4x8xf32>, %n: tensor<4x8xi8>) -> (tensor<4x8xf32>, tensor<4x8xi8>) {
  // CHECK: %a = linalg.div ins(%x, %x : tensor<4x8xf32>, tensor<4x8xf32>) outs(%x : tensor<4x8xf32>) -> tensor<4x8xf32>
  %a = linalg.div ins(%x, %x : tensor<4x8xf32>, tensor<4x8xf32>) outs(%x : tensor<4x8xf32>) -> tensor<4x8xf32>
  // CHECK: %b = linalg.powf ins(%a, %x
  %b = linalg.powf ins(%a, %x : tensor<4x8xf32>, tensor<4x8xf32>) outs(%x : tensor<4x8xf32>) -> tensor<4x8xf32>
  // CHECK: %c = linalg.div_unsigned ins(%n, %n : tensor<4x8xi8>, tensor<4x8xi8>) outs(%n : tensor<4x8xi8>) -> tensor<4x8xi8>
  %c = linalg.div_unsigned ins(%n, %n : tensor<4x8xi8>, tensor<4x8xi8>) outs(%n : tensor<4x8xi8>) -> tensor<4x8xi8>
  func.return %b, %c : tensor<4x8xf32>, tensor<4x8xi8>
}

func.func @maps(%x: tensor<4xi8>, %start: tensor<4xi32>) -> tensor<4xi32> {
  // CHECK: %a = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x : tensor<4xi8>) outs(%start : tensor<4xi32>)
  // CHECK-NEXT: ^bb0(%[[#]]: i8, %[[#]]: i32):
  // CHECK-NEXT: arith.extsi
  %a = linalg.map { arith.extsi } ins(%x : tensor<4xi8>) outs(%start : tensor<4xi32>)
  // CHECK: %b = linalg.generic {{.*}} ins(%a, %start : tensor<4xi32>, tensor<4xi32>) outs(%start : tensor<4xi32>) attrs = {frontend.note}
  %b = linalg.map ins(%a, %start : tensor<4xi32>, tensor<4xi32>) outs(%start : tensor<4xi32>) {frontend.note}
    (%p: i32, %q: i32, %o: i32) {
      %s = arith.muli %p, %q : i32
      linalg.yield %s : i32
    }
  func.return %b : tensor<4xi32>
}
