"""Convolutions against sums over windows, transposed ones against the transpose of the linear map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtac.errors import ModelError
from vtac.models.layer import Array
from vtac.models.layers.convolutions import Convolution, TransposedConvolution

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
PADS = st.tuples(*[st.integers(0, 2)] * 4)


def integers(seed: int, *shape: int) -> Array:
    """Small integers, whose sums float32 holds exactly."""
    return np.random.default_rng(seed).integers(-9, 10, shape).astype(np.float32)


def by_definition(layer: Convolution, data: Array) -> Array:
    """One output after the other."""
    top, left, bottom, right = layer.pads
    padded = np.pad(data, ((0, 0), (0, 0), (top, bottom), (left, right)))
    result = np.zeros(layer.output_shape(data.shape), np.float32)
    per_group, channels = layer.weights.shape[0] // layer.groups, layer.weights.shape[1]
    places: list[tuple[int, int, int, int]] = list(np.ndindex(*result.shape))
    for image, feature, y, x in places:
        first = feature // per_group * channels
        rows = [y * layer.stride[0] + tap * layer.dilation[0] for tap in range(layer.weights.shape[2])]
        columns = [x * layer.stride[1] + tap * layer.dilation[1] for tap in range(layer.weights.shape[3])]
        seen = padded[image, first : first + channels][:, rows][:, :, columns]
        result[image, feature, y, x] = (seen * layer.weights[feature]).sum()
    return result


@given(PAIRS, PAIRS, PADS, PAIRS, st.sampled_from([(1, 2, 3), (2, 2, 1), (3, 1, 2)]), st.integers(0, 99))
def test_a_convolution_sums_products(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pads: tuple[int, int, int, int],
    dilation: tuple[int, int],
    channels: tuple[int, int, int],
    seed: int,
) -> None:
    groups, per_group, features = channels
    weights = integers(seed, groups * features, per_group, *kernel)
    layer = Convolution("c", ("x",), weights, None, stride, pads, dilation, groups)
    data = integers(seed + 1, 2, groups * per_group, 8, 7)
    np.testing.assert_array_equal(layer.compute(data), by_definition(layer, data))


@given(PAIRS, PAIRS, PADS, PAIRS, st.integers(1, 2), st.integers(0, 99))
def test_a_transposed_convolution_is_the_transpose(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pads: tuple[int, int, int, int],
    dilation: tuple[int, int],
    groups: int,
    seed: int,
) -> None:
    weights = integers(seed, 2 * groups, 3, *kernel)
    forward = Convolution("c", ("x",), weights, None, stride, pads, dilation, groups)
    data = integers(seed + 1, 1, 3 * groups, 9, 8)
    reached = forward.compute(data)
    left = [
        (data.shape[axis + 2] + pads[axis] + pads[axis + 2] - forward.window.reach[axis]) % stride[axis]
        for axis in (0, 1)
    ]
    if any(more >= max(step, gap) for more, step, gap in zip(left, stride, dilation, strict=True)):
        return
    layer = TransposedConvolution("t", ("y",), weights, None, stride, pads, dilation, groups, (left[0], left[1]))
    other = integers(seed + 2, *reached.shape)
    assert layer.output_shape(other.shape) == data.shape
    assert (reached * other).sum() == (data * layer.compute(other)).sum()


def test_a_bias_belongs_to_a_feature() -> None:
    bias = np.array([1, -2], np.float32)
    data = np.zeros((1, 3, 2, 2), np.float32)
    straight = Convolution("c", ("x",), integers(0, 2, 3, 1, 1), bias).compute(data)
    turned = TransposedConvolution("t", ("x",), integers(0, 3, 2, 1, 1), bias).compute(data)
    for found in (straight, turned):
        np.testing.assert_array_equal(found[0, :, 1, 0], bias)


def test_macs_leave_padding_to_tiles_out() -> None:
    layer = Convolution("c", ("x",), integers(0, 4, 1, 3, 3), pads=(1, 1, 1, 1), groups=4)
    assert layer.macs((2, 4, 5, 6)) == 2 * 4 * 5 * 6 * 9


def test_channels_that_do_not_fit_are_refused() -> None:
    layer = Convolution("layer2.0.conv1", ("x",), integers(0, 4, 2, 3, 3), groups=2)
    with pytest.raises(ModelError) as caught:
        layer.output_shape((1, 3, 8, 8))
    assert str(caught.value) == (
        "layer 'layer2.0.conv1' (convolution): its input is 1x3x8x8, its weights 4x2x3x3 in 2 groups; "
        "required: an input of 4 channels"
    )


def test_an_image_smaller_than_the_window_is_refused() -> None:
    layer = Convolution("c", ("x",), integers(0, 1, 1, 3, 3), dilation=(2, 1))
    with pytest.raises(ModelError, match=r"its input is 4x4 with padding \(0, 0, 0, 0\); required: at least the 5x3"):
        layer.output_shape((1, 1, 4, 4))


def test_weights_that_are_not_finite_are_refused() -> None:
    weights = np.full((1, 1, 1, 1), np.nan, np.float32)
    with pytest.raises(ModelError, match=r"layer 'c' \(convolution\): its weights holds NaN or infinity"):
        Convolution("c", ("x",), weights)


def test_parameters_that_contradict_are_refused() -> None:
    weights = integers(0, 4, 2, 3, 3)
    with pytest.raises(ModelError, match="4 features in 3 groups; required: a multiple of the groups"):
        Convolution("c", ("x",), weights, groups=3)
    with pytest.raises(ModelError, match="its bias has 3 elements; required: 4, one for each feature"):
        Convolution("c", ("x",), weights, integers(0, 3))
    with pytest.raises(ModelError, match="its stride is 0x1; required: 1 or more in each direction"):
        Convolution("c", ("x",), weights, stride=(0, 1))
    with pytest.raises(ModelError, match=r"\(2, 0\) more rows and columns; required: fewer than the stride"):
        TransposedConvolution("t", ("x",), weights, stride=(2, 2), extra=(2, 0))
    with pytest.raises(ModelError, match=r"padding \(4, 4, 4, 4\) leaves an output of -3x-3"):
        TransposedConvolution("t", ("x",), weights, pads=(4, 4, 4, 4)).output_shape((1, 4, 3, 3))
