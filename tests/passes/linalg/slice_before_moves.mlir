// RUN: vtac-opt %s -p slice-before-moves | filecheck %s
// RUN: vtac-opt %s -p slice-before-moves,slice-before-moves | filecheck %s

// A head of a matrix whose columns are heads, transposed so that heads come first, is columns of the matrix.

// CHECK-LABEL: func.func @head
// CHECK-NEXT:    [[C:%.*]] = tensor.extract_slice %x[0, 24] [20, 12] [1, 1] : tensor<20x48xi8> to tensor<20x12xi8>
// CHECK:         [[H:%.*]] = packing.reshape {{%.*}} : tensor<20x1x12xi8> to tensor<1x20x12xi8>
// CHECK:         [[T:%.*]] = linalg.transpose ins({{%.*}}:tensor<20x1x12xi8>) outs({{%.*}}:tensor<1x12x20xi8>) permutation = [1, 2, 0]
// CHECK-NEXT:    func.return [[H]], [[T]]
func.func @head(%x: tensor<20x48xi8>) -> (tensor<1x20x12xi8>, tensor<1x12x20xi8>) {
  %p = tensor.expand_shape %x [[0], [1, 2]] output_shape [20, 4, 12] : tensor<20x48xi8> into tensor<20x4x12xi8>
  %e = tensor.empty() : tensor<4x20x12xi8>
  %t = linalg.transpose ins(%p : tensor<20x4x12xi8>) outs(%e : tensor<4x20x12xi8>) permutation = [1, 0, 2]
  %h = tensor.extract_slice %t[2, 0, 0] [1, 20, 12] [1, 1, 1] : tensor<4x20x12xi8> to tensor<1x20x12xi8>
  %f = tensor.empty() : tensor<4x12x20xi8>
  %u = linalg.transpose ins(%p : tensor<20x4x12xi8>) outs(%f : tensor<4x12x20xi8>) permutation = [1, 2, 0]
  %k = tensor.extract_slice %u[1, 0, 0] [1, 12, 20] [1, 1, 1] : tensor<4x12x20xi8> to tensor<1x12x20xi8>
  func.return %h, %k : tensor<1x20x12xi8>, tensor<1x12x20xi8>
}

// Heads behind one another, brought back into columns, are joined there.

// CHECK-LABEL: func.func @joined
// CHECK:         [[C:%.*]] = tensor.concat dim(1) {{%.*}}, {{%.*}} : (tensor<20x12xi8>, tensor<20x12xi8>) -> tensor<20x24xi8>
// CHECK-NEXT:    func.return [[C]]
func.func @joined(%a: tensor<1x20x12xi8>, %b: tensor<1x20x12xi8>) -> tensor<20x24xi8> {
  %j = packing.join %a, %b : tensor<1x20x12xi8>, tensor<1x20x12xi8> to tensor<2x20x12xi8>
  %e = tensor.empty() : tensor<20x2x12xi8>
  %t = linalg.transpose ins(%j : tensor<2x20x12xi8>) outs(%e : tensor<20x2x12xi8>) permutation = [1, 0, 2]
  %c = tensor.collapse_shape %t [[0], [1, 2]] : tensor<20x2x12xi8> into tensor<20x24xi8>
  func.return %c : tensor<20x24xi8>
}

// One of joined tensors, or a part of it, is read without the join; what several of them have a part in is not.

// CHECK-LABEL: func.func @one_of
// CHECK-NEXT:    [[J:%.*]] = packing.join %a, %b
// CHECK-NEXT:    [[P:%.*]] = tensor.extract_slice %b[0, 4, 0] [1, 5, 12] [1, 1, 1]
// CHECK-NEXT:    [[S:%.*]] = tensor.extract_slice [[J]][0, 1, 0] [2, 3, 12] [1, 1, 1]
// CHECK-NEXT:    func.return %a, [[P]], [[S]]
func.func @one_of(%a: tensor<1x20x12xi8>, %b: tensor<1x20x12xi8>) -> (tensor<1x20x12xi8>, tensor<1x5x12xi8>, tensor<2x3x12xi8>) {
  %j = packing.join %a, %b : tensor<1x20x12xi8>, tensor<1x20x12xi8> to tensor<2x20x12xi8>
  %0 = tensor.extract_slice %j[0, 0, 0] [1, 20, 12] [1, 1, 1] : tensor<2x20x12xi8> to tensor<1x20x12xi8>
  %1 = tensor.extract_slice %j[1, 4, 0] [1, 5, 12] [1, 1, 1] : tensor<2x20x12xi8> to tensor<1x5x12xi8>
  %2 = tensor.extract_slice %j[0, 1, 0] [2, 3, 12] [1, 1, 1] : tensor<2x20x12xi8> to tensor<2x3x12xi8>
  func.return %0, %1, %2 : tensor<1x20x12xi8>, tensor<1x5x12xi8>, tensor<2x3x12xi8>
}

// What is read as a whole, too, stays, and so does what is no slice of the source: columns 6 to 17 in rows of 12.

// CHECK-LABEL: func.func @whole
// CHECK:         [[T:%.*]] = linalg.transpose
// CHECK-NEXT:    [[C:%.*]] = tensor.extract_slice [[T]]
// CHECK-NEXT:    func.return [[T]], [[C]]
func.func @whole(%x: tensor<20x48xi8>) -> (tensor<48x20xi8>, tensor<4x20xi8>) {
  %e = tensor.empty() : tensor<48x20xi8>
  %t = linalg.transpose ins(%x : tensor<20x48xi8>) outs(%e : tensor<48x20xi8>) permutation = [1, 0]
  %c = tensor.extract_slice %t[8, 0] [4, 20] [1, 1] : tensor<48x20xi8> to tensor<4x20xi8>
  func.return %t, %c : tensor<48x20xi8>, tensor<4x20xi8>
}

// CHECK-LABEL: func.func @gaps
// CHECK-NEXT:    [[P:%.*]] = tensor.expand_shape
// CHECK-NEXT:    [[C:%.*]] = tensor.extract_slice [[P]][0, 0, 6] [20, 2, 6] [1, 1, 1]
// CHECK-NEXT:    func.return [[C]]
func.func @gaps(%x: tensor<20x48xi8>) -> tensor<20x2x6xi8> {
  %p = tensor.expand_shape %x [[0], [1, 2]] output_shape [20, 4, 12] : tensor<20x48xi8> into tensor<20x4x12xi8>
  %c = tensor.extract_slice %p[0, 0, 6] [20, 2, 6] [1, 1, 1] : tensor<20x4x12xi8> to tensor<20x2x6xi8>
  func.return %c : tensor<20x2x6xi8>
}

// CHECK-LABEL: func.func @steps
// CHECK:         tensor.extract_slice {{%.*}}[0, 0, 0] [20, 2, 12] [1, 2, 1]
func.func @steps(%x: tensor<20x48xi8>) -> tensor<20x2x12xi8> {
  %p = tensor.expand_shape %x [[0], [1, 2]] output_shape [20, 4, 12] : tensor<20x48xi8> into tensor<20x4x12xi8>
  %c = tensor.extract_slice %p[0, 0, 0] [20, 2, 12] [1, 2, 1] : tensor<20x4x12xi8> to tensor<20x2x12xi8>
  func.return %c : tensor<20x2x12xi8>
}
