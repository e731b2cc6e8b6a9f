// RUN: vtac-opt %s -p refuse-host-operations --split-input-file --verify-diagnostics

func.func @segment(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'linalg.sqrt' cannot run on the VTA: it has no roots; allow host segments (without --no-host), or rewrite it}}
  %y = packing.host "'linalg.sqrt' cannot run on the VTA: it has no roots" -> tensor<4xf32> {
    packing.yield %x : tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}

// -----

// expected-error @+1 {{function 'nothing' gives the VTA nothing to do}}
func.func @nothing(%x: tensor<2x16xi8>) -> tensor<2x16xi8> {
  func.return %x : tensor<2x16xi8>
}
