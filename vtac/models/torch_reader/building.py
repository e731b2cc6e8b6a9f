"""A model under construction from PyTorch's nodes: names, constants and shapes as they become known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

import numpy as np

from vtac.errors import ModelError
from vtac.models.graph import Input
from vtac.models.layer import Array, Layer, Shape
from vtac.models.model import Model
from vtac.models.torch_reader.exported import Constant, Exported, Node, Ref

_EXACT = ("float16", "float32")
"""Elements that float32 holds exactly."""


class Builder:
    """Layers so far. Values of the program bear the names of the layers that make them."""

    def __init__(self, program: Exported) -> None:
        self.program = program
        self.constants: dict[str, Constant] = dict(program.constants)
        self.shapes: dict[str, Shape] = dict(program.inputs)
        self.layers: list[Layer] = []
        self.values: dict[str, str] = {name: name for name in program.inputs}
        self.several: dict[str, tuple[str, ...]] = {}
        """Layers of nodes with several results."""

    def add(self, layer: Layer, node: Node | None = None) -> str:
        """A layer; it makes the value of a node, if one is given."""
        self.shapes[layer.name] = layer.output_shape(*(self.shapes[name] for name in layer.inputs))
        self.layers.append(layer)
        if node is not None:
            self.values[node.name] = layer.name
        return layer.name

    def name(self, node: Node, weights: str = "weight") -> str:
        """What users call the layer: what its weights are called, else where it is called, with a number if needed."""
        given = node.arguments.get(weights)
        path = self.program.paths.get(given.name, "") if isinstance(given, Ref) else ""
        stem, dot, last = path.rpartition(".")
        wanted = stem if dot and last == "weight" else node.path
        found, number = wanted, 1
        while found in self.shapes:
            number += 1
            found = f"{wanted}_{number}"
        return found

    def is_computed(self, value: object) -> bool:
        return isinstance(value, Ref) and value.name in self.values

    def value(self, node: Node, name: str = "input") -> str:
        """The layer that makes an argument; `input` stands for `self` too."""
        given = node.arguments.get(name, node.arguments.get("self") if name == "input" else None)
        return self.layer_of(node, given)

    def layer_of(self, node: Node, given: object) -> str:
        if isinstance(given, Ref) and given.name in self.values:
            return self.values[given.name]
        what = f"the constant '{self.program.paths.get(given.name, given.name)}'" if isinstance(given, Ref) else given
        raise node.refuse(f"it reads {what}", "an input of the model or the result of a node before")

    def shape(self, node: Node, name: str = "input") -> Shape:
        return self.shapes[self.value(node, name)]

    def parameters(self, node: Node, name: str) -> Array | None:
        """A constant argument in float32, or a number as one element; None for one that is left out.

        Raises `ModelError` for one that is computed, or of a type that float32 would round.
        """
        given = node.arguments.get(name)
        if given is None:
            return None
        if isinstance(given, int | float):
            return np.full(1, given, np.float32)
        if not isinstance(given, Ref) or given.name not in self.constants:
            raise node.refuse(f"its {name} is computed", "a parameter")
        found = self.constants[given.name]
        if found.dtype.name not in _EXACT and found.dtype.kind == "f":
            raise node.refuse(f"its {name} is of {found.dtype}", f"one of {', '.join(_EXACT)}")
        return np.ascontiguousarray(found, np.float32)

    def required(self, node: Node, name: str) -> Array:
        found = self.parameters(node, name)
        if found is None:
            raise node.refuse(f"its {name} is missing", "a parameter")
        return found

    def model(self) -> Model:
        """What has been built. Raises `ModelError` for an output that is a constant."""
        lost = [name for name in self.program.outputs if name not in self.values]
        if lost:
            raise ModelError(f"output '{lost[0]}' of model '{self.program.name}' is a constant; a value is required")
        outputs = tuple(self.values[name] for name in self.program.outputs)
        inputs = tuple(Input(name, shape) for name, shape in self.program.inputs.items())
        return Model(self.program.name, inputs, tuple(self.layers), outputs)


Converter: TypeAlias = Callable[[Builder, Node], None]


def integers(node: Node, name: str, default: Sequence[int] = ()) -> tuple[int, ...]:
    """An argument that is a list of integers, or one. Raises `ModelError` for anything else."""
    found = node.arguments.get(name)
    if found is None or found == ():
        return tuple(default)
    if isinstance(found, int):
        return (found,)
    if not isinstance(found, tuple) or not all(isinstance(one, int) for one in cast(tuple[object, ...], found)):
        raise node.refuse(f"its {name} is {found}", "integers")
    return cast(tuple[int, ...], found)


def pair(node: Node, name: str, default: tuple[int, int]) -> tuple[int, int]:
    """An argument for rows and columns; one number stands for both. Raises `ModelError` for anything else."""
    found = integers(node, name, default)
    if len(found) not in (1, 2):
        raise node.refuse(f"its {name} is {found}", "a number for rows and one for columns")
    return found[0], found[-1]


def number(node: Node, name: str, default: float) -> float:
    """An argument of a node that is a number, or the default. Raises `ModelError` for anything else."""
    found = node.arguments.get(name)
    if found is None:
        return default
    if not isinstance(found, int | float):
        raise node.refuse(f"its {name} is {found}", "a number")
    return float(found)


def integer(node: Node, name: str, default: int) -> int:
    """An argument of a node that is a whole number, or the default. Raises `ModelError` for anything else."""
    found = node.arguments.get(name)
    if found is None:
        return default
    if not isinstance(found, int | float) or not float(found).is_integer():
        raise node.refuse(f"its {name} is {found}", "a whole number")
    return int(found)
