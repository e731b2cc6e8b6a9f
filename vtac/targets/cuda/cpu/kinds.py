"""The kinds of faults of a kernel that runs on the CPU: the rule, what to do, and a statement that breaks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class KernelRule:
    """What must hold, what to do where it does not, and for example a line of a kernel."""

    rule: str
    remedy: str
    example: str


KERNEL_RULES: Mapping[str, KernelRule] = MappingProxyType(
    {
        "out-of-bounds": KernelRule(
            "accesses lie within an array", "mask the tail, or mend the index", "c[n + threadIdx.x] = 0;  // c has n"
        ),
        "write-to-input": KernelRule(
            "inputs are read only",
            "write to an output, or make it one in the launch record",
            "*const_cast<half*>(a) = 0;  // a is an input",
        ),
        "misaligned": KernelRule(
            "an address is a multiple of what is accessed, that of a fragment of 32 bytes",
            "align the array, or pad its pitch",
            "wmma::load_matrix_sync(fragment, &tile[8], 64);  // of halves: 16 bytes from an aligned one",
        ),
        "pitch": KernelRule(
            "lines of a fragment do not overlap",
            "give the distance of lines in elements, at least one line",
            "wmma::store_matrix_sync(tile, fragment, 12, wmma::mem_row_major);  // lines of 16",
        ),
        "divergence": KernelRule(
            "all threads of a block reach a barrier",
            "move the barrier out of the condition",
            "if (threadIdx.x < 64) __syncthreads();",
        ),
        "warp-divergence": KernelRule(
            "the 32 threads of a warp do a matrix operation together, with the same addresses",
            "let conditions depend on the warp alone",
            "if (threadIdx.x % 2) wmma::mma_sync(c, a, b, c);",
        ),
        "async-copy": KernelRule(
            "asynchronous copies move 4, 8 or 16 bytes from global to shared memory",
            "split the copy, or copy by a plain assignment",
            "__pipeline_memcpy_async(&shared[i], &global[i], 2);",
        ),
        "mbarrier": KernelRule(
            "an mbarrier is initialised once, where nothing else lies, and gets in a phase the arrivals that it "
            "counts; who waits names the phase by its parity",
            "count who arrives, wait for the phase before, and for 0 and 1 in turn",
            "mbarrier_init(full, 1); mbarrier_arrive(full); mbarrier_arrive(full);  // phase 0 lacks bytes",
        ),
        "deadlock": KernelRule(
            "each phase that is waited for gets its arrivals and its bytes",
            "compare the arrivals, the bytes, and the parity with what the message says is missing",
            "mbarrier_arrive_expect_tx(full, 2040); tma_load_2d(tile, map, x, y, full);  // the box has 2,048 bytes",
        ),
        "bulk-copy": KernelRule(
            "a bulk copy has a tensor map of the launch record, and ends before its block; its source is left alone",
            "pass the map, give as many coordinates as it has dimensions, and wait for the mbarrier, or for the group",
            "tma_load_2d(tile, map, 0, 0, full);  // at the kernel's end",
        ),
        "cluster": KernelRule(
            "blocks of a cluster meet at barrier.cluster before they use each other's shared memory and before they "
            "end, and what waits for another block's arrivals acquires at cluster scope",
            "pass barrier.cluster.arrive and .wait after initialising mbarriers and at the kernel's end, and name "
            "ranks that the cluster has",
            "mbarrier_init(full, 1); __syncthreads(); mbarrier_arrive_cluster(full, 2);  // others may not have begun",
        ),
        "proxy-fence": KernelRule(
            "what threads write and bulk copies, or reads by descriptors, touch is fenced between",
            "pass fence.proxy.async after the writes, and a barrier before the copy; fence.mbarrier_init after "
            "initialising mbarriers",
            "tile[i] = 0; __syncthreads(); tma_load_2d(tile, map, 0, 0, full);",
        ),
        "descriptor": KernelRule(
            "a matrix descriptor names whole pieces of 8 rows of shared memory",
            "align the buffer to 8 rows of its swizzle, and give strides as multiples of that",
            "matrix_descriptor(address + 128, 16, 1024, 1)  // the second of 8 rows of 128 bytes",
        ),
        "wgmma-fence": KernelRule(
            "a wgmma.fence parts what touches sums from the products that add to them, and comes before the first one",
            "call wgmma_fence() before the products, after the sums have been set",
            "sums[0][0] = 0; wgmma_m64n128k16_f16_f32(sums, a, b);",
        ),
        "wgmma-wait": KernelRule(
            "sums, and the operands in shared memory, are left alone until the group of their product is waited for",
            "commit the group and wait for it before; let a barrier follow where other threads write",
            "wgmma_m64n128k16_f16_f32(sums, a, b); c[0] = sums[0][0];",
        ),
        "warpgroup": KernelRule(
            "four warps, whose numbers follow from a multiple of 4, begin the same products",
            "let conditions and descriptors depend on the group alone",
            "if (warp % 4 == 0) wgmma_m64n128k16_f16_f32(sums, a, b);",
        ),
        "registers": KernelRule(
            "setmaxnreg takes a multiple of 8 from 24 to 256",
            "round it",
            'asm volatile("setmaxnreg.dec.sync.aligned.u32 20;");',
        ),
        "race": KernelRule(
            "a barrier, a wait or a thread's own order parts two accesses of a place, one of them a write",
            "add __syncthreads(), or __pipeline_wait_prior, between the two lines that the message names",
            "shared[threadIdx.x] = x; y = shared[threadIdx.x ^ 1];  // no barrier between",
        ),
        "unwritten": KernelRule(
            "what is read of shared memory was written", "fill it first", "__shared__ int s[32]; c[0] = s[0];"
        ),
        "shared-memory": KernelRule(
            "shared arrays take what the launch and CUDA allow, 48 KiB where they are static",
            "use extern __shared__, and say the bytes in the launch record",
            "__shared__ float tile[20000];",
        ),
        "signature": KernelRule(
            "the kernel's parameters are those of the launch record",
            "make both the same, in order and type",
            'extern "C" __global__ void f(float* c)  // the record has a half',
        ),
        "order-dependent": KernelRule(
            "results do not depend on the order of threads",
            "look for a missing barrier, or memory that nobody wrote",
            "c[0] = threadIdx.x;  // by all threads",
        ),
        "stack-overflow": KernelRule(
            "a thread's variables fit its stack", "make local arrays smaller", "float local[1 << 20];"
        ),
        "timeout": KernelRule(
            "a kernel ends", "look for a loop that cannot end, or give more seconds", "while (shared[0] == 0) {}"
        ),
        "crash": KernelRule(
            "a kernel ends in order", "look at the line that the message names", "int z = 0; c[0] = 1 / z;"
        ),
        "memory": KernelRule(
            "the machine has memory for arrays and threads", "run fewer blocks at once, or smaller arrays", ""
        ),
        "limit": KernelRule(
            "arrays, shared arrays and barriers are as many as races can be found among", "run with races=False", ""
        ),
        "job": KernelRule("the process that runs the kernel can read its job and write results", "free disk space", ""),
    }
)
"""Every kind by its name."""
