"""Int8 networks under construction: linalg text, seeded parameters and a numpy reference, layer by layer.

Requantisation is `clip((sum + bias) >> shift)`; the bias holds the half that rounds. Shifts
are chosen from the reduction length, so that random data neither dies out nor saturates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import log2, prod, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vtac.workloads.network_reference import convolution, matrix_product, maximum_pool, requantised
from vtac.workloads.tensor_text import Tensor, elementwise, filled, operand_list, padded, window_attributes

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

Array = NDArray[np.int8] | NDArray[np.int32]
Values = Mapping[str, Array]

_WEIGHT_LIMIT = 64
_TYPICAL = 37.0
"""Root mean square of the weights, uniform between -64 and 63."""


def require_positive(*sizes: tuple[str, int]) -> None:
    """Refuse sizes below 1, by name."""
    from vtac.errors import CompileError

    for name, size in sizes:
        if size < 1:
            raise CompileError(f"{name} is {size}; 1 or more is required")


@dataclass(frozen=True)
class LayerRecord:
    """One layer, for reports: `macs` are multiply-accumulates without padding to tiles."""

    name: str
    description: str
    macs: int
    compute: Callable[[Values], Array] = field(repr=False)


class Network:
    """Collects layers; each method adds one and returns its output.

    `parameters` holds the weights and biases by argument name, drawn from `seed`.
    """

    def __init__(self, name: str, shape: tuple[int, ...], seed: int) -> None:
        self.name = name
        self.input = Tensor("image", shape)
        self.parameters: dict[str, Array] = {}
        self.layers: list[LayerRecord] = []
        self._random = np.random.default_rng(seed)
        self._lines: list[str] = []
        self._output = self.input
        self._flat: dict[str, str] = {}

    def convolution(
        self,
        source: Tensor,
        name: str,
        features: int,
        kernel: int,
        stride: int = 1,
        *,
        relu: bool = True,
        residual: Tensor | None = None,
    ) -> Tensor:
        """Convolution with bias, padded by half of the kernel, requantised; a residual is added before the clip."""
        batch, channels, height, width = source.shape
        padding = kernel // 2
        size = [(extent + 2 * padding - kernel) // stride + 1 for extent in (height, width)]
        result = Tensor(name, (batch, features, *size))
        weights = self._weights(f"{name}_w", (features, channels, kernel, kernel))
        shift = self._shift(channels * kernel * kernel, 2 if source == self.input else 1)
        bias = self._bias(f"{name}_b", features, shift)
        around = self._pad(source, f"{name}_padded", padding, 0)
        total = Tensor(f"{name}_sum", result.shape, "i32")
        self._structured(total, f"linalg.conv_2d_nchw_fchw {window_attributes(stride)}", [around, weights], 0)
        low = 0 if relu else -128
        self._requantise(total, result, shift, low, bias, residual)

        def compute(values: Values) -> Array:
            total = convolution(values[source.name], self.parameters[weights.name], stride, padding)
            extra = None if residual is None else values[residual.name]
            return requantised(total + self.parameters[bias.name][:, None, None], shift, low, extra)

        described = f"conv {kernel}x{kernel}{f'/{stride}' if stride > 1 else ''} {channels}->{features}"
        self._record(name, f"{described} {size[0]}x{size[1]}", prod(result.shape) * channels * kernel**2, compute)
        return result

    def max_pool(self, source: Tensor, name: str, kernel: int, stride: int) -> Tensor:
        """Maximum over windows, padded by half of the kernel with the smallest i8."""
        batch, channels, height, width = source.shape
        padding = kernel // 2
        size = [(extent + 2 * padding - kernel) // stride + 1 for extent in (height, width)]
        result = Tensor(name, (batch, channels, *size))
        around = self._pad(source, f"{name}_padded", padding, -128)
        window = self._window(f"{name}_window", kernel, kernel)
        self._structured(result, f"linalg.pooling_nchw_max {window_attributes(stride)}", [around, window], -128)
        self._output = result
        described = f"max pool {kernel}x{kernel}/{stride} {channels} {size[0]}x{size[1]}"
        self._record(name, described, 0, lambda values: maximum_pool(values[source.name], kernel, stride, padding))
        return result

    def sum_pool(self, source: Tensor, name: str) -> Tensor:
        """The sum over all rows and columns, requantised: the mean, but for a power of two. (N, C, 1, 1)."""
        batch, channels, height, width = source.shape
        result = Tensor(name, (batch, channels, 1, 1))
        shift = max(0, round(log2(height * width)))
        window = self._window(f"{name}_window", height, width)
        total = Tensor(f"{name}_sum", result.shape, "i32")
        self._structured(total, f"linalg.pooling_nchw_sum {window_attributes(1)}", [source, window], 0)
        self._requantise(total, result, shift, -128, None, None)

        def compute(values: Values) -> Array:
            total = values[source.name].sum(axis=(2, 3), keepdims=True, dtype=np.int64)
            return requantised(total, shift, -128, None)

        self._record(name, f"sum pool {height}x{width} {channels}", 0, compute)
        return result

    def flatten(self, source: Tensor) -> Tensor:
        """(N, C, H, W) as (N, C * H * W)."""
        flat = Tensor(f"{source.name}_flat", (source.shape[0], prod(source.shape[1:])))
        self._lines.append(
            f"  %{flat.name} = tensor.collapse_shape %{source.name} [[0], [1, 2, 3]] : {source.kind} into {flat.kind}"
        )
        self._flat[flat.name] = source.name
        self._output = flat
        return flat

    def linear(self, source: Tensor, name: str, features: int, *, last: bool = False) -> Tensor:
        """(N, K) times (K, F) plus bias: requantised with relu, or as i32 when it is the last layer."""
        batch, channels = source.shape
        weights = self._weights(f"{name}_w", (channels, features))
        shift = 0 if last else self._shift(channels, 2 if source == self.input else 1)
        bias = self._bias(f"{name}_b", features, 12 if last else shift)
        result = Tensor(name, (batch, features), "i32" if last else "i8")
        product = Tensor(f"{name}_sum", result.shape, "i32")
        self._structured(product, "linalg.matmul", [source, weights], 0)
        if last:
            self._elementwise(result, [product, bias], "%y = arith.addi %a0, %a1 : i32")
        else:
            self._requantise(product, result, shift, 0, bias, None)

        def compute(values: Values) -> Array:
            given = values[self._flat.get(source.name, source.name)].reshape(source.shape)
            total = matrix_product(given, self.parameters[weights.name]) + self.parameters[bias.name]
            return total.astype(np.int32) if last else requantised(total, shift, 0, None)

        self._record(name, f"linear {channels}->{features}", batch * channels * features, compute)
        return result

    def text(self) -> str:
        """The network as one linalg function; parameters are arguments after the input."""
        values = [Tensor(name, array.shape, _element(array)) for name, array in self.parameters.items()]
        arguments = ", ".join(f"%{value.name}: {value.kind}" for value in (self.input, *values))
        head = f"func.func @{self.name}({arguments}) -> {self._output.kind} {{"
        tail = f"  func.return %{self._output.name} : {self._output.kind}\n}}\n"
        return "\n".join([head, *self._lines, tail])

    def module(self) -> ModuleOp:
        """The network with its parameters as constants."""
        from vtac.binding import bind
        from vtac.text.source import parse

        return bind(parse(self.text()), self.parameters)

    def reference(self, image: NDArray[np.int8]) -> dict[str, Array]:
        """Every layer's output, by name, computed by numpy."""
        values: dict[str, Array] = {self.input.name: image}
        for layer in self.layers:
            values[layer.name] = layer.compute(values)
        return values

    def _record(self, name: str, description: str, macs: int, compute: Callable[[Values], Array]) -> None:
        self.layers.append(LayerRecord(name, description, macs, compute))

    def _weights(self, name: str, shape: tuple[int, ...]) -> Tensor:
        self.parameters[name] = self._random.integers(-_WEIGHT_LIMIT, _WEIGHT_LIMIT, shape).astype(np.int8)
        return Tensor(name, shape)

    def _bias(self, name: str, features: int, shift: int) -> Tensor:
        spread = 8 << shift
        values = self._random.integers(-spread, spread, features) + (1 << shift >> 1)
        self.parameters[name] = values.astype(np.int32)
        return Tensor(name, (features,), "i32")

    def _shift(self, terms: int, scale: float) -> int:
        """So that sums of products with inputs of typical size come out at typical size."""
        return max(0, round(log2(_TYPICAL * scale * sqrt(terms))))

    def _pad(self, source: Tensor, name: str, padding: int, value: int) -> Tensor:
        result, text = padded(name, source, (padding,) * 4, value)
        self._lines.append(text)
        return result

    def _window(self, name: str, height: int, width: int) -> Tensor:
        """The operand of a pooling that only has a shape."""
        window = Tensor(name, (height, width))
        self._lines.append(f"  %{name} = tensor.empty() : {window.kind}")
        return window

    def _structured(self, result: Tensor, op: str, operands: list[Tensor], start: int) -> None:
        """A structured operation on a fill with a number."""
        filling = Tensor(f"{result.name}_start", result.shape, result.element)
        self._lines.append(filled(filling, start))
        outputs = f"outs(%{filling.name} : {filling.kind}) -> {result.kind}"
        self._lines.append(f"  %{result.name} = {op}\n    {operand_list(operands)} {outputs}")

    def _requantise(
        self, source: Tensor, result: Tensor, shift: int, low: int, bias: Tensor | None, residual: Tensor | None
    ) -> None:
        lines, value = (["%v0 = arith.addi %a0, %a1 : i32"], "%v0") if bias else ([], "%a0")
        lines += [f"%shift = arith.constant {shift} : i32", f"%v1 = arith.shrsi {value}, %shift : i32"]
        value = "%v1"
        if residual is not None:
            lines += ["%r = arith.extsi %a2 : i8 to i32", "%v2 = arith.addi %v1, %r : i32"]
            value = "%v2"
        lines += [
            f"%low = arith.constant {low} : i32",
            "%high = arith.constant 127 : i32",
            f"%v3 = arith.maxsi {value}, %low : i32",
            "%v4 = arith.minsi %v3, %high : i32",
            "%y = arith.trunci %v4 : i32 to i8",
        ]
        operands = [operand for operand in (source, bias, residual) if operand is not None]
        self._elementwise(result, operands, "\n    ".join(lines))

    def _elementwise(self, result: Tensor, operands: list[Tensor], body: str) -> None:
        self._lines.append(elementwise(result, operands, body))
        self._output = result


def _element(array: Array) -> str:
    return f"i{array.dtype.itemsize * 8}"
