"""Each kind of layer in integers: the program computes what the simulation does, bit for bit, near the float layer."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from vtac.errors import ModelError
from vtac.models.graph import Input
from vtac.models.layer import Array, Layer
from vtac.models.layers import activations as act
from vtac.models.layers.convolutions import Convolution, TransposedConvolution
from vtac.models.layers.elementwise import Affine, Multiply
from vtac.models.layers.normalisation import BatchNorm, LayerNorm, Softmax
from vtac.models.layers.pooling import AveragePool, GlobalAveragePool, MaxPool, Upsample
from vtac.models.layers.products import Linear, MatMul
from vtac.models.layers.views import Concat, Flatten, Pad, Reshape, Slice, Transpose
from vtac.models.model import Model
from vtac.models.quantiser.quantised import QuantisedModel
from vtac.models.windows import Window


def numbers(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype(np.float32)


ONE = ("c",)
AROUND = (1, 1, 1, 1)
FIRST = Convolution("c", ("x",), numbers(5, 3, 1, 1) / np.float32(2), numbers(5) / np.float32(4))
LAST = Convolution("last", ("f",), numbers(4, 5, 3, 3))
SHAPE = (1, 3, 6, 5)
UNEVEN = Window((3, 2), (2, 1), (1, 0, 1, 1), ceil=True)

INTEGER: dict[str, tuple[Layer, ...]] = {
    "hard sigmoid": (FIRST, act.HardSigmoid("f", ONE)),
    "hard sigmoid of inputs": (act.HardSigmoid("f", ("x",)), Convolution("last", ("f",), numbers(4, 3, 3, 3))),
    "leaky relu": (FIRST, act.LeakyRelu("f", ONE, 0.1), LAST),
    "parametric relu": (FIRST, act.ParametricRelu("f", ONE, numbers(5) * np.float32(1.5)), LAST),
    "parametric relu of rows": (Flatten("c", ("x",)), act.ParametricRelu("f", ONE, numbers(90))),
    "clamp": (FIRST, act.Clamp("f", ONE, -0.5, 0.25)),
    "factor": (act.Relu("c", ("x",)), Affine("f", ONE, numbers(3, 1, 1), np.ones((), np.float32))),
    "batch norm of rows": (
        Flatten("c", ("x",)),
        BatchNorm("f", ONE, numbers(90), numbers(90), numbers(90), np.abs(numbers(90))),
        Linear("last", ("f",), numbers(4, 90)),
    ),
    "upsampling": (FIRST, Upsample("f", ONE, (2, 3)), LAST),
    "transposed": (
        FIRST,
        TransposedConvolution("f", ONE, numbers(5, 4, 3, 3), numbers(4), (2, 2), AROUND, extra=(1, 1)),
    ),
    "transposed, uneven": (FIRST, TransposedConvolution("f", ONE, numbers(5, 4, 3, 2), None, (2, 3), (1, 0, 2, 0))),
    "transposed by channel": (
        FIRST,
        TransposedConvolution("f", ONE, numbers(5, 1, 4, 4), None, (2, 2), AROUND, groups=5),
    ),
    "slice of channels": (FIRST, Slice("f", ONE, 1, 1, 4), Convolution("last", ("f",), numbers(4, 3, 3, 3))),
    "slice of rows": (FIRST, Slice("f", ONE, 2, 1, 6, 2), LAST),
    "transpose": (FIRST, Transpose("f", ONE, (0, 2, 3, 1)), Linear("last", ("f",), numbers(4, 5))),
    "reshape": (FIRST, Reshape("f", ONE, (1, 5, 30)), Linear("l", ("f",), numbers(4, 30)), act.Relu("last", ("l",))),
    "shuffle": (
        Convolution("c", ("x",), numbers(6, 3, 1, 1)),
        Reshape("a", ONE, (1, 2, 3, 6, 5)),
        Transpose("b", ("a",), (0, 2, 1, 3, 4)),
        Reshape("f", ("b",), (1, 6, 6, 5)),
        Convolution("last", ("f",), numbers(6, 3, 3, 3), groups=2),
    ),
    "global average": (FIRST, GlobalAveragePool("f", ONE), Flatten("g", ("f",)), Linear("last", ("g",), numbers(4, 5))),
    "maximum of all": (FIRST, MaxPool("f", ONE, Window((6, 5)))),
    "maximum, uneven": (FIRST, MaxPool("f", ONE, UNEVEN)),
    "maximum, dilated": (FIRST, MaxPool("f", ONE, Window((2, 2), dilation=(2, 2)))),
    "concat": (FIRST, act.Relu("r", ONE), Concat("f", ("r", "x"))),
    "convolution, uneven": (Convolution("f", ("x",), numbers(6, 3, 3, 2), None, (2, 1), (1, 0, 1, 1), (1, 2)),),
    "groups of five": (
        Convolution("c", ("x",), numbers(15, 3, 1, 1)),
        Convolution("f", ONE, numbers(24, 5, 3, 3), groups=3),
    ),
    "lines": (
        Reshape("t", ("x",), (1, 3, 1, 30)),
        Pad("p", ("t",), (0, 0, 0, 4), (0, 0, 0, 0)),
        Convolution("c", ("p",), numbers(6, 3, 1, 3), numbers(6), dilation=(1, 2)),
        Reshape("c1", ("c",), (1, 6, 30)),
        act.Relu("f", ("c1",)),
        Reshape("g", ("f",), (1, 6, 1, 30)),
        Convolution("last", ("g",), numbers(4, 6, 1, 3)),
    ),
    "padding by a number": (FIRST, Pad("f", ONE, (0, 0, 1, 2), (0, 0, 0, 1), 0.5), LAST),
    "names of parts": (
        Convolution("y", ("x",), numbers(3, 3, 1, 1)),
        act.Relu("a0", ("y",)),
        Concat("y_sum", ("y", "a0")),
    ),
}
HOSTED: dict[str, tuple[Layer, ...]] = {
    "hard swish": (FIRST, act.HardSwish("f", ONE), LAST),
    "sigmoid, tanh, gelu": (FIRST, act.Sigmoid("a", ONE), act.Tanh("b", ("a",)), act.Gelu("f", ("b",)), LAST),
    "mean of what is there": (FIRST, AveragePool("f", ONE, Window((3, 3), (1, 1), AROUND)), LAST),
    "squeeze and excite": (
        FIRST,
        GlobalAveragePool("p", ONE),
        Convolution("s", ("p",), numbers(5, 5, 1, 1)),
        act.HardSigmoid("g", ("s",)),
        Multiply("f", ("c", "g")),
        LAST,
    ),
    "attention": (
        Reshape("t", ("x",), (1, 3, 30)),
        Linear("q", ("t",), numbers(8, 30) / np.float32(4)),
        Transpose("k", ("q",), (0, 2, 1)),
        MatMul("s", ("q", "k")),
        Softmax("p", ("s",)),
        MatMul("o", ("p", "q")),
        LayerNorm("f", ("o",), np.ones(8, np.float32)),
        Linear("last", ("f",), numbers(4, 8)),
    ),
}


def model_of(layers: tuple[Layer, ...]) -> tuple[Model, Array]:
    data = np.random.default_rng(9).normal(0, 1, (18, *SHAPE[1:])).astype(np.float32)
    return Model("net", (Input("x", SHAPE),), layers, (layers[-1].name,)), data


def require_exact(quantised: QuantisedModel, model: Model, data: Array, least: float) -> None:
    """The program of a model equals its simulation, which is as near to the model as `least` dB."""
    found = quantised.simulate(data)
    assert not isinstance(found, tuple)
    expected = np.asarray(model(data))
    noise = quantised.floats(found)[0] - expected
    assert 10 * np.log10((expected**2).sum() / (noise**2).sum()) > least
    result = quantised.compile()(*quantised.integers(data[-1:]))
    assert not isinstance(result, tuple)
    assert result.dtype == found.dtype
    np.testing.assert_array_equal(result, found[-1:])


@pytest.mark.parametrize("name", INTEGER)
def test_integer_forms_are_exact(name: str) -> None:
    model, data = model_of(INTEGER[name])
    quantised = model.quantize(data[:16])
    assert not any(step.hosted for step in quantised.steps)
    require_exact(quantised, model, data[16:], 24)


@pytest.mark.parametrize("name", HOSTED)
def test_what_the_host_computes_is_exact(name: str) -> None:
    model, data = model_of(HOSTED[name])
    with pytest.raises(
        ModelError,
        match=r"has layers without an integer form: '.*allow_host=True \(vtac quantize --allow-host\) lets the host",
    ):
        model.quantize(data[:16])
    require_exact(model.quantize(data[:16], allow_host=True), model, data[16:], 20)


def test_a_layer_kept_in_float_costs_nothing() -> None:
    """The last layer then reads sums of 32 bits, and its own weights are not rounded."""
    layers = (FIRST, Flatten("g", ONE), Linear("last", ("g",), numbers(4, 150)))
    model, data = model_of(layers)
    plain, kept = model.quantize(data[:16]), model.quantize(data[:16], keep_float=["last"])
    require_exact(kept, model, data[16:], 30)
    between = "it stands between layers of the host"
    assert {step.layer.name: step.hosted for step in kept.steps if step.hosted} == {
        "g": between,
        "last": "it is kept in float",
    }
    line = next(line for line in kept.report(data[16:]).lines if line.name == "last")
    assert line.where == "host: it is kept in float"
    assert line.alone_db > next(line for line in plain.report(data[16:]).lines if line.name == "last").alone_db + 10
    assert "'last' (linear): the host computes it in float32, as it is kept in float" in kept.compile().choices
    with pytest.raises(ModelError, match="model 'net' has no layer 'lost' that could be kept in float"):
        model.quantize(data, keep_float=["lost"])


def test_all_layers_may_be_kept() -> None:
    """Inputs and results are floats then."""
    model, data = model_of((FIRST, act.Relu("f", ONE)))
    quantised = model.quantize(data, keep_float=["c", "f"])
    require_exact(quantised, model, data, 100)
    assert quantised.integers(data)[0].dtype == np.float32


def test_two_inputs() -> None:
    layers = (FIRST, Convolution("d", ("z",), numbers(5, 2, 1, 1)), Concat("f", ("c", "d")))
    model = Model("net", (Input("x", SHAPE), Input("z", (1, 2, 6, 5))), layers, ("f",))
    data, other = numbers(8, 3, 6, 5), numbers(8, 2, 6, 5)
    quantised = model.quantize([(data, other)])
    found = quantised.compile().predict(data[:2], other[:2])
    np.testing.assert_array_equal(found, quantised.floats(np.asarray(quantised.simulate(data[:2], other[:2])))[0])


def test_what_the_program_says_of_an_operation_names_its_layer() -> None:
    """Layers whose names begin alike, and one whose name ends as those of parts of layers do."""
    first = replace(FIRST, name="block/conv")
    layers = (first, Softmax("block/conv_f1", ("block/conv",), axis=1), Flatten("g", ("block/conv_f1",)))
    model, data = model_of((*layers, Linear("head", ("g",), numbers(4, 150))))
    choices = model.quantize(data[:16], allow_host=True).compile().choices
    hosted = [choice for choice in choices if choice.startswith("host: ")]
    assert hosted
    assert all(re.search(r" \(block/conv_f1:\d+:\d+, ", choice) for choice in hosted)
    assert not any("<string>" in choice for choice in choices)
