"""Layers of a graph that are computed together: a product, the sum behind it, the activation behind that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vtac.models.graph import Graph
from vtac.models.layer import Layer
from vtac.models.layers.activations import Clamp, Relu, Relu6
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.elementwise import Add
from vtac.models.layers.products import Linear


@dataclass(frozen=True)
class Step:
    """`layer`, then `addition` of it and the value `other`, then `activation`; only the last value is stored."""

    layer: Layer
    addition: Add | None = None
    other: str = ""
    activation: Layer | None = None

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What it computes, in order."""
        return tuple(layer for layer in (self.layer, self.addition, self.activation) if layer is not None)

    @property
    def target(self) -> str:
        """The value that it makes."""
        return self.layers[-1].name

    def is_sum(self, graph: Graph) -> bool:
        """Whether it is a product that is a result and that nothing reads: it stays a sum of 32 bits."""
        read = any(self.target in layer.inputs for layer in graph.layers)
        alone = len(self.layers) == 1 and isinstance(self.layer, Convolution | Linear)
        return alone and self.target in graph.outputs and not read

    @property
    def inputs(self) -> tuple[str, ...]:
        """The values that it reads."""
        return (*self.layer.inputs, self.other) if self.addition is not None else self.layer.inputs


def steps_of(graph: Graph) -> tuple[Step, ...]:
    """All layers, each in one step, in an order in which each step reads what steps before it made.

    A sum of two values of equal shape belongs to the larger product that it alone reads; a relu, relu6 or clamp to
    the product or sum that it alone reads.
    """
    readers: dict[str, list[Layer]] = {}
    for layer in graph.layers:
        for name in layer.inputs:
            readers.setdefault(name, []).append(layer)
    alone = {
        name: found[0]
        for name, found in readers.items()
        if len(found) == 1 and name not in graph.outputs and found[0].inputs.count(name) == 1
    }
    made: dict[str, Step] = {}
    within: set[str] = set()
    joined = _joined(graph, alone)
    for layer in graph.layers:
        if layer.name in within or layer.name in joined.values():
            continue
        step = Step(layer)
        if isinstance(layer, Add) and layer.name in joined:
            product = next(one for one in graph.layers if one.name == joined[layer.name])
            step = Step(product, layer, next(name for name in layer.inputs if name != product.name))
        after = alone.get(step.target)
        if isinstance(step.layer, Convolution | Linear | Add) and isinstance(after, Relu | Relu6 | Clamp):
            step = Step(step.layer, step.addition, step.other, after)
            within.add(after.name)
        made[step.target] = step
    return tuple(made.values())


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


def by_layer(steps: Sequence[Step]) -> Mapping[str, Step]:
    """The step of each layer, by the layer's name."""
    return {layer.name: step for step in steps for layer in step.layers}
