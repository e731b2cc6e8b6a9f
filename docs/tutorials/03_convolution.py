"""Convolution and latency hiding: padding, blocks with halos, virtual threads, and the default schedule."""
# pyright: basic, reportAttributeAccessIssue=false, reportCallIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false, reportOptionalMemberAccess=false

# %% [markdown]
# # 3. Convolution, and hiding the wait for memory
#
# The ninth convolution of ResNet-18: an image of 14 x 14 pixels and 256 channels, 256 filters of 3 x 3, one pixel of
# zeros around. About 116 million multiplications, or 451,584 tile products for a unit that does one per cycle.

# %%
import numpy as np
from pictures import bars, grid, timeline

import vtac
from vtac.workloads.conv2d import Conv2D, Conv2DTiling

layer = Conv2D(batch=1, height=14, width=14, in_channels=256, out_channels=256, kernel=3, padding=1)
print("image  ", layer.data_shape)
print("filters", layer.kernel_shape)
print("result ", layer.output_shape)

# %% [markdown]
# Image and filters lie in tiles again: the last two numbers of each shape are one tile, BATCH x BLOCK of the image and
# BLOCK x BLOCK of the filters. So the 256 channels are 16 tiles of 16.
#
# ## Padding is IR
#
# The zeros around the image are an operation of their own, `tensor.pad`, and become a block of the payload that reads 0
# outside of its buffer. No padded image has to exist in DRAM: the load unit writes zeros itself.

# %%
source = layer.text()
schedule = vtac.Schedule(source)
schedule.show()

# %% [markdown]
# ## Blocks with halos
#
# All of it does not fit on the chip, so the result is computed in blocks of 7 rows, all 14 columns and 128 channels,
# and for each block 16 input channels at a time. To compute 7 rows, 9 are needed: the *halo*.

# %%
grid(
    [[("halo" if row in (0, 8) else f"row {row - 1}", -1 if row in (0, 8) else 0)] for row in range(9)],
    "Nine rows of the image: seven that a block computes, one more above and one below.",
    cell=52,
)

# %% [markdown]
# `compute_at` finds the halo by itself. Look at the extents of the loops around `data_buf` after the blocking: 9 rows
# and 16 columns for a block of 7 x 14.

# %%
result, conv, data = (schedule.get_block(name) for name in ("res", "res_conv", "data_buf"))
stages = [schedule.get_block(name) for name in ("res_min", "res_max", "res_shr")]
image, channels, rows, columns, batch, channel = schedule.get_loops(result)
channels_outer, channels_inner = schedule.split(channels, factor=8)
rows_outer, rows_inner = schedule.split(rows, factor=7)
schedule.reorder(image, channels_outer, rows_outer, channels_inner, rows_inner, columns, batch, channel)
for block in (*stages, conv):
    schedule.compute_at(block, rows_outer)
*_, n, oc, y, x, row, lane, ic, dy, dx, k = schedule.get_loops(conv)
ic_outer, ic_inner = schedule.split(ic, factor=1)
schedule.reorder(ic_outer, n, oc, y, ic_inner, dy, dx, x, row, lane, k)
schedule.compute_at(data, ic_outer)
nest = str(schedule.steps()[-1].after).splitlines()
first = next(at for at, line in enumerate(nest) if " for i1_outer" in line)
print("\n".join(nest[first : first + 10]))

# %% [markdown]
# The rest is as for the matrix product: scopes, transfers, `tensorize`, and the ALU for the last steps.

# %%
schedule.set_scope(data, 0, "vta.inp")
kernel = schedule.cache_read(conv, 1, "vta.wgt")
schedule.compute_at(kernel, ic_outer)
for block in (conv, *stages):
    schedule.set_scope(block, 0, "vta.acc")
for block in (data, kernel):
    schedule.dma_copy(schedule.get_loop(block, "i0"))
schedule.dma_copy(batch)
schedule.tensorize(row, "vta.gemm")
for block in stages:
    schedule.alu(schedule.get_loop(block, "i0"))
program = vtac.compile(source, schedule=schedule)
print(program)
print("\n".join(line for line in program.disassemble().splitlines()[:8]))

# %% [markdown]
# The first `load.inp` has `pad 1 0 1 1`, a pad of 1 above, none below, 1 left and 1 right: the block at the top of the
# image. Is the result right?

