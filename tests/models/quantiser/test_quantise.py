"""Whole networks: the compiled program computes what the simulation does, and both are near the float model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from quantised_networks import AROUND, KINDS, as_tuple, branching_net, numbers, residual_net, samples, sqnr

import vtac
from vtac.errors import ModelError
from vtac.models.graph import Input
from vtac.models.layer import Array, Layer
from vtac.models.layers.activations import Relu
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.elementwise import Add, Affine
from vtac.models.layers.normalisation import BatchNorm
from vtac.models.layers.pooling import AveragePool, GlobalAveragePool
from vtac.models.layers.products import Linear
from vtac.models.layers.views import Flatten
from vtac.models.model import Model
from vtac.models.quantiser.options import Rounding, ZeroPoints
from vtac.models.quantiser.quantised import QuantisedModel
from vtac.models.windows import Window


@pytest.mark.parametrize(
    ("make", "zero_points"), [(residual_net, "all"), (residual_net, "none"), (branching_net, "unpadded")]
)
def test_the_program_equals_the_simulation_at_every_result(make: Callable[[], Model], zero_points: ZeroPoints) -> None:
    model = make()
    quantised = model.quantize(samples(model, 16), zero_points=zero_points)
    program = quantised.compile()
    data = samples(model, 18)[-1:]
    for found, expected in zip(program(*quantised.integers(data)), as_tuple(quantised, data), strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("make", "least"), [(residual_net, 30), (branching_net, 28)])
def test_results_are_near_those_of_the_float_model(make: Callable[[], Model], least: float) -> None:
    """SQNR of every result, in dB."""
    model = make()
    data = samples(model, 32)
    quantised = model.quantize(data[:16])
    found = quantised.floats(*as_tuple(quantised, data[16:]))
    for own, other in zip(found, model(data[16:]), strict=True):
        assert sqnr(own, other) > least


def test_a_program_predicts_floats_for_any_number_of_samples() -> None:
    layers = (Convolution("conv", ("x",), numbers(4, 2, 1, 1)), Relu("relu", ("conv",)))
    model = Model("net", (Input("x", (2, 2, 3, 3)),), layers, ("relu",))
    data = samples(model, 3)
    quantised = model.quantize(samples(model, 2))
    program = quantised.compile()
    found = program.predict(data)
    assert isinstance(found, np.ndarray)
    (first,) = quantised.floats(*as_tuple(quantised, data[:2]))
    np.testing.assert_array_equal(found[:2], first)
    assert found.shape == (3, 4, 3, 3)
    assert sqnr(found, np.asarray(model(np.concatenate([data, data[:1]])))[:3]) > 30
    with vtac.devices.open("sim") as device:
        loaded = program.to(device)
        np.testing.assert_array_equal(loaded.predict(data), found)
        with pytest.raises(ModelError, match="finite numbers are required"):
            loaded.predict(data * np.nan)
    assert program.cycles > 0
    assert program.results[0].shape == (2, 4, 3, 3)
    with pytest.raises(ModelError, match="input 'x' of model 'net' is 4x1x3x3; 2x2x3x3 is required, or a multiple"):
        program.predict(data[:, :1])


def test_shifts_differ_by_channel_and_sums_stay_within_32_bits() -> None:
    model = residual_net()
    products = model.quantize(samples(model, 4)).products
    assert len(set(products["conv1"].shifts.tolist())) > 2
    assert all(product.bound < 1 << 31 for product in products.values())


def zeros_of(quantised: QuantisedModel) -> set[str]:
    """Values whose zero is -128."""
    return {name for name, scale in quantised.scales.items() if scale.zero == -128}


def test_zero_is_lowest_where_nothing_is_negative() -> None:
    """Worth more than a decibel at every result."""
    model = residual_net()
    data = samples(model, 32)
    assert zeros_of(model.quantize(data)) == {"relu1", "relu2", "pool", "flat"}
    assert zeros_of(model.quantize(data, zero_points="unpadded")) == {"relu2", "pool", "flat"}
    quality: list[list[float]] = []
    rules: tuple[ZeroPoints, ...] = ("none", "all")
    for zero_points in rules:
        quantised = model.quantize(data[:16], zero_points=zero_points)
        found = quantised.floats(*as_tuple(quantised, data[16:]))
        quality.append([sqnr(own, other) for own, other in zip(found, model(data[16:]), strict=True)])
    assert sum(quality[1]) > sum(quality[0]) + len(quality[0])


def test_means_of_what_is_not_negative_have_their_zero_there() -> None:
    layers = (
        Convolution("conv", ("x",), numbers(4, 2, 1, 1)),
        Relu("relu", ("conv",)),
        GlobalAveragePool("mean", ("relu",)),
        Flatten("flat", ("mean",)),
        Linear("fc", ("flat",), numbers(3, 4)),
    )
    model = Model("net", (Input("x", (1, 2, 3, 5)),), layers, ("mean", "fc"))
    quantised = model.quantize(samples(model, 8))
    assert quantised.scales["mean"].zero == -128
    data = samples(model, 9)
    for own, other in zip(quantised.floats(*as_tuple(quantised, data)), model(data), strict=True):
        assert sqnr(own, other) > 30


def test_the_order_of_calibration_does_not_matter() -> None:
    model = residual_net()
    data = samples(model, 6)
    whole = model.quantize(data)
    for other in (model.quantize(data[::-1]), model.quantize([data[:2], data[2:]]), model.quantize([(data,)])):
        assert other.network.text() == whole.network.text()
        assert other.scales == whole.scales


def test_the_better_kind_of_mantissas_is_taken() -> None:
    model = residual_net()
    data = samples(model, 16)
    tried, one, free = (quality(model.quantize(data, mantissas=kind), data) for kind in KINDS)
    assert tried == max(one, free)
    sizes = {scale.mantissa for scale in model.quantize(data, mantissas="free").scales.values()}
    assert sizes - {1.0}


def test_mixed_exponents_are_no_worse_where_they_are_chosen() -> None:
    """On the data that was kept; the same ones each time."""
    model = residual_net()
    data = samples(model, 16)
    mixed, again = (model.quantize(data, exponents="mixed", mantissas="one") for _ in range(2))
    assert quality(mixed, data) >= quality(model.quantize(data, mantissas="one"), data)
    assert mixed.network.text() == again.network.text()


def quality(quantised: QuantisedModel, data: Array) -> float:
    """The mean SQNR of results."""
    pairs = zip(quantised.floats(*as_tuple(quantised, data)), quantised.graph.run(data), strict=True)
    return float(np.mean([sqnr(own, other) for own, other in pairs]))


def test_a_residual_is_rounded_once() -> None:
    """Sums at a scale one bit finer than the result's would be rounded twice, and all ties up."""
    layers = (
        Convolution("conv", ("x",), numbers(8, 8, 1, 1) / np.float32(3)),
        Add("sum", ("conv", "x")),
    )
    model = Model("net", (Input("x", (1, 8, 6, 6)),), layers, ("sum",))
    data = samples(model, 64)
    quantised = model.quantize(data, mantissas="one", weights="nearest", correct_bias=False)
    assert quantised.scales["sum"].exponent > quantised.scales["x"].exponent
    errors = quantised.floats(*as_tuple(quantised, data))[0] - np.asarray(model(data))
    assert abs(errors.mean()) < 0.02 * quantised.scales["sum"].size


