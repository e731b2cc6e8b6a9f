"""From a float graph and calibration data to an integer network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vtac.compiler import compile as vtac_compile
from vtac.errors import ModelError
from vtac.models.folding import fold_batch_norms
from vtac.models.graph import Graph
from vtac.models.layer import Array, Layer
from vtac.models.layers.activations import Clamp, Relu, Relu6
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.elementwise import Add
from vtac.models.layers.pooling import GlobalAveragePool, MaxPool
from vtac.models.layers.products import Linear
from vtac.models.layers.views import Concat, Flatten, Reshape
from vtac.models.quantiser.histogram import Histogram
from vtac.models.quantiser.network import Bounds, IntegerNetwork
from vtac.models.quantiser.products import IntegerProduct, quantise_array, quantise_product
from vtac.models.quantiser.program import QuantisedProgram
from vtac.models.quantiser.scales import Scale, choose_scales, fused_activations
from vtac.workloads.tensor_text import Tensor

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from vtac.dialects.hardware import VTAConfig

Integers = NDArray[np.int8] | NDArray[np.int32]
_KINDS = (Convolution, Linear, Add, MaxPool, GlobalAveragePool, Flatten, Concat, Relu, Relu6, Clamp, Reshape)


@dataclass(frozen=True, eq=False)
class QuantisedModel:
    """An integer network and what its numbers stand for.

    `scales` are those of all values by name, `products` the parameters of convolutions and linear
    layers with the bounds of their accumulators.
    """

    graph: Graph
    scales: Mapping[str, Scale]
    products: Mapping[str, IntegerProduct]
    network: IntegerNetwork = field(repr=False)
    sizes: tuple[NDArray[np.float64], ...] = field(repr=False)
    """What one stands for in each result, by feature where it is a vector."""
    zeros: tuple[int, ...] = field(repr=False)
    """What zero is in each result."""

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
        parts = [self.network.expected(*self.integers(*part)) for part in self.graph.batches(*arrays)]
        results = tuple(np.concatenate(pieces) for pieces in zip(*parts, strict=True))
        return results[0] if len(results) == 1 else results

    def _filled_batches(self, *arrays: NDArray[Any]) -> list[tuple[Array, ...]]:
        """Batches of arrays of any first dimension, zeros behind the last sample."""
        filled: list[NDArray[Any]] = []
        for given, array in zip(self.graph.inputs, arrays, strict=True):
            missing = -array.shape[0] % given.shape[0] if array.ndim else 0
            filled.append(np.pad(array, [(0, missing), *[(0, 0)] * (array.ndim - 1)]) if missing else array)
        return list(self.graph.batches(*filled))

    def integers(self, *arrays: Array) -> tuple[NDArray[np.int8], ...]:
        """Float inputs as the program takes them."""
        return tuple(
            quantise_array(array, self.scales[given.name])
            for given, array in zip(self.graph.inputs, arrays, strict=True)
        )

    def floats(self, *results: NDArray[Any]) -> tuple[Array, ...]:
        """What results of a program stand for."""
        return tuple(
            ((result.astype(np.int64) - zero) * size.reshape(-1, *[1] * (result.ndim - 2))).astype(np.float32)
            for result, size, zero in zip(results, self.sizes, self.zeros, strict=True)
        )


def quantise(
    graph: Graph, calibration: Iterable[tuple[NDArray[Any], ...]], *, zero_points: bool = True
) -> QuantisedModel:
    """Scales by least squares over calibration, one batch in memory at a time; weights per feature.

    Raises ModelError for layers that have no integer form, all at once, and where no scale fits.
    """
    folded = fold_batch_norms(graph)
    _require_known(folded)
    fused = fused_activations(folded)
    scales = choose_scales(folded, _observe(folded, calibration), fused, zero_points=zero_points)
    return _Construction(folded, fused, scales).build()


def _observe(graph: Graph, calibration: Iterable[tuple[NDArray[Any], ...]]) -> Mapping[str, Histogram]:
    seen = {name: Histogram() for name in graph.shapes}
    batches = 0
    for arrays in calibration:
        for batch in graph.batches(*arrays):
            batches += 1
            for name, value in graph.values(*batch):
                if not np.isfinite(value).all():
                    raise ModelError(f"calibration batch {batches} makes NaN or infinity in '{name}'")
                seen[name].add(value)
    if not batches:
        raise ModelError(f"model '{graph.name}' was given no calibration data; one batch or more is required")
    return seen


def _require_known(graph: Graph) -> None:
    unknown = [f"'{layer.name}' ({layer.kind})" for layer in graph.layers if not isinstance(layer, _KINDS)]
    if unknown:
        raise ModelError(f"model '{graph.name}' has layers without an integer form: {', '.join(unknown)}")
    if len(graph.inputs) != 1:
        raise ModelError(f"model '{graph.name}' has {len(graph.inputs)} inputs; quantisation takes models of one")


class _Construction:
    """The network so far, layer by layer."""

    def __init__(self, graph: Graph, fused: Mapping[str, Layer], scales: Mapping[str, Scale]) -> None:
        self.graph = graph
        self.fused = fused
        self.scales = scales
        self.products: dict[str, IntegerProduct] = {}
        given = graph.inputs[0]
        self.network = IntegerNetwork("model", given.shape, "data")
        self.tensors: dict[str, Tensor] = {given.name: self.network.input}
        self.sizes: dict[str, NDArray[np.float64]] = {}

    def build(self) -> QuantisedModel:
        within = {layer.name for layer in self.fused.values()}
        for number, layer in enumerate(self.graph.layers, 1):
            if layer.name not in within:
                self.tensors[self._target(layer)] = self._emit(layer, f"layer{number}")
        self.network.results = [self.tensors[name] for name in self.graph.outputs]
        sizes = tuple(self.sizes.get(name, np.array([self.scales[name].size])) for name in self.graph.outputs)
        zeros = tuple(0 if name in self.sizes else self.scales[name].zero for name in self.graph.outputs)
        return QuantisedModel(self.graph, self.scales, self.products, self.network, sizes, zeros)

    def _emit(self, layer: Layer, name: str) -> Tensor:
        """A layer of one of the kinds that have an integer form."""
        match layer:
            case Convolution():
                return self._convolution(layer, name)
            case Linear():
                return self._linear(layer, name)
            case Add():
                return self._add(layer, name)
            case MaxPool():
                return self._max_pool(layer, name)
            case GlobalAveragePool():
                return self._mean(layer, name)
            case Concat():
                return self._concat(layer, name)
            case Flatten() | Reshape():
                return self._view(layer, name)
            case _:
                return self.network.clipped(self.tensors[layer.inputs[0]], name, self._bounds(layer))

    def _target(self, layer: Layer) -> str:
        """The value that a layer makes with its activation."""
        return self.fused[layer.name].name if layer.name in self.fused else layer.name

    def _bounds(self, layer: Layer) -> Bounds:
        """What the activation of a layer, or the layer itself, leaves of eight bits."""
        after = self.fused.get(layer.name, layer)
        scale = self.scales[after.name]
        low, high = -np.inf, np.inf
        if isinstance(after, Relu | Relu6):
            low, high = 0.0, 6.0 if isinstance(after, Relu6) else np.inf
        elif isinstance(after, Clamp):
            low, high = after.low, after.high
        first, last = (int(np.floor(np.clip(end / scale.size + scale.zero, -128, 127) + 0.5)) for end in (low, high))
        return first, last

    def _product(self, layer: Convolution | Linear) -> tuple[IntegerProduct, Bounds | None]:
        """Integers of a product: sums where it is a result that nothing reads."""
        source = self.scales[layer.inputs[0]]
        read = {name for other in self.graph.layers for name in other.inputs}
        if layer.name in self.graph.outputs and layer.name not in read:
            product = quantise_product(layer, source, None)
            self.sizes[layer.name] = product.sizes
            bounds = None
        else:
            product = quantise_product(layer, source, self.scales[self._target(layer)])
            bounds = self._bounds(layer)
        self.products[layer.name] = product
        return product, bounds

    def _convolution(self, layer: Convolution, name: str) -> Tensor:
        if len(set(layer.stride)) > 1 or len(set(layer.dilation)) > 1:
            raise layer.refuse(f"its stride is {layer.stride}, its dilation {layer.dilation}", "equal both ways")
        product, bounds = self._product(layer)
        source, stride, dilation = self.tensors[layer.inputs[0]], layer.stride[0], layer.dilation[0]
        return self.network.convolution_of(
            source, name, product, stride, layer.pads, layer.groups, dilation, bounds, self.scales[layer.inputs[0]].zero
        )

    def _linear(self, layer: Linear, name: str) -> Tensor:
        source = self.tensors[layer.inputs[0]]
        layer.require_rank(source.shape, 2, "batch and features, to be quantised")
        return self.network.linear_of(source, name, *self._product(layer), self.scales[layer.inputs[0]].zero)

    def _add(self, layer: Add, name: str) -> Tensor:
        left, right = (self.scales[one] for one in layer.inputs)
        result = self.scales[self._target(layer)]
        if len({left.mantissa, right.mantissa, result.mantissa}) > 1:
            raise layer.refuse("it adds a mean over a number of positions that is no power of two", "another mean")
        one, other = (self.tensors[source] for source in layer.inputs)
        if one.shape != other.shape:
            raise layer.refuse(f"it adds {one.shape} and {other.shape}", "equal shapes, to be quantised")
        fine = min(left.exponent, right.exponent)
        factors = (1 << left.exponent - fine, 1 << right.exponent - fine)
        shift = result.exponent - fine
        offset = (result.zero << shift) + (1 << shift >> 1) - left.zero * factors[0] - right.zero * factors[1]
        return self.network.sum_of(one, other, name, factors, offset, shift, self._bounds(layer))

    def _max_pool(self, layer: MaxPool, name: str) -> Tensor:
        window = layer.window
        if len(set(window.size)) > 1 or len(set(window.stride)) > 1 or window.dilation != (1, 1) or window.ceil:
            raise layer.refuse(f"its window is {window}", "a square window without dilation, not hanging over")
        source = self.tensors[layer.inputs[0]]
        return self.network.max_pool(source, name, window.size[0], window.stride[0], pads=window.pads)

    def _mean(self, layer: GlobalAveragePool, name: str) -> Tensor:
        source = self.tensors[layer.inputs[0]]
        before, after = self.scales[layer.inputs[0]], self.scales[layer.name]
        positions = source.shape[2] * source.shape[3]
        power = round(log2(positions))
        if after.mantissa != before.mantissa * 2**power / positions:
            raise layer.refuse(f"its scale is shared by a mean over other than {positions} positions", "equal means")
        shift = power + after.exponent - before.exponent
        if shift < 0:
            raise layer.refuse("its results are finer than the sum of what it reads", "a mean that varies more")
        offset = (after.zero << shift) + (1 << shift >> 1) - positions * before.zero
        return self.network.mean_of(source, name, offset, shift)

    def _concat(self, layer: Concat, name: str) -> Tensor:
        sources = [self.tensors[source] for source in layer.inputs]
        return self.network.concatenate(sources, name, layer.axis % len(sources[0].shape))

    def _view(self, layer: Flatten | Reshape, name: str) -> Tensor:
        """Images as rows; no other reshape has an integer form yet."""
        source, shape = self.tensors[layer.inputs[0]], self.graph.shapes[layer.name]
        if len(source.shape) != 4 or len(shape) != 2 or shape[0] != source.shape[0]:
            raise layer.refuse(f"it makes {shape} of {source.shape}", "a row for each image, to be quantised")
        return self.network.collapse(source, name, [[0], [1, 2, 3]])
