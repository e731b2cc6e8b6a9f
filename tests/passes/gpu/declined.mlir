// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-insert-barriers,gpu-double-buffer-fragments,convert-guards-to-conditions

// What passes on kernels decline.

func.func @disagreed(%x: memref<64xf32>, %y: memref<64xf32>) attributes {gpu.kernel} {
  %s = memref.alloc() : memref<64xf32, "shared">
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %half = arith.constant 32 : index
  %p = arith.cmpi slt, %t, %half : index
  scf.if %p {
    %v = memref.load %x[%t] : memref<64xf32>
    memref.store %v, %s[%t] : memref<64xf32, "shared">
    %u = affine.apply affine_map<(t) -> (31 - t)> (%t)
    // expected-error @+1 {{threads exchange s under a condition that differs between the threads of a block: a barrier there would wait for threads that never come}}
    %w = memref.load %s[%u] : memref<64xf32, "shared">
    memref.store %w, %y[%t] : memref<64xf32>
  }
  func.return
}

// -----

func.func @once(%a: memref<256xf16, "shared">) {
  %c = wmma.fragments : !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  %y = wmma.fragments : !wmma.fragment<1 x matrix_b [16, 16, 16] f16 row_major>
  %zero = arith.constant 0 : index
  // expected-error @+1 {{double_buffer of 'x': loop 'k', which loads it, has extent 1; 2 copies need 2 iterations or more}}
  %x = wmma.fragments {wmma.copies = 2 : i64} : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>
  schedule.for %k = 0 to 1 {
    wmma.load_matrix_sync %x[%zero], %a[%zero] leading 16 : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>, memref<256xf16, "shared">
    wmma.mma_sync %c[%zero], %x[%zero], %y[%zero] : !wmma.fragment<1 x accumulator [16, 16, 16] f32>, !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>, !wmma.fragment<1 x matrix_b [16, 16, 16] f16 row_major>
  }
  func.return
}

// -----

func.func @no_loop(%a: memref<256xf16, "shared">) {
  %c = wmma.fragments : !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  %y = wmma.fragments : !wmma.fragment<1 x matrix_b [16, 16, 16] f16 row_major>
  %zero = arith.constant 0 : index
  // expected-error @+1 {{double_buffer of 'x': no serial loop holds its loads together with the multiplies}}
  %x = wmma.fragments {wmma.copies = 2 : i64} : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>
  wmma.load_matrix_sync %x[%zero], %a[%zero] leading 16 : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>, memref<256xf16, "shared">
  wmma.mma_sync %c[%zero], %x[%zero], %y[%zero] : !wmma.fragment<1 x accumulator [16, 16, 16] f32>, !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>, !wmma.fragment<1 x matrix_b [16, 16, 16] f16 row_major>
  func.return
}

// -----

func.func @idle(%a: memref<256xf16, "shared">) {
  // expected-error @+1 {{double_buffer of 'x': nothing loads it or nothing multiplies with it}}
  %x = wmma.fragments {wmma.copies = 2 : i64} : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>
  func.return
}

// -----

func.func @part_of_a_vector(%x: memref<8xf32>, %y: memref<8xf32>) {
  schedule.for %i = 0 to 2 kind "threadIdx.x" {
    schedule.for %j = 0 to 4 kind "vectorized" {
      // expected-error @+1 {{a guard of block 'copy' holds for a part of a vector only (loop 'j'): pad to whole tiles, or stage the tile in shared memory and guard its copy}}
      schedule.block "copy" <spatial 8> = (d0, d1) -> (d0 * 4 + d1)(%i, %j)
        where (d0, d1) : (d0 * -4 + d1 * -1 + 6 >= 0)
        reads %x<(d0) -> (d0)> : memref<8xf32>
        writes %y<(d0) -> (d0)> : memref<8xf32> {
      ^bb0(%v: f32):
        schedule.yield %v : f32
      }
    }
  }
  func.return
}

// -----

func.func @barrier_of_a_pipeline(%x: memref<64xf32>) attributes {gpu.kernel} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %half = arith.constant 32 : index
  %p = arith.cmpi slt, %t, %half : index
  // expected-error @+1 {{threads exchange copies of a pipeline under a condition that differs between the threads of a block}}
  scf.if %p {
    "gpu.barrier"() : () -> ()
    %v = memref.load %x[%t] : memref<64xf32>
    memref.store %v, %x[%t] : memref<64xf32>
  }
  func.return
}
