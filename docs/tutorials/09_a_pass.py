"""A pass of your own: a rewrite pattern on the vta dialect, proven by running, put into the pipeline."""

# pyright: basic, reportAttributeAccessIssue=false, reportCallIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false, reportOptionalMemberAccess=false

# %% [markdown]
# # 9. A pass of your own
#
# A program that adds 3 and then 4 keeps the vector unit busy twice. One addition of 7 would do. We write a pass for it:
# one rewrite pattern, as all lowerings of vtac are, and see what it saves.
#
# ## Where to look
#
# The vector unit's instructions appear in the phase `units`, where `vta.alu` is one operation for each.

# %% output="mlir"
from pictures import bars

import vtac
from vtac.compiler import lower

TILES = "tensor<1x64x1x16xi32>"
MAP = "affine_map<(o, m, b, c) -> (o, m, b, c)>"


def step(name: str, source: str, body: str, kind: str = "i32") -> str:
    """One elementwise operation as text."""
    made = TILES.replace("i32", kind)
    return f"""
  %{name}_e = tensor.empty() : {made}
  %{name} = linalg.generic {{indexing_maps = [{MAP}, {MAP}],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}}
      ins(%{source} : {TILES}) outs(%{name}_e : {made}) {{
  ^bb0(%x: i32, %o: {kind}):
    {body}
    linalg.yield %y : {kind}
  }} -> {made}"""


def add(number: int) -> str:
    """The body of an addition."""
    return f"%n = arith.constant {number} : i32\n    %y = arith.addi %x, %n : i32"


NARROW = TILES.replace("i32", "i8")
SUMS = step("first", "A", add(3)) + step("second", "first", add(4))
STORE = step("C", "second", "%y = arith.trunci %x : i32 to i8", "i8")
SOURCE = f"func.func @f(%A: {TILES}) -> {NARROW} {{{SUMS}{STORE}\n  func.return %C : {NARROW}\n}}\n"
schedule = vtac.Schedule(SOURCE)
first, second, store = (schedule.get_block(name) for name in ("first", "second", "C"))
copy = schedule.cache_read(first, 0, "vta.acc")
for block in (first, second):
    schedule.set_scope(block, 0, "vta.acc")
    schedule.alu(schedule.get_loops(block)[0])
for block in (copy, store):
    schedule.dma_copy(schedule.get_loops(block)[0])
units = lower(SOURCE, schedule=schedule, phase="units")
print("\n".join(line.strip() for line in str(units).splitlines() if "vta.alu" in line))

# %% [markdown]
# ## The pattern
#
# Two ALU kernels that follow each other, both additions of a number, with the same loops and indices on the same
# buffers. A pattern looks at one operation, checks everything first, and changes the IR through the rewriter only.
#
# The pass's docstring says what it **requires**, **ensures** and **declines**; every pass of vtac does.

# %%
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, PatternRewriteWalker, RewritePattern, op_type_rewrite_pattern

from vtac.dialects.vta.kernels import AluOp

MOST = (1 << 15) - 1  # the immediate field has 16 bits, one of them the sign


class AddOnce(RewritePattern):
    """An addition takes the number of the one before it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AluOp, rewriter: PatternRewriter) -> None:
        before = op.prev_op
        if not isinstance(before, AluOp) or not _adds_a_number(before) or not _adds_a_number(op):
            return
        same = ("loops", "micro", "indices")
        if any(before.properties[name] != op.properties[name] for name in same) or [*before.operands] != [*op.operands]:
            return
        total = before.immediate.value.data + op.immediate.value.data
        if not -MOST <= total <= MOST:
            return
        op.immediate = IntegerAttr(total, i64)
        rewriter.notify_op_modified(op)
        rewriter.erase(before)


def _adds_a_number(op: AluOp) -> bool:
    return op.opcode.data == "add" and op.immediate is not None


@dataclass(frozen=True)
class VtaAddOnce(ModulePass):
    """Make one addition of several in turn.

    requires: ALU kernels, before tokens stand between them.
    ensures:  no two additions of numbers to the same tiles follow each other, where the sum fits.
    declines: nothing; what does not match stays.
    """

    name = "vta-add-once"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        PatternRewriteWalker(AddOnce()).rewrite_module(op)


before = units.clone()
VtaAddOnce().apply(Context(), units)
print("\n".join(line.strip() for line in str(units).splitlines() if "vta.alu" in line))

# %% [markdown]
# On the page of a real pass this stands in a `.mlir` file with CHECK lines. Does it do nothing when it is run twice?

# %%
once = str(units)
VtaAddOnce().apply(Context(), units)
assert str(units) == once
print("idempotent")

# %% [markdown]
# ## Run both
#
# The rest of the pipeline takes either module to a program. A wrong rewrite would show in the numbers or in the proof.

# %%
import numpy as np

from vtac.pipelines import Runner
from vtac.targets.registry import find_target
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.text.context import make_context

runner, programs = Runner(make_context()), []
for module in (before, units):
    runner.run_phases(VTA_PIPELINE.beyond("units"), module)
    programs.append(find_target("vta").build(module))
x = np.random.default_rng(0).integers(-100, 100, (1, 64, 1, 16), dtype=np.int32)
for program in programs:
    assert (program(x) == (x + 7).astype(np.int8)).all() and vtac.check(program) == []
bars(
    [("two additions", programs[0].stats["alu_counter"]), ("one", programs[1].stats["alu_counter"])],
    "Tile operations of the ALU: twice as many without the pass.",
    "tile operations",
)

# %% [markdown]
# ## In the pipeline
#
# In vtac a pass is one file in `passes/`, found by its name; in a package of your own an entry point `xdsl.universe`
# makes it known to `vtac-opt` and `xdsl-opt` alike. [Extending](../extending.md) has the steps.
#
# ## What you can do now
#
# Write a pattern and a pass on any level, show that it is idempotent, and prove it by running before and after.
#
# ## Exercises
#
# **Exercise 1.** Which additions must the pattern leave alone? Take a sum of 20,000 and 20,000.

# %% tags=["solution"]
large = SOURCE.replace("constant 3 ", "constant 20000 ").replace("constant 4 ", "constant 20000 ")
found = lower(large, schedule=str(schedule), phase="units")
VtaAddOnce().apply(Context(), found)
print(str(found).count("vta.alu add"), "additions stay: 40,000 does not fit into the immediate field")

# %% [markdown]
# **Exercise 2.** Two clamps `max a`, `max b` in turn are one too. How would the pattern have to change?

# %% tags=["solution"]


class MaxOnce(RewritePattern):
    """Of two maxima in turn the larger number is enough."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AluOp, rewriter: PatternRewriter) -> None:
        before = op.prev_op
        if not isinstance(before, AluOp) or {before.opcode.data, op.opcode.data} != {"max"}:
            return
        if before.immediate is None or op.immediate is None or before.indices != op.indices or before.loops != op.loops:
            return
        if [*before.operands] != [*op.operands]:
            return
        op.immediate = max(before.immediate, op.immediate, key=lambda one: one.value.data)
        rewriter.notify_op_modified(op)
        rewriter.erase(before)


clamped = lower(SOURCE.replace("arith.addi", "arith.maxsi"), schedule=str(schedule), phase="units")
PatternRewriteWalker(MaxOnce()).rewrite_module(clamped)
print("\n".join(line.strip() for line in str(clamped).splitlines() if "vta.alu" in line))
