"""Float networks to quantise, data for them, and how near results are."""

from __future__ import annotations

import numpy as np

from vtac.models.graph import Input
from vtac.models.layer import Array, Layer
from vtac.models.layers.activations import Clamp, Relu, Relu6
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.elementwise import Add
from vtac.models.layers.normalisation import BatchNorm
from vtac.models.layers.pooling import GlobalAveragePool, MaxPool
from vtac.models.layers.products import Linear
from vtac.models.layers.views import Concat, Flatten
from vtac.models.model import Model
from vtac.models.quantiser.options import Mantissas
from vtac.models.quantiser.quantised import QuantisedModel
from vtac.models.windows import Window

AROUND = (1, 1, 1, 1)
KINDS: tuple[Mantissas, ...] = ("tried", "one", "free")


def numbers(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype(np.float32)


def residual_net() -> Model:
    """Values of ordinary size, as training leaves them; channels of one layer differ by factors up to 2**4."""
    spread = np.exp2(-(np.arange(8) % 5)).astype(np.float32)
    ones = np.ones(8, np.float32)
    layers: tuple[Layer, ...] = (
        Convolution("conv1", ("x",), numbers(8, 3, 3, 3), pads=AROUND),
        BatchNorm("bn1", ("conv1",), 4 * spread, spread, ones, 27 * ones),
        Relu("relu1", ("bn1",)),
        Convolution("conv2", ("relu1",), numbers(8, 8, 3, 3) / np.float32(8), numbers(8), pads=AROUND),
        Add("sum", ("conv2", "relu1")),
        Relu6("relu2", ("sum",)),
        MaxPool("pool", ("relu2",), Window((2, 2), (2, 2))),
        Flatten("flat", ("pool",)),
        Linear("fc", ("flat",), numbers(10, 72), numbers(10)),
    )
    return Model("residual", (Input("x", (1, 3, 6, 6)),), layers, ("relu1", "relu2", "pool", "fc"))


def branching_net() -> Model:
    """Channel by channel, a concatenation at one scale, a clamp of its own, a mean over 49 positions."""
    layers: tuple[Layer, ...] = (
        Convolution("left", ("x",), numbers(4, 1, 3, 3), stride=(2, 2), pads=AROUND, groups=4),
        Convolution("right", ("x",), numbers(6, 4, 1, 1) * 3, stride=(2, 2)),
        Concat("joined", ("left", "right")),
        Clamp("clamp", ("joined",), -4, 5),
        GlobalAveragePool("mean", ("clamp",)),
        Flatten("flat", ("mean",)),
        Linear("fc1", ("flat",), numbers(12, 10), numbers(12)),
        Relu("relu", ("fc1",)),
        Linear("fc2", ("relu",), numbers(5, 12)),
    )
    return Model("branching", (Input("x", (1, 4, 13, 13)),), layers, ("joined", "relu", "fc2"))


def samples(model: Model, count: int) -> Array:
    return np.random.default_rng(9).normal(0, 1, (count, *model.inputs[0].shape[1:])).astype(np.float32)


def sqnr(found: Array, expected: Array) -> float:
    """Signal over noise of quantisation, in dB."""
    return float(10 * np.log10((expected**2).sum() / ((found - expected) ** 2).sum()))


def as_tuple(quantised: QuantisedModel, data: Array) -> tuple[np.ndarray, ...]:
    found = quantised.simulate(data)
    return found if isinstance(found, tuple) else (found,)
