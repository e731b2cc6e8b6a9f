"""An integer network, and what its numbers stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.models.graph import Graph, samples_are_apart
from vtac.models.layer import Array
from vtac.models.quantiser.histogram import Histogram
from vtac.models.quantiser.network import IntegerNetwork
from vtac.models.quantiser.products import IntegerProduct, quantise_array
from vtac.models.quantiser.scales import Scale
from vtac.models.quantiser.steps import Step
from vtac.models.threads import one_thread
from vtac.workloads.tensor_text import Tensor

Integers: TypeAlias = NDArray[Any]
"""A value as programs store it: int8 at a scale, int32 for sums, float32 for what the host makes and reads."""


@dataclass(frozen=True, eq=False)
class Quantisation:
    """An integer network and what its numbers stand for.

    `steps` are the layers that are computed together; `scales` those of the values that are stored as bytes, `tensors`
    their names in the network and `seen` what calibration saw of them, all by the layer's name. `products` are the
    parameters of convolutions and linear layers, with the bounds of their accumulators.
    """

    graph: Graph
    steps: tuple[Step, ...]
    scales: Mapping[str, Scale]
    seen: Mapping[str, Histogram] = field(repr=False)
    products: Mapping[str, IntegerProduct] = field(repr=False)
    tensors: Mapping[str, Tensor] = field(repr=False)
    network: IntegerNetwork = field(repr=False)
    sums: Mapping[str, NDArray[np.float64]] = field(repr=False)
    """What one stands for in each result that is a sum of 32 bits, by feature."""
    kept: tuple[Array, ...] = field(repr=False)
    """Some of the calibration data."""

    def simulate(self, *arrays: NDArray[Any]) -> Integers | tuple[Integers, ...]:
        """The integers that a program computes for float arrays of one batch or several, bit for bit."""
        with one_thread():
            parts = [self.network.expected(*self.integers(*part)) for part in self.chunks(*arrays)]
        results = tuple(np.concatenate(pieces) for pieces in zip(*parts, strict=True))
        return results[0] if len(results) == 1 else results

    def chunks(self, *arrays: NDArray[Any]) -> Iterator[tuple[Array, ...]]:
        """Float arrays, so many batches at once that their values take some tens of megabytes."""
        per_batch = sum(prod(shape) for shape in self.graph.shapes.values())
        most = max(1, min(64, (4 << 20) // per_batch)) if samples_are_apart(self.graph) else 1
        yield from self.graph.batches(*arrays, at_once=most)

    def integers(self, *arrays: Array) -> tuple[Integers, ...]:
        """Inputs of the program for float arrays; floats where only the host reads them."""
        return tuple(self.stored(given.name, array) for given, array in zip(self.graph.inputs, arrays, strict=True))

    def stored(self, name: str, array: Array) -> Integers:
        """A value as the program stores it."""
        if name in self.sums:
            size = self.sums[name].reshape(-1, *[1] * (array.ndim - 2))
            return np.floor(array / size + 0.5).astype(np.int32)
        return quantise_array(array, self.scales[name]) if name in self.scales else array.astype(np.float32)

    def floats(self, *integers: NDArray[Any]) -> tuple[Array, ...]:
        """What results of the program stand for."""
        return tuple(self.value(name, array) for name, array in zip(self.graph.outputs, integers, strict=True))

    def value(self, name: str, integers: NDArray[Any]) -> Array:
        """What integers of a stored value stand for."""
        if name in self.sums:
            size = self.sums[name].reshape(-1, *[1] * (integers.ndim - 2))
            return (integers * size).astype(np.float32)
        if name not in self.scales:
            return integers.astype(np.float32)
        scale = self.scales[name]
        return ((integers.astype(np.float64) - scale.zero) * scale.size).astype(np.float32)
