// RUN: vtac-opt %s -p fold-constants | filecheck %s
// RUN: vtac-opt %s -p fold-constants,fold-constants | filecheck %s
// RUN: vtac-opt %s -p 'fold-constants{grow=true}' | filecheck %s --check-prefix=GROW

// A packed weight is a constant: the operation is executed at compile time. What would grow (a broadcast)
// stays, unless `grow` asks for it; device functions keep their operations; what nothing uses is gone.

// CHECK-LABEL: func.func @net
// CHECK-NEXT:    %bias = arith.constant dense<[1, 2]> : tensor<2xi8>
// CHECK-NEXT:    %e = tensor.empty() : tensor<2x3xi8>
// CHECK-NEXT:    %wide = linalg.broadcast ins(%bias{{.*}}) outs(%e{{.*}}) dimensions = [1]
// CHECK-NEXT:    [[PACKED:%.*]] = arith.constant dense<{{\[\[\[\[}}1, 2], [3, 4]]]]> : tensor<1x1x2x2xi8>
// CHECK-NEXT:    %of_input = packing.reshape %x
// CHECK-NEXT:    func.return [[PACKED]], %of_input, %wide

// GROW-LABEL: func.func @net
// GROW-NOT:     linalg.broadcast
// GROW:         [[WIDE:%.*]] = arith.constant dense<{{\[\[}}1, 1, 1], [2, 2, 2]]> : tensor<2x3xi8>
// GROW:         func.return %{{.*}}, %of_input, [[WIDE]]
func.func @net(%x: tensor<4xi8>) -> (tensor<1x1x2x2xi8>, tensor<2x2xi8>, tensor<2x3xi8>) {
  %unused = arith.constant dense<7> : tensor<2x2xi8>
  %w = arith.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
  %bias = arith.constant dense<[1, 2]> : tensor<2xi8>
  %e = tensor.empty() : tensor<2x3xi8>
  %wide = linalg.broadcast ins(%bias : tensor<2xi8>) outs(%e : tensor<2x3xi8>) dimensions = [1]
  %packed = packing.pack %w dims [0, 1] tiles [2, 2] order [0, 1] : tensor<2x2xi8> to tensor<1x1x2x2xi8>
  %of_input = packing.reshape %x : tensor<4xi8> to tensor<2x2xi8>
  func.return %packed, %of_input, %wide : tensor<1x1x2x2xi8>, tensor<2x2xi8>, tensor<2x3xi8>
}

// CHECK-LABEL: func.func private @device
// CHECK-NEXT:    %w = arith.constant
// CHECK-NEXT:    packing.reshape %w
func.func private @device() -> tensor<4xi8> attributes {packing.device} {
  %w = arith.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
  %y = packing.reshape %w : tensor<2x2xi8> to tensor<4xi8>
  func.return %y : tensor<4xi8>
}

// A constant put into another is one; into a tensor without numbers yet it is not.

// CHECK-LABEL: func.func @inserted
// CHECK-NEXT:    %c = arith.constant dense<[1, 2]> : tensor<2xi8>
// CHECK-NEXT:    [[WHOLE:%.*]] = arith.constant dense<[0, 1, 2]> : tensor<3xi8>
// CHECK-NEXT:    %e = tensor.empty() : tensor<3xi8>
// CHECK-NEXT:    %part = tensor.insert_slice %c into %e[0] [2] [1]
// CHECK-NEXT:    func.return [[WHOLE]], %part
func.func @inserted() -> (tensor<3xi8>, tensor<3xi8>) {
  %c = arith.constant dense<[1, 2]> : tensor<2xi8>
  %z = arith.constant dense<0> : tensor<3xi8>
  %whole = tensor.insert_slice %c into %z[1] [2] [1] : tensor<2xi8> into tensor<3xi8>
  %e = tensor.empty() : tensor<3xi8>
  %part = tensor.insert_slice %c into %e[0] [2] [1] : tensor<2xi8> into tensor<3xi8>
  func.return %whole, %part : tensor<3xi8>, tensor<3xi8>
}

// Arithmetic on numbers that are constants gives one; on an argument it does not.

// CHECK-LABEL: func.func @numbers
// CHECK-NEXT:    %four = arith.constant 4 : i32
// CHECK-NEXT:    %half = arith.constant 5.000000e-01 : f32
// CHECK-NEXT:    %sum = arith.addi %four, %x : i32
// CHECK-NEXT:    func.return %sum, %half
func.func @numbers(%x: i32) -> (i32, f32) {
  %c = arith.constant 2 : index
  %i = arith.index_cast %c : index to i32
  %four = arith.muli %i, %i : i32
  %two = arith.constant 2.0 : f32
  %one = arith.constant 1.0 : f32
  %half = arith.divf %one, %two : f32
  %sum = arith.addi %four, %x : i32
  func.return %sum, %half : i32, f32
}
