"""A quantised model: an integer network, and what its numbers stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.compiler import compile as vtac_compile
from vtac.models.graph import Graph
from vtac.models.layer import Array
from vtac.models.quantiser.histogram import Histogram
from vtac.models.quantiser.network import IntegerNetwork
from vtac.models.quantiser.products import IntegerProduct, quantise_array
from vtac.models.quantiser.program import QuantisedProgram
from vtac.models.quantiser.scales import Scale
from vtac.models.quantiser.steps import Step
from vtac.models.threads import one_thread
from vtac.workloads.tensor_text import Tensor

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from vtac.dialects.hardware import VTAConfig

Integers: TypeAlias = NDArray[np.int8] | NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class QuantisedModel:
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

    @property
    def module(self) -> ModuleOp:
        """Integer linalg on plain tensors, one function, its parameters as constants."""
        return self.network.module()

    def compile(self, config: VTAConfig | str | Path | None = None) -> QuantisedProgram:
        """A VTA program of `module`, with `predict` on floats."""
        program = vtac_compile(self.module, config=config)
        return QuantisedProgram(program, self._filled_batches, self.integers, self.floats)

    def simulate(self, *arrays: NDArray[Any]) -> Integers | tuple[Integers, ...]:
        """The integers that a program computes for float arrays of one batch or several, bit for bit."""
        with one_thread():
            parts = [self.network.expected(*self.integers(*part)) for part in self.graph.batches(*arrays)]
        results = tuple(np.concatenate(pieces) for pieces in zip(*parts, strict=True))
        return results[0] if len(results) == 1 else results

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

    def _filled_batches(self, *arrays: NDArray[Any]) -> Sequence[tuple[Array, ...]]:
        """Batches of arrays of any first dimension, zeros behind the last sample."""
        filled: list[NDArray[Any]] = []
        for given, array in zip(self.graph.inputs, arrays, strict=True):
            missing = -array.shape[0] % given.shape[0] if array.ndim else 0
            filled.append(np.pad(array, [(0, missing), *[(0, 0)] * (array.ndim - 1)]) if missing else array)
        return list(self.graph.batches(*filled))
