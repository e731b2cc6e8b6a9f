"""A model under construction from ONNX nodes: names, constants and shapes as they become known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from vtac.errors import ModelError
from vtac.models.given import Given
from vtac.models.graph import Input
from vtac.models.layer import Array, Layer, Shape, shape_text
from vtac.models.model import Model
from vtac.models.onnx_reader.messages import Constant, Node

EXACT = ("float16", "bfloat16", "float32")
"""Elements that float32 holds exactly."""


class Builder:
    """Layers so far. Values of the file bear the names of the layers that make them."""

    def __init__(self, name: str, opset: int, inputs: Mapping[str, Shape], constants: Mapping[str, Constant]) -> None:
        self.name = name
        self.opset = opset
        self.inputs = tuple(Input(given, shape) for given, shape in inputs.items())
        self.constants = dict(constants)
        self.shapes: dict[str, Shape] = dict(inputs)
        self.layers: list[Layer] = []
        self.given: dict[str, Given] = {}
        """What the integers of a layer's value stand for, where the file says so."""
        self._values = {given: given for given in inputs}

    def add(self, layer: Layer, output: str = "") -> str:
        """A layer; `output` is the value of the file that it makes, if it makes one."""
        self.shapes[layer.name] = layer.output_shape(*(self.shapes[name] for name in layer.inputs))
        self.layers.append(layer)
        if output:
            self._values[output] = layer.name
        return layer.name

    def alias(self, node: Node) -> None:
        """The first output of a node is its first input."""
        self._values[node.outputs[0]] = self.value(node, 0)

    def value(self, node: Node, position: int) -> str:
        """The layer that makes an input of a node.

        Raises `ModelError` for a constant, and for what no node before makes.
        """
        name = node.inputs[position] if position < len(node.inputs) else ""
        if name in self._values:
            return self._values[name]
        what = f"the constant '{name}'" if name in self.constants else f"'{name}'"
        raise node.refuse(
            f"its input {position} is {what}", "an input of the model or the first output of a node before"
        )

    def value_of(self, output: str) -> str:
        """The layer that makes an output of a node before."""
        return self._values[output]

    def shape(self, node: Node, position: int) -> Shape:
        """The shape of a computed input."""
        return self.shapes[self.value(node, position)]

    def constant(self, node: Node, position: int, what: str) -> Constant | None:
        """A constant input of a node; None for one that is left out. Raises `ModelError` for one that is computed."""
        name = node.inputs[position] if position < len(node.inputs) else ""
        if not name:
            return None
        if name not in self.constants:
            raise node.refuse(f"its {what} '{name}' is computed", "a constant")
        return self.constants[name]

    def integers(self, node: Node, position: int, what: str) -> tuple[int, ...] | None:
        """A constant list of integers; None for one that is left out."""
        found = self.constant(node, position, what)
        return None if found is None else tuple(int(number) for number in found.ravel())

    def parameters(self, node: Node, position: int, what: str) -> Array | None:
        """A constant input in float32; refuses elements that float32 would round."""
        found = self.constant(node, position, what)
        if found is not None and found.dtype.name not in EXACT:
            raise node.refuse(f"its {what} is of {found.dtype.name}", f"one of {', '.join(EXACT)}")
        return None if found is None else found.astype(np.float32)

    def required(self, node: Node, position: int, what: str) -> Array:
        """A constant input in float32 that may not be left out. Raises `ModelError` where it is."""
        found = self.parameters(node, position, what)
        if found is None:
            raise node.refuse(f"its {what} is missing", "a constant")
        return found

    def layer_name(self, node: Node, parameters: int | None = None) -> str:
        """What users call the layer of a node: what its weights are called, else the node, without slashes around.

        `parameters` is the position of the weights.
        """
        weights = node.inputs[parameters] if parameters is not None and parameters < len(node.inputs) else ""
        stem, dot, last = weights.rpartition(".")
        return self.free(stem if dot and last == "weight" else node.name.strip("/"))

    def free(self, name: str) -> str:
        """The name, with a number behind it if another value has it."""
        found, number = name, 1
        while found in self.shapes:
            number += 1
            found = f"{name}_{number}"
        return found

    def model(self, outputs: tuple[str, ...]) -> Model:
        """What has been built. Raises `ModelError` for an output that is a constant."""
        lost = [name for name in outputs if name not in self._values]
        if lost:
            raise ModelError(f"output '{lost[0]}' of model '{self.name}' is a constant; a computed value is required")
        made = tuple(self._values[name] for name in outputs)
        return Model(self.name, self.inputs, tuple(self.layers), made, self.given)

    def require_single(self, node: Node) -> None:
        """Refuse a node of which more than the first output is named."""
        more = [name for name in node.outputs[1:] if name]
        if more:
            raise node.refuse(f"it has a second output '{more[0]}'", "one output")


Converter: TypeAlias = Callable[[Builder, Node], None]


def refuse_shape(node: Node, shape: Shape, required: str) -> ModelError:
    """An error about the shape of an input."""
    return node.refuse(f"its input is {shape_text(shape)}", required)