@pytest.mark.parametrize("rounding", ["half-even", "down"])
def test_other_roundings_run_as_they_are_simulated(rounding: Rounding) -> None:
    model = residual_net()
    quantised = model.quantize(samples(model, 8), rounding=rounding)
    data = samples(model, 9)[-1:]
    for found, expected in zip(quantised.compile()(*quantised.integers(data)), as_tuple(quantised, data), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_means_of_windows_and_factors_by_channel_run_as_convolutions() -> None:
    ones = np.ones(4, np.float32)
    layers: tuple[Layer, ...] = (
        Affine("scaled", ("x",), np.array([[[0.5]], [[2]]], np.float32), np.full(1, 0.25, np.float32)),
        Convolution("conv", ("scaled",), numbers(4, 2, 3, 3), pads=AROUND),
        Relu("relu", ("conv",)),
        BatchNorm("norm", ("relu",), numbers(4), numbers(4), ones, ones),
        AveragePool("mean", ("norm",), Window((2, 2), (2, 2))),
        Flatten("flat", ("mean",)),
        Linear("fc", ("flat",), numbers(3, 36)),
    )
    model = Model("net", (Input("x", (1, 2, 6, 6)),), layers, ("fc",))
    data = samples(model, 20)
    quantised = model.quantize(data[:16])
    found = quantised.floats(*as_tuple(quantised, data[16:]))[0]
    assert sqnr(found, np.asarray(model(data[16:]))) > 28
    program = quantised.compile()
    np.testing.assert_array_equal(program.predict(data[16:17]), found[:1])
    assert len(program.devices) == 1


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1 / 255, 1e3])
def test_weights_are_rounded_for_data_of_any_size(scale: float) -> None:
    """A covariance that is small beside the mean keeps its digits."""
    model = residual_net()
    data = ((samples(model, 4) * 1e-3 + 1) * scale).astype(np.float32)
    assert model.quantize(data).compile().program.devices
