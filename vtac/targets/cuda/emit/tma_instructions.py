"""Functions of the text itself around PTX's mbarriers and bulk copies of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

STRUCT = ["struct alignas(64) TensorMap {", "  unsigned long long words[16];", "};"]
"""A tensor map, in kernels and in what launches them."""
MAP = ["// How boxes are cut out of an array: what the driver encodes, 128 bytes.", *STRUCT]
"""The type of a kernel's parameter that is a tensor map."""

INIT, ARRIVE, EXPECT, WAIT, FENCE = (
    "mbarrier_init",
    "mbarrier_arrive",
    "mbarrier_arrive_expect_tx",
    "mbarrier_wait",
    "fence_mbarrier_init",
)
PUBLISH, COMMIT_STORES = "tma_store_fence", "tma_store_commit"

ARRIVE_CLUSTER, WAIT_CLUSTER, CLUSTER_ARRIVE, CLUSTER_WAIT = (
    "mbarrier_arrive_cluster",
    "mbarrier_wait_cluster",
    "cluster_arrive",
    "cluster_wait",
)

FUNCTIONS: Mapping[str, list[str]] = MappingProxyType(
    {
        INIT: [
            f"__device__ __forceinline__ void {INIT}(unsigned barrier, unsigned arrivals) {{",
            '  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" : : "r"(barrier), "r"(arrivals) : "memory");',
            "}",
        ],
        ARRIVE: [
            "// A warp's lanes have all come: one of them arrives.",
            f"__device__ __forceinline__ void {ARRIVE}(unsigned barrier) {{",
            "  __syncwarp();",
            "  if (threadIdx.x % 32 == 0)",
            '    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" : : "r"(barrier) : "memory");',
            "}",
        ],
        EXPECT: [
            f"__device__ __forceinline__ void {EXPECT}(unsigned barrier, unsigned bytes) {{",
            '  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;"',
            "               :",
            '               : "r"(barrier), "r"(bytes)',
            '               : "memory");',
            "}",
        ],
        WAIT: [
            f"__device__ __forceinline__ void {WAIT}(unsigned barrier, unsigned parity) {{",
            "  unsigned is_complete;",
            "  do {",
            "    asm volatile(",
            '        "{ .reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; selp.b32 %0, 1, 0, p; }"',
            '        : "=r"(is_complete)',
            '        : "r"(barrier), "r"(parity)',
            '        : "memory");',
            "  } while (!is_complete);",
            "}",
        ],
        ARRIVE_CLUSTER: [
            "// A warp's lanes have all come: the first ones arrive, each at the mbarrier of a block of the cluster.",
            f"__device__ __forceinline__ void {ARRIVE_CLUSTER}(unsigned barrier, unsigned blocks) {{",
            "  __syncwarp();",
            "  if (threadIdx.x % 32 < blocks)",
            "    asm volatile(",
            '        "{ .reg .b32 there; mapa.shared::cluster.u32 there, %0, %1; "',
            '        "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [there]; }"',
            "        :",
            '        : "r"(barrier), "r"(threadIdx.x % 32)',
            '        : "memory");',
            "}",
        ],
        WAIT_CLUSTER: [
            "// Threads of other blocks arrive, too.",
            f"__device__ __forceinline__ void {WAIT_CLUSTER}(unsigned barrier, unsigned parity) {{",
            "  unsigned is_complete;",
            "  do {",
            "    asm volatile(",
            '        "{ .reg .pred p; mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%1], %2; "',
            '        "selp.b32 %0, 1, 0, p; }"',
            '        : "=r"(is_complete)',
            '        : "r"(barrier), "r"(parity)',
            '        : "memory");',
            "  } while (!is_complete);",
            "}",
        ],
        CLUSTER_ARRIVE: [
            f"__device__ __forceinline__ void {CLUSTER_ARRIVE}() {{",
            '  asm volatile("barrier.cluster.arrive.release;" : : : "memory");',
            "}",
        ],
        CLUSTER_WAIT: [
            f"__device__ __forceinline__ void {CLUSTER_WAIT}() {{",
            '  asm volatile("barrier.cluster.wait.acquire;" : : : "memory");',
            "}",
        ],
        FENCE: [
            "// Bulk copies see the mbarriers that this thread has initialised.",
            f"__device__ __forceinline__ void {FENCE}() {{",
            '  asm volatile("fence.mbarrier_init.release.cluster;" : : : "memory");',
            "}",
        ],
        PUBLISH: [
            "// Bulk copies see what the lanes of the warp have written to shared memory.",
            f"__device__ __forceinline__ void {PUBLISH}() {{",
            '  asm volatile("fence.proxy.async.shared::cta;" : : : "memory");',
            "  __syncwarp();",
            "}",
        ],
        COMMIT_STORES: [
            f"__device__ __forceinline__ void {COMMIT_STORES}() {{",
            '  if (threadIdx.x % 32 == 0) asm volatile("cp.async.bulk.commit_group;" : : : "memory");',
            "}",
        ],
    }
)
"""By name, all but those that depend on a number."""


