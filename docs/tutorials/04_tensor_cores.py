"""A convolution on tensor cores: fragments, shared memory, the part of a warp, CUDA text, and a race."""
# pyright: basic, reportAttributeAccessIssue=false, reportCallIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false, reportOptionalMemberAccess=false

# %% [markdown]
# # 4. A convolution on tensor cores
#
# The same directives schedule a program for NVIDIA's tensor cores. One instruction there multiplies two 16 x 16 tiles
# of half precision, and it is a whole **warp** that does it: 32 threads together, each holding a part of the tiles in
# its registers. So the compiler's question is no longer "which unit?" but "which thread holds what, and who waits for
# whom?"
#
# No GPU is needed: the CUDA text runs on the CPU, which is slow but sees every race.

# %%
import numpy as np
from pictures import grid

import vtac
from vtac.compiler import lower
from vtac.errors import KernelFault, ToolMissingError
from vtac.workloads.wmma_conv2d import WmmaConv2D

layer = WmmaConv2D(batch=16, height=4, width=4, in_channels=32, out_channels=64)
print("image  ", layer.data_shape, "NHWC in tiles of 16 images x 16 channels")
print("filters", layer.kernel_shape)
source = layer.text()
schedule = vtac.Schedule(source)
schedule.show()

# %% [markdown]
# ## Three memories
#
# Operands take two steps: from global memory to **shared** memory, which all threads of a block see, and from there to
# **fragments**, a warp's registers. Each step is a `cache_read` with another scope. The padding is inlined: the copy to
# shared memory writes zeros where it would read outside of the image.

# %%
conv = schedule.get_block("output")
schedule.compute_inline(schedule.get_block("data_pad"))
data = schedule.cache_read(conv, 0, "shared")
kernel = schedule.cache_read(conv, 1, "shared")
left = schedule.cache_read(conv, 0, "wmma.matrix_a")
right = schedule.cache_read(conv, 1, "wmma.matrix_b")
store = schedule.cache_write(conv, 0, "wmma.accumulator")
print(
    "\n".join(
        line.strip()
        for line in str(schedule.steps()[-1].after).splitlines()
        if " in shared" in line or " in wmma" in line
    )
)

# %% [markdown]
# ## Blocks and warps
#
# A block of the grid computes one pixel of 16 images for all 64 output channels, with two warps side by side: each has
# two accumulator tiles.

# %%
grid(
    [[("warp 0", 0), ("warp 0", 0), ("warp 1", 1), ("warp 1", 1)]],
    "Four accumulator tiles of one pixel: two of the first warp, two of the second.",
    "one pixel: 16 images x 64 channels",
    cell=64,
)
n, h, w, o, row, column = schedule.get_loops(store)
pixel = schedule.fuse(h, w)
warp, tiles = schedule.split(o, factor=2)
schedule.reorder(pixel, n, warp, tiles, row, column)
schedule.bind(pixel, "blockIdx.z")
schedule.bind(n, "blockIdx.x")
schedule.bind(warp, "threadIdx.z")
schedule.tensorize(row, "wmma.store_matrix_sync")

# %% [markdown]
# The product goes below the warps; its operands' fragments are loaded for each step of the reduction, and the copies to
# shared memory once for each kernel row. These copies are the work of all 64 threads: `bind` says which thread takes
# which element.

# %%
schedule.compute_at(conv, warp)
*_, nn, hh, ww, oo, i, j, ic, kh, kw, k = schedule.get_loops(conv)
schedule.reorder(kh, ic, kw, nn, oo, i, j, k)
for block in (left, right):
    schedule.compute_at(block, kw)
    schedule.tensorize(schedule.get_loops(block)[-2], "wmma.load_matrix_sync")
for block in (data, kernel):
    schedule.compute_at(block, kh)
    own = schedule.get_loops(block)
    _, lane = schedule.split(schedule.fuse(own[-2], own[-1]), factor=64)
    by_warp, thread = schedule.split(lane, factor=32)
    schedule.bind(by_warp, "threadIdx.z")
    schedule.bind(thread, "threadIdx.x")
