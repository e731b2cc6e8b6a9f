"""A deadlock and a race: break a stream, read the checker's report, see it on the timeline."""
# pyright: basic, reportAttributeAccessIssue=false, reportCallIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false, reportOptionalMemberAccess=false

# %% [markdown]
# # 5. A deadlock and a race
#
# The three units of the VTA run side by side and know nothing of one another but tokens. Four queues lie between
# neighbours: load to GEMM (`l2g`) and back (`g2l`), store to GEMM (`s2g`) and back (`g2s`). An instruction may *pop* a
# token before it begins, for which it waits, and *push* one when it has ended. Whoever writes such programs by hand
# forgets one sooner or later. Let us do it on purpose.

# %%
from textwrap import fill

from pictures import chain, timeline

import vtac
from vtac.targets.vta.isa import assemble

chain(
    [("load", "prev of compute"), ("compute", "GEMM and ALU"), ("store", "next of compute")],
    "Load, compute and store: two token queues lie between neighbours, one in each direction.",
)

# %% [markdown]
# ## A sound stream
#
# Two rounds: load four tiles of accumulators, add 1, store them, and the same again at the same place of the chip.
# `prev` and `next` are the neighbours: the ALU instruction pushes to *next*, the store unit, and the store answers to
# its *prev*.
#
# Addresses count elements, not bytes: `dram 0xc0` of accumulators, 64 bytes each, is byte 0x3000 of the memory `image`
# below; results of 16 bytes go to 0x400, which is byte 0x4000; and the micro-op of 4 bytes at 0x1400 is byte 0x5000.
# That micro-op is 0, so it names tile 0.

# %%
SOUND = """load.uop sram 0 <- dram 0x1400, 1 x 1 stride 1
load.acc sram 0 <- dram 0xc0, 1 x 4 stride 4
alu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 4 (dst+1 src+1) push_next
store.out sram 0 -> dram 0x400, 1 x 4 stride 4 pop_prev push_prev
load.acc sram 0 <- dram 0xc4, 1 x 4 stride 4 pop_next
alu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 4 (dst+1 src+1) push_next
store.out sram 0 -> dram 0x404, 1 x 4 stride 4 pop_prev push_prev
load.uop nop pop_next
finish
"""
import numpy as np

config = vtac.VTAConfig()
image = np.zeros(0x6000, np.uint8)
numbers = image[0x3000:0x3200].view(np.int32)
numbers[:] = range(128)


def run(text: str) -> np.ndarray:
    """The bytes that a stream stores."""
    memory = image.copy()
    vtac.execute(assemble(text, config), memory, config, strict=True)
    return memory[0x4000:0x4080].view(np.int8)


assert (run(SOUND) == np.arange(1, 129).astype(np.int8)).all()
print(vtac.check(assemble(SOUND, config), config, dram=image))
timeline(
    vtac.simulate_cycles(assemble(SOUND, config), config),
    "Timeline of the sound stream: the second load of compute waits until the first store has ended.",
)

# %% [markdown]
# An empty list is a proof: no order in which the units may run goes wrong.
#
# ## A race
#
# The second `load.acc` pops the token by which the store unit says "I have read the tiles". Without it, the second
# addition may write over results that the first store still reads. And since nothing takes that token, the last
# `pop_next` takes it instead of the one it was meant to wait for: the run may end before the last store has, and one
# token is left.

# %%
racy = SOUND.replace(
    "load.acc sram 0 <- dram 0xc4, 1 x 4 stride 4 pop_next", "load.acc sram 0 <- dram 0xc4, 1 x 4 stride 4"
)


def tell(finding: vtac.Finding) -> None:
    """Print a finding in lines that fit the page."""
    print(fill(f"{finding.kind}: {finding.message}", 110), end="\n\n")


for finding in vtac.check(assemble(racy, config), config, dram=image):
    tell(finding)

# %% [markdown]
# The report names both instructions, the memory, the tiles, and the dependence that is missing. On the timeline compute
# no longer waits: its second load begins while the store is on its way. The load does no harm, as it writes
# accumulators and the store reads the bytes that the addition wrote beside them ([the machine](../machine.md)). The
# second addition comes late enough in this run. With a slower store it would not, so a run cannot show that a stream is
# safe, and a proof can.

# %%
timeline(
    vtac.simulate_cycles(assemble(racy, config), config),
    "Timeline of the stream with the race: compute goes on at once, whether or not the first store has ended.",
)

# %% [markdown]
# ## A deadlock
#
# Now forget a push instead: the store no longer answers. The next `load.acc` waits for ever, and with it the whole
# machine. On a board you would see nothing at all; the checker and the interpreter say who waits for what.

# %%
stuck = SOUND.replace("0x400, 1 x 4 stride 4 pop_prev push_prev", "0x400, 1 x 4 stride 4 pop_prev")
stuck = stuck.replace("0x404, 1 x 4 stride 4 pop_prev push_prev", "0x404, 1 x 4 stride 4 pop_prev")
for finding in vtac.check(assemble(stuck, config), config, dram=image):
    tell(finding)
try:
    run(stuck)
except vtac.ExecutionError as error:
    print(f"execution: {error.kind} at instruction {error.index}")

# %% [markdown]
# ## What the rule is for
#
# Each kind of finding has a page of its own: the rule, where in the hardware it comes from, and what to do.
# `vtac explain deadlock` prints this in a shell, and [the reference](../reference/findings.md) has all kinds.

# %%
from vtac.targets.vta.rules import RULES

for kind in ("race", "deadlock", "tokens"):
    print(f"{kind:9} {RULES[kind].rule}; {RULES[kind].remedy}")

# %% [markdown]
# ## What you can do now
#
# Read and write token bits, tell a race from a deadlock by its report, and find both before any hardware runs.
#
# ## Exercises
#
# **Exercise 1.** Give the second round a place of its own on the chip, tiles 4 to 7; it needs a second micro-op, which
# names tile 4. Which token is no longer needed?

# %% tags=["solution"]
apart = SOUND.splitlines()
apart[4] = "load.acc sram 4 <- dram 0xc4, 1 x 4 stride 4"
apart[5] = "alu.add imm 1, uops 1:2, for 1 (dst+0 src+0), for 4 (dst+1 src+1) push_next"
apart[6] = "store.out sram 4 -> dram 0x404, 1 x 4 stride 4 pop_prev push_prev"
apart[3] = apart[3].replace(" push_prev", "")
apart[0] = "load.uop sram 0 <- dram 0x1400, 1 x 2 stride 2"
from vtac.targets.vta.isa import MicroOp, encode_micro_ops

image[0x5000:0x5008] = np.frombuffer(encode_micro_ops([MicroOp(0, 0, 0), MicroOp(4, 4, 0)], config), np.uint8)
text = "\n".join(apart) + "\n"
assert vtac.check(assemble(text, config), config, dram=image) == []
assert (run(text) == np.arange(1, 129).astype(np.int8)).all()
print("proven safe without the token from the first store")

# %% [markdown]
# **Exercise 2.** Push one token too many. What is said, and why does it matter on hardware that runs a second program?

# %% tags=["solution"]
extra = SOUND.replace("load.uop sram 0", "load.inp nop push_next\nload.uop sram 0", 1)
for finding in vtac.check(assemble(extra, config), config, dram=image):
    tell(finding)
print("the next program's first pop of that queue would take it, and begin before its data is there")
