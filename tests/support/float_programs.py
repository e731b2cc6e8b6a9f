"""Small programs on floats of each kind of kernel without tensor cores, and how they are checked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vtac.workloads.float_text import LEAST, FloatProgram
from vtac.workloads.tensor_text import Tensor

Array = NDArray[np.generic]


def softmax(shape: tuple[int, ...], axis: int = -1, element: str = "f32") -> str:
    """exp(x - max) / sum, along one dimension, computed in f32."""
    program = FloatProgram("softmax")
    x = program.argument("x", shape, element)
    dims = [f"d{at}" for at in range(len(shape))]
    where = ", ".join(dims)
    row = ", ".join(dim for at, dim in enumerate(dims) if at != axis % len(shape))
    rows = tuple(extent for at, extent in enumerate(shape) if at != axis % len(shape))
    wide = program.convert("wide", x, "f32") if element != "f32" else x
    most = program.reduce(
        Tensor("most", rows, "f32"), [(wide, where)], row, "%y = arith.maximumf %acc, %a0 : f32", LEAST
    )
    part = program.map(
        Tensor("part", shape, "f32"),
        [(wide, where), (most, row)],
        "%d = arith.subf %a0, %a1 : f32\n    %y = math.exp %d : f32",
    )
    total = program.reduce(Tensor("total", rows, "f32"), [(part, where)], row, "%y = arith.addf %acc, %a0 : f32")
    y = program.map(Tensor("y", shape, "f32"), [(part, where), (total, row)], "%y = arith.divf %a0, %a1 : f32")
    return program.text(program.convert("narrow", y, element) if element != "f32" else y)


def layer_norm(rows: int, columns: int) -> str:
    """(x - mean) / sqrt(variance + 1e-5) * scale + shift of each row, f16 in and out."""
    program = FloatProgram("layer_norm")
    x = program.argument("x", (rows, columns))
    scale, shift = program.argument("scale", (columns,)), program.argument("shift", (columns,))
    wide = program.convert("wide", x, "f32")
    total = program.reduce(Tensor("total", (rows,), "f32"), [(wide, "i, j")], "i", "%y = arith.addf %acc, %a0 : f32")
    count = f"%n = arith.constant {float(columns)} : f32\n    "
    mean = program.map(Tensor("mean", (rows,), "f32"), [(total, "i")], f"{count}%y = arith.divf %a0, %n : f32")
    square = "%d = arith.subf %a0, %a1 : f32\n    %s = arith.mulf %d, %d : f32\n    %y = arith.addf %acc, %s : f32"
    squares = program.reduce(Tensor("squares", (rows,), "f32"), [(wide, "i, j"), (mean, "i")], "i", square)
    body = f"""{count}%least = arith.constant 1.0e-05 : f32
    %v = arith.divf %a2, %n : f32
    %e = arith.addf %v, %least : f32
    %r = math.rsqrt %e : f32
    %d = arith.subf %a0, %a1 : f32
    %z = arith.mulf %d, %r : f32
    %f = arith.extf %a3 : f16 to f32
    %g = arith.extf %a4 : f16 to f32
    %p = arith.mulf %z, %f : f32
    %q = arith.addf %p, %g : f32
    %y = arith.truncf %q : f32 to f16"""
    reads = [(wide, "i, j"), (mean, "i"), (squares, "i"), (scale, "j"), (shift, "j")]
    return program.text(program.map(Tensor("y", (rows, columns), "f16"), reads, body))


def summed(shape: tuple[int, ...], indices: str, element: str = "f32") -> str:
    """Sums along the dimensions d0, d1, ... that `indices` lack."""
    program = FloatProgram("summed")
    x = program.argument("x", shape, element)
    kept = tuple(shape[int(name[1:])] for name in indices.split(", "))
    where = ", ".join(f"d{at}" for at in range(len(shape)))
    y = program.reduce(Tensor("y", kept, element), [(x, where)], indices, f"%y = arith.addf %acc, %a0 : {element}")
    return program.text(y)


def random_inputs(shapes: list[tuple[tuple[int, ...], str]], seed: int = 0) -> list[Array]:
    """Normally distributed numbers."""
    generator = np.random.default_rng(seed)
    return [generator.standard_normal(shape).astype(dtype) for shape, dtype in shapes]
