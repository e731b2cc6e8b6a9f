// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule --split-input-file --verify-diagnostics | filecheck %s

// cluster: the loop around runs over all blocks, of which neighbours are a cluster.

// CHECK-LABEL: func.func @f
// CHECK:         schedule.for %i0_outer = 0 to 16 kind "blockIdx.x" attributes {cluster = 4 : i64} {
// CHECK-NEXT:      schedule.for %i1 = 0 to 16 {
// CHECK-NEXT:        schedule.block "y" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i0_outer, %i1) {{.*}}
func.func @f(%x: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %y_empty = tensor.empty() : tensor<16x16xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<16x16xf32>) outs(%y_empty : tensor<16x16xf32>) {
  ^bb0(%v: f32, %o: f32):
    %t = arith.addf %v, %v : f32
    linalg.yield %t : f32
  } -> tensor<16x16xf32>
  func.return %y : tensor<16x16xf32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i, %j = schedule.get_loops %y : !schedule.loop, !schedule.loop
  %io, %ii = schedule.split %i factor 4
  schedule.bind %io, "blockIdx.x"
  schedule.cluster %ii
}

// -----

// Other loops stay within.

// CHECK-LABEL: func.func @f
// CHECK:         schedule.for %i0_outer_outer = 0 to 4 kind "blockIdx.y" attributes {cluster = 2 : i64} {
// CHECK-NEXT:      schedule.for %i0_inner = 0 to 4 {
func.func @f(%x: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %y_empty = tensor.empty() : tensor<16x16xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<16x16xf32>) outs(%y_empty : tensor<16x16xf32>) {
  ^bb0(%v: f32, %o: f32):
    %t = arith.addf %v, %v : f32
    linalg.yield %t : f32
  } -> tensor<16x16xf32>
  func.return %y : tensor<16x16xf32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i, %j = schedule.get_loops %y : !schedule.loop, !schedule.loop
  %io, %ii = schedule.split %i factor 4
  %a, %b = schedule.split %io factor 2
  schedule.bind %a, "blockIdx.y"
  schedule.cluster %b
}

// -----

func.func @f(%x: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %y_empty = tensor.empty() : tensor<16x16xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<16x16xf32>) outs(%y_empty : tensor<16x16xf32>) {
  ^bb0(%v: f32, %o: f32):
    %t = arith.addf %v, %v : f32
    linalg.yield %t : f32
  } -> tensor<16x16xf32>
  func.return %y : tensor<16x16xf32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i, %j = schedule.get_loops %y : !schedule.loop, !schedule.loop
  %io, %ii = schedule.split %i factor 4
  // expected-error @+1 {{cluster: loop 'i0_inner' (extent 4) stands directly in no loop that is bound to blockIdx; split a loop, bind the outer part to blockIdx.x, y or z, and give the inner one}}
  schedule.cluster %ii
}

// -----

func.func @f(%x: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %y_empty = tensor.empty() : tensor<16x16xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<16x16xf32>) outs(%y_empty : tensor<16x16xf32>) {
  ^bb0(%v: f32, %o: f32):
    %t = arith.addf %v, %v : f32
    linalg.yield %t : f32
  } -> tensor<16x16xf32>
  func.return %y : tensor<16x16xf32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i, %j = schedule.get_loops %y : !schedule.loop, !schedule.loop
  %io, %ii = schedule.split %i factor 4
  schedule.bind %io, "threadIdx.x"
  // expected-error @+1 {{cluster: loop 'i0_inner' (extent 4) stands directly in no loop that is bound to blockIdx}}
  schedule.cluster %ii
}

// -----

func.func @f(%x: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %y_empty = tensor.empty() : tensor<16x16xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<16x16xf32>) outs(%y_empty : tensor<16x16xf32>) {
  ^bb0(%v: f32, %o: f32):
    %t = arith.addf %v, %v : f32
    linalg.yield %t : f32
  } -> tensor<16x16xf32>
  func.return %y : tensor<16x16xf32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i, %j = schedule.get_loops %y : !schedule.loop, !schedule.loop
  %io, %ii = schedule.split %i factor 4
  schedule.bind %io, "blockIdx.x"
  schedule.bind %ii, "threadIdx.y"
  // expected-error @+1 {{cluster: loop 'i0_inner' (extent 4) is threadIdx.y already; give a plain loop}}
  schedule.cluster %ii
}

