"""A layer that the host computes: a function of f32 text around it, executed as a program executes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vtac.evaluate.linalg import evaluate_linalg
from vtac.models.layer import Layer, Shape
from vtac.models.quantiser.float_layers import float_layer
from vtac.models.quantiser.float_text import FloatText, number
from vtac.models.quantiser.scales import Scale
from vtac.text.source import parse
from vtac.workloads.tensor_text import Tensor


@dataclass(frozen=True)
class Stored:
    """A value as it is stored: bytes at a scale, sums of 32 bits with what one stands for by feature, or floats."""

    tensor: Tensor
    scale: Scale | None = None
    sizes: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class HostStep:
    """`lines` make `result` of `operands`, batch by batch, and of parameters."""

    lines: Sequence[str]
    operands: Sequence[Tensor]
    parameters: Mapping[str, NDArray[Any]]
    result: Tensor
    _parsed: list[Any] = field(default_factory=list[Any], repr=False)

    def compute(self, values: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Its value for those of the operands, by name, of one batch or several."""
        if not self._parsed:
            self._parsed.append(parse(self.text()))
        arrays = [values[operand.name] for operand in self.operands]
        batches = arrays[0].shape[0] // self.operands[0].shape[0]
        given = list(self.parameters.values())
        parts: list[NDArray[Any]] = []
        for batch in range(batches):
            cut = [
                np.ascontiguousarray(array[batch * one.shape[0] : (batch + 1) * one.shape[0]])
                for one, array in zip(self.operands, arrays, strict=True)
            ]
            parts.append(evaluate_linalg(self._parsed[0], [*cut, *given])[0])
        return np.concatenate(parts)

    def text(self) -> str:
        """As a function of its own."""
        kinds = {np.dtype(np.float32): "f32", np.dtype(np.int32): "i32", np.dtype(np.int8): "i8"}
        constants = [Tensor(name, array.shape, kinds[array.dtype]) for name, array in self.parameters.items()]
        arguments = ", ".join(f"%{one.name}: {one.kind}" for one in (*self.operands, *constants))
        body = "\n".join(self.lines)
        return (
            f"func.func @step({arguments}) -> {self.result.kind} {{\n{body}\n"
            f"  func.return %{self.result.name} : {self.result.kind}\n}}\n"
        )


def host_step(layer: Layer, name: str, operands: Sequence[Stored], shape: Shape, scale: Scale | None) -> HostStep:
    """A layer of stored values: in f32, from and to bytes where that is how values are stored."""
    text = FloatText(name)
    floats = [_as_floats(text, operand) for operand in operands]
    found = float_layer(text, layer, floats, shape)
    found = found if scale is None else _as_bytes(text, found, scale)
    if found.name in {operand.tensor.name for operand in operands}:
        found = text.elementwise(
            [found], shape, f"%z = arith.constant {number(0)} : f32\n    %y = arith.addf %a0, %z : f32"
        )
    result = text.named(found, name)
    return HostStep(text.lines, [operand.tensor for operand in operands], text.parameters, result)


def _as_floats(text: FloatText, given: Stored) -> Tensor:
    tensor = given.tensor
    if given.scale is not None:
        lines = f"""%f = arith.sitofp %a0 : {tensor.element} to f32
    %zero = arith.constant {number(given.scale.zero)} : f32
    %less = arith.subf %f, %zero : f32
    %size = arith.constant {number(given.scale.size)} : f32
    %y = arith.mulf %less, %size : f32"""
        return text.elementwise([tensor], tensor.shape, lines)
    if given.sizes is not None:
        sizes = text.parameter(given.sizes.astype(np.float32).reshape(-1, *[1] * (len(tensor.shape) - 2)))
        lines = f"%f = arith.sitofp %a0 : {tensor.element} to f32\n    %y = arith.mulf %f, %a1 : f32"
        return text.elementwise([tensor, sizes], tensor.shape, lines)
    return tensor


def _as_bytes(text: FloatText, value: Tensor, scale: Scale) -> Tensor:
    """Rounded half up, clipped."""
    return text.elementwise(
        [value],
        value.shape,
        f"""%size = arith.constant {number(scale.size)} : f32
    %steps = arith.divf %a0, %size : f32
    %half = arith.constant {number(scale.zero + 0.5)} : f32
    %more = arith.addf %steps, %half : f32
    %whole = math.floor %more : f32
    %least = arith.constant {number(-128)} : f32
    %most = arith.constant {number(127)} : f32
    %above = arith.maximumf %whole, %least : f32
    %within = arith.minimumf %above, %most : f32
    %y = arith.fptosi %within : f32 to i8""",
        "i8",
    )
