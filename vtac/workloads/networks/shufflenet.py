"""Int8 ShuffleNet V2 (Ma et al., 2018)."""

from __future__ import annotations

from collections.abc import Sequence

from vtac.workloads.networks.core import require_positive
from vtac.workloads.networks.network import Network
from vtac.workloads.tensor_text import Tensor

_UNITS = (4, 8, 4)
"""Units of each stage; the first one halves the image."""


def shufflenet_v2(
    size: int = 224,
    classes: int = 1000,
    batch: int = 1,
    seed: int = 0,
    *,
    stem: int = 24,
    widths: Sequence[int] = (116, 232, 464),
    units: Sequence[int] = _UNITS,
    last: int = 1024,
) -> Network:
    """Units that convolve half of their channels and keep the others, and shuffle both; x1.0 at the usual widths."""
    require_positive(("size", size), ("classes", classes), ("batch", batch))
    network = Network("shufflenet_v2", (batch, 3, size, size), seed)
    value = network.convolution(network.input, "conv1", stem, kernel=3, stride=2)
    value = network.max_pool(value, "pool1", kernel=3, stride=2)
    for stage, (width, count) in enumerate(zip(widths, units, strict=True)):
        value = _halving(network, value, f"stage{stage + 2}_1", width // 2)
        for number in range(1, count):
            value = _unit(network, value, f"stage{stage + 2}_{number + 1}")
    value = network.convolution(value, "conv5", last, kernel=1)
    network.linear(network.flatten(network.sum_pool(value, "average")), "fc", classes, last=True)
    return network


def _halving(network: Network, source: Tensor, name: str, width: int) -> Tensor:
    left = _by_channel(network, source, f"{name}_left1", stride=2)
    left = network.convolution(left, f"{name}_left2", width, kernel=1)
    return _joined(network, left, _branch(network, source, f"{name}_right", width, stride=2), name)


def _unit(network: Network, source: Tensor, name: str) -> Tensor:
    width = source.shape[1] // 2
    kept = network.cut(source, f"{name}_left", 0, width)
    half = network.cut(source, f"{name}_half", width, width)
    return _joined(network, kept, _branch(network, half, f"{name}_right", width, stride=1), name)


def _branch(network: Network, source: Tensor, name: str, width: int, stride: int) -> Tensor:
    value = network.convolution(source, f"{name}1", width, kernel=1)
    value = _by_channel(network, value, f"{name}2", stride)
    return network.convolution(value, f"{name}3", width, kernel=1)


def _by_channel(network: Network, source: Tensor, name: str, stride: int) -> Tensor:
    channels = source.shape[1]
    return network.convolution(source, name, channels, kernel=3, stride=stride, groups=channels, relu=False)


def _joined(network: Network, left: Tensor, right: Tensor, name: str) -> Tensor:
    return network.shuffle(network.concatenate([left, right], f"{name}_joined"), name, 2)
