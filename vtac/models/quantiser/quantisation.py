"""An integer network, and what its numbers stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.models.graph import Graph
from vtac.models.layer import Array
from vtac.models.quantiser.histogram import Histogram
from vtac.models.quantiser.network import IntegerNetwork
from vtac.models.quantiser.products import IntegerProduct, quantise_array
from vtac.models.quantiser.scales import Scale
from vtac.models.quantiser.steps import Step
from vtac.models.threads import one_thread
from vtac.workloads.tensor_text import Tensor

Integers: TypeAlias = NDArray[np.int8] | NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Quantisation:
    """An integer network and what its numbers stand for.

    `steps` are the layers that are computed together; `scales` those of the values that are stored, `tensors` their
    names in the network and `seen` what calibration saw of them, all by the layer's name. `products` are the
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
        yield from self.graph.batches(*arrays, at_once=max(1, min(64, (4 << 20) // per_batch)))

    def integers(self, *arrays: Array) -> tuple[NDArray[np.int8], ...]:
        """Inputs of the program for float arrays."""
        return tuple(
            quantise_array(array, self.scales[given.name])
            for given, array in zip(self.graph.inputs, arrays, strict=True)
        )

    def floats(self, *integers: NDArray[Any]) -> tuple[Array, ...]:
        """What results of the program stand for."""
        return tuple(self.value(name, array) for name, array in zip(self.graph.outputs, integers, strict=True))

    def value(self, name: str, integers: NDArray[Any]) -> Array:
        """What integers of a stored value stand for."""
        if name in self.sums:
            size = self.sums[name].reshape(-1, *[1] * (integers.ndim - 2))
            return (integers * size).astype(np.float32)
        scale = self.scales[name]
        return ((integers.astype(np.float64) - scale.zero) * scale.size).astype(np.float32)
