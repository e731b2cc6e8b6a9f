// RUN: vtac-opt %s -p explain-choices | filecheck %s
// RUN: vtac-opt %s -p explain-choices,explain-choices | filecheck %s

// A host segment and an operation that ends a stream say where they stand, how much they are, and what would avoid
// them; layouts alone are said at the call behind them. What is no contraction of the host's, the VTA computes.

// CHECK-LABEL: func.func @net
// CHECK-SAME:    packing.summary = {contractions = 2 : i64, contractions_on_vta = 2 : i64, macs = 300 : i64,
// CHECK-SAME:      macs_on_vta = 300 : i64, float_contractions = 0 : i64}
// CHECK:         %a = func.call @step(%x) {packing.choice = ["step: planted ({{.*}}:26:8)"]}
// CHECK:         %h = packing.host "planted" attributes {packing.choice = [
// CHECK-SAME:      "host: planted ({{.*}}:27:8, 32 elements); use additions, maxima,
// CHECK-SAME:      "stream break: between step and step the host does 'linalg.generic' ({{.*}}:27:8, 32 bytes through
// CHECK:         %b = func.call @step(%h) : 
// CHECK:         %c = func.call @step(%packed) {packing.choice =
// CHECK-SAME:      ["stream break: between step and step the host changes a layout ({{.*}}:39:8, 32 bytes through
// CHECK-SAME:      move it to the ends of the network, or do without it"]}
#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
func.func private @step(%x: tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8> attributes {packing.device} {
  func.return %x : tensor<1x2x1x16xi8>
}

func.func @net(%x: tensor<1x2x1x16xi8>)
    -> (tensor<1x2x1x16xi8>, tensor<1x2x1x16xi8>) attributes {packing.contractions = [
      {location = "elsewhere:1:1", macs = 200 : i64}, {location = "", macs = 100 : i64}]} {
  %a = func.call @step(%x) {packing.choice = "planted"} : (tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8>
  %h = packing.host "planted" -> tensor<1x2x1x16xi8> {
    %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%a : tensor<1x2x1x16xi8>) outs(%x : tensor<1x2x1x16xi8>) {
    ^bb0(%v: i8, %o: i8):
      %y = arith.muli %v, %o : i8
      linalg.yield %y : i8
    } -> tensor<1x2x1x16xi8>
    packing.yield %s : tensor<1x2x1x16xi8>
  }
  %b = func.call @step(%h) : (tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8>
  %plain = packing.unpack %b dims [0, 1] tiles [1, 16] order [0, 1] : tensor<1x2x1x16xi8> to tensor<1x32xi8>
  %packed = packing.pack %plain dims [0, 1] tiles [1, 16] order [0, 1] : tensor<1x32xi8> to tensor<1x2x1x16xi8>
  %c = func.call @step(%packed) : (tensor<1x2x1x16xi8>) -> tensor<1x2x1x16xi8>
  func.return %c, %c : tensor<1x2x1x16xi8>, tensor<1x2x1x16xi8>
}
