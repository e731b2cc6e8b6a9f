"""A frontend's file: linalg as torch-mlir writes it, an ONNX model, and what becomes of each operation."""

# pyright: basic, reportAttributeAccessIssue=false, reportCallIssue=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false, reportOptionalMemberAccess=false

# %% [markdown]
# # 12. A frontend's file
#
# Nobody writes networks as packed tiles. Frontends export them: torch-mlir gives *linalg on tensors*, PyTorch and
# others give ONNX. This tutorial takes one of each, without a schedule.
#
# ## Linalg on tensors
#
# A layer as torch-mlir writes it: images in NCHW order, `tensor.pad` for the border, a bias, a rectifier. It was
# quantised before, so that it holds integers.

# %%
import numpy as np
from pictures import bars, chain

import vtac

LAYER = """
#nchw = affine_map<(n, c, h, w) -> (n, c, h, w)>
#bias = affine_map<(n, c, h, w) -> (c)>
module {
  func.func @forward(%image: tensor<1x3x16x16xi8>, %filters: tensor<20x3x3x3xi8>, %bias: tensor<20xi32>)
      -> tensor<1x20x16x16xi8> {
    %zero = arith.constant 0 : i8
    %padded = tensor.pad %image low[0, 0, 1, 1] high[0, 0, 1, 1] {
    ^bb0(%n: index, %c: index, %h: index, %w: index):
      tensor.yield %zero : i8
    } : tensor<1x3x16x16xi8> to tensor<1x3x18x18xi8>
    %empty = tensor.empty() : tensor<1x20x16x16xi32>
    %start = linalg.broadcast ins(%bias : tensor<20xi32>) outs(%empty : tensor<1x20x16x16xi32>) dimensions = [0, 2, 3]
    %sum = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
        ins(%padded, %filters : tensor<1x3x18x18xi8>, tensor<20x3x3x3xi8>)
        outs(%start : tensor<1x20x16x16xi32>) -> tensor<1x20x16x16xi32>
    %bytes = tensor.empty() : tensor<1x20x16x16xi8>
    %result = linalg.generic {indexing_maps = [#nchw, #nchw],
        iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%sum : tensor<1x20x16x16xi32>) outs(%bytes : tensor<1x20x16x16xi8>) {
    ^bb0(%x: i32, %o: i8):
      %shift = arith.constant 6 : i32
      %least = arith.constant 0 : i32
      %most = arith.constant 127 : i32
      %scaled = arith.shrsi %x, %shift : i32
      %above = arith.maxsi %scaled, %least : i32
      %within = arith.minsi %above, %most : i32
      %y = arith.trunci %within : i32 to i8
      linalg.yield %y : i8
    } -> tensor<1x20x16x16xi8>
    return %result : tensor<1x20x16x16xi8>
  }
}
"""
program = vtac.compile(LAYER)
print(program)

# %% [markdown]
# The compiler has packed the images into tiles, found a schedule, and cut the program into what the VTA computes and
# what the host does. It says what it chose, and why:

# %%
for choice in program.choices:
    print("*", choice)
chain(
    [("host", "packs images"), ("VTA", "convolution, bias, shift"), ("host", "unpacks the result")],
    "Three steps: the host packs, the VTA computes, the host unpacks.",
)

# %% [markdown]
# The result is that of the program as it was written, which also runs by itself, in numpy:

# %%
random = np.random.default_rng(0)
image = random.integers(-128, 128, (1, 3, 16, 16)).astype(np.int8)
filters = random.integers(-128, 128, (20, 3, 3, 3)).astype(np.int8)
bias = random.integers(-999, 999, 20).astype(np.int32)
expected = vtac.evaluate.evaluate(vtac.parse(LAYER), image, filters, bias)
assert (program(image, filters, bias) == expected).all()
print(program.summary)

# %% [markdown]
# ## What the VTA cannot do
#
# An operation that it has no instruction for runs on the host, by name and reason; `host=False` refuses it instead.
# Nothing is moved to the host in silence.

# %%
divided = LAYER.replace("arith.shrsi %x, %shift", "arith.divsi %x, %shift")
print(*[choice for choice in vtac.compile(divided).choices if choice.startswith("host")], sep="\n")
try:
    vtac.compile(divided, host=False)
except vtac.CompileError as error:
    print(str(error)[:400])

# %% [markdown]
# ## ONNX
#
# An ONNX file of floats is read as a graph of layers and quantised, as [tutorial 6](06_trained_model.md) shows. A file
# that holds something for which there is no layer is refused as a whole, with names and counts, before any work is
# done.

# %%
from onnx import TensorProto, helper

graph = helper.make_graph(
    [helper.make_node("Conv", ["x", "w"], ["y"], name="conv"), helper.make_node("Relu", ["y"], ["z"], name="relu")],
    "two_layers",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
    [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 4, 6, 6])],
    [helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 3, 3], random.normal(size=108).astype(np.float32))],
)
model = vtac.from_onnx(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())
quantised = model.quantize(random.normal(size=(16, 3, 8, 8)).astype(np.float32))
small = quantised.compile()
print(small)
bars([("layer above", program.cycles), ("this model", small.cycles)], "Cycles of the two programs.", "cycles")

# %%
graph.node[1].op_type = "Tan"
try:
    vtac.from_onnx(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())
except vtac.VtacError as error:
    print(error)

# %% [markdown]
# ## What you can do now
#
# Compile what frontends write, read the compiler's choices, and tell what runs where.
#
# ## Exercises
#
# **Exercise 1.** The image has 3 channels, a tile has 16. What did the compiler do about that, and which share of the
# products is of use?

# %% tags=["solution"]
print("the host puts the nine places of the window side by side: 3 x 9 = 27 channels, so two tiles")
print(f"27 of 32 channels in, 20 of 32 out: {27 * 20 / (32 * 32):.0%}, where 3 of 16 would be {3 * 20 / (16 * 32):.0%}")

# %% [markdown]
# **Exercise 2.** Write the program to a file and use the command line for the same.

# %% tags=["solution"]
import subprocess
import sys
import tempfile
from pathlib import Path

path = Path(tempfile.mkdtemp()) / "layer.mlir"
path.write_text(LAYER)
command = [sys.executable, "-m", "vtac", "stats", str(path)]
print(subprocess.run(command, capture_output=True, text=True, check=True).stdout[:800])