// -----

func.func @f(%x: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %y_empty = tensor.empty() : tensor<16x16xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<16x16xf32>) outs(%y_empty : tensor<16x16xf32>) {
  ^bb0(%v: f32, %o: f32):
    %t = arith.addf %v, %v : f32
    linalg.yield %t : f32
  } -> tensor<16x16xf32>
  func.return %y : tensor<16x16xf32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i, %j = schedule.get_loops %y : !schedule.loop, !schedule.loop
  %io, %ii = schedule.split %i factor 16
  schedule.bind %io, "blockIdx.x"
  // expected-error @+1 {{cluster: a cluster of 16 blocks; 2 to 8, which every architecture with clusters has; clusters of 16 are not portable}}
  schedule.cluster %ii
}

// -----

func.func @f(%x: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %y_empty = tensor.empty() : tensor<16x16xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<16x16xf32>) outs(%y_empty : tensor<16x16xf32>) {
  ^bb0(%v: f32, %o: f32):
    %t = arith.addf %v, %v : f32
    linalg.yield %t : f32
  } -> tensor<16x16xf32>
  func.return %y : tensor<16x16xf32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i, %j = schedule.get_loops %y : !schedule.loop, !schedule.loop
  %io, %ii = schedule.split %i factor 1
  schedule.bind %io, "blockIdx.x"
  // expected-error @+1 {{cluster: a cluster of 1 blocks; 2 to 8, which every architecture with clusters has}}
  schedule.cluster %ii
}

// -----

func.func @f(%x: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %y_empty = tensor.empty() : tensor<16x16xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<16x16xf32>) outs(%y_empty : tensor<16x16xf32>) {
  ^bb0(%v: f32, %o: f32):
    %t = arith.addf %v, %v : f32
    linalg.yield %t : f32
  } -> tensor<16x16xf32>
  func.return %y : tensor<16x16xf32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i, %j = schedule.get_loops %y : !schedule.loop, !schedule.loop
  %io, %ii = schedule.split %i factor 4
  schedule.bind %io, "blockIdx.x"
  %jo, %ji = schedule.split %j factor 4
  schedule.reorder %jo, %ji
  schedule.cluster %ii
  schedule.bind %jo, "blockIdx.y"
  // expected-error @+1 {{cluster: loop 'i0_outer' (extent 16) has clusters already; give one axis of the grid}}
  schedule.cluster %ji
}

// -----

func.func @f(%x: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %y_empty = tensor.empty() : tensor<16x16xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<16x16xf32>) outs(%y_empty : tensor<16x16xf32>) {
  ^bb0(%v: f32, %o: f32):
    %t = arith.addf %v, %v : f32
    linalg.yield %t : f32
  } -> tensor<16x16xf32>
  func.return %y : tensor<16x16xf32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i, %j = schedule.get_loops %y : !schedule.loop, !schedule.loop
  %io, %ii = schedule.split %i factor 4
  schedule.bind %io, "blockIdx.x"
  %s = schedule.cache_read %y, 0, "shared"
  schedule.compute_at %s, %io
  // expected-error @+1 {{cluster: loop 'i0_inner' (extent 4) is not the only thing in loop 'i0_outer' (extent 4); move into it what stands beside it}}
  schedule.cluster %ii
}

// -----

builtin.module attributes {wmma.architecture = "sm_80"} {
  func.func @f(%x: tensor<16x16xf32>) -> tensor<16x16xf32> {
    %y_empty = tensor.empty() : tensor<16x16xf32>
    %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%x : tensor<16x16xf32>) outs(%y_empty : tensor<16x16xf32>) {
    ^bb0(%v: f32, %o: f32):
      %t = arith.addf %v, %v : f32
      linalg.yield %t : f32
    } -> tensor<16x16xf32>
    func.return %y : tensor<16x16xf32>
  }
  schedule.script @f {
    %y = schedule.get_block "y"
    %i, %j = schedule.get_loops %y : !schedule.loop, !schedule.loop
    %io, %ii = schedule.split %i factor 4
    schedule.bind %io, "blockIdx.x"
    // expected-error @+1 {{cluster: sm_80 has no clusters; compile for sm_90 or later}}
    schedule.cluster %ii
  }
}
