"""From a float graph with scales to an integer network, step by step."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil, floor, log2
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.models.graph import Graph, Input
from vtac.models.layer import Layer
from vtac.models.layers.activations import Clamp, LeakyRelu, ParametricRelu, Relu, Relu6
from vtac.models.layers.convolutions import Convolution, Spread
from vtac.models.layers.elementwise import Add
from vtac.models.layers.pooling import GlobalAveragePool, MaxPool, Upsample
from vtac.models.layers.products import Linear
from vtac.models.layers.views import Concat, Flatten, Pad, Reshape, Slice, Transpose
from vtac.models.quantiser.host_step import Stored, host_step
from vtac.models.quantiser.integer_bodies import Bounds, Finish, Residual
from vtac.models.quantiser.moments import Moments
from vtac.models.quantiser.network import PART, IntegerNetwork
from vtac.models.quantiser.options import Options
from vtac.models.quantiser.products import IntegerProduct, Requantisation, quantise_product
from vtac.models.quantiser.scales import Scale, finest_sums
from vtac.models.quantiser.steps import Plan, Step
from vtac.workloads.tensor_text import Tensor

_INNER = re.compile(r"[avxfsp]\d+$|[oy]$")
"""Names of values within operations."""
_FAR = 1 << 14
"""Beyond all bytes."""
_WIDEST = 22
"""Shifts of sums that are no larger keep their zero points within 32 bits."""
_VIEWS = (Flatten, Reshape, Transpose, Slice, Concat, Upsample)


ProductKey: TypeAlias = tuple[str, Scale, Requantisation | None]
"""What the integers of a product follow from, but for options: its name, the scale of its data, that of its results."""


class Construction:
    """The network so far. Tensors are called as the layers are that make them, as far as names allow."""

    def __init__(
        self,
        graph: Graph,
        plan: Plan,
        scales: Mapping[str, Scale],
        moments: Mapping[str, Moments],
        options: Options,
        known: dict[ProductKey, IntegerProduct] | None = None,
    ) -> None:
        self.known = {} if known is None else known
        self.graph = graph
        self.plan = plan
        self.scales = scales
        self.moments = moments
        self.options = options
        self.products: dict[str, IntegerProduct] = {}
        self.sizes: dict[str, NDArray[np.float64]] = {}
        self._names: set[str] = set()
        self.tensors = {given.name: self._input(given, place) for place, given in enumerate(graph.inputs)}
        self.network = IntegerNetwork("model", list(self.tensors.values()))

    def emit(self, step: Step) -> None:
        """A step that the host computes, or whose layer has an integer form."""
        name = self._free_name(step.layer.name)
        self.network.origins[name] = step.layer.name
        self.tensors[step.target] = self._hosted(step, name) if step.hosted else self._emit(step, name)
        self.network.results = [self.tensors[one] for one in self.graph.outputs if one in self.tensors]

    def _input(self, given: Input, place: int) -> Tensor:
        """The first one is called data; one that the VTA does not read is of floats."""
        name = self._free_name(given.name if place else "data")
        return Tensor(name, given.shape, "f32" if self.plan.is_float(given.name) else "i8")

    def _hosted(self, step: Step, name: str) -> Tensor:
        layer, shape = step.layer, self.graph.shapes[step.target]
        scale = None if self.plan.is_float(step.target) else self.scales[step.target]
        operands = [self._stored(one) for one in layer.inputs]
        return self.network.host_step(host_step(layer, name, operands, shape, scale), layer.kind)

    def _stored(self, name: str) -> Stored:
        tensor = self.tensors[name]
        if name in self.sizes:
            return Stored(tensor, sizes=self.sizes[name])
        return Stored(tensor, None if tensor.element == "f32" else self.scales[name])

    def _free_name(self, name: str) -> str:
        """The layer's name as one of a value in IR, without a number at its end, which printers put there too."""
        stem = re.sub(r"_(\d+)$", r"_n\1", re.sub(r"\W", "_", name, flags=re.ASCII))
        stem = stem if stem[:1].isalpha() else f"layer_{stem}"
        stem = f"{stem}_" if PART.search(stem) or _INNER.match(stem) else stem
        found, number = stem, 1
        while found in self._names:
            number += 1
            found = f"{stem}_n{number}"
        self._names.add(found)
        return found

    def _emit(self, step: Step, name: str) -> Tensor:
        layer = step.layer
        match layer:
            case Convolution():
                return self._convolution(step, layer, name)
            case Linear():
                return self.network.linear_of(self.tensors[layer.inputs[0]], name, self._product(step, layer)[1])
            case Add():
                return self._add(step, layer, name)
            case MaxPool():
                return self._max_pool(layer, name)
            case GlobalAveragePool():
                return self._mean(layer, name)
            case Spread():
                source = self.tensors[layer.inputs[0]]
                return self.network.spread_of(source, name, layer, self.graph.shapes[layer.name])
            case Pad():
                scale = self.scales[layer.name]
                number = int(np.clip(np.floor(layer.value / scale.size + 0.5) + scale.zero, -128, 127))
                bytes_around = replace(layer, value=number)
                source = self.tensors[layer.inputs[0]]
                return self.network.padding_of(source, name, bytes_around, self.graph.shapes[layer.name])
            case LeakyRelu() | ParametricRelu():
                return self._leaky(layer, name)
            case _ if isinstance(layer, _VIEWS):
                first, *others = (self.tensors[source] for source in layer.inputs)
                return self.network.view_of(first, name, layer, self.graph.shapes[layer.name], others)
            case _:
                return self.network.clipped(self.tensors[layer.inputs[0]], name, self._bounds(step))

    def _bounds(self, step: Step) -> Bounds:
        """What the activation of a step, or the layer itself, leaves of eight bits."""
        after = step.activation or step.layer
        scale = self.scales[step.target]
        low, high = -np.inf, np.inf
        if isinstance(after, Relu | Relu6):
            low, high = 0.0, 6.0 if isinstance(after, Relu6) else np.inf
        elif isinstance(after, Clamp):
            low, high = after.low, after.high
        first, last = (int(np.floor(np.clip(end / scale.size + scale.zero, -128, 127) + 0.5)) for end in (low, high))
        return first, last

    def _product(self, step: Step, layer: Convolution | Linear) -> tuple[int, Finish]:
        """Integers of a product: sums where it is a result that nothing reads. First the zero point that is left."""
        source = self.scales[layer.inputs[0]]
        is_sum = self.plan.is_sum(step)
        residual, result = (None, None) if is_sum else self._requantised(step)
        key = (layer.name, source, result)
        product = self.known.get(key)
        if product is None:
            product = quantise_product(layer, source, result, self.options, self.moments.get(layer.name))
            self.known[key] = product
        self.products[layer.name] = product
        if is_sum:
            self.sizes[layer.name] = product.sizes
        bounds = None if is_sum else self._bounds(step)
        padded = isinstance(layer, Convolution) and any(layer.pads)
        zero = source.zero if padded else 0
        if source.zero and not padded:
            product = product.without_zero(source.zero)
        return zero, Finish(product, bounds, residual, self.options.rounding)

    def _requantised(self, step: Step) -> tuple[Residual | None, Requantisation]:
        """What the sums of a step are brought to: its own scale, or the finer one of it and what is added."""
        own = self.scales[step.target]
        if step.addition is None:
            return None, Requantisation(own, own.zero)
        other = self.scales[step.other]
        factors, shift = _common(step.addition, [other], own)
        finer = self._room(step, own, factors[0], shift)
        factors, shift = [factors[0] << finer], shift + finer
        half = 1 << shift >> 1 if self.options.rounding != "down" else 0
        offset = (own.zero << shift) + half - other.zero * factors[0]
        fine = replace(own, exponent=own.exponent - shift)
        return Residual(self.tensors[step.other], factors[0], shift), Requantisation(fine, offset)

    def _room(self, step: Step, own: Scale, factor: int, shift: int) -> int:
        """How many bits finer sums may be when a residual is added, where they are shifted again.

        Rounded twice, one bit apart, ties would all go up: sums keep as many bits as factor and weights leave.
        """
        least = finest_sums(step, self.options)
        if not shift or least == -np.inf:
            return 0
        source = self.scales[step.layer.inputs[0]]
        left = own.exponent - shift - source.exponent - least - ceil(abs(log2(own.mantissa / source.mantissa)))
        return max(0, min(7 - factor.bit_length(), int(left), _WIDEST - shift))

    def _convolution(self, step: Step, layer: Convolution, name: str) -> Tensor:
        source = self.tensors[layer.inputs[0]]
        zero, end = self._product(step, layer)
        return self.network.convolution_of(source, name, layer.window, layer.groups, zero, end)

    def _add(self, step: Step, layer: Add, name: str) -> Tensor:
        left, right = (self.scales[one] for one in layer.inputs)
        result = self.scales[step.target]
        one, other = (self.tensors[source] for source in layer.inputs)
        factors, shift = _common(layer, [left, right], result)
        half = 1 << shift >> 1 if self.options.rounding != "down" else 0
        offset = (result.zero << shift) + half - left.zero * factors[0] - right.zero * factors[1]
        return self.network.sum_of(one, other, name, (factors[0], factors[1]), offset, shift, self._bounds(step))

    def _max_pool(self, layer: MaxPool, name: str) -> Tensor:
        source, shape = self.tensors[layer.inputs[0]], self.graph.shapes[layer.name]
        return self.network.maximum_of(source, name, layer.window, (shape[2], shape[3]))

    def _leaky(self, layer: LeakyRelu | ParametricRelu, name: str) -> Tensor:
        """x + (slope - 1) * x where that is negative: a product by channel, of which one side is cut off."""
        source, scale = self.tensors[layer.inputs[0]], self.scales[layer.inputs[0]]
        channels = source.shape[1]
        slopes = layer.slopes if isinstance(layer, ParametricRelu) else np.full(1, layer.slope, np.float32)
        less = np.broadcast_to(slopes - np.float32(1), (channels,)).reshape(-1, 1, 1, 1).copy()
        part = Convolution(layer.name, layer.inputs, less, groups=channels)
        product = quantise_product(part, scale, Requantisation(scale, 0), self.options)
        least = np.where(less.ravel() > 0, -_FAR, 0).astype(np.int32)
        most = np.where(less.ravel() > 0, 0, _FAR).astype(np.int32)
        end = Finish(
            product.without_zero(scale.zero),
            (-128, 127),
            Residual(source, 1, 0),
            self.options.rounding,
            (least, most),
        )
        self.products[layer.name] = product
        return self.network.by_channel(source, name, end)

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
        half = 1 << shift >> 1 if self.options.rounding != "down" else 0
        offset = (after.zero << shift) + half - positions * before.zero
        return self.network.mean_of(source, name, offset, shift)


def _common(layer: Layer, operands: Sequence[Scale], result: Scale) -> tuple[list[int], int]:
    """What operands are multiplied by, and by how much the sum is shifted, to be at the scale of the result.

    Exact where scales differ by powers of two; else factors are as large as seven bits allow.
    """
    if all(one.mantissa == result.mantissa for one in operands):
        fine = min(result.exponent, *(one.exponent for one in operands))
        factors, shift = [1 << one.exponent - fine for one in operands], result.exponent - fine
    else:
        largest = max(one.size for one in operands) / result.size
        shift = max(0, floor(log2(127 / largest)))
        factors = [floor(one.size / result.size * 2**shift + 0.5) for one in operands]
    if max(factors) > 127 or shift > _WIDEST:
        raise layer.refuse("the scales of its operands are too far from its result's", "at most six bits apart")
    return factors, shift
