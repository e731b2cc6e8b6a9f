"""An instruction of your own: an ALU opcode, from the linalg operation to the bits, in a copy of the compiler."""

# pyright: basic, reportAttributeAccessIssue=false, reportCallIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false, reportOptionalMemberAccess=false

# %% [markdown]
# # 10. An instruction of your own
#
# The VTA's ALU has minima, maxima, sums and shifts. Suppose that you build a machine whose ALU also has *exclusive or*.
# Five files know what the ALU can do; each gets a line or two. To leave vtac as it is, we change a copy of it.

# %%
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pictures import chain, checkout

ROOT = checkout()
COPY = Path(tempfile.mkdtemp())
shutil.copytree(ROOT / "vtac", COPY / "vtac", ignore=shutil.ignore_patterns("__pycache__"))  # links as folders


def edit(path: str, old: str, new: str) -> None:
    """Replace a piece of a file of the copy, and show the line that it makes."""
    file = COPY / "vtac" / path
    text = file.read_text()
    assert text.count(old) == 1, f"{path} has changed"
    file.write_text(text.replace(old, new))
    print(f"{path}: {new.strip().splitlines()[-1].strip()}")


chain(
    [
        ("arith.xori", "in the program"),
        ("vta.alu xor", "in the dialect"),
        ("5", "in the word"),
        ("numpy", "in the machine"),
    ],
    "An exclusive or at four levels: operation, dialect, number of the instruction, meaning in the machine.",
)

# %% [markdown]
# ## 1. The name
#
# `ALU_NAMES` is the table that verifiers, passes and the stream builder ask.

# %%
edit("dialects/vta/kernels.py", '| Literal["mul"]', '| Literal["mul", "xor"]')
edit("dialects/vta/kernels.py", '"shr", "mul")', '"shr", "mul", "xor")')

# %% [markdown]
# ## 2. The number in the instruction
#
# The field `alu_opcode` has 3 bits ([the machine](../machine.md)), so 5 is free.

# %%
edit("targets/vta/isa/instructions.py", "    MUL = 4\n", "    MUL = 4\n    XOR = 5\n")

# %% [markdown]
# ## 3. What it computes
#
# Twice, since two machines execute streams: a plain one, which takes tile after tile, and a fast one, which takes many
# tiles at once. Tests compare the two. The fast one also has a closed form for a number that is applied to one tile
# several times, which we leave out.

# %%
edit("targets/vta/machine/numerics.py", "MUL: np.multiply,", "MUL: np.multiply,\n    AluOpcode.XOR: np.bitwise_xor,")
edit("targets/vta/machine/fast_alu.py", "MUL: np.multiply,", "MUL: np.multiply,\n    AluOpcode.XOR: np.bitwise_xor,")

# %% [markdown]
# ## 4. The operation that it stands for

# %%
edit("analysis/nests/bodies.py", 'arith.MuliOp: "mul",', 'arith.MuliOp: "mul",\n        arith.XOrIOp: "xor",')

# %% [markdown]
# ## Try it
#
# A program that computes `A xor B`, with the schedule of [tutorial 1](01_vector_addition.md), compiled by the copy.

# %%
PROGRAM = '''
import numpy as np
import vtac

SOURCE = """
#tile = affine_map<(o, m, b, c) -> (o, m, b, c)>
func.func @f(%A: tensor<1x4x1x16xi32>, %B: tensor<1x4x1x16xi32>) -> tensor<1x4x1x16xi8> {
  %w = tensor.empty() : tensor<1x4x1x16xi32>
  %x = linalg.generic {indexing_maps = [#tile, #tile, #tile],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%A, %B : tensor<1x4x1x16xi32>, tensor<1x4x1x16xi32>) outs(%w : tensor<1x4x1x16xi32>) {
  ^bb0(%a: i32, %b: i32, %o: i32):
    %s = arith.xori %a, %b : i32
    linalg.yield %s : i32
  } -> tensor<1x4x1x16xi32>
  %n = tensor.empty() : tensor<1x4x1x16xi8>
  %C = linalg.generic {indexing_maps = [#tile, #tile],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x4x1x16xi32>) outs(%n : tensor<1x4x1x16xi8>) {
  ^bb0(%v: i32, %o: i8):
    %y = arith.trunci %v : i32 to i8
    linalg.yield %y : i8
  } -> tensor<1x4x1x16xi8>
  func.return %C : tensor<1x4x1x16xi8>
}
"""
schedule = vtac.Schedule(SOURCE)
block, store = schedule.get_block("x"), schedule.get_block("C")
for index in (0, 1):
    schedule.dma_copy(schedule.get_loops(schedule.cache_read(block, index, "vta.acc"))[0])
schedule.set_scope(block, 0, "vta.acc")
schedule.alu(schedule.get_loops(block)[0])
schedule.dma_copy(schedule.get_loops(store)[0])
program = vtac.compile(SOURCE, schedule=schedule)
print(program.disassemble())
a, b = np.random.default_rng(0).integers(-128, 128, (2, 1, 4, 1, 16), dtype=np.int32)
assert (program(a, b) == (a ^ b).astype(np.int8)).all()
print("correct; findings:", vtac.check(program))
'''


def run(folder: Path) -> str:
    """What the program prints with the compiler of a folder, or its error."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)
    return (
        next(line for line in reversed(done.stderr.splitlines()) if "Error" in line) if done.returncode else done.stdout
    )


print(run(COPY))

# %% [markdown]
# The disassembler, the assembler, the checker and the cycle model took the name from the table. The compiler as it was
# refuses the same program, by the operation's name:

# %%
print(run(ROOT))

# %% [markdown]
# ## What is left
#
# For plain programs two more files, `vtac/partition/primitives.py` and `device_bodies.py`; where the hardware limits
# the instruction, as it does shifts, a rule in strict execution and one in the checker. [Extending](../extending.md)
# has the list.
#
# ## What you can do now
#
# Follow an instruction through all levels of the compiler, and add one.
#
# ## Exercises
#
# **Exercise 1.** Which bits of the instruction word hold the number? Take them out of the word.

# %% tags=["solution"]
import vtac
from vtac.targets.vta.isa import Opcode, instruction_layout

field = instruction_layout(vtac.VTAConfig(), Opcode.ALU)["alu_opcode"]
print(f"bits {field.low + field.width - 1}:{field.low}, at most {field.maximum}")

# %% [markdown]
# **Exercise 2.** Leave out step 3. At which level is the mistake found, and what is said?

# %% tags=["solution"]
numerics = COPY / "vtac" / "targets" / "vta" / "machine"
for name in ("numerics.py", "fast_alu.py"):
    text = (numerics / name).read_text()
    (numerics / name).write_text(text.replace("    AluOpcode.XOR: np.bitwise_xor,\n", ""))
print(run(COPY))
print("compiled, and stopped by the machine that runs it: no table says what 5 computes")