schedule.tensorize(i, "wmma.mma_sync")
for step in schedule.steps()[6:]:
    print(step.directive)

# %% [markdown]
# ## Two printed stages
#
# After the phase `tiles` the tensorized loops are operations on fragments by number:

# %% output="mlir"
module = lower(source, "cuda", schedule=schedule, phase="tiles")
print("\n".join(line.rstrip() for line in str(module).splitlines() if "wmma." in line)[:2400])

# %% [markdown]
# After the last phase it is a kernel: indices of blocks and threads, shared memory, and **barriers**, which the
# compiler has put where one thread reads what another wrote.

# %% output="mlir"
module = lower(source, "cuda", schedule=schedule)
kinds = ("gpu.barrier", "wmma.load", "wmma.mma", "wmma.fill", "wmma.store", "scf.for")
print("\n".join(line[:110] for line in str(module).splitlines() if any(kind in line for kind in kinds)))

# %% [markdown]
# ## The text

# %% output="cpp"
program = vtac.compile(source, target="cuda", schedule=schedule)
print(program)
print(program.text[program.text.index('extern "C"') :])

# %% [markdown]
# ## Run it on the CPU
#
# The text is compiled with a header that stands in for CUDA's, and all threads of a block are run; accesses to shared
# memory are recorded. Where no C++ compiler is to be had, the same kernel runs as IR, in numpy.

# %%
random = np.random.default_rng(0)
x = random.integers(-4, 4, layer.data_shape).astype(np.float16)
f = random.integers(-4, 4, layer.kernel_shape).astype(np.float16)
padded = np.pad(x.astype(np.float32), ((0, 0), (1, 1), (1, 1), (0, 0), (0, 0), (0, 0)))
expected = np.zeros(layer.output_shape, np.float32)
for dy in range(3):
    for dx in range(3):
        window = padded[:, dy : dy + 4, dx : dx + 4]
        expected += np.einsum("nhwisk,iokc->nhwosc", window, f[dy, dx].astype(np.float32), optimize=True)
try:
    result = program(x, f)
except ToolMissingError as error:
    print(error)
    result = vtac.evaluate.evaluate(module, x, f)
assert np.array_equal(result, expected)
print("correct")

# %% [markdown]
# ## Plant a race
#
# Take the barriers out of the text, and run it again. On a GPU such a kernel gives the right numbers most of the time,
# which is what makes races so hard to find. Here it is a fault, with the two lines that touch the same place.

# %%
from dataclasses import replace

racy = replace(program, text=program.text.replace("__syncthreads();", ""))
try:
    racy(x, f)
except (KernelFault, ToolMissingError) as error:
    print(error)

# %% [markdown]
# Left to itself the compiler finds a schedule with pipelined copies, larger tiles and a layout without bank conflicts;
# [tensor cores](../tensor-cores.md) describes it.
#
# ## What you can do now
#
# Give work to blocks, warps and threads, place operands in shared memory and fragments, and run a kernel without a GPU.
#
# ## Exercises
#
# **Exercise 1.** How many bytes of shared memory does a block use, and how many threads has it? The launch record knows
# the threads. Its `shared_bytes` counts only what a launch has to ask for, above 48 KiB; below, the text declares it.

# %% tags=["solution"]
print("threads", program.launch.threads, "of grid", program.launch.grid)
print(*[line.strip() for line in program.text.splitlines() if "__shared__" in line], sep="\n")
print(f"{2 * (6144 + 1536):,} bytes, 2 for each number, and {program.launch.shared_bytes} to ask for")

# %% [markdown]
# **Exercise 2.** `layer.seed_schedule()` makes a schedule for layers of any size. How many warps has a block of it
# here, and does it give the same numbers?

# %% tags=["solution"]
other = layer.seed_schedule()
print(vtac.compile(source, target="cuda", schedule=other))
print("32 threads are one warp: it computes all four tiles")
again = vtac.evaluate.evaluate(lower(source, "cuda", schedule=other), x, f)
assert np.array_equal(again, expected)
