"""Vector addition: from tensors to tiles, memories, transfers, the vector unit, tokens, and the stream."""
# pyright: basic, reportAttributeAccessIssue=false, reportCallIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false, reportOptionalMemberAccess=false

# %% [markdown]
# # 1. Vector addition
#
# The smallest program that an accelerator can run: read two vectors, add them, write the sum. Memories on the chip,
# transfers, tokens and the stream are all in it, so it is a good first look at what a compiler has to decide. What it
# leaves out, the matrix unit and its own memories, is in [tutorial 2](02_matrix_product.md).
#
# The VTA (Versatile Tensor Accelerator) is a small deep-learning accelerator. Three *units* work side by side: **load**
# reads inputs and weights from DRAM, **compute** multiplies matrices (GEMM), works on vectors (ALU) and reads
# accumulators and micro-ops, and **store** writes results back.

# %%
from pictures import chain, grid, timeline

chain(
    [("DRAM", "all tensors"), ("load", "into INP, WGT"), ("compute", "GEMM and ALU"), ("store", "out of OUT")],
    "The units in a row: load brings operands from DRAM, compute works on them, store takes results back.",
)

# %% [markdown]
# ## From tensors to tiles
#
# The units do not touch single numbers. They move and compute **tiles**: an accumulator tile has BATCH rows of BLOCK
# numbers, 1 x 16 on the default machine. So before anything else a vector of 64 numbers becomes an array of 4 tiles,
# of shape (rows of tiles, tiles in a row, BATCH, BLOCK).

# %%
import numpy as np

import vtac

config = vtac.VTAConfig()
print(config)
vector = np.arange(64, dtype=np.int32)
tiles = vector.reshape(1, 4, config.batch, config.block_out)
print(tiles.shape)
grid(
    [[(f"{16 * tile}..{16 * tile + 15}", tile) for tile in range(4)]],
    "Four tiles side by side, which hold the numbers 0 to 15, 16 to 31, 32 to 47 and 48 to 63.",
    cell=64,
)

# %% [markdown]
# ## The program
#
# In linalg, a dialect of MLIR, the program says what is computed and nothing of how. The sum is 32 bits wide, as the
# VTA's accumulators are; its low 8 bits are the result, because the store unit keeps 8 bits of each number.

# %%
SOURCE = """
#tile = affine_map<(o, m, b, c) -> (o, m, b, c)>
func.func @vadd(%A: tensor<1x4x1x16xi32>, %B: tensor<1x4x1x16xi32>) -> tensor<1x4x1x16xi8> {
  %wide = tensor.empty() : tensor<1x4x1x16xi32>
  %sum = linalg.add ins(%A, %B : tensor<1x4x1x16xi32>, tensor<1x4x1x16xi32>)
      outs(%wide : tensor<1x4x1x16xi32>) -> tensor<1x4x1x16xi32>
  %narrow = tensor.empty() : tensor<1x4x1x16xi8>
  %C = linalg.generic {indexing_maps = [#tile, #tile],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%sum : tensor<1x4x1x16xi32>) outs(%narrow : tensor<1x4x1x16xi8>) {
  ^bb0(%x: i32, %o: i8):
    %y = arith.trunci %x : i32 to i8
    linalg.yield %y : i8
  } -> tensor<1x4x1x16xi8>
  func.return %C : tensor<1x4x1x16xi8>
}
"""
schedule = vtac.Schedule(SOURCE)
schedule.show()

# %% [markdown]
# That is the *payload*: one nest of loops for each operation, which is called a *block*. A line such as
# `sum: 1x4x1x16xi32` makes a buffer. It lies in DRAM, and nothing says yet which unit does what.
#
# ## The schedule
#
# A schedule decides. Each call records one directive and applies it at once.
#
# First, `cache_read` puts a copy of each input into the accumulator memory, whose scope is called `vta.acc`. Since the
# ALU reads and writes that memory only, both operands have to come there, and so does the sum.

# %%
add, store = schedule.get_block("sum"), schedule.get_block("C")
copies = [schedule.cache_read(add, index, "vta.acc") for index in (0, 1)]
schedule.set_scope(add, 0, "vta.acc")
schedule.show()

# %% [markdown]
# Then each nest goes to a unit: the copies and the store are transfers (DMA), the addition runs on the vector ALU.

