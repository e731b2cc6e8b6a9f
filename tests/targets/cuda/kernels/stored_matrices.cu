// A warp stores four matrices of 8 x 8 halves to a swizzled tile of 16 x 16, and reads it row by row.
#include <cuda_fp16.h>

__device__ __forceinline__ void stmatrix_x4(unsigned row, unsigned a, unsigned b, unsigned c, unsigned d) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};"
               :
               : "r"(row), "r"(a), "r"(b), "r"(c), "r"(d)
               : "memory");
}
__device__ __forceinline__ unsigned paired(half first, half second) {
  const half2 pair = __halves2half2(first, second);
  return *reinterpret_cast<const unsigned *>(&pair);
}
extern "C" __global__ void __launch_bounds__(32) store(const half *__restrict__ x, half *__restrict__ y) {
  __shared__ __align__(256) half tile[256];
  const int lane = threadIdx.x, row = lane / 4, column = lane % 4 * 2;
  unsigned part[4];
  for (int i = 0; i < 4; ++i) {
    const half *at = x + (row + i % 2 * 8) * 16 + column + i / 2 * 8;
    part[i] = paired(at[0], at[1]);
  }
  const unsigned to = __cvta_generic_to_shared(tile) + 2 * (lane % 16 * 16 + (lane / 16 ^ lane / 4 % 2) * 8);
  stmatrix_x4(to, part[0], part[1], part[2], part[3]);
  __syncwarp();
  for (int i = lane; i < 256; i += 32) y[i] = tile[i / 16 * 16 + (i / 8 % 2 ^ i / 64 % 2) * 8 + i % 8];
}
