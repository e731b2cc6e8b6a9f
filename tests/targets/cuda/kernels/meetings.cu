// Ways in which threads meet in memory: `which` chooses one. Two blocks of 64 threads.
#include <cuda_fp16.h>
#include <cuda_pipeline.h>
#include <mma.h>

using namespace nvcuda;

extern "C" __global__ void meetings(const int* which, const int* in, int* out) {
  __shared__ __align__(128) int cells[4][16];
  __shared__ unsigned char bytes[64];
  __shared__ __align__(128) half tile[256];
  __shared__ __align__(128) float sums[256];
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> left;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> acc;
  const int thread = threadIdx.x, warp = thread / 32, block = blockIdx.x;
  int* flat = &cells[0][0];
  int result = 0;
  switch (which[0]) {
    case 0:  // each its own byte, then each the whole after a barrier, then each its own again
      for (int round = 0; round < 3; ++round) {
        bytes[thread] = static_cast<unsigned char>(thread + round);
        __syncthreads();
        result += bytes[63 - thread] + bytes[5];
        __syncthreads();
      }
      break;
    case 1:  // lanes of a warp exchange
      flat[thread] = thread;
      __syncwarp();
      result = flat[thread ^ 1];
      __syncwarp();
      flat[thread] = result;
      break;
    case 2:  // the same without the first barrier
      flat[thread] = thread;
      result = flat[thread ^ 1];
      break;
    case 3:  // the same without the second
      flat[thread] = thread;
      __syncwarp();
      result = flat[thread ^ 1];
      flat[thread] = result;
      break;
    case 4:  // warps exchange over a barrier of each
      flat[thread] = thread;
      __syncwarp();
      result = flat[thread ^ 32];
      break;
    case 5:  // a matrix operation reads what its warp's lanes wrote
      for (int i = thread % 32; warp == 0 && i < 256; i += 32) tile[i] = __float2half(1.0f);
      if (which[1]) __syncwarp();
      if (warp == 0) wmma::load_matrix_sync(left, tile, 16);
      break;
    case 6:  // lanes read what a matrix operation of their warp wrote
      if (warp == 0) {
        wmma::fill_fragment(acc, 2.0f);
        wmma::store_matrix_sync(sums, acc, 16, wmma::mem_row_major);
        if (which[1]) __syncwarp();
        result = static_cast<int>(sums[thread]);
      }
      break;
    case 7:  // a copy's own thread reads it
      __pipeline_memcpy_async(&flat[thread], &in[thread], 4);
      __pipeline_commit();
      if (which[1]) __pipeline_wait_prior(0);
      result = flat[thread];
      break;
    case 8:  // another thread does: its own wait or a barrier alone does not help
      __pipeline_memcpy_async(&flat[thread], &in[thread], 4);
      __pipeline_commit();
      if (which[1] != 1) __pipeline_wait_prior(0);
      if (which[1] != 2) __syncthreads();
      result = flat[63 - thread];
      break;
    case 9:  // of two copies under way the older one has arrived
      for (int copy = 0; copy < 2; ++copy) {
        __pipeline_memcpy_async(&tile[copy * 128 + thread * 2], &in[thread], 4);
        __pipeline_commit();
      }
      __pipeline_wait_prior(1);
      __syncthreads();
      result = static_cast<int>(__half2float(tile[which[1] * 128 + thread]));
      __syncthreads();
      __pipeline_wait_prior(0);
      break;
    case 10:  // blocks write one place: the same, or each something else
      if (thread == 0) out[0] = which[1] ? block : 1;
      return;
    case 11:  // blocks read what others write
      out[block * 64 + thread] = thread;
      __syncthreads();
      if (which[1]) result = out[(1 - block) * 64 + thread];
      break;
    case 12:  // threads of a block write one place: the same, or each something else
      out[block * 64 + thread / 2] = which[1] ? thread : 7;
      return;
    case 13:  // atomic updates meet in peace, but for plain reads
      if (thread < 16) flat[thread] = 0;
      __syncthreads();
      atomicAdd(&flat[thread % 4], 1);
      if (which[1]) __syncthreads();
      result = flat[thread % 4];
      break;
    case 14:  // a barrier in the first round only
      for (int round = 0; round < 2; ++round) {
        if (warp == 0) flat[thread] = round;
        if (round == 0) __syncthreads();
        if (warp == 1) result += flat[thread - 32];
      }
      break;
    case 15:  // warps repeat a statement, and what they read of it they wrote themselves
      flat[thread % 32] = which[1] ? thread : thread % 32;
      result = flat[thread % 32];
      out[thread % 32] = thread % 32;
      result += out[thread % 32];
      return;
    case 16:  // warps repeat a copy: of the same, or of something else
      __pipeline_memcpy_async(&flat[thread % 32], &in[which[1] ? thread : thread % 32], 4);
      __pipeline_commit();
      __pipeline_wait_prior(0);
      __syncthreads();
      result = flat[31 - thread % 32];
      break;
    case 17:  // each reads its own byte, which the block has written: all blocks, or the first one only
      if (block == 0 || !which[1]) bytes[thread] = static_cast<unsigned char>(thread);
      __syncthreads();
      result = bytes[thread];
      break;
    case 18:  // a matrix is loaded of which half is written, or all of it
      for (int i = thread; i < (which[1] ? 128 : 256); i += 64) tile[i] = __float2half(1.0f);
      __syncthreads();
      if (warp == 0) wmma::load_matrix_sync(left, tile, 16);
      break;
    case 19:  // counts from what nobody set
      if (which[1] || thread == 0) flat[0] = 0;
      __syncthreads();
      atomicAdd(&flat[which[1] ? 1 : 0], 1);
      break;
  }
  out[block * 64 + thread] = result;
}