# %%
for copy in copies:
    schedule.dma_copy(schedule.get_loops(copy)[0])
schedule.alu(schedule.get_loops(add)[0])
schedule.dma_copy(schedule.get_loops(store)[0])
schedule.show(diff=True)

# %% [markdown]
# With `diff=True` the lines that the last directive changed have a `-` and a `+`.
#
# The schedule is IR too. `print(schedule)` gives a script that `vtac-opt` applies to the same program.

# %% output="mlir"
print(schedule)

# %% [markdown]
# ## Down to the machine
#
# After the lowering, each operation that loads, computes or stores stands for one instruction. Between them stand
# pushes and pops of **tokens**: the units run on their own, and a token is how one tells another that data is ready.
# `vta.sync` waits until everything is done.

# %% output="mlir"
from vtac.compiler import lower

lowered = lower(SOURCE, schedule=schedule)
print("\n".join(line for line in str(lowered).splitlines() if "vta." in line and "config" not in line))

# %% [markdown]
# The compute unit loads both operands itself, because accumulators are its own memory. So one token is enough, from
# compute to store: "the sum is there". The sum takes the place of `A`, which nothing reads later.
#
# At last the instructions, 16 bytes each, as the assembler writes them:

# %%
program = vtac.compile(SOURCE, schedule=schedule)
print(program.disassemble())

# %% [markdown]
# `load.uop` fetches a **micro-op**, the pair of indices that the ALU instruction works on; the instruction itself
# loops over the 4 tiles. Pushes and pops have become bits of the instructions: `push_next` of compute is a token for
# store. The two `nop` at the end carry tokens from load and from store to compute, so that `finish` comes after
# everything. Addresses count elements, so `0x40` is the DRAM's tile 64 of accumulators
# ([the machine](../machine.md#address-units)).
#
# ## Run it, and prove it
#
# The program runs on an interpreter of the machine; `program.stats` counts bytes, tile operations and cycles. The
# checker looks at every order in which the three units may run, and finds nothing that could go wrong.

# %%
random = np.random.default_rng(0)
a, b = random.integers(-128, 128, (2, 1, 4, 1, 16), dtype=np.int32)
result = program(a, b)
assert (result == (a + b).astype(np.int8)).all()
for name, value in program.stats.items():
    print(f"{name:20} {value}")
print("findings:", vtac.check(program))

# %% [markdown]
# The timeline shows where the cycles go. Most of them are spent on memory: fetching the instructions, then the compute
# unit's own loads. The addition itself takes 15 of them.

# %%
timeline(program, "Timeline of the vector addition: short bars for load, compute and store, with waits in between.")

# %% [markdown]
# ## What you can do now
#
# Read a payload, place buffers in scopes, map loops to units, print every level down to the instructions, run a
# program and prove it safe.
#
# ## Exercises
#
# **Exercise 1.** Let the program compute `max(A, B)` instead. Which lines change?

# %% tags=["solution"]
larger = SOURCE.replace("linalg.add", "linalg.max")
schedule = vtac.Schedule(larger)
biggest, store = schedule.get_block("sum"), schedule.get_block("C")
for index in (0, 1):
    copy = schedule.cache_read(biggest, index, "vta.acc")
    schedule.dma_copy(schedule.get_loops(copy)[0])
schedule.set_scope(biggest, 0, "vta.acc")
schedule.alu(schedule.get_loops(biggest)[0])
schedule.dma_copy(schedule.get_loops(store)[0])
program = vtac.compile(larger, schedule=schedule)
assert (program(a, b) == np.maximum(a, b).astype(np.int8)).all()
print(next(line for line in program.disassemble().splitlines() if "alu" in line))

# %% [markdown]
# **Exercise 2.** How many numbers can this schedule add before the accumulator memory is full? It holds 2,048 tiles.
# What does the compiler say about 32,768 numbers, and what would you do? (`vtac.workloads` has this program for any
# length.)

# %% tags=["solution"]
from vtac.workloads.vadd import VectorAdd

print(f"{2048 // 2 * 16:,} numbers: two operands share the memory, and the sum takes the place of one")
layer = VectorAdd(32_768)
try:
    vtac.compile(layer.text(), schedule=layer.schedule())
except vtac.CompileError as error:
    print(error)
blocked = vtac.compile(layer.text(), schedule=layer.schedule(block=4096))  # a block of tiles at a time
print(blocked)
