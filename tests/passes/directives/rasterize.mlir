// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' | filecheck %s
// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule,schedule-compact-buffers,convert-blocks-to-memory,convert-loops-to-gpu' | filecheck %s --check-prefix KERNEL

// rasterize: the grid keeps its shape; block number n = 6 y + x takes row (n div 12) 2 + n mod 2 and column
// (n mod 12) div 2 of the tiles.

func.func @f(%x: tensor<64x48xf32>) -> tensor<64x48xf32> {
  %empty = tensor.empty() : tensor<64x48xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%x : tensor<64x48xf32>) outs(%empty : tensor<64x48xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<64x48xf32>
  func.return %y : tensor<64x48xf32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i, %j = schedule.get_loops %y : !schedule.loop, !schedule.loop
  %row, %tile_row = schedule.split %i factor 16
  %column, %tile_column = schedule.split %j factor 8
  schedule.reorder %row, %column, %tile_row, %tile_column
  schedule.bind %row, "blockIdx.y"
  schedule.bind %column, "blockIdx.x"
  schedule.rasterize %row, %column group 2
}

// CHECK: schedule.for %i0_outer = 0 to 4 kind "blockIdx.y" {
// CHECK-NEXT: schedule.for %i1_outer = 0 to 6 kind "blockIdx.x" {
// CHECK-NEXT: schedule.for %i0_inner = 0 to 16 {
// CHECK-NEXT: schedule.for %i1_inner = 0 to 8 {
// CHECK-NEXT: schedule.block "y" <spatial 64, spatial 48> = (d0, d1, d2, d3) -> (((((((d0 * 6) + d1) floordiv 12) * 32) + ((d1 mod 2) * 16)) + d2), ((((((d0 * 6) + d1) mod 12) floordiv 2) * 8) + d3))(%i0_outer, %i1_outer, %i0_inner, %i1_inner)

// KERNEL: wmma.grid = array<i64: 6, 4, 1>
