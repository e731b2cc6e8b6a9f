"""An int8 MLP-mixer (Tolstikhin et al., 2021), without normalisation."""

from __future__ import annotations

from vtac.workloads.networks.core import require_positive
from vtac.workloads.networks.network import Network


def mlp_mixer(patches: int = 196, width: int = 512, layers: int = 2, seed: int = 0) -> Network:
    """Linear layers over the patches of each channel and over the channels of each patch, in turn."""
    require_positive(("patches", patches), ("width", width), ("layers", layers))
    network = Network("mlp_mixer", (patches, width), seed, "given")
    value = network.input
    for layer in range(layers):
        name = f"layer{layer}"
        turned = network.transpose(value, f"{name}_turned", [1, 0])
        inner = network.linear(turned, f"{name}_tokens1", 2 * patches)
        mixed = network.linear(inner, f"{name}_tokens2", patches, activation="none", residual=turned)
        value = network.transpose(mixed, f"{name}_back", [1, 0])
        inner = network.linear(value, f"{name}_channels1", 4 * width)
        value = network.linear(inner, f"{name}_channels2", width, activation="none", residual=value)
    return network
