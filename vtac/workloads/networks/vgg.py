"""Int8 VGG-16 (Simonyan and Zisserman, 2015, configuration D)."""

from __future__ import annotations

from vtac.workloads.networks.core import require_positive
from vtac.workloads.networks.network import Network

_STAGES = ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3))
"""Channels, as a multiple of those of the first stage, and convolutions of each stage."""


def vgg16(
    size: int = 224, classes: int = 1000, batch: int = 1, seed: int = 0, base: int = 64, hidden: int = 4096
) -> Network:
    """Thirteen convolutions and three linear layers, for square images whose size is a multiple of 32.

    The first stage has `base` channels, the first two linear layers `hidden` features.
    """
    require_positive(("size", size), ("classes", classes), ("batch", batch), ("base", base), ("hidden", hidden))
    network = Network("vgg16", (batch, 3, size, size), seed)
    value = network.input
    for stage, (multiple, count) in enumerate(_STAGES, 1):
        for number in range(count):
            value = network.convolution(value, f"conv{stage}{'abc'[number]}", multiple * base, kernel=3)
        value = network.max_pool(value, f"pool{stage}", kernel=2, stride=2, pads=(0, 0, 0, 0))
    value = network.flatten(value)
    value = network.linear(value, "fc6", hidden)
    value = network.linear(value, "fc7", hidden)
    network.linear(value, "fc8", classes, last=True)
    return network
