"""A whole network from a trained model: quantise, compile, run, report."""

# pyright: basic, reportAttributeAccessIssue=false, reportCallIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false, reportOptionalMemberAccess=false

# %% [markdown]
# # 6. A trained network, from floats to the accelerator
#
# A small network that reads handwritten digits was trained in PyTorch and saved as ONNX; the file lies in
# `examples/mnist`. Its numbers are floats, the VTA computes with bytes. This tutorial takes it there, and measures
# what is lost on the way.

# %%
import re
import sys

import numpy as np
from pictures import bars, checkout, grid

import vtac

ROOT = checkout()
sys.path.insert(0, str(ROOT / "examples" / "mnist"))
import images

digits = images.read()
data, labels = digits.held_out
model = vtac.from_onnx(ROOT / "examples" / "mnist" / "lenet.onnx")
for name, shape in model.shapes.items():
    print(f"{name:24} {'x'.join(map(str, shape))}")

# %% [markdown]
# One of the images, in two shades:

# %%
grid(
    [[("", 0 if pixel > data[0].max() / 2 else -1) for pixel in row[::2]] for row in data[0, 0][::2]],
    f"A handwritten digit in 14 x 14 pixels, a {labels[0]}.",
    cell=14,
)
scores = model(data[:1])
print("the float model says", int(np.argmax(scores)))

# %% [markdown]
# ## Quantise
#
# `quantize` looks at some images, chooses a scale for every value, and rounds weights. Scales are chosen so that going
# from a 32-bit sum back to a byte is a shift, which the VTA has.

# %% output="mlir"
quantised = model.quantize(digits.calibration)
lines = [line.strip() for line in str(quantised.module).splitlines() if " = linalg." in line]
print("\n".join(re.split(r" ins\(| \{", line)[0] for line in lines))

# %% [markdown]
# `quantised.module` is ordinary integer linalg on plain tensors, and `quantised.simulate` computes the same in numpy:
# what the accelerator must equal bit for bit.
#
# ## Compile

# %%
program = quantised.compile()
print(program)
for choice in program.choices[:5]:
    print(" ", choice)

# %% [markdown]
# ## Run
#
# `predict` quantises the images, runs the program and gives floats back, for any number of images.

# %%
predicted = program.predict(data[:8])
(own,) = quantised.floats(quantised.simulate(data[:200]))
assert np.array_equal(predicted, own[:8])
print("labels ", labels[:8])
print("int8   ", predicted.argmax(axis=1))
right_float = float((model(data[:200]).argmax(axis=1) == labels[:200]).mean())
right_int8 = float((own.argmax(axis=1) == labels[:200]).mean())
bars(
    [("float32", 100 * right_float), ("int8", 100 * right_int8)],
    f"Accuracy on 200 images: {right_float:.1%} in floats, {right_int8:.1%} in bytes.",
    "%",
)

# %% [markdown]
# ## Report
#
# What each layer loses and costs. The signal-to-noise ratio of its output against the float model's, in dB, stands
# under *alone* if only this layer is quantised, under *all* if those before it are, too.
# [Trained models](../models.md) explains the other columns.

# %%
print(quantised.report(data[:64], labels[:64]))

# %%
costs = [(one["name"], one["cycles"]) for one in quantised.report().to_json()["layers"] if one.get("cycles")]
bars(costs, "Cycles of each layer.", "cycles")

# %% [markdown]
# ## What you can do now
#
# Take a trained model to the accelerator, check that it computes what it should, and say what each layer costs.
#
# ## Exercises
#
# **Exercise 1.** How many images a second are that, at a clock of 100 MHz?

# %% tags=["solution"]
print(f"{100e6 / program.cycles:,.0f} images a second")

# %% [markdown]
# **Exercise 2.** Calibrate with four images instead of all. How often does each agree with the float model, and how far
# are the scores from its scores?

# %% tags=["solution"]
few = model.quantize(digits.calibration[:4])
(theirs,) = few.floats(few.simulate(data[:200]))
exact = np.asarray(model(data[:200]))
for name, answers in (("all images", own), ("four images", theirs)):
    same = (answers.argmax(axis=1) == exact.argmax(axis=1)).mean()
    noise = 10 * np.log10((exact**2).sum() / ((answers - exact) ** 2).sum())
    print(f"{name}: {same:.1%} of 200 answers are those of the float model, SQNR {noise:.1f} dB")
