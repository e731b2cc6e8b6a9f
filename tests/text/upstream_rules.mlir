// RUN: vtac-opt %s --split-input-file --verify-diagnostics

// MLIR checks these; xDSL does not.
func.func @extract_slice(%a: tensor<2x3xi8>) -> tensor<2x2xi8> {
  // expected-error@+1 {{'tensor.extract_slice' does not verify: a slice of sizes [2, 3] is no tensor<2x2xi8>}}
  %s = tensor.extract_slice %a[0, 0] [2, 3] [1, 1] : tensor<2x3xi8> to tensor<2x2xi8>
  func.return %s : tensor<2x2xi8>
}
// -----
func.func @insert_slice(%a: tensor<2x3xi8>, %b: tensor<4x4xi8>) -> tensor<4x4xi8> {
  // expected-error@+1 {{'tensor.insert_slice' does not verify: dimension 1: 2 elements from 3 in steps of 1 do not lie inside 4}}
  %s = tensor.insert_slice %a into %b[0, 3] [2, 2] [1, 1] : tensor<2x3xi8> into tensor<4x4xi8>
  func.return %s : tensor<4x4xi8>
}
// -----
func.func @collapse_shape(%a: tensor<2x3xi8>) -> tensor<7xi8> {
  // expected-error@+1 {{'tensor.collapse_shape' does not verify: dimensions [0, 1] of tensor<2x3xi8> make 6, their one has 7}}
  %s = tensor.collapse_shape %a [[0, 1]] : tensor<2x3xi8> into tensor<7xi8>
  func.return %s : tensor<7xi8>
}
// -----
func.func @pad(%a: tensor<2x3xi8>) -> tensor<2x7xi8> {
  %c = arith.constant 0 : i8
  // expected-error@+1 {{'tensor.pad' does not verify: dimension 1: 3 + 0 + 0 is 3, the result has 7}}
  %s = tensor.pad %a low[0, 0] high[0, 0] {
  ^bb0(%q0: index, %q1: index):
    tensor.yield %c : i8
  } : tensor<2x3xi8> to tensor<2x7xi8>
  func.return %s : tensor<2x7xi8>
}
// -----
func.func @extract(%a: tensor<2x3xi8>) -> i8 {
  %c = arith.constant 0 : index
  // expected-error@+1 {{'tensor.extract' does not verify: 1 indices into tensor<2x3xi8>: one per dimension is required}}
  %s = tensor.extract %a[%c] : tensor<2x3xi8>
  func.return %s : i8
}
// -----
func.func @destination(%a: tensor<4x8xi8>, %b: tensor<8x4xi8>) -> tensor<1x1xi32> {
  %e = tensor.empty() : tensor<4x4xi32>
  // expected-error@+1 {{'linalg.matmul' does not verify: result #0 is tensor<1x1xi32>, its outs tensor<4x4xi32>: equal types are required}}
  %s = linalg.matmul ins(%a, %b : tensor<4x8xi8>, tensor<8x4xi8>) outs(%e : tensor<4x4xi32>) -> tensor<1x1xi32>
  func.return %s : tensor<1x1xi32>
}
// -----
func.func @slice_past_the_end(%a: tensor<4xi32>) -> tensor<2xi32> {
  // expected-error@+1 {{'tensor.extract_slice' does not verify: dimension 0: 2 elements from 1 in steps of 3 do not lie inside 4}}
  %s = tensor.extract_slice %a[1] [2] [3] : tensor<4xi32> to tensor<2xi32>
  func.return %s : tensor<2xi32>
}

