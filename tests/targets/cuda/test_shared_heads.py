"""Queries that share keys and values, written as one product with their heads as loops of its rows: one kernel."""

from __future__ import annotations

import numpy as np
import pytest

import vtac
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.workloads.attention import softmax
from vtac.workloads.float_text import FloatProgram
from vtac.workloads.tensor_text import Tensor

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
SIZES = {"h": 2, "g": 3, "i": 20}
KEYS, FEATURES, COLUMNS = 37, 32, 16


def grouped(order: str, columns: int = COLUMNS) -> str:
    """Heads h of keys and values, with g queries each of rows i, in some order of dimensions."""
    program, kept = FloatProgram("grouped"), ", ".join(order)
    rows = tuple(SIZES[name] for name in order)
    q = program.argument("q", (*rows, FEATURES))
    k, v = program.argument("k", (2, KEYS, FEATURES)), program.argument("v", (2, KEYS, columns))
    square = (*rows, KEYS)
    scores = program.product(Tensor("scores", square, "f32"), (q, f"{kept}, d"), (k, "h, j, d"), f"{kept}, j")
    body = "%n = arith.constant 0.25 : f32\n    %y = arith.mulf %a0, %n : f32"
    scaled = program.map(Tensor("scaled", square, "f32"), [(scores, f"{kept}, j")], body)
    weights = softmax(program, scaled, "f16", kept)
    mixed = program.product(
        Tensor("mixed", (*rows, columns), "f32"), (weights, f"{kept}, j"), (v, "h, j, c"), f"{kept}, c"
    )
    return program.text(program.convert("result", mixed, "f16"))


@needs_compiler
@pytest.mark.parametrize("order", ["hgi", "hig", "ihg"])
def test_heads_in_loops_of_their_own_are_fused(order: str) -> None:
    program = vtac.compile(grouped(order), "cuda")
    assert isinstance(program, vtac.CudaNetwork) and len(program.plan.steps) == 1
    generator = np.random.default_rng(0)
    arrays = [generator.standard_normal(one.shape).astype(np.float16) for one in program.arguments]
    (result,) = program.run_on_cpu(arrays).outputs
    q, k, v = (array.astype(np.float64) for array in arrays)
    scores = np.einsum(f"{order}d,hjd->{order}j", q, k) / 4
    parts = np.exp(scores - scores.max(axis=-1, keepdims=True))
    expected = np.einsum(f"{order}j,hjc->{order}c", parts / parts.sum(axis=-1, keepdims=True), v)
    assert np.max(np.abs(result - expected)) <= 3 * 2**-11 * np.max(np.abs(expected))


def test_heads_that_no_kernel_has_stay_apart() -> None:
    program = vtac.compile(grouped("hgi", columns=17), "cuda")
    assert isinstance(program, vtac.CudaNetwork) and len(program.plan.steps) > 1
