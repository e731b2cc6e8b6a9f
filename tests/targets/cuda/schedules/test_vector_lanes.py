"""Default schedules copy in vectors where lanes are aligned, and never in vectors that lowering refuses."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from contraction_programs import Contraction, convolution
from hypothesis import given, settings
from hypothesis import strategies as st
from lowering import lower

import vtac
from vtac.evaluate import evaluate
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))

LAYOUTS = ("nhwc_hwcf", "nhwc_fhwc")
WINDOWS = tuple(product(range(1, 4), repeat=2))
SIZES = tuple(product(range(3, 11), range(3, 8)))
SMALL = tuple(product(LAYOUTS, SIZES, WINDOWS))
"""720 small convolutions of i8 with 8 channels, fewer than a fragment's 16 along k."""


def small(layout: str, size: tuple[int, int], window: tuple[int, int], features: int = 1) -> Contraction:
    return convolution(layout, (1, 8, *size), features, window, "i8")


@settings(max_examples=20)
@given(st.sampled_from(SMALL), st.integers(1, 40))
def test_small_convolutions_have_a_schedule_that_lowers(
    chosen: tuple[str, tuple[int, int], tuple[int, int]], features: int
) -> None:
    assert len(SMALL) == 720
    layer = small(*chosen, features)
    lower(layer.text(), None, None)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [(3, 3), (3, 8), (4, 5), (5, 4), (5, 7), (6, 3), (7, 6), (8, 8)])
def test_two_rows_of_eight_channels(layout: str, size: tuple[int, int]) -> None:
    """Four lanes lie within a row's channels, though half a vector of k ends there."""
    module = lower(small(layout, size, (2, 1)).text(), None, None)
    assert "vector<4xi8>" in str(module)


@needs_compiler
@pytest.mark.parametrize(
    ("layout", "channels", "window", "element", "lanes"),
    [
        ("nhwc_hwcf", 8, (2, 1), "i8", 4),
        ("nhwc_fhwc", 8, (3, 2), "i8", 4),
        ("nhwc_fhwc", 16, (3, 3), "f16", 8),
        ("nhwc_hwcf", 12, (2, 2), "f16", 4),
    ],
)
def test_vectors_compute_what_the_program_says(
    layout: str, channels: int, window: tuple[int, int], element: str, lanes: int
) -> None:
    layer = convolution(layout, (1, channels, 5, 6), 20, window, element, pad=1)
    assert f' to {lanes} kind "vectorized"' in str(lower(layer.text(), None, None, "blocked"))
    inputs = layer.inputs()
    assert np.array_equal(vtac.compile(layer.text(), "cuda")(*inputs), evaluate(vtac.parse(layer.text()), *inputs))
