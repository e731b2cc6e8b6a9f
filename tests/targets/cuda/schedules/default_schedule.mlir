// RUN: vtac schedule %s --target cuda --arch sm_90 | filecheck %s

// The default schedule of a padded convolution with its truncation: 50 pixels in tiles of 32, 5 features in one of 32,
// 36 products in steps of 16.

func.func @conv(%data: tensor<2x4x5x5xf16>, %kernel: tensor<5x4x3x3xf16>) -> tensor<2x5x5x5xf16> {
  %zero = arith.constant 0.0 : f16
  %padded = tensor.pad %data low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%n: index, %c: index, %y: index, %x: index):
    tensor.yield %zero : f16
  } : tensor<2x4x5x5xf16> to tensor<2x4x7x7xf16>
  %wide_zero = arith.constant 0.0 : f32
  %wide = tensor.empty() : tensor<2x5x5x5xf32>
  %init = linalg.fill ins(%wide_zero : f32) outs(%wide : tensor<2x5x5x5xf32>) -> tensor<2x5x5x5xf32>
  %sum = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
    ins(%padded, %kernel : tensor<2x4x7x7xf16>, tensor<5x4x3x3xf16>) outs(%init : tensor<2x5x5x5xf32>) -> tensor<2x5x5x5xf32>
  %empty = tensor.empty() : tensor<2x5x5x5xf16>
  %out = linalg.generic {indexing_maps = [affine_map<(n, f, y, x) -> (n, f, y, x)>,
      affine_map<(n, f, y, x) -> (n, f, y, x)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%sum : tensor<2x5x5x5xf32>) outs(%empty : tensor<2x5x5x5xf16>) {
  ^bb0(%v: f32, %o: f16):
    %narrow = arith.truncf %v : f32 to f16
    linalg.yield %narrow : f16
  } -> tensor<2x5x5x5xf16>
  func.return %out : tensor<2x5x5x5xf16>
}

// CHECK: schedule.script @conv attributes {schedule.called = "default, 32 x 32 in steps of 16, 3 stages"} {
// CHECK: schedule.compute_inline %padded
// CHECK: %sum_a, %sum_b, %sum_store = schedule.implicit_gemm %sum, [32, 32, 16]
// CHECK-NEXT: schedule.compute_inline %sum_store
// CHECK-NEXT: %out = schedule.get_block "out"
// CHECK-NEXT: %sum_a_wmma_matrix_a = schedule.cache_read %sum, 0, "wmma.matrix_a"
// CHECK-NEXT: %sum_b_wmma_matrix_b = schedule.cache_read %sum, 1, "wmma.matrix_b"
// CHECK-NEXT: schedule.set_scope %sum_a, 0, "shared" : !schedule.block
// CHECK: schedule.transform_layout %sum_b, [1, 0]
// CHECK: %sum_c_wmma_accumulator = schedule.cache_write %sum, 0, "wmma.accumulator"
// CHECK: schedule.fuse_variables %out, [array<i64: 0, 2, 3>, array<i64: 1>]
// CHECK: schedule.split %{{.*}} factor 32 tail "guard"
// CHECK: schedule.split %{{.*}} factor 32 tail "guard"
// CHECK: schedule.bind %{{.*}}, "blockIdx.x"
// CHECK-NEXT: schedule.bind %{{.*}}, "blockIdx.y"
// CHECK: schedule.tensorize %{{.*}}, "wmma.store_matrix_sync"
// CHECK: schedule.compute_at %sum, %{{.*}}
// CHECK: schedule.tensorize %{{.*}}, "wmma.load_matrix_sync"
// CHECK: schedule.tensorize %{{.*}}, "wmma.load_matrix_sync"
// CHECK: schedule.tensorize %{{.*}}, "wmma.mma_sync"
// CHECK: schedule.storage_align %sum_a, 0 factor 16 offset 8
// CHECK-NEXT: schedule.compute_at %sum_a, %{{.*}}
