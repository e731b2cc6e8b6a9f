"""Int8 multi-layer perceptron: linear layers with relu between them."""

from __future__ import annotations

from collections.abc import Sequence

from vtac.errors import CompileError
from vtac.workloads.networks.core import require_positive
from vtac.workloads.networks.network import Network


def mlp(batch: int = 1, features: Sequence[int] = (784, 512, 256, 10), seed: int = 0) -> Network:
    """Layers from `features[i]` to `features[i + 1]`, the last one's results in i32; random parameters from `seed`.

    Raises `CompileError` for fewer than two numbers of features.
    """
    if len(features) < 2:
        raise CompileError(
            f"features are {list(features)}; at least the inputs and the outputs of one layer are required"
        )
    require_positive(("batch", batch), *(("features", width) for width in features))
    network = Network("mlp", (batch, features[0]), seed)
    value = network.input
    for number, width in enumerate(features[1:], 1):
        value = network.linear(value, f"fc{number}", width, last=number == len(features) - 1)
    return network
