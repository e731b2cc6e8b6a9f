// RUN: vtac-opt %s -p vta-link-kernels --split-input-file --verify-diagnostics

func.func private @other_operation(%x: tensor<1x1x1x16xi8>) -> tensor<1x1x16x1xi8> attributes {packing.program} {
  // expected-error @+1 {{'packing.host' in program 'other_operation'; a program calls kernels, reshapes their buffers and names constants: keep other operations on the host}}
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
