// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule --split-input-file --verify-diagnostics | filecheck %s

// specialize: the warps of both roles stand on the loop, for gpu-specialize-warps.

// CHECK-LABEL: func.func @f
// CHECK:         schedule.for %i0_outer = 0 to 4 attributes {pipeline_async = "tma", pipeline = 3 : i64, specialize = array<i64: 4, 4>} {
// CHECK:           schedule.for {{.*}} attributes {tensorize = "tma.load"} {
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
  %jo, %ji = schedule.split %j factor 4
  schedule.reorder %jo, %io, %ii, %ji
  schedule.bind %jo, "threadIdx.y"
  %s = schedule.cache_read %y, 0, "shared"
  schedule.compute_at %s, %io
  %a, %b, %c, %d = schedule.get_loops %s : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  schedule.tensorize %c, "tma.load"
  schedule.pipeline %io stages 3 async "tma"
  schedule.specialize %io producers 4 consumers 4
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
  %jo, %ji = schedule.split %j factor 4
  schedule.reorder %jo, %io, %ii, %ji
  schedule.bind %jo, "threadIdx.y"
  %s = schedule.cache_read %y, 0, "shared"
  schedule.compute_at %s, %io
  %a, %b, %c, %d = schedule.get_loops %s : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  // expected-error @+1 {{specialize: loop 'i0_outer' (extent 4) is no pipeline of bulk copies; pipeline it with async "tma" (in Python async_)}}
  schedule.specialize %io producers 4 consumers 4
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
  %jo, %ji = schedule.split %j factor 4
  schedule.reorder %jo, %io, %ii, %ji
  schedule.bind %jo, "threadIdx.y"
  %s = schedule.cache_read %y, 0, "shared"
  schedule.compute_at %s, %io
  %a, %b, %c, %d = schedule.get_loops %s : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  schedule.tensorize %c, "tma.load"
  schedule.pipeline %io stages 3 async "tma"
  schedule.specialize %io producers 4 consumers 4
  // expected-error @+1 {{specialize: loop 'i0_outer' (extent 4) is specialized already; specialize it once}}
  schedule.specialize %io producers 4 consumers 4
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
  %jo, %ji = schedule.split %j factor 4
  schedule.reorder %jo, %io, %ii, %ji
  schedule.bind %jo, "threadIdx.y"
  %s = schedule.cache_read %y, 0, "shared"
  schedule.compute_at %s, %io
  %a, %b, %c, %d = schedule.get_loops %s : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  schedule.tensorize %c, "tma.load"
  schedule.pipeline %io stages 3 async "tma"
  // expected-error @+1 {{specialize: 8 consumers in a block of 4 warps; all warps of the block: 4}}
  schedule.specialize %io producers 4 consumers 8
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
  %jo, %ji = schedule.split %j factor 4
  schedule.reorder %jo, %io, %ii, %ji
  schedule.bind %jo, "threadIdx.y"
  %s = schedule.cache_read %y, 0, "shared"
  schedule.compute_at %s, %io
  %a, %b, %c, %d = schedule.get_loops %s : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  schedule.tensorize %c, "tma.load"
  schedule.pipeline %io stages 3 async "tma"
  // expected-error @+1 {{specialize: 2 producers beside rows of 4 warps along threadIdx.y; a multiple of 4 producers}}
  schedule.specialize %io producers 2 consumers 4
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
  %jo, %ji = schedule.split %j factor 4
  schedule.reorder %jo, %io, %ii, %ji
  schedule.bind %jo, "threadIdx.y"
  %s = schedule.cache_read %y, 0, "shared"
  schedule.compute_at %s, %io
  %a, %b, %c, %d = schedule.get_loops %s : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  schedule.tensorize %c, "tma.load"
  schedule.pipeline %io stages 3 async "tma"
  // expected-error @+1 {{specialize: 36 warps in a block; at most 32}}
  schedule.specialize %io producers 32 consumers 4
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
  %jo, %ji = schedule.split %j factor 4
  schedule.reorder %jo, %io, %ii, %ji
  schedule.bind %jo, "threadIdx.y"
  %s = schedule.cache_read %y, 0, "shared"
  schedule.compute_at %s, %io
  %a, %b, %c, %d = schedule.get_loops %s : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  schedule.bind %ji, "threadIdx.x"
  schedule.tensorize %c, "tma.load"
  schedule.pipeline %io stages 3 async "tma"
  // expected-error @+1 {{specialize: threadIdx.x has 4 values; bind loops of 32 iterations to it, or none}}
  schedule.specialize %io producers 4 consumers 4
}
