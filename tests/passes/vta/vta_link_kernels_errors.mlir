// RUN: vtac-opt %s -p vta-link-kernels --split-input-file --verify-diagnostics

func.func private @other_operation(%x: tensor<1x1x1x16xi8>) -> tensor<1x1x16x1xi8> attributes {packing.program} {
  // expected-error @+1 {{'packing.host' in program 'other_operation'; a program calls kernels, reshapes, cuts and joins their buffers, and names constants: keep other operations on the host}}
  %y = packing.host "planted" -> tensor<1x1x16x1xi8> {
    %z = tensor.empty() : tensor<1x1x16x1xi8>
    packing.yield %z : tensor<1x1x16x1xi8>
  }
  func.return %y : tensor<1x1x16x1xi8>
}

// -----

func.func private @no_kernel(%x: tensor<1x1x1x16xi8>) -> tensor<1x1x1x16xi8> attributes {packing.program} {
  // expected-error @+1 {{call of 'step', of which no module within the module has a kernel: lower every device function to the vta level first}}
  %y = func.call @step(%x) : (tensor<1x1x1x16xi8>) -> tensor<1x1x1x16xi8>
  func.return %y : tensor<1x1x1x16xi8>
}
func.func private @step(%x: tensor<1x1x1x16xi8>) -> tensor<1x1x1x16xi8>

// -----

func.func private @no_place(%x: tensor<1x1x1x16xi8>) -> tensor<1x2x1x16xi8> attributes {packing.program} {
  %e = tensor.empty() : tensor<1x2x1x16xi8>
  // expected-error @+1 {{'tensor.insert_slice' in program 'no_place': operand 0 has no place (it lies elsewhere already, or is computed before what it is put into): run place-tensors first}}
  %y = tensor.insert_slice %x into %e[0, 1, 0, 0] [1, 1, 1, 16] [1, 1, 1, 1] : tensor<1x1x1x16xi8> into tensor<1x2x1x16xi8>
  func.return %y : tensor<1x2x1x16xi8>
}

// -----

func.func private @whole(%x: tensor<1x1x1x16xi8>) -> tensor<1x2x1x16xi8> attributes {packing.program} {
  // expected-error @+1 {{kernel 'step' takes memref<1x1x1x16xi8>; 'y' lies 16 elements into a buffer, with strides [16, 16, 16, 1]: run place-tensors first}}
  %y = func.call @step(%x) : (tensor<1x1x1x16xi8>) -> tensor<1x1x1x16xi8>
  %e = tensor.empty() : tensor<1x2x1x16xi8>
  %z = tensor.insert_slice %y into %e[0, 1, 0, 0] [1, 1, 1, 16] [1, 1, 1, 1] : tensor<1x1x1x16xi8> into tensor<1x2x1x16xi8>
  func.return %z : tensor<1x2x1x16xi8>
}
func.func private @step(%x: tensor<1x1x1x16xi8>) -> tensor<1x1x1x16xi8>
builtin.module {
  func.func private @step(%x: memref<1x1x1x16xi8>, %r: memref<1x1x1x16xi8> {schedule.result}) {
    vta.sync
    func.return
  }
}
