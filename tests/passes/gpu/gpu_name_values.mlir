// RUN: vtac-opt %s -p gpu-name-values | filecheck %s
// RUN: vtac-opt %s -p gpu-name-values,gpu-name-values | filecheck %s

// Names say what a value is for, whatever it was called: a lane, a row of warps, a step, a row and a column of sums.

// CHECK-LABEL: func.func @product
// CHECK:         %left = wmma.fragments
// CHECK:         %right = wmma.fragments
// CHECK:         %sums = wmma.fragments
// CHECK:         %lane = "gpu.thread_id"
// CHECK:         %warp_row = "gpu.thread_id"
// CHECK:         %block = "gpu.block_id"
// CHECK:         scf.for %row = %c0 to %c2
// CHECK-NEXT:      scf.for %column = %c0 to %c2
// CHECK:           wmma.comment = "All sums start from one number."
// CHECK:         scf.for %step = %c0 to %c8
// CHECK-NEXT:      "gpu.barrier"
// CHECK:           scf.for %row_1 =
// CHECK:           scf.for %column_1 =
// CHECK:           wmma.comment = "Main loop: bring in the operands' tiles, multiply."
func.func @product(%a: memref<4096xf16>, %b: memref<4096xf16>, %c: memref<4096xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 4, 1, 1>, wmma.block = array<i64: 32, 2, 1>} {
  %f = wmma.fragments : !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>
  %g = wmma.fragments : !wmma.fragment<2 x matrix_b [16, 16, 16] f16 row_major>
  %h = wmma.fragments : !wmma.fragment<4 x accumulator [16, 16, 16] f32>
  %q = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %r = "gpu.thread_id"() <{dimension = #gpu<dim y>}> : () -> index
  %s = "gpu.block_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c2 step %c1 {
    scf.for %j = %c0 to %c2 step %c1 {
      %n = affine.apply affine_map<(i, j) -> (i * 2 + j)> (%i, %j)
      wmma.fill_fragment %h[%n], 0.0 : f32 : !wmma.fragment<4 x accumulator [16, 16, 16] f32>
    }
  }
  scf.for %k = %c0 to %c8 step %c1 {
    "gpu.barrier"() : () -> ()
    scf.for %i = %c0 to %c2 step %c1 {
      %p = affine.apply affine_map<(i, r, k) -> (i * 1024 + r * 2048 + k * 16)> (%i, %r, %k)
      wmma.load_matrix_sync %f[%i], %a[%p] leading 64 : !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, memref<4096xf16>
      scf.for %j = %c0 to %c2 step %c1 {
        %n = affine.apply affine_map<(i, j) -> (i * 2 + j)> (%i, %j)
        wmma.mma_sync %h[%n], %f[%i], %g[%j] : !wmma.fragment<4 x accumulator [16, 16, 16] f32>, !wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>, !wmma.fragment<2 x matrix_b [16, 16, 16] f16 row_major>
      }
    }
  }
  func.return
}

// A function that is no kernel keeps its names.

// CHECK-LABEL: func.func @host
// CHECK:         scf.for %strange
func.func @host() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %strange = %c0 to %c1 step %c1 {
  }
  func.return
}
