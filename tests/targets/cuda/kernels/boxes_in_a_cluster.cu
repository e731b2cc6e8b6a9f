// Boxes of a matrix for a cluster of two blocks: each block asks for its half of a box, which both get.
struct alignas(64) TensorMap {
  unsigned long long words[16];
};
__device__ __forceinline__ void mbarrier_init(unsigned barrier, unsigned count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" : : "r"(barrier), "r"(count) : "memory");
}
__device__ __forceinline__ void mbarrier_arrive_at(unsigned barrier, unsigned rank) {
  asm volatile(
      "{ .reg .b32 there; mapa.shared::cluster.u32 there, %0, %1; "
      "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [there]; }"
      : : "r"(barrier), "r"(rank) : "memory");
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
__device__ __forceinline__ void mbarrier_wait_cluster(unsigned barrier, unsigned parity) {
  unsigned done;
  do {
    asm volatile(
        "{ .reg .pred p; mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%1], %2; selp.b32 %0, 1, 0, p; }"
        : "=r"(done) : "r"(barrier), "r"(parity) : "memory");
  } while (!done);
}
__device__ __forceinline__ void tma_load_multicast_2d(
    unsigned target, const TensorMap &map, int x, int y, unsigned barrier, unsigned short mask) {
  asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster "
               "[%0], [%1, {%2, %3}], [%4], %5;"
               :
               : "r"(target), "l"(&map), "r"(x), "r"(y), "r"(barrier), "h"(mask) : "memory");
}
__device__ __forceinline__ void fence_mbarrier_init() {
  asm volatile("fence.mbarrier_init.release.cluster;" : : : "memory");
}
__device__ __forceinline__ unsigned cluster_rank() {
  unsigned rank;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank) :);
  return rank;
}
__device__ __forceinline__ void cluster_arrive() {
  asm volatile("barrier.cluster.arrive.release.aligned;" : : : "memory");
}
__device__ __forceinline__ void cluster_wait() {
  asm volatile("barrier.cluster.wait.acquire.aligned;" : : : "memory");
}
extern "C" __global__ void __cluster_dims__(2, 1, 1) __launch_bounds__(96)
copy(const float *__restrict__ a, float *__restrict__ c, const __grid_constant__ TensorMap a_map) {
  __shared__ __align__(1024) float tile[2][16][32];
  __shared__ unsigned long long full[2];
  __shared__ unsigned long long free_again[2];
  const int warp = threadIdx.x / 32;
  const unsigned rank = cluster_rank();
  const unsigned full_at = __cvta_generic_to_shared(full), free_at = __cvta_generic_to_shared(free_again);
  if (threadIdx.x == 0) {
    for (int i = 0; i < 2; ++i) {
      mbarrier_init(full_at + 8 * i, 1);
      mbarrier_init(free_at + 8 * i, 4);
    }
    fence_mbarrier_init();
  }
  cluster_arrive();
  cluster_wait();
  if (warp == 0) {
    if (threadIdx.x == 0)
      for (int step = 0; step < 6; ++step) {
        const int slot = step % 2;
        mbarrier_wait_cluster(free_at + 8 * slot, (step / 2 + 1) % 2);
        mbarrier_arrive_expect_tx(full_at + 8 * slot, 2048);
        tma_load_multicast_2d(__cvta_generic_to_shared(tile[slot]) + rank * 1024, a_map, blockIdx.x / 2 * 40 - 8, step * 16 + rank * 8, full_at + 8 * slot, 3);
      }
  } else {
    for (int step = 0; step < 6; ++step) {
      const int slot = step % 2;
      mbarrier_wait(full_at + 8 * slot, step / 2 % 2);
      for (int i = threadIdx.x - 32; i < 512; i += 64) {
        const int row = i / 32, column = i % 32;
        c[(blockIdx.x * 96 + step * 16 + row) * 32 + column] = tile[slot][row][(column / 4 ^ row % 8) * 4 + column % 4];
      }
      __syncwarp();
      if (threadIdx.x % 32 < 2)
        mbarrier_arrive_at(free_at + 8 * slot, threadIdx.x % 32);
    }
  }
  cluster_arrive();
  cluster_wait();
}
