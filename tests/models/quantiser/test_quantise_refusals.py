"""What is no calibration, option, layer or argument of an integer form is refused, with what would be."""

from __future__ import annotations

import numpy as np
import pytest
from quantised_networks import numbers, residual_net, samples

from vtac.errors import ModelError, ProgramError
from vtac.models.graph import Input
from vtac.models.layers.activations import Gelu, HardSwish, Relu, Sigmoid, Tanh
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.elementwise import Add
from vtac.models.model import Model
from vtac.models.quantiser.options import Options


def test_layers_without_an_integer_form_are_listed_all_at_once() -> None:
    layers = (Sigmoid("gate", ("x",)), Tanh("turn", ("gate",)), Relu("relu", ("turn",)))
    model = Model("net", (Input("x", (1, 4)),), layers, ("relu",))
    with pytest.raises(ModelError) as caught:
        model.quantize(numbers(1, 4))
    assert str(caught.value) == (
        "model 'net' has layers without an integer form: 'gate' (sigmoid), 'turn' (tanh); "
        "allow_host=True (vtac quantize --allow-host) lets the host compute them in float32; "
        "a model trained with clamp in place of tanh has integers there"
    )


def test_what_may_take_the_place_of_functions_is_named() -> None:
    layers = (HardSwish("a", ("x",)), Gelu("b", ("a",)), HardSwish("c", ("b",)))
    model = Model("net", (Input("x", (1, 4)),), layers, ("c",))
    with pytest.raises(ModelError, match=r"; a model trained with relu in place of gelu and relu6 in place of hard sw"):
        model.quantize(numbers(1, 4))


def test_calibration_that_says_nothing_is_refused() -> None:
    model = residual_net()
    with pytest.raises(ModelError, match="model 'residual' was given no calibration data; one batch or more is"):
        model.quantize([])
    with pytest.raises(ModelError, match="calibration batch 1 makes NaN or infinity in 'x'"):
        model.quantize(np.full((1, 3, 6, 6), np.nan, np.float32))


def test_what_the_integer_form_lacks_is_refused() -> None:
    layers = (Convolution("conv", ("x",), numbers(2, 2, 4, 4)), Add("sum", ("x", "conv")))
    model = Model("net", (Input("x", (1, 2, 4, 4)),), layers, ("sum",))
    with pytest.raises(ModelError, match=r"without an integer form: 'sum' .add: it adds 1x2x4x4 and 1x2x1x1.; allow"):
        model.quantize(numbers(1, 2, 4, 4))


def test_options_that_are_none_are_refused() -> None:
    with pytest.raises(ModelError, match="option rounding is 'up'; one of half-up, half-even, down is required"):
        Options(rounding="up")  # pyright: ignore[reportArgumentType]


def pointwise() -> Model:
    layers = (Convolution("conv", ("x",), numbers(4, 2, 1, 1)), Relu("relu", ("conv",)))
    return Model("net", (Input("x", (1, 2, 3, 3)),), layers, ("relu",))


def test_programs_say_what_floats_and_nan_are_for() -> None:
    model = pointwise()
    data = samples(model, 2)
    program = model.quantize(data).compile()
    with pytest.raises(ProgramError, match=r"computes on integers: call program\.predict with floats"):
        program(data[:1])  # pyright: ignore[reportArgumentType]
    broken = data.copy()
    broken[0, 1, 0, 2] = np.nan
    with pytest.raises(ModelError, match=r"input 0 is nan at \[0, 1, 0, 2\]; finite numbers are required"):
        program.predict(broken)
    with pytest.raises(ModelError, match="input 0 is a list; a numpy array of floats is required"):
        program.predict(data.tolist())  # pyright: ignore[reportArgumentType]
