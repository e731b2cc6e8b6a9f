// Two warps fill tiles of 8 x 32, three each in two slots, and store them as boxes of a matrix, clipped at its end.
struct alignas(64) TensorMap {
  unsigned long long words[16];
};
__device__ __forceinline__ void fence_async() {
  asm volatile("fence.proxy.async.shared::cta;" : : : "memory");
}
__device__ __forceinline__ void tma_store_2d(unsigned source, const TensorMap &map, int x, int y) {
  asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%2, %3}], [%1];"
               :
               : "l"(&map), "r"(source), "r"(x), "r"(y)
               : "memory");
}
__device__ __forceinline__ void commit() { asm volatile("cp.async.bulk.commit_group;" : : : "memory"); }
__device__ __forceinline__ void wait_1() { asm volatile("cp.async.bulk.wait_group.read 1;" : : : "memory"); }
__device__ __forceinline__ void wait_0() { asm volatile("cp.async.bulk.wait_group.read 0;" : : : "memory"); }
extern "C" __global__ void __launch_bounds__(64)
store(const float *__restrict__ x, float *__restrict__ y, const __grid_constant__ TensorMap y_map) {
  __shared__ __align__(1024) float tile[2][2][8][32];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  for (int step = 0; step < 3; ++step) {
    if (lane == 0) wait_1();
    __syncwarp();
    for (int row = 0; row < 8; ++row)
      tile[warp][step % 2][row][(lane / 4 ^ row) * 4 + lane % 4] = x[((warp * 3 + step) * 8 + row) * 32 + lane];
    fence_async();
    __syncwarp();
    if (lane == 0) {
      tma_store_2d(__cvta_generic_to_shared(tile[warp][step % 2]), y_map, blockIdx.x * 32, (warp * 3 + step) * 8);
      commit();
    }
  }
  if (lane == 0) wait_0();
}
