// RUN: vtac-opt %s -p expand-groups --split-input-file | filecheck %s
// RUN: vtac-opt %s -p expand-groups,expand-groups --split-input-file | filecheck %s

// Two groups of 2 channels and 3 features become one convolution of 4 channels and 6 features whose kernel is zero
// between the groups; a fill stays a fill.

// CHECK-LABEL: func.func @two
// CHECK-SAME: (%x: tensor<1x2x2x4x4xi32>, %w: tensor<2x3x2x3x3xi32>) -> tensor<1x2x3x2x2xi32> {
// CHECK-NEXT:   %zero = arith.constant 0 : i32
// CHECK-NEXT:   %y = packing.reshape %x : tensor<1x2x2x4x4xi32> to tensor<1x4x4x4xi32>
// CHECK-NEXT:   %y_1 = packing.block_diagonal %w : tensor<2x3x2x3x3xi32> to tensor<6x4x3x3xi32>
// CHECK-NEXT:   %y_2 = tensor.empty() : tensor<1x6x2x2xi32>
// CHECK-NEXT:   %y_3 = linalg.fill ins(%zero : i32) outs(%y_2 : tensor<1x6x2x2xi32>) -> tensor<1x6x2x2xi32>
// CHECK-NEXT:   %y_4 = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>} ins(%y, %y_1 : tensor<1x4x4x4xi32>, tensor<6x4x3x3xi32>) outs(%y_3 : tensor<1x6x2x2xi32>) -> tensor<1x6x2x2xi32>
// CHECK-NEXT:   %y_5 = packing.reshape %y_4 : tensor<1x6x2x2xi32> to tensor<1x2x3x2x2xi32>
// CHECK-NEXT:   func.return %y_5 : tensor<1x2x3x2x2xi32>
// CHECK-NEXT: }

func.func @two(%x: tensor<1x2x2x4x4xi32>, %w: tensor<2x3x2x3x3xi32>) -> tensor<1x2x3x2x2xi32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<1x2x3x2x2xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<1x2x3x2x2xi32>) -> tensor<1x2x3x2x2xi32>
  %y = linalg.conv_2d_ngchw_gfchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<1x2x2x4x4xi32>, tensor<2x3x2x3x3xi32>) outs(%init : tensor<1x2x3x2x2xi32>) -> tensor<1x2x3x2x2xi32>
  func.return %y : tensor<1x2x3x2x2xi32>
}

// -----

// What the convolution starts from is no fill: it is reshaped as the data is. Reshapes that undo each other are gone.

// CHECK-LABEL: func.func @start
// CHECK-SAME: (%x: tensor<1x4x4x4xi32>, %w: tensor<2x3x2x3x3xi32>, %s: tensor<1x2x3x2x2xi32>) -> tensor<1x2x3x2x2xi32> {
// CHECK-NEXT:   %y = packing.block_diagonal %w : tensor<2x3x2x3x3xi32> to tensor<6x4x3x3xi32>
// CHECK-NEXT:   %y_1 = packing.reshape %s : tensor<1x2x3x2x2xi32> to tensor<1x6x2x2xi32>
// CHECK-NEXT:   %y_2 = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>} ins(%x, %y : tensor<1x4x4x4xi32>, tensor<6x4x3x3xi32>) outs(%y_1 : tensor<1x6x2x2xi32>) -> tensor<1x6x2x2xi32>
// CHECK-NEXT:   %y_3 = packing.reshape %y_2 : tensor<1x6x2x2xi32> to tensor<1x2x3x2x2xi32>
// CHECK-NEXT:   func.return %y_3 : tensor<1x2x3x2x2xi32>
// CHECK-NEXT: }

func.func @start(%x: tensor<1x4x4x4xi32>, %w: tensor<2x3x2x3x3xi32>, %s: tensor<1x2x3x2x2xi32>) -> tensor<1x2x3x2x2xi32> {
  %g = packing.reshape %x : tensor<1x4x4x4xi32> to tensor<1x2x2x4x4xi32>
  %y = linalg.conv_2d_ngchw_gfchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%g, %w : tensor<1x2x2x4x4xi32>, tensor<2x3x2x3x3xi32>) outs(%s : tensor<1x2x3x2x2xi32>) -> tensor<1x2x3x2x2xi32>
  func.return %y : tensor<1x2x3x2x2xi32>
}
