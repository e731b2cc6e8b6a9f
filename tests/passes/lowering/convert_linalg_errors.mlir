// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p convert-linalg-to-schedule

// What convert-linalg-to-schedule declines.

func.func @unsupported_op(%a: tensor<4xi32>) -> tensor<4xi32> {
  %one = arith.constant 1 : i32
  // expected-error @+1 {{op 'arith.addi' is not supported; it takes linalg ops, tensor.pad, tensor.extract_slice, packing.pack, packing.unpack, tensor.empty, memref.alloc, arith.constant and func.return: rewrite it as one of these}}
  %two = arith.addi %one, %one : i32
  func.return %a : tensor<4xi32>
}

// -----

#id = affine_map<(i) -> (i)>
// expected-error @+1 {{tensor<?xi32>: dynamic or empty shapes; static ones are required}}
func.func @dynamic_shape(%a: tensor<?xi32>) -> tensor<?xi32> {
  func.return %a : tensor<?xi32>
}

// -----

// expected-error @+1 {{a function takes and returns tensors or memrefs, not i32}}
func.func @scalar_argument(%a: i32) -> i32 {
  func.return %a : i32
}

// -----

#id = affine_map<(i) -> (i)>
func.func @two_outputs(%a: tensor<4xi32>) -> tensor<4xi32> {
  %e = tensor.empty() : tensor<4xi32>
  // expected-error @+1 {{linalg.generic: 2 outputs; one is required: write one op per output}}
  %0, %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
    ins(%a : tensor<4xi32>) outs(%e, %e : tensor<4xi32>, tensor<4xi32>) {
  ^bb0(%x: i32, %o: i32, %p: i32):
    linalg.yield %x, %x : i32, i32
  } -> tensor<4xi32>, tensor<4xi32>
  func.return %0 : tensor<4xi32>
}

// -----

#id = affine_map<(i) -> (i)>
func.func @index_in_body(%a: tensor<4xi32>) -> tensor<4xindex> {
  %e = tensor.empty() : tensor<4xindex>
  // expected-error @+1 {{linalg.index in a body is not supported: use tensor.pad for padding}}
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
    ins(%a : tensor<4xi32>) outs(%e : tensor<4xindex>) {
  ^bb0(%x: i32, %o: index):
    %i = linalg.index 0 : index
    linalg.yield %i : index
  } -> tensor<4xindex>
  func.return %0 : tensor<4xindex>
}

// -----

#id = affine_map<(i) -> (i)>
func.func @output_undefined(%a: tensor<4xi32>) -> tensor<4xi32> {
  %e = tensor.empty() : tensor<4xi32>
  // expected-error @+1 {{linalg.generic: its body reads the output, which tensor.empty leaves undefined: fill it first}}
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
    ins(%a : tensor<4xi32>) outs(%e : tensor<4xi32>) {
  ^bb0(%x: i32, %o: i32):
    %s = arith.addi %x, %o : i32
    linalg.yield %s : i32
  } -> tensor<4xi32>
  func.return %0 : tensor<4xi32>
}

// -----

#id = affine_map<(i) -> (i)>
func.func @input_undefined() -> tensor<4xi32> {
  %hollow = tensor.empty() : tensor<4xi32>
  %e = tensor.empty() : tensor<4xi32>
  // expected-error @+1 {{linalg.generic: operand hollow has no contents here: it is not a function argument, a linalg result, a padded tensor or an allocation}}
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
    ins(%hollow : tensor<4xi32>) outs(%e : tensor<4xi32>) {
  ^bb0(%x: i32, %o: i32):
    linalg.yield %x : i32
  } -> tensor<4xi32>
  func.return %0 : tensor<4xi32>
}

// -----

func.func @pad_by_argument(%a: tensor<4xi8>) -> tensor<6xi8> {
  // expected-error @+1 {{tensor.pad: constant pad sizes and one constant pad value are required}}
  %0 = tensor.pad %a low[1] high[1] {
  ^bb0(%i: index):
    %x = tensor.extract %a[%i] : tensor<4xi8>
    tensor.yield %x : i8
  } : tensor<4xi8> to tensor<6xi8>
  func.return %0 : tensor<6xi8>
}

// -----

func.func @negative_padding(%a: tensor<4xi8>) -> tensor<4xi8> {
  %zero = arith.constant 0 : i8
  // expected-error @+1 {{tensor.pad: negative padding is not supported}}
  %0 = tensor.pad %a low[1] high[-1] {
  ^bb0(%i: index):
    tensor.yield %zero : i8
  } : tensor<4xi8> to tensor<4xi8>
  func.return %0 : tensor<4xi8>
}

// -----

func.func @slice_past_the_end(%a: tensor<4xi32>) -> tensor<2xi32> {
  // expected-error @+1 {{tensor.extract_slice: dimension 0 takes 2 elements from 1 in steps of 3; the source has 4}}
  %s = tensor.extract_slice %a[1] [2] [3] : tensor<4xi32> to tensor<2xi32>
  func.return %s : tensor<2xi32>
}

// -----

func.func @slice_of_another_rank(%a: tensor<4x4xi32>) -> tensor<4xi32> {
  // expected-error @+1 {{tensor.extract_slice: constant offsets, sizes and strides, and a result of these sizes, are required}}
  %s = tensor.extract_slice %a[1, 0] [1, 4] [1, 1] : tensor<4x4xi32> to tensor<4xi32>
  func.return %s : tensor<4xi32>
}
