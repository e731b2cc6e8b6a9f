"""Int8 DenseNet-121 (Huang et al., 2017): normalisation before each convolution is a number per channel and relu."""

from __future__ import annotations

from vtac.workloads.networks.core import require_positive
from vtac.workloads.networks.network import Network
from vtac.workloads.tensor_text import Tensor

_BLOCKS = (6, 12, 24, 16)


def densenet121(
    size: int = 224,
    classes: int = 1000,
    batch: int = 1,
    seed: int = 0,
    growth: int = 32,
    blocks: tuple[int, ...] = _BLOCKS,
) -> Network:
    """Every layer reads all layers of its block before it; `growth` channels are added by each."""
    require_positive(("size", size), ("classes", classes), ("batch", batch), ("growth", growth))
    network = Network("densenet121", (batch, 3, size, size), seed)
    value = network.convolution(network.input, "conv0", 2 * growth, kernel=7, stride=2)
    value = network.max_pool(value, "pool0", kernel=3, stride=2)
    for number, layers in enumerate(blocks, 1):
        for layer in range(1, layers + 1):
            value = _dense_layer(network, value, f"block{number}_layer{layer}", growth)
        if number < len(blocks):
            value = _transition(network, value, f"transition{number}")
    value = network.shifted(value, "norm_last")
    network.linear(network.flatten(network.sum_pool(value, "average")), "fc", classes, last=True)
    return network


def _dense_layer(network: Network, source: Tensor, name: str, growth: int) -> Tensor:
    value = network.shifted(source, f"{name}_norm")
    value = network.convolution(value, f"{name}_conv1", 4 * growth, kernel=1)
    value = network.convolution(value, f"{name}_conv2", growth, kernel=3, relu=False)
    return network.concatenate([source, value], name)


def _transition(network: Network, source: Tensor, name: str) -> Tensor:
    value = network.shifted(source, f"{name}_norm")
    value = network.convolution(value, f"{name}_conv", source.shape[1] // 2, kernel=1, relu=False)
    return network.average_pool(value, name, kernel=2)
