"""Int8 residual networks: the layers of He et al. (2016), batch normalisation folded into weights and biases."""

from __future__ import annotations

from typing import Literal

from vtac.workloads.networks.core import require_positive
from vtac.workloads.networks.network import Network
from vtac.workloads.tensor_text import Tensor

_BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}

Depth = Literal[18, 34, 50, 101]


def resnet18(size: int = 224, classes: int = 1000, batch: int = 1, seed: int = 0) -> Network:
    """ResNet-18 for square images of `size` pixels, 3 channels; random parameters from `seed`."""
    return resnet(18, size, classes, batch, seed)


def resnet(
    depth: Depth, size: int = 224, classes: int = 1000, batch: int = 1, seed: int = 0, base: int = 64
) -> Network:
    """A residual network; 50 and 101 have blocks of 1x1, 3x3 and 1x1, the stride in the 3x3.

    The first stage has `base` channels.
    """
    require_positive(("size", size), ("classes", classes), ("batch", batch), ("base", base))
    network = Network(f"resnet{depth}", (batch, 3, size, size), seed)
    value = network.convolution(network.input, "conv1", base, kernel=7, stride=2)
    value = network.max_pool(value, "pool1", kernel=3, stride=2)
    block_of = _basic_block if depth < 50 else _bottleneck
    for number, blocks in enumerate(_BLOCKS[depth], 1):
        width = base << (number - 1)
        for block in range(blocks):
            stride = 2 if number > 1 and block == 0 else 1
            value = block_of(network, value, f"layer{number}_block{block}", width, stride)
    value = network.sum_pool(value, "average")
    network.linear(network.flatten(value), "fc", classes, last=True)
    return network


def _basic_block(network: Network, source: Tensor, name: str, width: int, stride: int) -> Tensor:
    """Two 3x3 convolutions, and a shortcut that a 1x1 convolution fits to their shape where it must."""
    inner = network.convolution(source, f"{name}_conv1", width, kernel=3, stride=stride)
    shortcut = _shortcut(network, source, name, width, stride)
    return network.convolution(inner, f"{name}_conv2", width, kernel=3, residual=shortcut)


def _bottleneck(network: Network, source: Tensor, name: str, width: int, stride: int) -> Tensor:
    """1x1 to fewer channels, 3x3, 1x1 to four times as many, and the shortcut."""
    inner = network.convolution(source, f"{name}_conv1", width, kernel=1)
    inner = network.convolution(inner, f"{name}_conv2", width, kernel=3, stride=stride)
    shortcut = _shortcut(network, source, name, 4 * width, stride)
    return network.convolution(inner, f"{name}_conv3", 4 * width, kernel=1, residual=shortcut)


def _shortcut(network: Network, source: Tensor, name: str, features: int, stride: int) -> Tensor:
    if stride == 1 and source.shape[1] == features:
        return source
    return network.convolution(source, f"{name}_down", features, kernel=1, stride=stride, relu=False)
