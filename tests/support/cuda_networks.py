"""Programs of several CUDA kernels."""

from __future__ import annotations

from vtac.workloads.float_text import LEAST, FloatProgram, gelu
from vtac.workloads.tensor_text import Tensor

EXPONENTIAL = "%d = arith.subf %a0, %a1 : f32\n    %y = math.exp %d : f32"


def perceptron(rows: int = 20, inside: int = 48, classes: int = 24) -> str:
    """softmax(gelu(x w1) w2): three kernels."""
    program = FloatProgram("perceptron")
    x, w1 = program.argument("x", (rows, 16)), program.argument("w1", (16, inside))
    w2 = program.argument("w2", (inside, classes))
    first = program.product(Tensor("first", (rows, inside), "f32"), (x, "i, k"), (w1, "k, j"), "i, j")
    bent = program.map(Tensor("bent", (rows, inside), "f32"), [(first, "i, j")], gelu("%a0", "%y"))
    hidden = program.convert("hidden", bent, "f16")
    second = program.product(Tensor("second", (rows, classes), "f32"), (hidden, "i, k"), (w2, "k, j"), "i, j")
    most = program.reduce(
        Tensor("most", (rows,), "f32"), [(second, "i, j")], "i", "%y = arith.maximumf %acc, %a0 : f32", LEAST
    )
    parts = program.map(Tensor("parts", (rows, classes), "f32"), [(second, "i, j"), (most, "i")], EXPONENTIAL)
    total = program.reduce(Tensor("total", (rows,), "f32"), [(parts, "i, j")], "i", "%y = arith.addf %acc, %a0 : f32")
    y = program.map(
        Tensor("y", (rows, classes), "f32"), [(parts, "i, j"), (total, "i")], "%y = arith.divf %a0, %a1 : f32"
    )
    return program.text(y)


def repeated(times: int = 3) -> str:
    """x w w w: one kernel that is launched several times."""
    program = FloatProgram("repeated")
    value, w = program.argument("x", (16, 32)), program.argument("w", (32, 32))
    for number in range(times):
        product = program.product(Tensor(f"p{number}", (16, 32), "f32"), (value, "i, k"), (w, "k, j"), "i, j")
        value = program.convert(f"x{number}", product, "f16")
    return program.text(value)


def forked() -> str:
    """Two results, one of which the other is made of and one in two shapes, and an argument that is returned."""
    program = FloatProgram("forked")
    x = program.argument("x", (6, 8), "f32")
    y = program.map(Tensor("y", (6, 8), "f32"), [(x, "i, j")], "%y = math.exp %a0 : f32")
    flat = program.reshape("flat", y, [[0, 1]], (48,))
    total = program.reduce(Tensor("total", (8,), "f32"), [(y, "i, j")], "j", "%y = arith.addf %acc, %a0 : f32")
    return program.text(y, total, flat, x)


def gated() -> str:
    """tanh(x v) * (x w) + 2 s: two kernels, each a product; the second computes what follows from neither beside it."""
    program, shape = FloatProgram("gated"), (20, 24)
    x, v, w = program.argument("x", (20, 16)), program.argument("v", (16, 24)), program.argument("w", (16, 24))
    s = program.argument("s", shape, "f32")
    twice = program.map(Tensor("twice", shape, "f32"), [(s, "i, j")], "%y = arith.addf %a0, %a0 : f32")
    gate = program.product(Tensor("gate", shape, "f32"), (x, "i, k"), (v, "k, j"), "i, j")
    value = program.product(Tensor("value", shape, "f32"), (x, "i, k"), (w, "k, j"), "i, j")
    bent = program.map(Tensor("bent", shape, "f32"), [(gate, "i, j")], "%y = math.tanh %a0 : f32")
    body = "%p = arith.mulf %a0, %a1 : f32\n    %y = arith.addf %p, %a2 : f32"
    y = program.map(Tensor("y", shape, "f32"), [(bent, "i, j"), (value, "i, j"), (twice, "i, j")], body)
    return program.text(y)


def chained(rows: int, depth: int, middle: int, columns: int) -> str:
    """f16(x v) w: two kernels, each a product."""
    program = FloatProgram("chained")
    x, v = program.argument("x", (rows, depth)), program.argument("v", (depth, middle))
    w = program.argument("w", (middle, columns))
    first = program.product(Tensor("first", (rows, middle), "f32"), (x, "i, k"), (v, "k, j"), "i, j")
    halves = program.convert("halves", first, "f16")
    return program.text(program.product(Tensor("y", (rows, columns), "f32"), (halves, "i, k"), (w, "k, j"), "i, j"))
