"""Batch norms folded into products."""

from __future__ import annotations

import numpy as np

from vtac.models.folding import fold_batch_norms
from vtac.models.graph import Graph, Input
from vtac.models.layer import Array, Layer
from vtac.models.layers.activations import Relu
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.elementwise import Add
from vtac.models.layers.normalisation import BatchNorm
from vtac.models.layers.products import Linear
from vtac.models.layers.views import Flatten


def numbers(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype(np.float32)


def norm(name: str, source: str, channels: int) -> BatchNorm:
    return BatchNorm(
        name, (source,), numbers(channels), numbers(channels) + 1, numbers(channels), numbers(channels) ** 2
    )


def graph_of(layers: tuple[Layer, ...], outputs: tuple[str, ...]) -> Graph:
    return Graph("net", (Input("x", (1, 2, 4, 4)),), layers, outputs)


def test_a_folded_graph_computes_the_same() -> None:
    layers = (
        Convolution("conv", ("x",), numbers(3, 2, 3, 3)),
        norm("bn1", "conv", 3),
        Relu("relu", ("bn1",)),
        Flatten("flat", ("relu",)),
        Linear("fc", ("flat",), numbers(5, 12), numbers(5)),
        norm("bn2", "fc", 5),
    )
    graph = graph_of(layers, ("bn2",))
    folded = fold_batch_norms(graph)
    assert [layer.name for layer in folded.layers] == ["conv", "relu", "flat", "fc"]
    assert folded.outputs == ("fc",)
    data = numbers(3, 2, 4, 4)
    np.testing.assert_allclose(np.asarray(folded(data)), np.asarray(graph(data)), rtol=1e-4, atol=1e-4)


def test_what_others_read_stays_as_it_is() -> None:
    layers = (Convolution("conv", ("x",), numbers(3, 2, 3, 3)), norm("bn", "conv", 3), Add("sum", ("bn", "conv")))
    for outputs in (("sum",), ("bn", "sum")):
        assert fold_batch_norms(graph_of(layers, outputs)).layers[1].name == "bn"
    alone = graph_of((norm("bn", "x", 2),), ("bn",))
    assert [layer.name for layer in fold_batch_norms(alone).layers] == ["bn"]
