"""Activations, normalisations and products against their formulas."""

from __future__ import annotations

from collections.abc import Callable
from math import erf, exp, sqrt, tanh

import numpy as np
import pytest

from vtac.errors import ModelError
from vtac.models.layer import Array, Layer
from vtac.models.layers import activations as act
from vtac.models.layers.elementwise import Add, Affine, Multiply
from vtac.models.layers.normalisation import BatchNorm, LayerNorm, Softmax
from vtac.models.layers.products import Linear, MatMul

NAMED = ("y", ("x",))
FUNCTIONS: list[tuple[Layer, Callable[[float], float]]] = [
    (act.Relu(*NAMED), lambda x: max(x, 0)),
    (act.Relu6(*NAMED), lambda x: min(max(x, 0), 6)),
    (act.Clamp(*NAMED, -1.5), lambda x: max(x, -1.5)),
    (act.Clamp(*NAMED, -1.5, 2), lambda x: min(max(x, -1.5), 2)),
    (act.LeakyRelu(*NAMED, 0.125), lambda x: x if x > 0 else x / 8),
    (act.ParametricRelu(*NAMED, np.array([0.25], np.float32)), lambda x: x if x > 0 else x / 4),
    (act.HardSigmoid(*NAMED), lambda x: min(max(x / 6 + 0.5, 0), 1)),
    (act.HardSwish(*NAMED), lambda x: x * min(max(x / 6 + 0.5, 0), 1)),
    (act.Sigmoid(*NAMED), lambda x: 1 / (1 + exp(-x))),
    (act.Tanh(*NAMED), tanh),
    (act.Gelu(*NAMED), lambda x: x * (1 + erf(x / sqrt(2))) / 2),
    (act.Gelu(*NAMED, approximate=True), lambda x: 0.5 * x * (1 + tanh(0.7978845608 * (x + 0.044715 * x**3)))),
]


def numbers(*shape: int) -> Array:
    return np.random.default_rng(3).normal(0, 3, shape).astype(np.float32)


@pytest.mark.parametrize(("layer", "formula"), FUNCTIONS)
def test_an_activation_follows_its_formula(layer: Layer, formula: Callable[[float], float]) -> None:
    data = np.linspace(-9, 9, 73, dtype=np.float32)
    found = layer.compute(data)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [formula(float(x)) for x in data], rtol=1e-5, atol=1e-6)


def test_slopes_belong_to_channels() -> None:
    layer = act.ParametricRelu(*NAMED, np.array([0.5, 2], np.float32))
    assert layer.compute(np.full((1, 2, 1, 1), -1, np.float32)).ravel().tolist() == [-0.5, -2]
    with pytest.raises(ModelError, match="its input is 1x3x4x4; required: 2 channels in dimension 1"):
        layer.output_shape((1, 3, 4, 4))


def test_batch_norm_is_a_line_per_channel() -> None:
    scale, shift, mean = numbers(3), numbers(3) + 1, numbers(3) - 1
    variance = numbers(3) ** 2
    data = numbers(2, 3, 4, 5)
    found = BatchNorm(*NAMED, scale, shift, mean, variance, 1e-3).compute(data)
    for channel in range(3):
        expected = (data[:, channel] - mean[channel]) / sqrt(variance[channel] + 1e-3) * scale[channel] + shift[channel]
        np.testing.assert_allclose(found[:, channel], expected, rtol=1e-5, atol=1e-5)


def test_layer_norm_and_softmax_work_on_rows() -> None:
    data = numbers(4, 6)
    normal = LayerNorm(*NAMED, np.ones(6, np.float32), np.full(6, 2, np.float32)).compute(data)
    np.testing.assert_allclose(normal.mean(1), 2, atol=1e-5)
    np.testing.assert_allclose(normal.std(1), 1, atol=1e-4)
    shares = Softmax(*NAMED, axis=0).compute(data * 1000)
    np.testing.assert_allclose(shares.sum(0), 1, rtol=1e-6)
    assert (shares.argmax(0) == data.argmax(0)).all()


def test_products_and_sums() -> None:
    left, right = numbers(2, 3, 4), numbers(4, 5)
    product = MatMul("y", ("a", "b"))
    np.testing.assert_array_equal(product.compute(left, right), left @ right)
    assert product.macs(left.shape, right.shape) == 2 * 3 * 4 * 5
    layer = Linear("fc", ("x",), right.T.copy(), numbers(5))
    np.testing.assert_allclose(layer.compute(left[0]), left[0] @ right + numbers(5), rtol=1e-6)
    assert (Add("y", ("a", "b")).output_shape((2, 3, 1), (4,)), layer.macs((3, 4))) == ((2, 3, 4), 60)
    np.testing.assert_array_equal(Multiply("y", ("a", "b")).compute(left, left), left**2)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ModelError) as caught:
        Linear("fc", ("x",), numbers(10, 64)).output_shape((1, 63))
    assert str(caught.value) == (
        "layer 'fc' (linear): its input is 1x63, its weights 10x64; required: 2 or more dimensions, the last of 64"
    )
    with pytest.raises(ModelError, match=r"layer 'sum' .add.: its inputs are 1x3 and 1x4; required: dimensions that"):
        Add("sum", ("a", "b")).output_shape((1, 3), (1, 4))
    with pytest.raises(ModelError, match="columns of the first that are as many as rows of the second"):
        MatMul("y", ("a", "b")).output_shape((2, 3), (2, 3))
    with pytest.raises(ModelError, match="its input is 2x5; required: last dimensions of 6"):
        LayerNorm(*NAMED, np.ones(6, np.float32)).output_shape((2, 5))
    with pytest.raises(ModelError, match="axis 2 of an input with 2 dimensions; required: an axis from -2 to 1"):
        Softmax(*NAMED, axis=2).output_shape((2, 5))


def test_parameters_that_make_no_sense_are_refused() -> None:
    one = np.ones(1, np.float32)
    with pytest.raises(ModelError, match="its least variance is -1, its epsilon 1e-05; required: a sum above 0"):
        BatchNorm("bn", ("x",), one, one, one, -one)
    with pytest.raises(ModelError, match=r"it keeps what is between 2\.0 and 1\.0; required: a low end below"):
        act.Clamp(*NAMED, 2.0, 1.0)
    with pytest.raises(ModelError, match="it reads 1 values; required: 2"):
        Add("sum", ("a",))


def test_a_line_by_constants() -> None:
    layer = Affine("y", ("x",), numbers(3, 1), numbers(1))
    data = numbers(2, 3, 4)
    np.testing.assert_array_equal(layer.compute(data), data * numbers(3, 1) + numbers(1))
    with pytest.raises(ModelError, match="its input is 2x4, its factor 3x1, its offset 1; required: dimensions that"):
        layer.output_shape((2, 4))
