"""Models put together and run."""

from __future__ import annotations

import numpy as np
import pytest

from vtac.errors import ModelError
from vtac.models.graph import Graph, Input
from vtac.models.layer import Array, Layer
from vtac.models.layers.activations import Relu
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.elementwise import Add
from vtac.models.layers.pooling import GlobalAveragePool
from vtac.models.layers.products import Linear
from vtac.models.layers.views import Flatten


def numbers(*shape: int) -> Array:
    return np.random.default_rng(5).normal(0, 1, shape).astype(np.float32)


def residual_net() -> Graph:
    layers: tuple[Layer, ...] = (
        Convolution("conv1", ("image",), numbers(4, 3, 3, 3), numbers(4), pads=(1, 1, 1, 1)),
        Relu("relu1", ("conv1",)),
        Convolution("conv2", ("relu1",), numbers(4, 4, 3, 3), pads=(1, 1, 1, 1)),
        Add("sum", ("conv2", "relu1")),
        GlobalAveragePool("mean", ("sum",)),
        Flatten("flat", ("mean",)),
        Linear("fc", ("flat",), numbers(5, 4), numbers(5)),
    )
    return Graph("net", (Input("image", (1, 3, 6, 6)),), layers, ("fc",))


def test_every_value_has_its_shape() -> None:
    model = residual_net()
    values = dict(model.values(numbers(1, 3, 6, 6)))
    assert {name: value.shape for name, value in values.items()} == dict(model.shapes)
    assert model.macs()["conv1"] == 4 * 36 * 27


def test_batches_run_one_after_the_other() -> None:
    model = residual_net()
    data = numbers(3, 3, 6, 6)
    whole = model(data)
    assert isinstance(whole, np.ndarray)
    assert whole.shape == (3, 5)
    for number in range(3):
        np.testing.assert_array_equal(whole[number : number + 1], model(data[number : number + 1]))


def test_values_are_dropped_after_their_last_reader() -> None:
    """A chain of any length holds two values at a time."""
    from weakref import ref

    layers = tuple(Relu(f"r{number}", (f"r{number - 1}" if number else "x",)) for number in range(50))
    model = Graph("chain", (Input("x", (1, 1000)),), layers, ("r49",))
    made = list[ref[Array]]()
    for _, value in model.values(numbers(1, 1000)):
        made.append(ref(value))
        assert sum(seen() is not None for seen in made) <= 3


def test_several_outputs_come_in_order() -> None:
    layers = (Relu("a", ("x",)), Relu("b", ("a",)))
    model = Graph("two", (Input("x", (2, 3)),), layers, ("b", "x", "a"))
    data = numbers(4, 3)
    second, given, first = model(data)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(given, data)


@pytest.mark.parametrize(
    ("layers", "outputs", "message"),
    [
        ([Relu("x", ("x",))], ["x"], "model 'm' has two values named 'x'; a name for each is required"),
        (
            [Relu("a", ("b",))],
            ["a"],
            "layer 'a' (relu): it reads 'b'; required: an input of the model or a layer before it",
        ),
        ([Relu("a", ("x",))], ["b"], "output 'b' of model 'm' is made by no layer"),
        ([Relu("a", ("x",))], [], "model 'm' has no outputs; one or more is required"),
    ],
)
def test_graphs_that_contradict_themselves_are_refused(layers: list[Layer], outputs: list[str], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        Graph("m", (Input("x", (1, 2)),), tuple(layers), tuple(outputs))
    assert str(caught.value) == message


def test_arrays_that_do_not_fit_are_refused() -> None:
    model = Graph("m", (Input("x", (2, 3)),), (Relu("a", ("x",)),), ("a",))
    with pytest.raises(
        ModelError, match="input 'x' of model 'm' is 3x3; 2x3 is required, or a multiple of that in the"
    ):
        model(numbers(3, 3))
    with pytest.raises(ModelError, match="input 'x' of model 'm' is an array of int64; an array of floats is required"):
        model(np.zeros((2, 3), np.int64))
    with pytest.raises(ModelError, match="model 'm' was given 2 arrays; it has 1 inputs"):
        model(numbers(2, 3), numbers(2, 3))
    with pytest.raises(ModelError, match="input 'x' of model 'm' is 0x3; a batch in the first dimension and extents"):
        Graph("m", (Input("x", (0, 3)),), (Relu("a", ("x",)),), ("a",))
