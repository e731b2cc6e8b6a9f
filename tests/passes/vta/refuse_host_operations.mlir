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

// -----

// Integers that are only widened as they are packed are no work of the host's.

func.func private @device(%x: tensor<2x16xi32>) -> tensor<2x16xi8> attributes {packing.device}
func.func @widened(%x: tensor<2x16xi16>) -> tensor<2x16xi8> {
  %w = packing.host "planted" -> tensor<2x16xi32> {
    %e = tensor.empty() : tensor<2x16xi32>
    %g = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>],
        iterator_types = ["parallel", "parallel"]} ins(%x : tensor<2x16xi16>) outs(%e : tensor<2x16xi32>) {
    ^bb0(%a: i16, %o: i32):
      %b = arith.extsi %a : i16 to i32
      linalg.yield %b : i32
    } -> tensor<2x16xi32>
    packing.yield %g : tensor<2x16xi32>
  }
  %y = func.call @device(%w) : (tensor<2x16xi32>) -> tensor<2x16xi8>
  func.return %y : tensor<2x16xi8>
}
