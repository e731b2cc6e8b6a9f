// Boxes of a matrix, in a ring of two stages: warp 0 asks for them, warps 1 and 2 write them out.
struct alignas(64) TensorMap {
  unsigned long long words[16];
};
__device__ __forceinline__ void mbarrier_init(unsigned barrier, unsigned count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" : : "r"(barrier), "r"(count) : "memory");
}
__device__ __forceinline__ void mbarrier_arrive(unsigned barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" : : "r"(barrier) : "memory");
}
__device__ __forceinline__ void mbarrier_arrive_expect_tx(unsigned barrier, unsigned bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" : : "r"(barrier), "r"(bytes) : "memory");
}
__device__ __forceinline__ void mbarrier_wait(unsigned barrier, unsigned parity) {
  unsigned done;
  do {
    asm volatile(
        "{ .reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; selp.b32 %0, 1, 0, p; }"
        : "=r"(done) : "r"(barrier), "r"(parity) : "memory");
  } while (!done);
}
__device__ __forceinline__ void tma_load_2d(unsigned target, const TensorMap &map, int x, int y, unsigned barrier) {
  asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
               "[%0], [%1, {%2, %3}], [%4];"
               :
               : "r"(target), "l"(&map), "r"(x), "r"(y), "r"(barrier) : "memory");
}
__device__ __forceinline__ void fence_mbarrier_init() {
  asm volatile("fence.mbarrier_init.release.cluster;" : : : "memory");
}
extern "C" __global__ void __launch_bounds__(96)
copy(const float *__restrict__ a, float *__restrict__ c, const __grid_constant__ TensorMap a_map) {
  __shared__ __align__(1024) float tile[2][16][32];
  __shared__ unsigned long long full[2];
  __shared__ unsigned long long free_again[2];
  const int warp = threadIdx.x / 32;
  const unsigned full_at = __cvta_generic_to_shared(full),
                 free_at = __cvta_generic_to_shared(free_again);
  if (threadIdx.x == 0) {
    for (int i = 0; i < 2; ++i) {
      mbarrier_init(full_at + 8 * i, 1);
      mbarrier_init(free_at + 8 * i, 64);
    }
    fence_mbarrier_init();
  }
  __syncthreads();
  if (warp == 0) {
    if (threadIdx.x == 0)
      for (int step = 0; step < 6; ++step) {
        const int slot = step % 2;
        mbarrier_wait(free_at + 8 * slot, (step / 2 + 1) % 2);
        mbarrier_arrive_expect_tx(full_at + 8 * slot, 2048);
        tma_load_2d(__cvta_generic_to_shared(tile[slot]), a_map, blockIdx.x * 40 - 8, step * 16, full_at + 8 * slot);
      }
  } else {
    for (int step = 0; step < 6; ++step) {
      const int slot = step % 2;
      mbarrier_wait(full_at + 8 * slot, step / 2 % 2);
      for (int i = threadIdx.x - 32; i < 512; i += 64) {
        const int row = i / 32, column = i % 32;
        c[(blockIdx.x * 96 + step * 16 + row) * 32 + column] = tile[slot][row][(column / 4 ^ row % 8) * 4 + column % 4];
      }
      mbarrier_arrive(free_at + 8 * slot);
    }
  }
}
