// c[128][64] = relu(a[128][96] * b[96][64] + bias[64]), f16 operands, f32 accumulators.
// Blocks of 64 x 32, warps of 32 x 16; a ring of three stages of asynchronous copies.
#include <cuda_fp16.h>
#include <cuda_pipeline.h>
#include <mma.h>

using namespace nvcuda;

constexpr int kM = 128, kN = 64, kK = 96;
constexpr int kBlockM = 64, kBlockN = 32, kStep = 16, kStages = 3;
constexpr int kPitchA = kStep + 8, kPitchB = kBlockN + 8, kPitchC = kBlockN + 8;
constexpr int kSteps = kK / kStep;

extern "C" __global__ void __launch_bounds__(128)
matmul(const half* __restrict__ a, const half* __restrict__ b, const float* __restrict__ bias, float* __restrict__ c) {
  __shared__ __align__(128) half a_tile[kStages][kBlockM * kPitchA];
  __shared__ __align__(128) half b_tile[kStages][kStep * kPitchB];
  extern __shared__ __align__(128) float c_tile[];

  const int thread = threadIdx.x;
  const int warp = thread / 32, warp_m = warp / 2 * 32, warp_n = warp % 2 * 16;
  const int block_m = blockIdx.y * kBlockM, block_n = blockIdx.x * kBlockN;

  wmma::fragment<wmma::accumulator, 16, 16, 16, float> acc[2];
  #pragma unroll
  for (int i = 0; i < 2; ++i) wmma::fill_fragment(acc[i], 0.0f);

  auto copy_stage = [&](int step) {
    const int stage = step % kStages;
    const int row = thread / 2, part = thread % 2 * 8;
    __pipeline_memcpy_async(&a_tile[stage][row * kPitchA + part], &a[(block_m + row) * kK + step * kStep + part], 16);
    if (thread < 64) {
      const int line = thread / 4, column = thread % 4 * 8;
      __pipeline_memcpy_async(
          &b_tile[stage][line * kPitchB + column], &b[(step * kStep + line) * kN + block_n + column], 16);
    }
  };

  #pragma unroll
  for (int step = 0; step < kStages - 1; ++step) {
    copy_stage(step);
    __pipeline_commit();
  }
  for (int step = 0; step < kSteps; ++step) {
    __pipeline_wait_prior(kStages - 2);
    __syncthreads();  // before the products
    if (step + kStages - 1 < kSteps) copy_stage(step + kStages - 1);
    __pipeline_commit();
    const int stage = step % kStages;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::row_major> right;
    wmma::load_matrix_sync(right, &b_tile[stage][warp_n], kPitchB);
    #pragma unroll
    for (int i = 0; i < 2; ++i) {
      wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> left;
      wmma::load_matrix_sync(left, &a_tile[stage][(warp_m + i * 16) * kPitchA], kPitchA);
      wmma::mma_sync(acc[i], left, right, acc[i]);
    }
  }
  #pragma unroll
  for (int i = 0; i < 2; ++i) {
    #pragma unroll
    for (int e = 0; e < acc[i].num_elements; ++e) acc[i].x[e] = 2.0f * acc[i].x[e];
    wmma::store_matrix_sync(&c_tile[(warp_m + i * 16) * kPitchC + warp_n], acc[i], kPitchC, wmma::mem_row_major);
  }
  __syncthreads();  // before the epilogue
  for (int i = thread; i < kBlockM * kBlockN / 4; i += 128) {
    const int row = i / (kBlockN / 4), column = i % (kBlockN / 4) * 4;
    const float4 value = *reinterpret_cast<const float4*>(&c_tile[row * kPitchC + column]);
    const float4 offset = *reinterpret_cast<const float4*>(&bias[block_n + column]);
    *reinterpret_cast<float4*>(&c[(block_m + row) * kN + block_n + column]) = make_float4(
        fmaxf(0.5f * value.x + offset.x, 0.0f), fmaxf(0.5f * value.y + offset.y, 0.0f),
        fmaxf(0.5f * value.z + offset.z, 0.0f), fmaxf(0.5f * value.w + offset.w, 0.0f));
  }
}
