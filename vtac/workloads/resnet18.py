"""Int8 ResNet-18: the layers of He et al. (2016), batch normalisation folded into weights and biases."""

from __future__ import annotations

from vtac.workloads.network import Network, require_positive
from vtac.workloads.tensor_text import Tensor

_WIDTHS = (64, 128, 256, 512)


def resnet18(size: int = 224, classes: int = 1000, batch: int = 1, seed: int = 0) -> Network:
    """The network for square images of `size` pixels, 3 channels; random parameters from `seed`."""
    require_positive(("size", size), ("classes", classes), ("batch", batch))
    network = Network("resnet18", (batch, 3, size, size), seed)
    value = network.convolution(network.input, "conv1", 64, kernel=7, stride=2)
    value = network.max_pool(value, "pool1", kernel=3, stride=2)
    for number, width in enumerate(_WIDTHS, 1):
        for block in range(2):
            value = _basic_block(
                network, value, f"layer{number}_block{block}", width, 2 if number > 1 and block == 0 else 1
            )
    value = network.sum_pool(value, "average")
    network.linear(network.flatten(value), "fc", classes, last=True)
    return network


def _basic_block(network: Network, source: Tensor, name: str, width: int, stride: int) -> Tensor:
    """Two 3x3 convolutions, and a shortcut that a 1x1 convolution fits to their shape where it must."""
    inner = network.convolution(source, f"{name}_conv1", width, kernel=3, stride=stride)
    shortcut = source
    if stride > 1 or source.shape[1] != width:
        shortcut = network.convolution(source, f"{name}_down", width, kernel=1, stride=stride, relu=False)
    return network.convolution(inner, f"{name}_conv2", width, kernel=3, residual=shortcut)
