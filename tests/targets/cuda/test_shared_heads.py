"""Queries that share keys and values, written as one product with their heads as loops of its rows: one kernel."""

from __future__ import annotations

import numpy as np
import pytest
from shared_heads import grouped

import vtac
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))


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
