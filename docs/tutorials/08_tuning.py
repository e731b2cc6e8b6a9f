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
# The statement above holds for the whole space, because every tiling was either counted or has a bound. What was not
# tried might still reach its bound, and that is the gap. Bounds of bytes are tighter than those of cycles: what has to
# move once. So the same search for the fewest bytes leaves little:

# %%
fewest = vtac.tune(source, executor=worker, budget=30, objective="bytes")
print(f"{fewest.bytes:,} bytes instead of {fewest.default_bytes:,}: {fewest.statement}")

# %% [markdown]
# The gap closes when all tilings were counted, or left out since their bound is no better than the best. A small
# product has so few that this takes two seconds. Then it is proven that nothing better exists in the space:

# %%
small = vtac.tune(Matmul(batch=1, in_features=32, out_features=32).text(), executor=worker)
print(f"{small.cycles:,} cycles instead of {small.default_cycles:,}: {small.statement}, a gap of {small.gap:.0%}")

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
# **Exercise 2.** Which schedule was found? Compare its script with the default's.

# %% tags=["solution"]
from difflib import unified_diff

scripts = [str(vtac.autoschedule.default_schedule(source, vtac.VTAConfig())), str(result.schedule)]
print(*unified_diff(*(text.splitlines() for text in scripts), "default", "tuned", n=0, lineterm=""), sep="\n")
