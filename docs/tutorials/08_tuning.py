"""Tuning: the space of schedules, a bound below which none goes, and the proof that one is the best."""

# pyright: basic, reportAttributeAccessIssue=false, reportCallIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false, reportOptionalMemberAccess=false

# %% [markdown]
# # 8. Tuning, and how to know when to stop
#
# Many schedules compute the same. The compiler finds a good one in about a second. `vtac.tune` goes on searching, and
# says how far what it has may still be from the best: a *gap*, and 0 means that nothing better exists in its space.

# %%
from pictures import bars, points

import vtac
from vtac.workloads.matmul import Matmul

layer = Matmul(batch=4, in_features=64, out_features=64)
source = layer.text()
default = vtac.compile(source)
print(f"default schedule: {default.cycles:,} cycles")

# %% [markdown]
# ## The space
#
# A point of the space is a *tiling*: sizes of the blocks, the order of the loops over them, how many copies each
# buffer has, and in how many pieces a block is finished and stored. How large is that for our product of 4 x 64 x 64
# numbers?

# %%
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.tuning.space import space_of

(one,) = layers_of(vtac.Schedule(source))
space = space_of(one, vtac.VTAConfig())
print(f"{len(space):,} tilings fit on the chip")
points(
    [(cycles, nbytes, "", -1) for cycles, nbytes in zip(space.cycles[::40], space.nbytes[::40], strict=True)],
    "Every fortieth tiling by estimated cycles and bytes: a cloud with a corner of good ones.",
    "cycles, estimated",
    "bytes",
)

# %% [markdown]
# ## A bound for each
#
# For each tiling there is a number of cycles that no program of it goes below, found without building it: its products
# and ALU operations one after the other, or all its loads, or all its stores, whichever is longest. If the bound of a
# tiling is above what another was counted to take, it need not be tried.

# %%
best = int(space.least_cycles.min())
hopeless = (space.least_cycles > default.cycles).mean()
print(f"no tiling can take fewer than {best:,} cycles; {hopeless:.0%} of them cannot be")
print("better than the default schedule, and are never built")

# %% [markdown]
# ## A search
#
# The budget is a number of tilings here, so that this page is the same each time it is built; `"60s"` is one too.

# %%
from concurrent.futures import ThreadPoolExecutor

worker = ThreadPoolExecutor(1)  # by default it is a process for each core
result = vtac.tune(source, executor=worker, budget=60)
print(result)
tuned = vtac.compile(source, schedule=result.schedule)
assert tuned.cycles == result.cycles and vtac.check(tuned) == []
bars(
    [("default", result.default_cycles), ("tuned", result.cycles), ("no tiling below", best)],
    "Cycles of the default schedule, of the tuned one, and the least that any tiling could take.",
    "cycles",
)

# %% [markdown]
# ## The proof
#
# The statement above holds for the whole space, because every tiling was either counted or has a bound that is no
# better than the best. When bytes are the objective, the bound is what has to move once, and a schedule that moves
# just that ends the search: a gap of 0, a proof that there is nothing better.

# %%
fewest = vtac.tune(source, executor=worker, budget=60, objective="bytes")
print(fewest.statement)
print(
    f"gap {fewest.gap:.1%} after {fewest.evaluated} tilings: {fewest.bytes:,} bytes instead of {fewest.default_bytes:,}"
)

# %% [markdown]
# ## What you can do now
#
# Tune a layer within a budget, read what is proven about the result, and decide whether going on is worth it.
#
# ## Exercises
#
# **Exercise 1.** How many of the tilings have a bound below what the tuned schedule takes? Only they could still be
# better.

# %% tags=["solution"]
print(f"{int((space.least_cycles < result.cycles).sum()):,} of {len(space):,}")

# %% [markdown]
# **Exercise 2.** Which schedule was found? Print it, and find what it does that the default does not.

# %% tags=["solution"]
print("\n".join(step.directive for step in vtac.autoschedule.default_schedule(source, vtac.VTAConfig()).steps()[-8:]))
print("...\n")
print("\n".join(str(result.schedule).splitlines()[:14]))
