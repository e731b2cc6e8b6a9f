"""Int8 YOLOv3-tiny (Redmon and Farhadi, 2018): two results, at two scales."""

from __future__ import annotations

from vtac.workloads.networks.core import require_positive
from vtac.workloads.networks.network import Network
from vtac.workloads.networks.reference import Activation


def yolov3_tiny(
    size: int = 416, classes: int = 80, batch: int = 1, seed: int = 0, activation: Activation = "leaky", base: int = 16
) -> Network:
    """For square images whose size is a multiple of 32; three boxes per place; `base` channels at first."""
    require_positive(("size", size), ("classes", classes), ("batch", batch), ("base", base))
    network = Network("yolov3_tiny", (batch, 3, size, size), seed)
    value = route = network.input
    for number in range(5):
        value = network.convolution(value, f"conv{number}", base << number, kernel=3, activation=activation)
        route = value
        value = network.max_pool(value, f"pool{number}", kernel=2, stride=2, pads=(0, 0, 0, 0))
    value = network.convolution(value, "conv5", 32 * base, kernel=3, activation=activation)
    value = network.max_pool(value, "pool5", kernel=2, stride=1, pads=(0, 0, 1, 1))
    value = network.convolution(value, "conv6", 64 * base, kernel=3, activation=activation)
    middle = network.convolution(value, "conv7", 16 * base, kernel=1, activation=activation)
    boxes = 3 * (classes + 5)
    value = network.convolution(middle, "conv8", 32 * base, kernel=3, activation=activation)
    coarse = network.convolution(value, "coarse", boxes, kernel=1, activation="none")
    value = network.convolution(middle, "conv10", 8 * base, kernel=1, activation=activation)
    value = network.concatenate([network.upsample(value, "up"), route], "joined")
    value = network.convolution(value, "conv11", 16 * base, kernel=3, activation=activation)
    fine = network.convolution(value, "fine", boxes, kernel=1, activation="none")
    network.results = [coarse, fine]
    return network
