// RUN: vtac-opt %s -p place-tensors | filecheck %s
// RUN: vtac-opt %s -p place-tensors,place-tensors | filecheck %s

// What is joined is stored where it lies in the whole: its function knows the strides there. A tensor that has to lie
// in two places is stored twice; one that comes from outside of the program is copied by a device function.

// CHECK-LABEL: func.func @net
// CHECK:         func.call @rows(%x) : (tensor
// CHECK-NEXT:    func.call @copied(%x, %y) {packing.choice = ["y_copy: copied on the VTA into its place
func.func @net(%x: tensor<1x2x1x16xi8>, %y: tensor<1x2x1x16xi8>) -> (tensor<2x4x1x16xi8>, tensor<1x4x1x16xi8>) {
  %r = func.call @rows(%x) : (tensor<1x2x1x16xi8>) -> tensor<2x4x1x16xi8>
  %c = func.call @copied(%x, %y) : (tensor<1x2x1x16xi8>, tensor<1x2x1x16xi8>) -> tensor<1x4x1x16xi8>
  func.return %r, %c : tensor<2x4x1x16xi8>, tensor<1x4x1x16xi8>
}

// CHECK-LABEL: func.func private @rows
// CHECK-NEXT:    %a, [[A:%.*]] = func.call @tiles_0(%x)
// CHECK-NEXT:    %b = func.call @tiles_1(%a)
// CHECK-NEXT:    [[E:%.*]] = tensor.empty()
// CHECK-NEXT:    %0 = tensor.insert_slice [[A]] into [[E]][0, 0, 0, 0] [1, 2, 1, 16] [1, 2, 1, 1]
// CHECK-NEXT:    %1 = tensor.insert_slice %a into %0[0, 1, 0, 0] [1, 2, 1, 16] [1, 2, 1, 1]
// CHECK-NEXT:    %2 = tensor.insert_slice %b into %1[1, 0, 0, 0] [1, 4, 1, 16] [1, 1, 1, 1]
// CHECK-NEXT:    func.return %2
func.func private @rows(%x: tensor<1x2x1x16xi8>) -> tensor<2x4x1x16xi8> attributes {packing.program} {
  %a = func.call @tiles_0(%x) : (tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8>
  %b = func.call @tiles_1(%a) : (tensor<1x2x1x16xi8>) -> tensor<1x4x1x16xi8>
  %e = tensor.empty() : tensor<2x4x1x16xi8>
  %0 = tensor.insert_slice %a into %e[0, 0, 0, 0] [1, 2, 1, 16] [1, 2, 1, 1] : tensor<1x2x1x16xi8> into tensor<2x4x1x16xi8>
  %1 = tensor.insert_slice %a into %0[0, 1, 0, 0] [1, 2, 1, 16] [1, 2, 1, 1] : tensor<1x2x1x16xi8> into tensor<2x4x1x16xi8>
  %2 = tensor.insert_slice %b into %1[1, 0, 0, 0] [1, 4, 1, 16] [1, 1, 1, 1] : tensor<1x4x1x16xi8> into tensor<2x4x1x16xi8>
  func.return %2 : tensor<2x4x1x16xi8>
}

// CHECK-LABEL: func.func private @copied
// CHECK-NEXT:    %a = func.call @tiles_2(%x)
// CHECK-NEXT:    %e = tensor.empty()
// CHECK-NEXT:    %0 = tensor.insert_slice %a into %e[0, 0, 0, 0]
// CHECK-NEXT:    %y_copy = func.call @tiles_copy0(%y) {packing.layer = "y_copy"}
// CHECK-NEXT:    %1 = tensor.insert_slice %y_copy into %0[0, 2, 0, 0]
// CHECK-NEXT:    func.return %1
func.func private @copied(%x: tensor<1x2x1x16xi8>, %y: tensor<1x2x1x16xi8>) -> tensor<1x4x1x16xi8> attributes {packing.program} {
  %a = func.call @tiles_2(%x) : (tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8>
  %e = tensor.empty() : tensor<1x4x1x16xi8>
  %0 = tensor.insert_slice %a into %e[0, 0, 0, 0] [1, 2, 1, 16] [1, 1, 1, 1] : tensor<1x2x1x16xi8> into tensor<1x4x1x16xi8>
  %1 = tensor.insert_slice %y into %0[0, 2, 0, 0] [1, 2, 1, 16] [1, 1, 1, 1] : tensor<1x2x1x16xi8> into tensor<1x4x1x16xi8>
  func.return %1 : tensor<1x4x1x16xi8>
}

// CHECK-LABEL: func.func private @tiles_0(%x: tensor<1x2x1x16xi8>) ->
// CHECK-SAME:    (tensor<1x2x1x16xi8> {packing.strides = array<i64: 64, 32, 16, 1>}, tensor<1x2x1x16xi8> {packing.strides = array<i64: 64, 32, 16, 1>})
// CHECK:         %y = linalg.generic
// CHECK:         %y_1 = linalg.generic
// CHECK:         func.return %y, %y_1
func.func private @tiles_0(%x: tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8> attributes {packing.device} {
  %e = tensor.empty() : tensor<1x2x1x16xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>, affine_map<(a, b, c, d) -> (a, b, c, d)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x : tensor<1x2x1x16xi8>) outs(%e : tensor<1x2x1x16xi8>) {
  ^bb0(%a: i8, %o: i8):
    linalg.yield %a : i8
  } -> tensor<1x2x1x16xi8>
  func.return %y : tensor<1x2x1x16xi8>
}

// CHECK-LABEL: func.func private @tiles_1(%x: tensor<1x2x1x16xi8> {packing.strides = array<i64: 64, 32, 16, 1>}) ->
// CHECK-SAME:    (tensor<1x4x1x16xi8> {packing.strides = array<i64: 64, 16, 16, 1>})
func.func private @tiles_1(%x: tensor<1x2x1x16xi8>) -> tensor<1x4x1x16xi8> attributes {packing.device} {
  %y = tensor.empty() : tensor<1x4x1x16xi8>
  func.return %y : tensor<1x4x1x16xi8>
}
func.func private @tiles_2(%x: tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8> attributes {packing.device} {
  func.return %x : tensor<1x2x1x16xi8>
}
// CHECK-LABEL: func.func private @tiles_copy0(%y: tensor<1x2x1x16xi8>) ->
// CHECK-SAME:    (tensor<1x2x1x16xi8> {packing.strides = array<i64: 32, 16, 16, 1>})
// CHECK-SAME:    packing.device
