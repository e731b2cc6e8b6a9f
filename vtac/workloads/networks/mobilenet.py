"""Int8 MobileNets: V1 (Howard et al., 2017) and V2 (Sandler et al., 2018), at width 1."""

from __future__ import annotations

from vtac.workloads.networks.core import require_positive
from vtac.workloads.networks.network import Network
from vtac.workloads.tensor_text import Tensor

_V1 = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
"""Features and stride of each separable convolution."""
_V2 = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, features, blocks and stride of each stage."""


def mobilenet_v1(size: int = 224, classes: int = 1000, batch: int = 1, seed: int = 0) -> Network:
    """Convolutions by channel and 1x1 convolutions in turn, with relu."""
    require_positive(("size", size), ("classes", classes), ("batch", batch))
    network = Network("mobilenet_v1", (batch, 3, size, size), seed)
    value = network.convolution(network.input, "conv0", 32, kernel=3, stride=2)
    for number, (features, stride) in enumerate(_V1, 1):
        value = _depthwise(network, value, f"dw{number}", stride)
        value = network.convolution(value, f"pw{number}", features, kernel=1)
    return _classifier(network, value, classes)


def mobilenet_v2(size: int = 224, classes: int = 1000, batch: int = 1, seed: int = 0) -> Network:
    """Inverted residuals with relu6, their outputs without activation."""
    require_positive(("size", size), ("classes", classes), ("batch", batch))
    network = Network("mobilenet_v2", (batch, 3, size, size), seed)
    value = network.convolution(network.input, "conv0", 32, kernel=3, stride=2, activation="relu6")
    for stage, (expansion, features, blocks, stride) in enumerate(_V2, 1):
        for block in range(blocks):
            step = stride if block == 0 else 1
            value = _inverted_residual(network, value, f"stage{stage}_block{block}", expansion, features, step)
    value = network.convolution(value, "conv_last", 1280, kernel=1, activation="relu6")
    return _classifier(network, value, classes)


def _inverted_residual(
    network: Network, source: Tensor, name: str, expansion: int, features: int, stride: int
) -> Tensor:
    value = source
    if expansion > 1:
        width = expansion * source.shape[1]
        value = network.convolution(value, f"{name}_expand", width, kernel=1, activation="relu6")
    value = _depthwise(network, value, f"{name}_dw", stride, relu6=True)
    residual = source if stride == 1 and source.shape[1] == features else None
    return network.convolution(value, f"{name}_project", features, kernel=1, relu=False, residual=residual)


def _depthwise(network: Network, source: Tensor, name: str, stride: int, *, relu6: bool = False) -> Tensor:
    channels = source.shape[1]
    activation = "relu6" if relu6 else "relu"
    return network.convolution(source, name, channels, kernel=3, stride=stride, groups=channels, activation=activation)


def _classifier(network: Network, source: Tensor, classes: int) -> Network:
    network.linear(network.flatten(network.sum_pool(source, "average")), "fc", classes, last=True)
    return network
