"""Histograms of values that come piece by piece."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtac.models.layer import Array
from vtac.models.quantiser.histogram import Histogram


def filled(*pieces: Array) -> Histogram:
    histogram = Histogram()
    for piece in pieces:
        histogram.add(piece)
    return histogram


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=30))
def test_every_element_is_counted_within_reach(numbers: list[float]) -> None:
    data = np.array(numbers, np.float32)
    histogram = filled(*(data[place : place + 1] for place in range(data.size)))
    assert histogram.counts.sum() == data.size
    assert histogram.reach >= np.abs(data).max()
    order = filled(data)
    assert histogram.reach == order.reach
    spread = histogram.centres.repeat(histogram.counts)
    assert np.abs(np.sort(data) - spread).max() <= 2 * histogram.reach / 4096


def test_the_error_is_that_of_rounding_and_clipping() -> None:
    data = np.random.default_rng(0).normal(0, 1, 20000).astype(np.float32)
    for scale, zero in ((2.0**-4, 0), (2.0**-5, 0), (2.0**-6, 0), (2.0**-6, -128)):
        nearest = np.clip(np.floor(data / scale + 0.5), -128 - zero, 127 - zero) * scale
        assert filled(data).error(scale, zero) == pytest.approx(float(((data - nearest) ** 2).sum()), rel=0.05)
