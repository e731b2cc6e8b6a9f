"""Residual networks in f16 as CUDA programs: every kernel's text on the CPU, against float64."""

from __future__ import annotations

import numpy as np
import pytest

import vtac
from vtac.evaluate import evaluate
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.workloads.float_resnet import FloatResNet

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
TOLERANCE = 2e-3
"""Largest error as a share of the largest magnitude: each convolution's result is rounded to f16."""


@needs_compiler
def test_blocks_with_and_without_a_convolution_around_them() -> None:
    network = FloatResNet((1, 8, 8, 16), ((16, 1), (32, 1)))
    program = vtac.compile(network.text(), "cuda")
    assert isinstance(program, vtac.CudaNetwork)
    assert len(program.plan.steps) == 5
    arrays = network.inputs()
    found, expected = program(*arrays), network.reference(arrays)
    assert not isinstance(found, tuple)
    assert np.abs(found.astype(np.float64) - expected).max() <= TOLERANCE * np.abs(expected).max()


def test_a_whole_network_is_one_kernel_per_layer_and_each_kernel_once() -> None:
    network = FloatResNet((1, 16, 16, 3), ((16, 2),), stem=16, classes=10)
    program = vtac.compile(network.text(), "cuda")
    assert isinstance(program, vtac.CudaNetwork)
    names = [program.plan.kernels[step.kernel].kernel.removeprefix("resnet_") for step in program.plan.steps]
    assert names == ["c0", "pooled", "c1", "c2", "c1", "c2", "mean", "result"]
    arrays = network.inputs()
    found, expected = np.asarray(evaluate(vtac.parse(network.text()), *arrays)), network.reference(arrays)
    assert np.abs(found.astype(np.float64) - expected).max() <= TOLERANCE * np.abs(expected).max()
