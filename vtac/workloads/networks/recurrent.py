"""Int8 cells of recurrent networks: LSTM (Hochreiter and Schmidhuber, 1997) and GRU (Cho et al., 2014).

Gates are hard sigmoids, and tanh is the clip to int8; 128 stands for one. Products of two
computed tensors, element by element, are what the VTA has no operation for.
"""

from __future__ import annotations

from vtac.workloads.networks.core import require_positive
from vtac.workloads.networks.network import Network
from vtac.workloads.tensor_text import Tensor


def lstm_cell(width: int = 256, batch: int = 1, seed: int = 0) -> Network:
    """One step: input, hidden and cell state of `width` numbers; returns the new hidden and cell state."""
    require_positive(("width", width), ("batch", batch))
    network = Network("lstm_cell", (batch, width), seed, "given")
    hidden = network.argument("hidden", (batch, width))
    cell = network.argument("cell", (batch, width))
    forget = network.gate(_preactivation(network, hidden, "forget", width), "forget")
    enter = network.gate(_preactivation(network, hidden, "enter", width), "enter")
    leave = network.gate(_preactivation(network, hidden, "leave", width), "leave")
    candidate = _preactivation(network, hidden, "candidate", width)
    kept = network.gated(forget, cell, "kept")
    state = network.add(kept, network.gated(enter, candidate, "added"), "state")
    network.results = [network.gated(leave, state, "output"), state]
    return network


def gru_cell(width: int = 256, batch: int = 1, seed: int = 0) -> Network:
    """One step: input and hidden state of `width` numbers; returns the new hidden state."""
    require_positive(("width", width), ("batch", batch))
    network = Network("gru_cell", (batch, width), seed, "given")
    hidden = network.argument("hidden", (batch, width))
    update = network.gate(_preactivation(network, hidden, "update", width), "update")
    reset = network.gate(_preactivation(network, hidden, "reset", width), "reset")
    candidate = _preactivation(network, network.gated(reset, hidden, "restarted"), "candidate", width)
    change = network.add(candidate, network.negated(hidden, "negated"), "change")
    network.add(hidden, network.gated(update, change, "changed"), "output")
    return network


def _preactivation(network: Network, hidden: Tensor, name: str, width: int) -> Tensor:
    """Both products of a gate, added at int8."""
    from_input = network.linear(network.input, f"{name}_x", width, activation="none")
    return network.linear(hidden, f"{name}_pre", width, activation="none", residual=from_input)
