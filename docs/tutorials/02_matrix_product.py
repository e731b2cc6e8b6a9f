"""Matrix product by blocks: why the whole does not fit, blocking, transfers, and the matrix unit."""
# pyright: basic, reportAttributeAccessIssue=false, reportCallIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false, reportOptionalMemberAccess=false

# %% [markdown]
# # 2. A matrix product by blocks
#
# One row of 1,024 numbers times a matrix of 1,024 x 1,024: the last layer of many networks. The numbers are bytes, sums
# are kept in 32 bits, and at the end each sum is scaled down to a byte again (*requantised*): shifted right by 8 and
# clipped to 0 .. 127.

# %%
import numpy as np
from pictures import bars, grid, timeline

import vtac
from vtac.compiler import lower
from vtac.workloads.matmul import Matmul

layer = Matmul(batch=1, in_features=1024, out_features=1024)
source = layer.text()
print("\n".join(source.splitlines()[:20]))

# %% [markdown]
# The arguments lie in tiles: `data` has 64 tiles of 1 x 16 numbers, `weight` 64 x 64 tiles of 16 x 16. One instruction
# of the matrix unit (GEMM) multiplies one row tile by one weight tile, every cycle.
#
# ## Why it does not fit
#
# The machine has four memories on the chip, and all that an instruction works on has to be there. The simplest schedule
# copies each operand as a whole. How much is that?

# %%
config = vtac.VTAConfig()
needs = {"inp": 64, "wgt": 64 * 64, "acc": 64}
for memory, tiles in needs.items():
    print(f"{memory}: {tiles:5} of {config.capacity(memory):5} tiles")
bars(
    [("WGT has", config.capacity("wgt")), ("WGT needs", needs["wgt"])],
    "The weight memory has 1,024 tiles, and all weights need 4,096.",
    "tiles",
)

# %% [markdown]
# The compiler says the same. Here is that schedule, with every operand copied once in front of everything:

# %%
schedule = vtac.Schedule(source)
product = schedule.get_block("res_gemm")
stages = [schedule.get_block(name) for name in ("res_shr", "res_max", "res_min")]
copies = [schedule.cache_read(product, 0, "vta.inp"), schedule.cache_read(product, 1, "vta.wgt")]
for block in (product, *stages):
    schedule.set_scope(block, 0, "vta.acc")
for copy in copies:
    schedule.dma_copy(schedule.get_loops(copy)[0])
rows, columns, row, column, reduced, k = schedule.get_loops(product)
schedule.reorder(rows, columns, reduced, row, column, k)
schedule.tensorize(row, "vta.gemm")
for block in stages:
    schedule.alu(schedule.get_loops(block)[0])
schedule.dma_copy(schedule.get_loops(schedule.get_block("res"))[0])
try:
    vtac.compile(source, schedule=schedule)
except vtac.CompileError as error:
    print(error)

# %% [markdown]
# ## Blocking
#
# So we compute 256 output features at a time, and for each of these blocks take 256 input features at a time: a block
# of the weights is then 16 x 16 tiles. `split` cuts a loop in two, `reorder` brings the loops over blocks outside. In
# what is printed, `r` are loops of the reduction, and `+= ... from 0` is a sum that starts at 0.

# %%
grid(
    [[(f"{y},{x}", y) for x in range(4)] for y in range(4)],
    "The weight matrix as 4 by 4 blocks; blocks of one row, in one colour, add up to one block of results.",
    "blocks of 16 x 16 tiles: output, input",
    cell=56,
)
schedule = vtac.Schedule(source)
result, product = schedule.get_block("res"), schedule.get_block("res_gemm")
stages = [schedule.get_block(name) for name in ("res_min", "res_max", "res_shr")]
rows, columns, row, column = schedule.get_loops(result)
outer, inner = schedule.split(columns, factor=16)
schedule.reorder(outer, rows, inner, row, column)
print(schedule.steps()[-1])

# %% [markdown]
# `compute_at` moves a producer into a loop of its consumer: it then computes just what that iteration needs. Consumers
# go first. After this all the work on one block of 256 features stands in one loop.

# %%
for block in (*stages, product):
    schedule.compute_at(block, outer)
*_, rows, columns, row, column, reduced, k = schedule.get_loops(product)
reduced_outer, reduced_inner = schedule.split(reduced, factor=16)
schedule.reorder(reduced_outer, rows, columns, reduced_inner, row, column, k)
schedule.show()

