"""An int8 encoder layer of a transformer (Vaswani et al., 2017), softmax and layer normalisation in f32."""

from __future__ import annotations

from vtac.workloads.networks.core import require_positive
from vtac.workloads.networks.network import Network
from vtac.workloads.tensor_text import Tensor


def transformer_layer(tokens: int = 128, width: int = 256, heads: int = 4, seed: int = 0) -> Network:
    """Attention over `heads`, then two linear layers with 4 * width numbers between; normalised after each."""
    require_positive(("tokens", tokens), ("width", width), ("heads", heads), ("width / heads", width // heads))
    network = Network("transformer_layer", (tokens, width), seed, "given")
    source = network.input
    query = _split(network, network.linear(source, "query", width, activation="none"), "q", heads, [1, 0, 2])
    key = _split(network, network.linear(source, "key", width, activation="none"), "k", heads, [1, 2, 0])
    value = _split(network, network.linear(source, "value", width, activation="none"), "v", heads, [1, 0, 2])
    scores = network.product(query, key, "scores", shift=None)
    shares = network.softmax(scores, "shares", 1.0 / (32 * 32 * (width // heads) ** 0.5))
    mixed = network.product(shares, value, "mixed", shift=7)
    joined = network.collapse(network.transpose(mixed, "by_token", [1, 0, 2]), "joined", [[0], [1, 2]])
    attended = network.linear(joined, "project", width, activation="none", residual=source)
    normal = network.layer_norm(attended, "norm1")
    inner = network.linear(normal, "wide", 4 * width)
    outer = network.linear(inner, "narrow", width, activation="none", residual=normal)
    network.layer_norm(outer, "norm2")
    return network


def _split(network: Network, source: Tensor, name: str, heads: int, order: list[int]) -> Tensor:
    tokens, width = source.shape
    parts = network.expand(source, f"{name}_parts", (tokens, heads, width // heads), [[0], [1, 2]])
    return network.transpose(parts, f"{name}_heads", order)