def load_name(dimensions: int, *, of_pixels: bool = False, multicast: bool = False) -> str:
    """The function that asks for a box of so many dimensions, or for pixels of an array of so many.

    It comes to the own block, or by multicast to several blocks of its cluster.
    """
    return f"tma_load{'_im2col' if of_pixels else ''}_{dimensions}d{'_multicast' if multicast else ''}"


def load_text(dimensions: int, *, of_pixels: bool = False, multicast: bool = False) -> list[str]:
    """That function; coordinates, and offsets of pixels along space, count from the innermost dimension."""
    names = [f"c{number}" for number in range(dimensions)]
    offsets = [f"o{number + 1}" for number in range(dimensions - 2)] if of_pixels else []
    numbers = ", ".join(f"%{2 + number}" for number in range(dimensions))
    more = ", ".join(f"%{3 + dimensions + number}" for number in range(len(offsets)))
    mode = "im2col" if of_pixels else "tile"
    kind = f"cp.async.bulk.tensor.{dimensions}d.shared::cluster.global.{mode}.mbarrier::complete_tx::bytes"
    places = ", ".join([*(f"int {name}" for name in names), *(f"unsigned short {name}" for name in offsets)])
    operands = [f'"r"({name})' for name in (*names, "barrier")] + [f'"h"({name})' for name in offsets]
    last = f", {{{more}}}" if more else ""
    mask, qualifier = "", ""
    if multicast:
        last += f", %{3 + dimensions + len(offsets)}"
        mask, qualifier = ", unsigned short mask", ".multicast::cluster"
        operands.append('"h"(mask)')
    return [
        f"__device__ __forceinline__ void {load_name(dimensions, of_pixels=of_pixels, multicast=multicast)}(",
        f"    unsigned target, const TensorMap &map, {places}, unsigned barrier{mask}) {{",
        f'  asm volatile("{kind}{qualifier} "',
        f'               "[%0], [%1, {{{numbers}}}], [%{2 + dimensions}]{last};"',
        "               :",
        f'               : "r"(target), "l"(&map), {", ".join(operands)}',
        '               : "memory");',
        "}",
    ]


def store_name(dimensions: int) -> str:
    """The function by which a warp's first lane stores a box of so many dimensions."""
    return f"tma_store_{dimensions}d"


def store_text(dimensions: int) -> list[str]:
    """That function; coordinates count from the innermost dimension."""
    names = [f"c{number}" for number in range(dimensions)]
    numbers = ", ".join(f"%{2 + number}" for number in range(dimensions))
    places = ", ".join(f"int {name}" for name in names)
    operands = ", ".join(f'"r"({name})' for name in ["source", *names])
    kind = f"cp.async.bulk.tensor.{dimensions}d.global.shared::cta.bulk_group"
    return [
        f"__device__ __forceinline__ void {store_name(dimensions)}(unsigned source, const TensorMap &map, {places}) {{",
        "  if (threadIdx.x % 32 == 0)",
        f'    asm volatile("{kind} [%0, {{{numbers}}}], [%1];"',
        "                 :",
        f'                 : "l"(&map), {operands}',
        '                 : "memory");',
        "}",
    ]


def wait_stores_name(groups: int, *, only_reads: bool) -> str:
    """The function by which a warp's first lane waits until so many groups of its stores are under way."""
    return f"tma_store_wait{'_read' if only_reads else ''}_{groups}"


def wait_stores_text(groups: int, *, only_reads: bool) -> list[str]:
    """That function."""
    kind = f"cp.async.bulk.wait_group{'.read' if only_reads else ''}"
    return [
        f"__device__ __forceinline__ void {wait_stores_name(groups, only_reads=only_reads)}() {{",
        f'  if (threadIdx.x % 32 == 0) asm volatile("{kind} {groups};" : : : "memory");',
        "}",
    ]


def registers_name(action: str, count: int) -> str:
    """The function that changes a warpgroup's registers."""
    return f"setmaxnreg_{action}_{count}"


def registers_text(action: str, count: int) -> list[str]:
    """That function."""
    return [
        f"__device__ __forceinline__ void {registers_name(action, count)}() {{",
        f'  asm volatile("setmaxnreg.{action}.sync.aligned.u32 {count};" : : :);',
        "}",
    ]
