"""Layers of a graph that are computed together: a product, the sum behind it, the activation behind that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vtac.models.graph import Graph
from vtac.models.layer import Layer
from vtac.models.layers.activations import Clamp, Relu, Relu6
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.elementwise import Add
from vtac.models.layers.products import Linear


@dataclass(frozen=True)
class Step:
    """`layer`, then `addition` of it and the value `other`, then `activation`; only the last value is stored.

    `hosted` says why the host computes it, in float32; it is empty for what the VTA computes.
    """

    layer: Layer
    addition: Add | None = None
    other: str = ""
    activation: Layer | None = None
    hosted: str = ""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What it computes, in order."""
        return tuple(layer for layer in (self.layer, self.addition, self.activation) if layer is not None)

    @property
    def target(self) -> str:
        """The value that it makes."""
        return self.layers[-1].name

    @property
    def is_product(self) -> bool:
        """Whether it is a convolution or a linear layer by itself, on the VTA."""
        return len(self.layers) == 1 and not self.hosted and isinstance(self.layer, Convolution | Linear)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The values that it reads."""
        return (*self.layer.inputs, self.other) if self.addition is not None else self.layer.inputs


@dataclass(frozen=True)
class Plan:
    """All steps in an order in which each reads what steps before it made; what of that the VTA reads."""

    steps: tuple[Step, ...]
    on_vta: frozenset[str]
    """Values that a step on the VTA reads: they are stored as bytes."""

    def is_sum(self, step: Step) -> bool:
        """Whether it is a product that nothing on the VTA reads: it stays a sum of 32 bits."""
        return step.is_product and step.target not in self.on_vta

    def is_float(self, name: str) -> bool:
        """Whether a value is one of float32: the host makes it, or it is an input, and the VTA does not read it."""
        made = next((step for step in self.steps if step.target == name), None)
        return name not in self.on_vta and (made is None or bool(made.hosted))


def plan_of(graph: Graph, hosted: Mapping[str, str] | None = None) -> Plan:
    """All layers, each in one step; `hosted` are those that the host computes, by name, with the reason.

    A sum of two values of equal shape belongs to the larger product that it alone reads; a relu, relu6 or clamp to
    the product or sum that it alone reads.
    """
    apart = hosted or {}
    readers: dict[str, list[Layer]] = {}
    for layer in graph.layers:
        for name in layer.inputs:
            readers.setdefault(name, []).append(layer)
    alone = {
        name: found[0]
        for name, found in readers.items()
        if len(found) == 1 and name not in graph.outputs and found[0].inputs.count(name) == 1
        if name not in apart and found[0].name not in apart
    }
    made: dict[str, Step] = {}
    within: set[str] = set()
    joined = _joined(graph, alone)
    for layer in graph.layers:
        if layer.name in within or layer.name in joined.values():
            continue
        step = Step(layer, hosted=apart.get(layer.name, ""))
        if isinstance(layer, Add) and layer.name in joined:
            product = next(one for one in graph.layers if one.name == joined[layer.name])
            step = Step(product, layer, next(name for name in layer.inputs if name != product.name))
        after = alone.get(step.target)
        if isinstance(step.layer, Convolution | Linear | Add) and isinstance(after, Relu | Relu6 | Clamp):
            step = Step(step.layer, step.addition, step.other, after)
            within.add(after.name)
        made[step.target] = step
    steps = tuple(made.values())
    return Plan(steps, frozenset(name for step in steps if not step.hosted for name in step.inputs))


def _joined(graph: Graph, alone: Mapping[str, Layer]) -> Mapping[str, str]:
    """The product that a sum belongs to, by the name of the sum."""
    layers = {layer.name: layer for layer in graph.layers}
    macs = graph.macs()
    found: dict[str, str] = {}
    for layer in graph.layers:
        if not isinstance(layer, Add) or len({graph.shapes[name] for name in layer.inputs}) > 1:
            continue
        products = [
            name
            for name in layer.inputs
            if isinstance(layers.get(name), Convolution | Linear) and alone.get(name) is layer
        ]
        if products:
            found[layer.name] = max(products, key=lambda name: macs[name])
    return found
