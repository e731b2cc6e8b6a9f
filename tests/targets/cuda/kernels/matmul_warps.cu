// c[64][32] = a[64][48] * b[48][32]: a block shares a stripe of b, and each of its two warps has tiles of its own.
#include <cuda_fp16.h>
#include <cuda_pipeline.h>
#include <mma.h>

using namespace nvcuda;

constexpr int kM = 64, kN = 32, kK = 48, kTile = 16, kRounds = 2;

extern "C" __global__ void __launch_bounds__(64)
matmul(const half* __restrict__ a, const half* __restrict__ b, float* __restrict__ c) {
  __shared__ __align__(128) half a_tile[2][kTile * kTile];
  __shared__ __align__(128) half b_stripe[kK][kTile];
  __shared__ __align__(128) float c_tile[2][kTile * kTile];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, column = blockIdx.x * kTile;

  for (int i = threadIdx.x; i < kK * kTile; i += 64) b_stripe[i / kTile][i % kTile] = b[i / kTile * kN + column + i % kTile];
  __syncthreads();
  for (int round = 0; round < kRounds; ++round) {
    const int row = (round * 2 + warp) * kTile;
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> acc;
    wmma::fill_fragment(acc, 0.0f);
    for (int step = 0; step < kK / kTile; ++step) {
      __pipeline_memcpy_async(&a_tile[warp][lane * 8], &a[(row + lane / 2) * kK + step * kTile + lane % 2 * 8], 16);
      __pipeline_commit();
      __pipeline_wait_prior(0);
      __syncwarp();
      wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> left;
      wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::row_major> right;
      wmma::load_matrix_sync(left, a_tile[warp], kTile);
      wmma::load_matrix_sync(right, b_stripe[step * kTile], kTile);
      wmma::mma_sync(acc, left, right, acc);
      __syncwarp();
    }
    wmma::store_matrix_sync(c_tile[warp], acc, kTile, wmma::mem_row_major);
    __syncwarp();
    for (int i = lane; i < kTile * kTile; i += 32)
      c[(row + i % kTile) * kN + column + i / kTile] = c_tile[warp][i % kTile * kTile + i / kTile];
    __syncwarp();
  }
}
