"""Poolings against windows one by one; upsampling."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtac.errors import ModelError
from vtac.models.layer import Array
from vtac.models.layers.pooling import AveragePool, GlobalAveragePool, MaxPool, Upsample
from vtac.models.windows import Window

PAIRS = st.tuples(st.integers(2, 3), st.integers(2, 3))
PADS = st.tuples(*[st.integers(0, 1)] * 4)


def integers(*shape: int) -> Array:
    return np.random.default_rng(7).integers(-99, 100, shape).astype(np.float32)


def seen_by(window: Window, image: Array, y: int, x: int) -> tuple[list[float], int]:
    """The elements of an image in one window, and how many places of padding lie in it."""
    rows = y * window.stride[0] - window.pads[0] + window.dilation[0] * np.arange(window.size[0])
    columns = x * window.stride[1] - window.pads[1] + window.dilation[1] * np.arange(window.size[1])
    high, wide = image.shape
    places = list(product(rows, columns))
    inside = [image[row, column] for row, column in places if 0 <= row < high and 0 <= column < wide]
    bounded = [
        (row, column) for row, column in places if row < high + window.pads[2] and column < wide + window.pads[3]
    ]
    return [float(value) for value in inside], len(bounded) - len(inside)


@given(PAIRS, PAIRS, PADS, st.booleans())
def test_pools_are_of_their_windows(
    size: tuple[int, int], stride: tuple[int, int], pads: tuple[int, int, int, int], ceil: bool
) -> None:
    window = Window(size, stride, pads, ceil=ceil)
    data = integers(1, 1, 7, 6)
    largest = MaxPool("p", ("x",), window).compute(data)
    means = AveragePool("p", ("x",), window).compute(data)
    counting = AveragePool("p", ("x",), window, counts_padding=True).compute(data)
    for y, x in product(*map(range, largest.shape[2:])):
        inside, around = seen_by(window, data[0, 0], y, x)
        assert largest[0, 0, y, x] == max(inside)
        assert means[0, 0, y, x] == np.float32(sum(inside)) / np.float32(len(inside))
        assert counting[0, 0, y, x] == np.float32(sum(inside)) / np.float32(len(inside) + around)


def test_dilated_maxima() -> None:
    data = np.arange(25, dtype=np.float32).reshape(1, 1, 5, 5)
    assert MaxPool("p", ("x",), Window((2, 2), dilation=(3, 2))).compute(data).tolist() == [
        [[[17, 18, 19], [22, 23, 24]]]
    ]


def test_a_last_window_may_hang_over() -> None:
    layer = MaxPool("p", ("x",), Window((2, 2), (2, 2), ceil=True))
    assert layer.output_shape((1, 1, 5, 4)) == (1, 1, 3, 2)
    assert MaxPool("p", ("x",), Window((2, 2), (2, 2))).output_shape((1, 1, 5, 4)) == (1, 1, 2, 2)


def test_global_means_and_nearest_neighbours() -> None:
    data = integers(2, 3, 2, 4)
    assert GlobalAveragePool("g", ("x",)).compute(data)[1, 2].item() == data[1, 2].mean()
    wide = Upsample("u", ("x",), (2, 3)).compute(data)
    assert wide.shape == (2, 3, 4, 12)
    np.testing.assert_array_equal(wide[:, :, 1::2, 2::3], data)


def test_padding_as_wide_as_the_window_is_refused() -> None:
    with pytest.raises(ModelError, match=r"padding \(2, 0, 0, 0\) around windows of \(2, 2\); required: less than a"):
        MaxPool("p", ("x",), Window((2, 2), pads=(2, 0, 0, 0)))


def test_other_ranks_are_refused() -> None:
    with pytest.raises(ModelError, match=r"layer 'avg' .*its input is 1x64; required: 4 dimensions, batch, channels"):
        GlobalAveragePool("avg", ("x",)).output_shape((1, 64))
    with pytest.raises(ModelError, match="its factors is 0x2; required: 1 or more"):
        Upsample("u", ("x",), (0, 2))
