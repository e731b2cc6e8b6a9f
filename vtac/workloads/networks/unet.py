"""Int8 U-Net (Ronneberger et al., 2015), padded, with upsampling and a convolution instead of transposed ones."""

from __future__ import annotations

from vtac.workloads.networks.core import require_positive
from vtac.workloads.networks.network import Network
from vtac.workloads.tensor_text import Tensor


def unet(
    size: int = 128, base: int = 32, levels: int = 3, classes: int = 2, batch: int = 1, seed: int = 0, channels: int = 1
) -> Network:
    """Two convolutions per level, `base` features at the first; the size is a multiple of 2**levels."""
    require_positive(("size", size), ("base", base), ("levels", levels), ("classes", classes), ("batch", batch))
    network = Network("unet", (batch, channels, size, size), seed)
    value, kept = network.input, list[Tensor]()
    for level in range(levels):
        value = _pair(network, value, f"down{level}", base << level)
        kept.append(value)
        value = network.max_pool(value, f"pool{level}", kernel=2, stride=2, pads=(0, 0, 0, 0))
    value = _pair(network, value, "bottom", base << levels)
    for level in reversed(range(levels)):
        value = network.upsample(value, f"wide{level}")
        value = network.convolution(value, f"narrow{level}", base << level, kernel=3)
        value = network.concatenate([kept[level], value], f"joined{level}")
        value = _pair(network, value, f"up{level}", base << level)
    network.convolution(value, "classes", classes, kernel=1, relu=False)
    return network


def _pair(network: Network, source: Tensor, name: str, features: int) -> Tensor:
    value = network.convolution(source, f"{name}_conv1", features, kernel=3)
    return network.convolution(value, f"{name}_conv2", features, kernel=3)
