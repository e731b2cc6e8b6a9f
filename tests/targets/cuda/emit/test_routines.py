"""Copies of a pipeline as a lambda of the text, called in front of the loop and in it."""

from __future__ import annotations

import numpy as np
import pytest

import vtac
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_fast import FastTiling, fast_schedule
from vtac.workloads.wmma_matmul import MatmulTiling, WmmaMatmul
from vtac.workloads.wmma_reference import conv2d_at

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))

CONVOLUTION = WmmaConv2D(32, 4, 5, 96, 32)
TILING = FastTiling(2, 2, 1, 1, 2, 4)


def product(stages: int) -> str:
    layer = WmmaMatmul(64, 64, 192)
    return vtac.compile(layer.text(), "cuda", schedule=layer.schedule(MatmulTiling(1, 1, 2, 2, 2, stages))).text


@pytest.mark.parametrize("stages", [2, 3, 4])
def test_a_product_begins_its_copies_in_one_place(stages: int) -> None:
    text = product(stages)
    assert text.count("__pipeline_memcpy_async(") == 2
    assert "const auto begin_copies = [&](const int slot, const int step) {\n" in text
    assert text.count("begin_copies(") == 2
    assert ("begin_copies(stage, stage);" if stages > 2 else "begin_copies(0, 0);") in text


def test_a_convolution_copies_a_tap_of_channels() -> None:
    text = vtac.compile(CONVOLUTION.text(), "cuda", schedule=fast_schedule(CONVOLUTION, TILING)).text
    assert "[&](const int slot, const int tap_row, const int tap_column, const int channels) {\n" in text
    assert "begin_copies(stage, 0, stage, 0);" in text
    assert "begin_copies((step + stages - 1) % stages, copy_tap_row, tap_column, copy_channels);" in text
    assert "tap_column = (tap_column == 2) ? 0 : tap_column + 1;" in text
    assert "/ 9" not in text.split("// Main loop", 1)[1]


@needs_compiler
def test_it_runs() -> None:
    random = np.random.default_rng(1)
    shapes = (CONVOLUTION.data_shape, CONVOLUTION.kernel_shape)
    data, kernel = (random.integers(-4, 5, shape).astype(np.float16) for shape in shapes)
    program = vtac.compile(CONVOLUTION.text(), "cuda", schedule=fast_schedule(CONVOLUTION, TILING))
    found = program(data, kernel)
    assert np.array_equal(found, conv2d_at(CONVOLUTION, data, kernel, np.ones(CONVOLUTION.output_shape, np.bool_)))