// -----
func.func @window_without_dilations(%x: tensor<1x2x4x4xi8>, %w: tensor<3x2x1x1xi8>, %s: tensor<1x3x4x4xi32>) -> tensor<1x3x4x4xi32> {
  %r = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<1x2x4x4xi8>, tensor<3x2x1x1xi8>) outs(%s : tensor<1x3x4x4xi32>) -> tensor<1x3x4x4xi32>
  func.return %r : tensor<1x3x4x4xi32>
}
// -----
func.func @window_of_one_stride(%x: tensor<1x2x4x4xi8>, %w: tensor<3x2x1x1xi8>, %s: tensor<1x3x4x4xi32>) -> tensor<1x3x4x4xi32> {
  // expected-error@+1 {{'linalg.conv_2d_nchw_fchw' does not verify: its strides are dense<1> : tensor<1xi64>: one i64 for each of its 2 axes is required}}
  %r = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<1xi64>} ins(%x, %w : tensor<1x2x4x4xi8>, tensor<3x2x1x1xi8>) outs(%s : tensor<1x3x4x4xi32>) -> tensor<1x3x4x4xi32>
  func.return %r : tensor<1x3x4x4xi32>
}
// -----
func.func @window_of_narrow_strides(%x: tensor<1x2x4x4xi8>, %w: tensor<3x2x1x1xi8>, %s: tensor<1x3x4x4xi32>) -> tensor<1x3x4x4xi32> {
  // expected-error@+1 {{'linalg.conv_2d_nchw_fchw' does not verify: its strides are dense<1> : tensor<2xi32>: one i64 for each of its 2 axes is required}}
  %r = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi32>} ins(%x, %w : tensor<1x2x4x4xi8>, tensor<3x2x1x1xi8>) outs(%s : tensor<1x3x4x4xi32>) -> tensor<1x3x4x4xi32>
  func.return %r : tensor<1x3x4x4xi32>
}
// -----
func.func @window_that_stays(%x: tensor<1x2x4x4xi8>, %w: tensor<3x2x1x1xi8>, %s: tensor<1x3x4x4xi32>) -> tensor<1x3x4x4xi32> {
  // expected-error@+1 {{'linalg.conv_2d_nchw_fchw' does not verify: its strides are dense<[1, 0]> : tensor<2xi64>: windows move forward, by 1 or more}}
  %r = linalg.conv_2d_nchw_fchw {strides = dense<[1, 0]> : tensor<2xi64>} ins(%x, %w : tensor<1x2x4x4xi8>, tensor<3x2x1x1xi8>) outs(%s : tensor<1x3x4x4xi32>) -> tensor<1x3x4x4xi32>
  func.return %r : tensor<1x3x4x4xi32>
}
// -----
func.func @window_that_reaches_back(%x: tensor<1x2x4x4xi8>, %w: tensor<3x2x1x1xi8>, %s: tensor<1x3x4x4xi32>) -> tensor<1x3x4x4xi32> {
  // expected-error@+1 {{'linalg.conv_2d_nchw_fchw' does not verify: its dilations are dense<-1> : vector<2xi64>: windows move forward, by 1 or more}}
  %r = linalg.conv_2d_nchw_fchw {dilations = dense<-1> : vector<2xi64>} ins(%x, %w : tensor<1x2x4x4xi8>, tensor<3x2x1x1xi8>) outs(%s : tensor<1x3x4x4xi32>) -> tensor<1x3x4x4xi32>
  func.return %r : tensor<1x3x4x4xi32>
}
// -----
func.func @window_of_a_product_alone(%x: tensor<1x2x4x4xi8>, %w: tensor<3x2x1x1xi8>, %z: i32, %s: tensor<1x3x4x4xi32>) -> tensor<1x3x4x4xi32> {
  // expected-error@+1 {{'linalg.conv_2d_nchw_fchw' does not verify: it has 4 ins and 1 outs; 2 ins and 1 outs are required}}
  %r = linalg.conv_2d_nchw_fchw ins(%x, %w, %z, %z : tensor<1x2x4x4xi8>, tensor<3x2x1x1xi8>, i32, i32) outs(%s : tensor<1x3x4x4xi32>) -> tensor<1x3x4x4xi32>
  func.return %r : tensor<1x3x4x4xi32>
}
// -----
func.func @filled_with_another_type(%v: f32, %s: tensor<4xf16>) -> tensor<4xf16> {
  // expected-error@+1 {{'linalg.fill' does not verify: its elements are f32, f16: one type is required; convert them before}}
  %r = linalg.fill ins(%v : f32) outs(%s : tensor<4xf16>) -> tensor<4xf16>
  func.return %r : tensor<4xf16>
}
// -----
func.func @sum_of_narrow_elements(%a: tensor<4xi8>, %s: tensor<4xi32>) -> tensor<4xi32> {
  // expected-error@+1 {{'linalg.add' does not verify: its elements are i8, i8, i32: one type is required; convert them before}}
  %r = linalg.add ins(%a, %a : tensor<4xi8>, tensor<4xi8>) outs(%s : tensor<4xi32>) -> tensor<4xi32>
  func.return %r : tensor<4xi32>
}
// -----
func.func @sum_of_bits(%a: tensor<4xi1>) -> tensor<4xi1> {
  // expected-error@+1 {{'linalg.add' does not verify: MLIR takes the or of single bits: write linalg.generic with arith.ori, or with arith.xori for a sum}}
  %r = linalg.add ins(%a, %a : tensor<4xi1>, tensor<4xi1>) outs(%a : tensor<4xi1>) -> tensor<4xi1>
  func.return %r : tensor<4xi1>
}
// -----
func.func @reduction_by_nothing(%x: tensor<4x8xi32>, %start: tensor<4xi32>) -> tensor<4xi32> {
  // expected-error@+1 {{'arith.add' is no operation that bodies are made of}}
  %r = linalg.reduce { arith.add } ins(%x : tensor<4x8xi32>) outs(%start : tensor<4xi32>) dimensions = [1]
  func.return %r : tensor<4xi32>
}

// -----

func.func @index(%a: tensor<4xi32>) -> tensor<4xindex> {
  %e = tensor.empty() : tensor<4xindex>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%a : tensor<4xi32>) outs(%e : tensor<4xindex>) {
  ^bb0(%x: i32, %o: index):
    // expected-error @+1 {{'linalg.index' does not verify: it names loop 5, 'linalg.generic' has 1: one of 0 to 0 is required}}
    %i = linalg.index 5 : index
    linalg.yield %i : index
  } -> tensor<4xindex>
  func.return %y : tensor<4xindex>
}

// -----

func.func @global() {
  // expected-error @+1 {{'memref.get_global' does not verify: it names @none, which is no memref.global of the module}}
  %g = memref.get_global @none : memref<4xi8>
  func.return
}

// -----

func.func @slice_anywhere(%a: tensor<2xi32>, %at: index) -> tensor<2xi32> {
  // expected-error @+1 {{'tensor.extract_slice' does not verify: dimension 0: 2 elements anywhere in steps of 2 do not lie inside 2}}
  %y = tensor.extract_slice %a[%at][2][2] : tensor<2xi32> to tensor<2xi32>
  func.return %y : tensor<2xi32>
}
