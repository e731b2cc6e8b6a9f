"""Int8 generator of DCGAN (Radford et al., 2016): transposed convolutions from a vector to an image."""

from __future__ import annotations

from vtac.workloads.networks.core import require_positive
from vtac.workloads.networks.network import Network


def dcgan(latent: int = 100, base: int = 128, channels: int = 3, batch: int = 1, seed: int = 0) -> Network:
    """Images of 64 x 64: a linear layer to 4 x 4, then four transposed 4x4 convolutions of stride 2."""
    require_positive(("latent", latent), ("base", base), ("channels", channels), ("batch", batch))
    network = Network("dcgan", (batch, latent), seed, "latent")
    width = 8 * base
    value = network.linear(network.input, "project", width * 16)
    value = network.expand(value, "planes", (batch, width, 4, 4), [[0], [1, 2, 3]])
    for number in range(1, 4):
        width //= 2
        value = network.transposed_convolution(value, f"up{number}", width, kernel=4, stride=2, padding=1)
    network.transposed_convolution(value, "pixels", channels, kernel=4, stride=2, padding=1, activation="none")
    return network