# %%
random = np.random.default_rng(0)
x = random.integers(-128, 128, layer.data_shape).astype(np.int8)
w = random.integers(-128, 128, layer.kernel_shape).astype(np.int8)
wide = np.pad(x[0, :, :, :, 0].astype(np.int32), ((0, 0), (1, 1), (1, 1), (0, 0)))  # (16, 16, 16, 16)
expected = np.zeros(layer.output_shape, np.int32)
for dy in range(3):
    for dx in range(3):
        window = wide[:, dy : dy + 14, dx : dx + 14]
        expected[0, :, :, :, 0] += np.einsum("ihwk,oick->ohwc", window, w[:, :, dy, dx].astype(np.int32), optimize=True)
expected = np.clip(expected >> 8, 0, 127).astype(np.int8)
assert (program(x, w) == expected).all() and vtac.check(program) == []
print("correct, and proven safe")

# %% [markdown]
# ## The wait
#
# The compute unit stands still while the next operands are loaded: they go to the same place on the chip, so a load
# must wait until the multiplications on what lies there have ended.

# %%
timeline(program, "Timeline of one thread: load and compute take turns, each waits for the other.", 0, 60_000)
report = vtac.simulate_cycles(program.instructions, program.config)
busy = report.units["compute"].busy
print(f"{report.cycles:,} cycles; compute is busy for {busy / report.cycles:.0%}")

# %% [markdown]
# ## Virtual threads
#
# The remedy is a second place. `bind(loop, "cthread")` runs the iterations of a loop interleaved, each with buffers of
# its own: while one thread multiplies, the other loads. The machine knows nothing of threads; they are one program,
# with tokens between its units.

# %%
threaded = layer.schedule(Conv2DTiling(vthreads=2))
print(next(line for line in str(threaded).splitlines() if "schedule.bind" in line).strip())
two = vtac.compile(source, schedule=threaded)
assert (two(x, w) == expected).all() and vtac.check(two) == []
timeline(
    two, "Timeline of two virtual threads: compute is busy almost without a gap while load runs beside it.", 0, 60_000
)
bars(
    [("one thread", program.cycles), ("two threads", two.cycles), ("tile products", 451_584)],
    "Cycles: one thread takes the most, two threads are close to the number of tile products.",
    "cycles",
)

# %% [markdown]
# The counters say that both move the same bytes and compute the same; only the order differs.

# %%
program(x, w)
print(f"{'':17} {'one thread':>10} {'two':>10}")
for name in ("inp_load_nbytes", "wgt_load_nbytes", "out_store_nbytes", "gemm_counter", "cycles"):
    print(f"{name:17} {program.stats[name]:>10,} {two.stats[name]:>10,}")

# %% [markdown]
# ## The default schedule
#
# Without a schedule the compiler searches one. It uses no virtual threads but `double_buffer`: copies that iterations
# use in turn, of the inputs and weights alone. So the accumulators need no second copy and the blocks may be larger,
# weights that are on the chip already are not loaded again, and products with the zeros of the padding are left out:
# that is how it can take fewer cycles than there were tile products.

# %%
found = vtac.compile(source)
assert (found(x, w) == expected).all()
loaded = [one.stats["inp_load_nbytes"] + one.stats["wgt_load_nbytes"] for one in (two, found)]
print(f"{found.cycles:,} cycles instead of {two.cycles:,}; {loaded[1]:,} bytes loaded instead of {loaded[0]:,}")

# %% [markdown]
# ## What you can do now
#
# Block a convolution with its halo, read a timeline, and hide the wait for memory, by hand or by letting the compiler.
#
# ## Exercises
#
# **Exercise 1.** Split the rows between the threads instead of the channels. Do the bytes change? Each block loads its
# own operands, in whatever order the blocks come.

# %% tags=["solution"]
by_rows = vtac.compile(source, schedule=layer.schedule(Conv2DTiling(vthreads=2, vthread_axis="h")))
by_rows(x, w)
print({name: by_rows.stats[name] for name in ("inp_load_nbytes", "wgt_load_nbytes", "cycles")})

# %% [markdown]
# **Exercise 2.** Four virtual threads need four copies of every buffer. Does it fit? How large may a block be, and what
# is said if it is too large?

# %% tags=["solution"]
tilings = [
    Conv2DTiling(vthreads=4),  # 128 channels a block: only two blocks, so no four threads
    Conv2DTiling(vthreads=4, oc_block=64),
    Conv2DTiling(vthreads=4, oc_block=64, h_block=14),
]
for tiling in tilings:
    try:
        cycles = vtac.compile(source, schedule=layer.schedule(tiling)).cycles
        print(f"{tiling.vthreads} threads of {tiling.oc_block} channels: {cycles:,} cycles\n")
    except vtac.VtacError as error:
        print(f"{error}\n")
