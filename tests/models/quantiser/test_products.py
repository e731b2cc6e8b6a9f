"""Products as integers: close to the float layer, exact about their bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtac.errors import ModelError
from vtac.models.layers.products import Linear
from vtac.models.quantiser.products import Requantisation, quantise_array, quantise_product
from vtac.models.quantiser.scales import Scale

ZEROS = st.sampled_from([0, -128])


@given(st.integers(0, 50), st.integers(-9, -3), st.sampled_from([1.0, 64 / 49]), ZEROS, ZEROS)
def test_integers_follow_the_float_layer(seed: int, exponent: int, mantissa: float, zero: int, other: int) -> None:
    """Within the rounding of data, weights and result."""
    random = np.random.default_rng(seed)
    weights = (random.normal(0, 1, (6, 20)) * np.exp2(random.integers(-5, 5, (6, 1)))).astype(np.float32)
    layer = Linear("fc", ("x",), weights, random.normal(0, 1, 6).astype(np.float32))
    source = Scale(exponent, mantissa, zero)
    data = random.integers(-128, 128, (3, 20)).astype(np.int8)
    floats = ((data.astype(np.int64) - zero) * source.size).astype(np.float32)
    np.testing.assert_array_equal(quantise_array(floats, source), data)
    expected = layer.compute(floats)
    result = Scale(int(np.ceil(np.log2(np.abs(expected).max() / 127))), zero=other)
    product = quantise_product(layer, source, Requantisation(result, other))
    sums = (data.astype(np.int64) - zero) @ product.weights.T.astype(np.int64) + product.bias
    assert np.abs(sums).max() <= product.bound < 1 << 31
    found = ((sums >> product.shifts) - other) * result.size
    steps = product.sizes / source.size
    slack = np.abs(floats).sum(1, keepdims=True) * steps + result.size
    assert (np.abs(found - expected) <= slack).all()


def test_the_bound_is_reached() -> None:
    layer = Linear("fc", ("x",), np.full((1, 4), -1, np.float32))
    product = quantise_product(layer, Scale(0), None)
    lowest = np.full((1, 4), -128, np.int64)
    assert int(np.abs(lowest @ product.weights.T.astype(np.int64) + product.bias).max()) == product.bound


def test_a_feature_of_zeros_keeps_its_bias() -> None:
    layer = Linear("fc", ("x",), np.zeros((2, 3), np.float32), np.array([0, 5], np.float32))
    product = quantise_product(layer, Scale(-4), Requantisation(Scale(-3)))
    assert (product.bias >> product.shifts).tolist() == [0, 40]


def test_results_finer_than_sums_are_refused() -> None:
    layer = Linear("fc", ("x",), np.full((1, 2), 100, np.float32))
    with pytest.raises(ModelError, match=r"layer 'fc' \(linear\): the results of a feature are finer than its sums"):
        quantise_product(layer, Scale(0), Requantisation(Scale(-9)))


def test_sums_beyond_32_bits_are_refused() -> None:
    layer = Linear("fc", ("x",), np.full((1, 140_000), 127, np.float32))
    # 140,000 * 127 * 128, and the half by which a shift of 9 rounds.
    with pytest.raises(ModelError, match="its sums can reach 2,275,840,256; required: sums within 32 bits"):
        quantise_product(layer, Scale(0), Requantisation(Scale(9)))
