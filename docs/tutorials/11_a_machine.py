"""A machine of your own: a vector unit with four instructions, added to vtac by one record."""

# pyright: basic, reportAttributeAccessIssue=false, reportCallIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false, reportOptionalMemberAccess=false

# %% [markdown]
# # 11. A machine of your own
#
# vtac knows two machines, and asks each for one record. A third one is a package of its own: `examples/third_target`
# has a made-up vector unit with registers of eight 32-bit lanes and four instructions. Nothing in vtac was changed for
# it.
#
# `pip install ./examples/third_target` makes it known. Here we do by hand what pip does, so that this page needs no
# installation: write down the entry points, and put the folders on the path.

# %%
import sys
import tempfile
import tomllib
from pathlib import Path

from pictures import chain, checkout

PACKAGE = checkout() / "examples" / "third_target"
entries = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]["entry-points"]
installed = Path(tempfile.mkdtemp()) / "vtac_vec-0.1.0.dist-info"
installed.mkdir()
(installed / "METADATA").write_text("Metadata-Version: 2.1\nName: vtac-vec\nVersion: 0.1.0\n")
lines = [
    f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in found.items()) for group, found in entries.items()
]
(installed / "entry_points.txt").write_text("\n".join(lines))
sys.path[:0] = [str(PACKAGE), str(installed.parent)]
print("\n".join(lines))

# %% [markdown]
# ## The record
#
# Everything that vtac asks of a machine: what its hardware is called and described by, the memories that schedules
# place buffers in, what `tensorize` can name, the pipeline, default schedules, and how programs are built, saved and
# run.

# %%
import numpy as np

import vtac
from vtac.compiler import lower
from vtac.targets.registry import find_target, target_names

print("targets:", target_names())
vec = find_target("vec")
print("scopes:", dict(vec.scopes))
print("intrinsics:", [one.name for one in vec.intrinsics])
print("phases:", [phase.name for phase in vec.pipeline().phases])
chain(
    [(phase.name, f"{len(phase.passes)} passes") for phase in vec.pipeline().phases],
    "The phases of the pipeline in their order.",
)

# %% [markdown]
# ## A program for it
#
# The first half of the way is vtac's own: payload and directives. `vtac.compile` finds the default schedule that the
# package gives for a matrix product.

# %%
SOURCE = """func.func @product(%a: tensor<4x16xi32>, %b: tensor<16x24xi32>) -> tensor<4x24xi32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<4x24xi32>
  %start = linalg.fill ins(%zero : i32) outs(%empty : tensor<4x24xi32>) -> tensor<4x24xi32>
  %c = linalg.matmul ins(%a, %b : tensor<4x16xi32>, tensor<16x24xi32>)
                     outs(%start : tensor<4x24xi32>) -> tensor<4x24xi32>
  func.return %c : tensor<4x24xi32>
}
"""
program = vtac.compile(SOURCE, target="vec")
print(program.text)

# %% [markdown]
# Each level runs, as for the other machines: before the last phase as loops over blocks, after it as instructions.

# %%
random = np.random.default_rng(0)
a = random.integers(-9, 9, (4, 16), dtype=np.int32)
b = random.integers(-9, 9, (16, 24), dtype=np.int32)
assert (program(a, b) == a @ b).all()
module = lower(SOURCE, "vec")
assert (vtac.evaluate.evaluate(module, a, b) == a @ b).all()
print("correct on both levels")

# %% [markdown]
# ## How a loop becomes an instruction
#
# `tensorize(loop, "vec.axpy")` asks the machine's matcher whether a loop is that instruction. A loop that is not gets
# a message with the first difference: what was found, and what is required. This is all of the dialect's file that
# says what one of the instructions is:

# %%
text = (PACKAGE / "vtac_vec" / "dialect.py").read_text()
begin = text.index("class AxpyOp")
print(text[begin - 20 : text.index("\n\n\n", begin)])

# %% [markdown]
# ## What you can do now
#
# Read a target's record, add a machine as a package, and see at which places of the way it has a say.
#
# ## Exercises
#
# **Exercise 1.** How many lines does a machine need? Count those of the package, file by file.

# %% tags=["solution"]
sizes = {path.name: len(path.read_text().splitlines()) for path in sorted((PACKAGE / "vtac_vec").glob("*.py"))}
print(*[f"{name:25} {lines:4}" for name, lines in sizes.items()], f"{'together':25} {sum(sizes.values()):4}", sep="\n")

# %% [markdown]
# **Exercise 2.** The lanes are eight. What is said of a product whose rows are not whole registers?

# %% tags=["solution"]
try:
    vtac.compile(SOURCE.replace("24", "20"), target="vec")
except vtac.VtacError as error:
    print(error)
