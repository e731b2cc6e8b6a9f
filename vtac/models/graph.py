"""A model: layers in an order in which each reads what inputs and earlier layers made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vtac.errors import ModelError
from vtac.models.layer import Array, Layer, Shape, shape_text
from vtac.text.short import counted


@dataclass(frozen=True)
class Input:
    """A float32 input; the first dimension is the batch."""

    name: str
    shape: Shape


@dataclass(frozen=True, eq=False, repr=False)
class Graph:
    """Layers, checked when put together: names, order, and the shape of every value.

    `model(*arrays)` computes its outputs in numpy: one array, or a tuple of several. Raises
    ModelError for a graph that contradicts itself and for arrays that do not fit.
    """

    name: str
    inputs: tuple[Input, ...]
    layers: tuple[Layer, ...]
    outputs: tuple[str, ...]
    shapes: Mapping[str, Shape] = field(init=False, repr=False)
    """The shape of every value by name."""

    def __post_init__(self) -> None:
        _check_names(self)
        object.__setattr__(self, "shapes", _infer_shapes(self))

    def __repr__(self) -> str:
        """Its name, inputs, outputs and size, in a line."""
        given = ", ".join(f"{one.name} {shape_text(one.shape)}" for one in self.inputs)
        made = ", ".join(f"{name} {shape_text(self.shapes[name])}" for name in self.outputs)
        numbers = sum(
            value.size for layer in self.layers for value in vars(layer).values() if isinstance(value, np.ndarray)
        )
        size = f"{counted(len(self.layers), 'layer')}, {counted(numbers, 'parameter')}"
        return f"<{type(self).__name__} {self.name}({given}) -> ({made}): {size}>"

    def __call__(self, *arrays: NDArray[Any]) -> Array | tuple[Array, ...]:
        """Its outputs for float arrays whose batch is that of its inputs, or a multiple of it."""
        parts = [self.run(*part) for part in self.batches(*arrays)]
        results = tuple(np.concatenate(pieces) for pieces in zip(*parts, strict=True))
        return results[0] if len(results) == 1 else results

    def run(self, *arrays: Array) -> tuple[Array, ...]:
        """Its outputs for one batch."""
        kept = {name: value for name, value in self.values(*arrays) if name in self.outputs}
        return tuple(kept[name] for name in self.outputs)

    def values(self, *arrays: Array) -> Iterator[tuple[str, Array]]:
        """Every input and the value of every layer as it is made; each is dropped after its last reader."""
        last = {read: layer.name for layer in self.layers for read in layer.inputs}
        held: dict[str, Array] = {}
        for given, array in zip(self.inputs, arrays, strict=True):
            if given.name in last:
                held[given.name] = array
            yield given.name, array
        for layer in self.layers:
            value = layer.compute(*(held[name] for name in layer.inputs))
            for name in set(layer.inputs):
                if last[name] == layer.name:
                    del held[name]
            if layer.name in last:
                held[layer.name] = value
            yield layer.name, value

    def batches(self, *arrays: NDArray[Any], at_once: int = 1) -> Iterator[tuple[Array, ...]]:
        """Arrays cut into batches of the size that the model has, or `at_once` times that, in float32.

        Refuses what does not fit. Several batches at once are for models whose layers look at each sample by itself.
        """
        count = self._batch_count(arrays)
        for first in range(0, count, at_once):
            yield tuple(
                np.ascontiguousarray(array[first * given.shape[0] : (first + at_once) * given.shape[0]], np.float32)
                for given, array in zip(self.inputs, arrays, strict=True)
            )

    def macs(self) -> Mapping[str, int]:
        """Multiply-accumulates of each layer for one batch."""
        return {layer.name: layer.macs(*(self.shapes[name] for name in layer.inputs)) for layer in self.layers}

    def _batch_count(self, arrays: Sequence[NDArray[Any]]) -> int:
        if len(arrays) != len(self.inputs):
            raise ModelError(f"model '{self.name}' was given {len(arrays)} arrays; it has {len(self.inputs)} inputs")
        counts: set[int] = set()
        for given, array in zip(self.inputs, arrays, strict=True):
            where = f"input '{given.name}' of model '{self.name}'"
            if array.dtype.kind != "f":
                raise ModelError(f"{where} is an array of {array.dtype}; an array of floats is required")
            fits = array.shape[1:] == given.shape[1:] and array.ndim and array.size
            if not fits or array.shape[0] % given.shape[0]:
                raise ModelError(
                    f"{where} is {shape_text(array.shape)}; {shape_text(given.shape)} is required, "
                    "or a multiple of that in the first dimension"
                )
            counts.add(array.shape[0] // given.shape[0])
        if len(counts) != 1:
            raise ModelError(
                f"the inputs of model '{self.name}' hold {sorted(counts)} batches; as many each is required"
            )
        return counts.pop()


def samples_are_apart(model: Graph) -> bool:
    """Whether each layer looks at each sample by itself, so that it computes several batches at once as it does one."""
    return all(layer.keeps_apart(*(model.shapes[name] for name in layer.inputs)) for layer in model.layers)


def _check_names(model: Graph) -> None:
    made = [*(given.name for given in model.inputs), *(layer.name for layer in model.layers)]
    twice = [name for name, count in Counter(made).items() if count > 1]
    if twice:
        raise ModelError(f"model '{model.name}' has two values named '{twice[0]}'; a name for each is required")
    if not model.inputs or not model.outputs:
        what = "outputs" if model.inputs else "inputs"
        raise ModelError(f"model '{model.name}' has no {what}; one or more is required")
    lost = [name for name in model.outputs if name not in made]
    if lost:
        raise ModelError(f"output '{lost[0]}' of model '{model.name}' is made by no layer")


def _infer_shapes(model: Graph) -> Mapping[str, Shape]:
    shapes: dict[str, Shape] = {}
    for given in model.inputs:
        if not given.shape or prod(given.shape) < 1 or min(given.shape) < 1:
            raise ModelError(
                f"input '{given.name}' of model '{model.name}' is {shape_text(given.shape)}; "
                "a batch in the first dimension and extents of 1 or more are required"
            )
        shapes[given.name] = given.shape
    for layer in model.layers:
        missing = [name for name in layer.inputs if name not in shapes]
        if missing:
            raise layer.refuse(f"it reads '{missing[0]}'", "an input of the model or a layer before it")
        shapes[layer.name] = layer.output_shape(*(shapes[name] for name in layer.inputs))
    return shapes
