"""The scale of each value: a power of two, by least squares over what calibration saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil, log2

from vtac.models.graph import Graph
from vtac.models.layer import Layer
from vtac.models.layers.activations import Clamp, Relu, Relu6
from vtac.models.layers.elementwise import Add
from vtac.models.layers.pooling import GlobalAveragePool, MaxPool
from vtac.models.layers.views import Concat, Flatten, Reshape
from vtac.models.quantiser.histogram import Histogram

_TRIED = 6
"""Exponents that are tried, down from the one that clips nothing."""
_APART = 6
"""How many bits the operands of a sum may be apart: factors of i8 operands end at 127."""
SHARING = (MaxPool, Flatten, Reshape, Concat, Relu, Relu6, Clamp)
"""Layers whose value has the scale of what they read."""


@dataclass(frozen=True)
class Scale:
    """An integer q stands for q * mantissa * 2**exponent. The mantissa is 1, but behind means over other than 2**k."""

    exponent: int
    mantissa: float = 1.0

    @property
    def size(self) -> float:
        return self.mantissa * 2.0**self.exponent


def fused_activations(graph: Graph) -> Mapping[str, Layer]:
    """The activation that alone reads a product or a sum, by the name of that product or sum."""
    readers: dict[str, list[Layer]] = {}
    for layer in graph.layers:
        for name in layer.inputs:
            readers.setdefault(name, []).append(layer)
    found: dict[str, Layer] = {}
    for layer in graph.layers:
        after = readers.get(layer.name, [])
        if not isinstance(layer, SHARING) and layer.name not in graph.outputs and len(after) == 1:
            (reader,) = after
            if isinstance(reader, Relu | Relu6 | Clamp) and not isinstance(layer, GlobalAveragePool):
                found[layer.name] = reader
    return found


def choose_scales(graph: Graph, seen: Mapping[str, Histogram], fused: Mapping[str, Layer]) -> Mapping[str, Scale]:
    """One scale for each group of values that share one. Operands of sums are at most six bits apart."""
    groups = _groups(graph, fused)
    exponents: dict[str, int] = {}
    mantissas: dict[str, float] = {}
    for layer in graph.layers:
        if isinstance(layer, GlobalAveragePool):
            positions = graph.shapes[layer.inputs[0]][2] * graph.shapes[layer.inputs[0]][3]
            before = mantissas.get(groups[layer.inputs[0]], 1.0)
            mantissas[groups[layer.name]] = before * 2 ** round(log2(positions)) / positions
    for leader in dict.fromkeys(groups.values()):
        members = [seen[name] for name, own in groups.items() if own == leader and name not in fused]
        exponents[leader] = _exponent(members, mantissas.get(leader, 1.0))
    for layer in graph.layers:
        if isinstance(layer, Add):
            left, right = (groups[name] for name in layer.inputs)
            coarse = max(exponents[left], exponents[right])
            for leader in (left, right):
                exponents[leader] = max(exponents[leader], coarse - _APART)
            fine = min(exponents[left], exponents[right])
            own = groups[fused[layer.name].name if layer.name in fused else layer.name]
            exponents[own] = max(exponents[own], fine)
    return {name: Scale(exponents[leader], mantissas.get(leader, 1.0)) for name, leader in groups.items()}


def _groups(graph: Graph, fused: Mapping[str, Layer]) -> Mapping[str, str]:
    """For each value the first value of its group."""
    leaders: dict[str, str] = {given.name: given.name for given in graph.inputs}
    within = {layer.name for layer in fused.values()}
    for layer in graph.layers:
        leaders[layer.name] = layer.name
        if isinstance(layer, SHARING) and layer.name not in within:
            first = leaders[layer.inputs[0]]
            joined = {layer.name, *(leaders[name] for name in layer.inputs)}
            for name, leader in leaders.items():
                if leader in joined:
                    leaders[name] = first
    return leaders


def _exponent(members: Iterable[Histogram], mantissa: float) -> int:
    """The exponent of least squared error over all members, the larger one of two that are equal."""
    histograms = list(members)
    reach = max((member.reach for member in histograms), default=0.0)
    if not reach:
        return -7
    highest = ceil(log2(reach / (127 * mantissa)))
    tried = range(highest, highest - _TRIED, -1)
    return min(tried, key=lambda e: (sum(member.error(mantissa * 2.0**e) for member in histograms), -e))
