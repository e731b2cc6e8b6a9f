"""Int8 networks under construction: linalg text, seeded parameters and a numpy reference, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2, sqrt
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.workloads.networks.reference import Activation
from vtac.workloads.tensor_text import Tensor, elementwise, filled, operand_list, padded

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

Array: TypeAlias = NDArray[Any]
Values: TypeAlias = Mapping[str, Array]
Compute: TypeAlias = Callable[[Values], Array]

_WEIGHT_LIMIT = 64
_TYPICAL = 37.0
"""Root mean square of the weights, uniform between -64 and 63."""
_ELEMENTS = {"int8": "i8", "int32": "i32", "float32": "f32"}


def require_positive(*sizes: tuple[str, int]) -> None:
    """Refuse sizes below 1, by name."""
    from vtac.errors import CompileError

    for name, size in sizes:
        if size < 1:
            raise CompileError(f"{name} is {size}; 1 or more is required")


@dataclass(frozen=True)
class LayerRecord:
    """One layer, for reports: `macs` are multiply-accumulates without padding to tiles.

    A view computes nothing and moves nothing: it is the same elements in another shape.
    """

    name: str
    description: str
    macs: int
    compute: Compute = field(repr=False)
    is_view: bool = False


class NetworkCore:
    """What all kinds of layers share: names, text, parameters, records.

    `parameters` holds the weights and biases by argument name, drawn from `seed`. A network
    returns `results`, or the output of its last layer when that is empty.
    """

    def __init__(self, name: str, shape: tuple[int, ...], seed: int, input_name: str = "image") -> None:
        self.name = name
        self.input = Tensor(input_name, shape)
        self.inputs = [self.input]
        self.parameters: dict[str, Array] = {}
        self.layers: list[LayerRecord] = []
        self.results: list[Tensor] = []
        self._random = np.random.default_rng(seed)
        self._lines: list[str] = []
        self._output = self.input

    def argument(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """A further input of i8."""
        self.inputs.append(Tensor(name, shape))
        return self.inputs[-1]

    def text(self) -> str:
        """The network as one linalg function; parameters are arguments after the inputs."""
        values = [Tensor(name, array.shape, _ELEMENTS[array.dtype.name]) for name, array in self.parameters.items()]
        arguments = ", ".join(f"%{value.name}: {value.kind}" for value in (*self.inputs, *values))
        results = self.results or [self._output]
        kinds = ", ".join(result.kind for result in results)
        head = f"func.func @{self.name}({arguments}) -> {kinds if len(results) == 1 else f'({kinds})'} {{"
        tail = f"  func.return {', '.join(f'%{result.name}' for result in results)} : {kinds}\n}}\n"
        return "\n".join([head, *self._lines, tail])

    def module(self) -> ModuleOp:
        """The network with its parameters as constants."""
        from vtac.binding import bind
        from vtac.text.source import parse

        return bind(parse(self.text()), self.parameters)

    def reference(self, *inputs: Array) -> dict[str, Array]:
        """Every layer's output, by name, computed by numpy."""
        values = {tensor.name: array for tensor, array in zip(self.inputs, inputs, strict=True)}
        for layer in self.layers:
            values[layer.name] = layer.compute(values)
        return values

    def expected(self, *inputs: Array) -> list[Array]:
        """The results, computed by numpy."""
        values = self.reference(*inputs)
        return [values[result.name] for result in self.results or [self._output]]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all layers."""
        return sum(layer.macs for layer in self.layers)

    def _record(
        self, result: Tensor, description: str, macs: int, compute: Compute, *, is_view: bool = False
    ) -> Tensor:
        self.layers.append(LayerRecord(result.name, description, macs, compute, is_view))
        self._output = result
        return result

    def _weights(self, name: str, shape: tuple[int, ...]) -> Tensor:
        self.parameters[name] = self._random.integers(-_WEIGHT_LIMIT, _WEIGHT_LIMIT, shape).astype(np.int8)
        return Tensor(name, shape)

    def _bias(self, name: str, features: int, shift: int) -> Tensor:
        """A bias that holds the half by which a shift rounds."""
        spread = 8 << shift
        values = self._random.integers(-spread, spread, features) + (1 << shift >> 1)
        self.parameters[name] = values.astype(np.int32)
        return Tensor(name, (features,), "i32")

    def _shift(self, terms: int, source: Tensor) -> int:
        """So that sums of products come out at typical size: random data neither dies out nor saturates."""
        scale = 2 if source in self.inputs else 1
        return max(0, round(log2(_TYPICAL * scale * sqrt(terms))))

    def _pad(self, source: Tensor, name: str, pads: Sequence[int], value: int) -> Tensor:
        if not any(pads):
            return source
        result, text = padded(name, source, pads, value)
        self._lines.append(text)
        return result

    def _empty(self, name: str, shape: tuple[int, ...], element: str = "i8") -> Tensor:
        result = Tensor(name, shape, element)
        self._lines.append(f"  %{name} = tensor.empty() : {result.kind}")
        return result

    def _structured(self, result: Tensor, op: str, operands: list[Tensor], start: int) -> None:
        """A structured operation on a fill with a number."""
        filling = Tensor(f"{result.name}_start", result.shape, result.element)
        self._lines.append(filled(filling, start))
        outputs = f"outs(%{filling.name} : {filling.kind}) -> {result.kind}"
        self._lines.append(f"  %{result.name} = {op}\n    {operand_list(operands)} {outputs}")

    def _requantise(
        self,
        source: Tensor,
        result: Tensor,
        shift: int,
        activation: Activation,
        bias: Tensor | None,
        residual: Tensor | None = None,
        channel: int = 1,
    ) -> None:
        """`activation(((sum + bias) >> shift) + residual)`, clipped; `channel` is the dimension of the bias."""
        lines, value = (["%v0 = arith.addi %a0, %a1 : i32"], "%v0") if bias else ([], "%a0")
        lines += [f"%shift = arith.constant {shift} : i32", f"%v1 = arith.shrsi {value}, %shift : i32"]
        value = "%v1"
        if residual is not None:
            lines += [f"%r = arith.extsi %a{2 if bias else 1} : i8 to i32", "%v2 = arith.addi %v1, %r : i32"]
            value = "%v2"
        if activation == "leaky":
            lines += [
                "%slope = arith.constant 3 : i32",
                f"%small = arith.shrsi {value}, %slope : i32",
                f"%leaky = arith.maxsi {value}, %small : i32",
            ]
            value = "%leaky"
        low, high = BOUNDS[activation]
        lines += [
            f"%low = arith.constant {low} : i32",
            f"%high = arith.constant {high} : i32",
            f"%v3 = arith.maxsi {value}, %low : i32",
            "%v4 = arith.minsi %v3, %high : i32",
            "%y = arith.trunci %v4 : i32 to i8",
        ]
        operands = [operand for operand in (source, bias, residual) if operand is not None]
        self._elementwise(result, operands, "\n    ".join(lines), channel)

    def _elementwise(self, result: Tensor, operands: list[Tensor], body: str, channel: int = 1) -> None:
        self._lines.append(elementwise(result, operands, body, channel))


BOUNDS: Mapping[Activation, tuple[int, int]] = {
    "none": (-128, 127),
    "leaky": (-128, 127),
    "relu": (0, 127),
    "relu6": (0, 96),
}
"""Between which numbers an activation leaves its results; relu6 at a scale of 1 / 16."""
