"""Int8 SqueezeNet 1.1 (Iandola et al., 2016)."""

from __future__ import annotations

from vtac.workloads.networks.core import require_positive
from vtac.workloads.networks.network import Network
from vtac.workloads.tensor_text import Tensor

_FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
"""Squeezed and expanded channels of each fire module."""


def squeezenet(size: int = 224, classes: int = 1000, batch: int = 1, seed: int = 0) -> Network:
    """Fire modules: 1x1 to few channels, then 1x1 and 3x3 side by side; pools before modules 1, 3 and 5."""
    require_positive(("size", size), ("classes", classes), ("batch", batch))
    network = Network("squeezenet", (batch, 3, size, size), seed)
    none = (0, 0, 0, 0)
    value = network.convolution(network.input, "conv1", 64, kernel=3, stride=2, pads=none)
    for number, (squeezed, expanded) in enumerate(_FIRES):
        if number in (0, 2, 4):
            value = network.max_pool(value, f"pool{number}", kernel=3, stride=2, pads=none)
        value = _fire(network, value, f"fire{number + 2}", squeezed, expanded)
    value = network.convolution(value, "conv10", classes, kernel=1)
    network.flatten(network.sum_pool(value, "average"))
    return network


def _fire(network: Network, source: Tensor, name: str, squeezed: int, expanded: int) -> Tensor:
    value = network.convolution(source, f"{name}_squeeze", squeezed, kernel=1)
    left = network.convolution(value, f"{name}_expand1", expanded, kernel=1)
    right = network.convolution(value, f"{name}_expand3", expanded, kernel=3)
    return network.concatenate([left, right], name)
