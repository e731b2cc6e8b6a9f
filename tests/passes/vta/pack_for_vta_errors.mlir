// RUN: vtac-opt %s -p 'pack-for-vta{host=false}' --split-input-file --verify-diagnostics

// Without a host, all operations that the VTA cannot execute are named at once.

func.func @on_the_host(%x: tensor<2x16xf32>) -> tensor<2x16xf32> {
  %e = tensor.empty() : tensor<2x16xf32>
  // expected-error @+1 {{'linalg.add' cannot run on the VTA: }}
  %a = linalg.add ins(%x, %x : tensor<2x16xf32>, tensor<2x16xf32>) outs(%e : tensor<2x16xf32>) -> tensor<2x16xf32>
  // expected-error @+1 {{'linalg.mul' cannot run on the VTA: }}
  %b = linalg.mul ins(%a, %x : tensor<2x16xf32>, tensor<2x16xf32>) outs(%e : tensor<2x16xf32>) -> tensor<2x16xf32>
  func.return %b : tensor<2x16xf32>
}

// -----

// expected-error @+1 {{function 'nothing' gives the VTA nothing to do}}
func.func @nothing(%x: tensor<2x16xi8>) -> tensor<2x16xi8> {
  func.return %x : tensor<2x16xi8>
}

// -----

// expected-error @+1 {{tensor<?x16xi8>: dynamic shapes; static ones are required}}
func.func @dynamic(%x: tensor<?x16xi8>) -> tensor<?x16xi8> {
  func.return %x : tensor<?x16xi8>
}
