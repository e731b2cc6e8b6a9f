// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule --split-input-file --verify-diagnostics | filecheck %s

// pipeline: the number of stages stands on the loop, for gpu-pipeline-loops.

// CHECK-LABEL: func.func @f
// CHECK-SAME: (%x: memref<4x8xi32>, %y: memref<4x8xi32> {schedule.result}) {
// CHECK-NEXT:   %x_shared = memref.alloc() : memref<4x8xi32, "shared">
// CHECK-NEXT:   schedule.for %i0 = 0 to 4 attributes {pipeline = 3 : i64} {
// CHECK-NEXT:     schedule.for %i0_1 = 0 to 1 {
// CHECK-NEXT:       schedule.for %i1 = 0 to 8 {
// CHECK-NEXT:         schedule.block "x_shared" <spatial 4, spatial 8> = (d0, d1, d2) -> ((d0 + d1), d2)(%i0, %i0_1, %i1)
// CHECK-NEXT:           reads %x<(d0, d1) -> (d0, d1)> : memref<4x8xi32>
// CHECK-NEXT:           writes %x_shared<(d0, d1) -> (d0, d1)> : memref<4x8xi32, "shared"> {
// CHECK-NEXT:         ^bb0(%0: i32):
// CHECK-NEXT:           schedule.yield %0 : i32
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:     schedule.for %i1_1 = 0 to 8 {
// CHECK-NEXT:       schedule.block "y" <spatial 4, spatial 8> = (d0, d1) -> (d0, d1)(%i0, %i1_1) from "linalg.generic"
// CHECK-NEXT:         reads %x_shared<(d0, d1) -> (d0, d1)> : memref<4x8xi32, "shared">
// CHECK-NEXT:         writes %y<(d0, d1) -> (d0, d1)> : memref<4x8xi32> {
// CHECK-NEXT:       ^bb0(%v: i32):
// CHECK-NEXT:         %t = arith.addi %v, %v : i32
// CHECK-NEXT:         schedule.yield %t : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @f(%x: tensor<4x8xi32>) -> tensor<4x8xi32> {
  %y_empty = tensor.empty() : tensor<4x8xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xi32>) outs(%y_empty : tensor<4x8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<4x8xi32>
  func.return %y : tensor<4x8xi32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i = schedule.get_loop %y "i0"
  %s = schedule.cache_read %y, 0, "shared"
  schedule.compute_at %s, %i
  schedule.pipeline %i stages 3
}

// -----

func.func @f(%x: tensor<4x8xi32>) -> tensor<4x8xi32> {
  %y_empty = tensor.empty() : tensor<4x8xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xi32>) outs(%y_empty : tensor<4x8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<4x8xi32>
  func.return %y : tensor<4x8xi32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i = schedule.get_loop %y "i0"
  // expected-error @+1 {{pipeline: loop 'i0' (extent 4) copies nothing to shared memory; compute_at the copies there first}}
  schedule.pipeline %i stages 3
}

// -----

func.func @f(%x: tensor<4x8xi32>) -> tensor<4x8xi32> {
  %y_empty = tensor.empty() : tensor<4x8xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xi32>) outs(%y_empty : tensor<4x8xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  } -> tensor<4x8xi32>
  func.return %y : tensor<4x8xi32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i = schedule.get_loop %y "i0"
  %s = schedule.cache_read %y, 0, "shared"
  schedule.compute_at %s, %i
  // expected-error @+1 {{pipeline: 5 stages for loop 'i0' (extent 4); at most 4, one per iteration}}
  schedule.pipeline %i stages 5
}

// -----

// Bulk copies, which the loop says.

// CHECK-LABEL: func.func @f
// CHECK:         schedule.for %i0_outer = 0 to 4 attributes {pipeline_async = "tma", pipeline = 3 : i64} {
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
  // expected-error @+1 {{pipeline: block 'x_shared' is no bulk copy; tensorize(loop, "tma.load") its outermost own loop first}}
  schedule.pipeline %io stages 3 async "tma"
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
  // expected-error @+1 {{pipeline: block 'x_shared' is a bulk copy; pipeline the loop with async "tma", in Python async_="tma"}}
  schedule.pipeline %io stages 3
}
