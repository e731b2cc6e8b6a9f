"""Channels between products brought to like ranges."""

from __future__ import annotations

import numpy as np

from vtac.models.equalisation import equalised
from vtac.models.graph import Graph, Input
from vtac.models.layer import Array, Layer
from vtac.models.layers.activations import LeakyRelu, Relu, Relu6
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.pooling import MaxPool
from vtac.models.windows import Window


def numbers(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype(np.float32)


def graph_of(*between: Layer) -> Graph:
    spread = np.exp2(np.arange(6) - 3).astype(np.float32).reshape(-1, 1, 1, 1)
    layers: tuple[Layer, ...] = (
        Convolution("c1", ("x",), numbers(6, 2, 3, 3) * spread, numbers(6)),
        *between,
        Convolution("c2", (between[-1].name,), numbers(6, 1, 3, 3), numbers(6), groups=6),
        LeakyRelu("leaky", ("c2",)),
        Convolution("c3", ("leaky",), numbers(8, 3, 1, 1), groups=2),
    )
    return Graph("net", (Input("x", (1, 2, 12, 12)),), layers, ("c3",))


def reach(graph: Graph, name: str) -> Array:
    layer = next(layer for layer in graph.layers if layer.name == name)
    assert isinstance(layer, Convolution)
    return np.abs(layer.weights).reshape(layer.weights.shape[0], -1).max(1)


def test_an_equalised_graph_computes_the_same() -> None:
    graph = graph_of(Relu("relu", ("c1",)), MaxPool("pool", ("relu",), Window((2, 2), (2, 2))))
    even = equalised(graph)
    data = numbers(3, 2, 12, 12)
    np.testing.assert_allclose(np.asarray(even(data)), np.asarray(graph(data)), rtol=1e-3, atol=1e-4)
    before, after = reach(graph, "c1"), reach(even, "c1")
    assert after.max() / after.min() < before.max() / before.min() / 2
    np.testing.assert_allclose(after, reach(even, "c2"), rtol=0.05)


def test_what_does_not_commute_with_factors_stays() -> None:
    graph = graph_of(Relu6("relu", ("c1",)))
    np.testing.assert_array_equal(reach(equalised(graph), "c1"), reach(graph, "c1"))


def test_what_others_read_stays() -> None:
    graph = graph_of(Relu("relu", ("c1",)))
    shown = Graph("net", graph.inputs, graph.layers, ("c3", "relu"))
    np.testing.assert_array_equal(reach(equalised(shown), "c1"), reach(graph, "c1"))
