"""Choosing hardware: sweep configurations, read the Pareto front, and say what limits a point."""

# pyright: basic, reportAttributeAccessIssue=false, reportCallIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false, reportOptionalMemberAccess=false

# %% [markdown]
# # 7. Choosing hardware
#
# The VTA is a family of machines: the sizes of its tiles and memories are set before it is built. Which one is best
# for a network? `vtac.explore` compiles the network for each of them and counts cycles and bytes exactly. Energy and
# area are estimates: counts times [a table](../exploring.md#the-table-of-energies-and-areas).

# %%
from pictures import bars, points

import vtac

NETWORK = """
func.func @layer(%image: tensor<1x32x14x14xi8>, %filters: tensor<32x32x3x3xi8>) -> tensor<1x32x12x12xi8> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<1x32x12x12xi32>
  %start = linalg.fill ins(%zero : i32) outs(%empty : tensor<1x32x12x12xi32>) -> tensor<1x32x12x12xi32>
  %sum = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%image, %filters : tensor<1x32x14x14xi8>, tensor<32x32x3x3xi8>)
      outs(%start : tensor<1x32x12x12xi32>) -> tensor<1x32x12x12xi32>
  %bytes = tensor.empty() : tensor<1x32x12x12xi8>
  %result = linalg.generic {indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>,
      affine_map<(n, c, h, w) -> (n, c, h, w)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%sum : tensor<1x32x12x12xi32>) outs(%bytes : tensor<1x32x12x12xi8>) {
  ^bb0(%x: i32, %o: i8):
    %shift = arith.constant 8 : i32
    %least = arith.constant -128 : i32
    %most = arith.constant 127 : i32
    %scaled = arith.shrsi %x, %shift : i32
    %above = arith.maxsi %scaled, %least : i32
    %within = arith.minsi %above, %most : i32
    %y = arith.trunci %within : i32 to i8
    linalg.yield %y : i8
  } -> tensor<1x32x12x12xi8>
  func.return %result : tensor<1x32x12x12xi8>
}
"""
print(vtac.compile(NETWORK))

# %% [markdown]
# ## What follows from a configuration
#
# A tile of BLOCK channels in and out needs BLOCK x BLOCK multipliers. Larger blocks finish sooner, if the network has
# as many channels and memory delivers as many bytes.

# %%
for log_block in (4, 5):
    config = vtac.VTAConfig(log_block=log_block)
    print(config, "multipliers:", config.batch * config.block_in * config.block_out)

# %% [markdown]
# ## A sweep
#
# A condition names what is swept, and which combinations count. What is printed is the front of cycles and SRAM: points
# to which no other is better in both.

# %%
sweep = vtac.explore(NETWORK, where="BLOCK in (16, 32) and wgt_kib in (64, 256)")
print(sweep)

# %% [markdown]
# ## The front
#
# A point is on the *Pareto front* if no other is better in both measures. All others can be forgotten. Larger blocks
# cost no SRAM, but multipliers, so by cycles and area the front has a second point.

# %%
front = sweep.pareto("cycles", "area")
names = {point.name for point in front}
found = [point for point in sweep if not point.error]
points(
    [
        (point.area, point.cycles, point.name if point.name in names else "", 0 if point.name in names else -1)
        for point in found
    ],
    "Points of the sweep by area and cycles; those on the front have names.",
    "square millimetres",
    "cycles",
)

# %% [markdown]
# ## What limits a point
#
# `limit` is the unit that is busy longest. With larger blocks the products take a quarter of the time, and something
# else becomes the limit; `tokens` means that no unit is busy for 70 % of the time: they wait for one another, and more
# multipliers would stand idle.

# %%
for point in front:
    print(f"{point.name:40} {point.cycles:>8,} cycles, {point.multipliers:>5} multipliers, limited by {point.limit}")
bars([(point.name, point.cycles) for point in front], "Cycles of the points on the front.", "cycles")

# %% [markdown]
# ## What you can do now
#
# Sweep machines for your networks, read a Pareto front, and say which unit a machine should spend its silicon on.
#
# ## Exercises
#
# **Exercise 1.** Which point of the front needs the least energy?

# %% tags=["solution"]
best = min(front, key=lambda point: point.energy)
print(best.name, f"{best.energy:,.0f} uJ")

# %% [markdown]
# **Exercise 2.** Twice as wide a bus: by how much do the cycles of the largest machine fall?

# %% tags=["solution"]
wide = vtac.explore(NETWORK, where="BLOCK == 32 and bus_bits in (64, 128)")
for point in wide:
    print(point.name, point.error or f"{point.cycles:,} cycles")
