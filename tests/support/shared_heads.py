"""Queries that share keys and values, written as one product with their heads as loops of its rows."""

from __future__ import annotations

from vtac.workloads.attention import softmax
from vtac.workloads.float_text import FloatProgram
from vtac.workloads.tensor_text import Tensor

HEADS, GROUP = 2, 3
KEYS, FEATURES, COLUMNS = 37, 32, 16


def grouped(order: str, columns: int = COLUMNS, rows: int = 20) -> str:
    """Heads h of keys and values, with g queries each of rows i, in some order of dimensions."""
    program, kept = FloatProgram("grouped"), ", ".join(order)
    sizes = {"h": HEADS, "g": GROUP, "i": rows}
    extents = tuple(sizes[name] for name in order)
    q = program.argument("q", (*extents, FEATURES))
    k, v = program.argument("k", (HEADS, KEYS, FEATURES)), program.argument("v", (HEADS, KEYS, columns))
    square = (*extents, KEYS)
    scores = program.product(Tensor("scores", square, "f32"), (q, f"{kept}, d"), (k, "h, j, d"), f"{kept}, j")
    body = "%n = arith.constant 0.25 : f32\n    %y = arith.mulf %a0, %n : f32"
    scaled = program.map(Tensor("scaled", square, "f32"), [(scores, f"{kept}, j")], body)
    weights = softmax(program, scaled, "f16", kept)
    mixed = program.product(
        Tensor("mixed", (*extents, columns), "f32"), (weights, f"{kept}, j"), (v, "h, j, c"), f"{kept}, c"
    )
    return program.text(program.convert("result", mixed, "f16"))
