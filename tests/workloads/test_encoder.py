"""A transformer's encoder layer as a CUDA program: every kernel's text on the CPU, against float64."""

from __future__ import annotations

import numpy as np
import pytest

import vtac
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.workloads.encoder import EncoderLayer

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
LAYER = EncoderLayer(tokens=24, width=64, heads=4, hidden=96)
TOLERANCE = 2e-3
"""Largest error as a share of the largest magnitude: intermediate results are rounded to f16 nine times."""


@needs_compiler
def test_equal_to_float64() -> None:
    program = vtac.compile(LAYER.text(), "cuda")
    assert isinstance(program, vtac.CudaNetwork)
    launches = [program.plan.kernels[step.kernel].kernel.removeprefix("encoder_") for step in program.plan.steps]
    attention = ["q", "q", "q", "heads", "joined_sum", "first"]
    assert launches == [*attention, "bent", "down_sum", "first"]
    arrays = LAYER.inputs()
    found, expected = program(*arrays), LAYER.reference(arrays)
    assert not isinstance(found, tuple)
    assert np.abs(found.astype(np.float64) - expected).max() <= TOLERANCE * np.abs(expected).max()
