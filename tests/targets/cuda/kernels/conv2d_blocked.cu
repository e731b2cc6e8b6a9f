// output[n][h][w][o][nn][oo] += data[n][h + kh - 1][w + kw - 1][i][nn][ii] * kernel[kh][kw][i][o][ii][oo],
// 3 x 3, padding 1, blocks of 16: the loops of a simple tensor-core schedule, one row of taps in shared memory.
#include <cuda_fp16.h>
#include <mma.h>

using namespace nvcuda;

#ifndef BATCH
#define BATCH 2
#define SIDE 5
#define IN_CHANNELS 4
#define OUT_CHANNELS 4
#define ROW_WARPS 2
#define COLUMN_WARPS 2
#define ROW_TILES 1
#define COLUMN_TILES 2
#endif
constexpr int kChunk = 2, kTile = 256;
constexpr int kRows = ROW_WARPS * ROW_TILES, kColumns = COLUMN_WARPS * COLUMN_TILES;

extern "C" __global__ void __launch_bounds__(32 * ROW_WARPS * COLUMN_WARPS)
conv2d(const half* __restrict__ data, const half* __restrict__ kernel, float* __restrict__ output) {
  __shared__ __align__(32) half data_shared[kRows * 3 * kChunk * kTile];
  __shared__ __align__(32) half kernel_shared[3 * kChunk * kColumns * kTile];
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> acc[ROW_TILES * COLUMN_TILES];
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> left[ROW_TILES];
  wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::row_major> right[COLUMN_TILES];

  const int h = blockIdx.z / SIDE, w = blockIdx.z % SIDE;
  const int warp = threadIdx.y * COLUMN_WARPS + threadIdx.z, warps = ROW_WARPS * COLUMN_WARPS;

  #pragma unroll
  for (int f = 0; f < ROW_TILES * COLUMN_TILES; ++f) wmma::fill_fragment(acc[f], 0.0f);
  for (int outer = 0; outer < IN_CHANNELS / kChunk; ++outer) {
    for (int kh = 0; kh < 3; ++kh) {
      __syncthreads();  // after the products
      for (int line = warp; line < kRows * 3 * kChunk * 8; line += warps) {
        const int n = line / (3 * kChunk * 8), kw = line / (kChunk * 8) % 3, i = line / 8 % kChunk, part = line % 8;
        const bool inside = 1 <= h + kh && h + kh < SIDE + 1 && 1 <= w + kw && w + kw < SIDE + 1;
        const int pixel = ((blockIdx.x * kRows + n) * SIDE + h + kh - 1) * SIDE + w + kw - 1;
        data_shared[line * 32 + threadIdx.x] =
            inside ? data[(pixel * IN_CHANNELS + outer * kChunk + i) * kTile + part * 32 + threadIdx.x]
                   : __float2half(0.0f);
      }
      for (int tile = warp; tile < 3 * kChunk * kColumns; tile += warps) {
        const int kw = tile / (kChunk * kColumns), i = tile / kColumns % kChunk, o = tile % kColumns;
        const int source =
            ((kh * 3 + kw) * IN_CHANNELS + outer * kChunk + i) * OUT_CHANNELS + blockIdx.y * kColumns + o;
        *reinterpret_cast<uint4*>(&kernel_shared[tile * kTile + threadIdx.x * 8]) =
            *reinterpret_cast<const uint4*>(&kernel[source * kTile + threadIdx.x * 8]);
      }
      __syncthreads();  // before the products
      for (int i = 0; i < kChunk; ++i) {
        for (int kw = 0; kw < 3; ++kw) {
          #pragma unroll
          for (int n = 0; n < ROW_TILES; ++n)
            wmma::load_matrix_sync(
                left[n], &data_shared[(((threadIdx.y * ROW_TILES + n) * 3 + kw) * kChunk + i) * kTile], 16);
          #pragma unroll
          for (int o = 0; o < COLUMN_TILES; ++o)
            wmma::load_matrix_sync(
                right[o],
                &kernel_shared[((kw * kChunk + i) * kColumns + threadIdx.z * COLUMN_TILES + o) * kTile], 16);
          #pragma unroll
          for (int n = 0; n < ROW_TILES; ++n)
            #pragma unroll
            for (int o = 0; o < COLUMN_TILES; ++o)
              wmma::mma_sync(acc[n * COLUMN_TILES + o], left[n], right[o], acc[n * COLUMN_TILES + o]);
        }
      }
    }
  }
  #pragma unroll
  for (int n = 0; n < ROW_TILES; ++n) {
    #pragma unroll
    for (int o = 0; o < COLUMN_TILES; ++o) {
      const int image = (blockIdx.x * ROW_WARPS + threadIdx.y) * ROW_TILES + n;
      const int channel = (blockIdx.y * COLUMN_WARPS + threadIdx.z) * COLUMN_TILES + o;
      wmma::store_matrix_sync(
          &output[((image * SIDE * SIDE + blockIdx.z) * OUT_CHANNELS + channel) * kTile], acc[n * COLUMN_TILES + o],
          16, wmma::mem_row_major);
    }
  }
}