# %% [markdown]
# ## Memories, transfers, units
#
# Now the copies of operands go into the loop over blocks of the reduction, where 16 tiles of data and 256 of weights
# are needed, and everything is mapped to its unit. `tensorize` gives the three innermost loops, one tile times one
# tile, to the matrix unit; a loop nest that is not exactly that is refused.

# %%
data = schedule.cache_read(product, 0, "vta.inp")
weight = schedule.cache_read(product, 1, "vta.wgt")
for block in (product, *stages):
    schedule.set_scope(block, 0, "vta.acc")
for block in (data, weight):
    schedule.compute_at(block, reduced_outer)
    schedule.dma_copy(schedule.get_loop(block, "i0"))
schedule.dma_copy(schedule.get_loop(result, "i0"))
schedule.tensorize(row, "vta.gemm")
for block in stages:
    schedule.alu(schedule.get_loop(block, "i0"))
schedule.show()

# %% [markdown]
# ## The instructions
#
# One block as operations of the `vta` dialect. Read the kernel of `vta.gemm` so: the hardware loops are 16 x 16
# iterations over output and input tiles, each of which moves the indices (dst, src, wgt) by the numbers beside it.

# %% output="mlir"
lowered = lower(source, schedule=schedule)
shown = [line for line in str(lowered).splitlines() if "vta.gemm" in line or "vta.alu" in line or "scf.for" in line]
print("\n".join(shown))

# %%
program = vtac.compile(source, schedule=schedule)
print("\n".join(program.disassemble().splitlines()[:12]))

# %% [markdown]
# The first line has nothing to store: it pushes a token, "the place of the results is free", which every block waits
# for. The rest is a round per block of operands: load waits until the products before are done (`pop_next`), brings two
# operands, and tells compute (`push_next`).
#
# Is the result right?

# %%
random = np.random.default_rng(0)
x = random.integers(-128, 128, (1, 1024)).astype(np.int8)
w = random.integers(-128, 128, (1024, 1024)).astype(np.int8)
packed_x = x.reshape(1, 64, 1, 16)
packed_w = w.reshape(64, 16, 64, 16).transpose(0, 2, 1, 3)
expected = np.clip((x.astype(np.int32) @ w.T.astype(np.int32)) >> 8, 0, 127).astype(np.int8)
assert (program(packed_x, packed_w).reshape(1, 1024) == expected).all()
assert vtac.check(program) == []
print(f"{program.stats['gemm_counter']:,} tiles multiplied in {program.stats['cycles']:,} cycles")

# %% [markdown]
# Loading a weight takes far longer than using it once, so this program is bound by memory: the timeline of its first
# blocks shows compute waiting for load.

# %%
timeline(program, "Timeline of two blocks: load is busy all the time, compute waits in between.", 0, 20_000)

# %% [markdown]
# The schedule that the compiler finds by itself keeps the loads running while the unit computes:

# %%
found = vtac.compile(source)
print(f"{found.cycles:,} cycles instead of {program.cycles:,}")
least = 1024 * 1024 // 8
print(f"{least:,} cycles are needed for the weights alone, at 8 bytes a cycle")

# %% [markdown]
# ## What you can do now
#
# Say why a program does not fit, block it, place copies, and map a product to the matrix unit.
#
# ## Exercises
#
# **Exercise 1.** Use blocks of 128 and of 512 output features. What happens to the weight memory, and to the cycles?
# `layer.schedule` writes the schedule of VTA's own tutorial for any blocks. It stores results tile by tile, not a row
# of 16 at once as ours does, which costs a few hundred cycles.

# %% tags=["solution"]
from vtac.workloads.matmul import MatmulTiling

for features in (128, 256, 512):
    tiling = MatmulTiling(out_block=features)
    other = vtac.compile(source, schedule=layer.schedule(tiling))
    print(f"{features:4} features at a time: {features // 16 * 16:4} weight tiles, {other.cycles:,} cycles")

# %% [markdown]
# **Exercise 2.** With a batch of 16 rows, each weight is used 16 times. By how much does the time per row fall?

# %% tags=["solution"]
many = Matmul(batch=16)
batched = vtac.compile(many.text())
print(f"{batched.cycles / 16:,.0f} cycles per row instead of {found.cycles:,}")
