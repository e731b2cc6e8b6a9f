"""The scale of each value: a power of two, by least squares over what calibration saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil, log2

from vtac.models.graph import Graph
from vtac.models.layer import Layer
from vtac.models.layers.activations import Clamp, Relu, Relu6
from vtac.models.layers.convolutions import Convolution
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
    """An integer q stands for (q - zero) * mantissa * 2**exponent.

    The mantissa is 1, but behind means over other than 2**k; zero is -128 where nothing is negative.
    """

    exponent: int
    mantissa: float = 1.0
    zero: int = 0

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


def choose_scales(
    graph: Graph, seen: Mapping[str, Histogram], fused: Mapping[str, Layer], *, zero_points: bool
) -> Mapping[str, Scale]:
    """One scale for each group of values that share one. Operands of sums are at most six bits apart.

    `zero_points` puts zero at -128 where activations leave nothing negative.
    """
    groups = _groups(graph, fused)
    zeros = dict.fromkeys(_never_negative(graph, fused, groups), -128) if zero_points else {}
    exponents: dict[str, int] = {}
    mantissas: dict[str, float] = {}
    for layer in graph.layers:
        if isinstance(layer, GlobalAveragePool):
            positions = graph.shapes[layer.inputs[0]][2] * graph.shapes[layer.inputs[0]][3]
            before = mantissas.get(groups[layer.inputs[0]], 1.0)
            mantissas[groups[layer.name]] = before * 2 ** round(log2(positions)) / positions
    for leader in dict.fromkeys(groups.values()):
        members = [seen[name] for name, own in groups.items() if own == leader and name not in fused]
        exponents[leader] = _exponent(members, mantissas.get(leader, 1.0), zeros.get(leader, 0))
    for layer in graph.layers:
        if isinstance(layer, Add):
            left, right = (groups[name] for name in layer.inputs)
            coarse = max(exponents[left], exponents[right])
            for leader in (left, right):
                exponents[leader] = max(exponents[leader], coarse - _APART)
            fine = min(exponents[left], exponents[right])
            own = groups[fused[layer.name].name if layer.name in fused else layer.name]
            exponents[own] = max(exponents[own], fine)
    return {
        name: Scale(exponents[leader], mantissas.get(leader, 1.0), zeros.get(leader, 0))
        for name, leader in groups.items()
    }


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


def _never_negative(graph: Graph, fused: Mapping[str, Layer], groups: Mapping[str, str]) -> set[str]:
    """Groups whose values all come from activations that leave nothing negative, or are means of such.

    Groups that a convolution in groups reads are left out: it has no form with a zero point.
    """
    able = {groups[after.name] for after in fused.values() if not isinstance(after, Clamp) or after.low >= 0}
    means = {layer.name: layer for layer in graph.layers if isinstance(layer, GlobalAveragePool)}
    able |= {groups[name] for name in means}
    within = {layer.name for layer in fused.values()}
    unable = {groups[given.name] for given in graph.inputs}
    for layer in graph.layers:
        if isinstance(layer, Convolution) and layer.groups > 1:
            unable.add(groups[layer.inputs[0]])
        computes = not isinstance(layer, (*SHARING, GlobalAveragePool)) and layer.name not in fused
        if computes or (layer.name in within and groups[layer.name] not in able):
            unable.add(groups[layer.name])
    for layer in means.values():
        if groups[layer.inputs[0]] in unable or groups[layer.inputs[0]] not in able:
            unable.add(groups[layer.name])
    return able - unable


def _exponent(members: Iterable[Histogram], mantissa: float, zero: int) -> int:
    """The exponent of least squared error over all members, the larger one of two that are equal."""
    histograms = list(members)
    reach = max((member.reach for member in histograms), default=0.0)
    if not reach:
        return -7
    highest = ceil(log2(reach / ((127 - zero) * mantissa)))
    tried = range(highest, highest - _TRIED, -1)
    return min(tried, key=lambda e: (sum(member.error(mantissa * 2.0**e, zero) for member in histograms), -e))
