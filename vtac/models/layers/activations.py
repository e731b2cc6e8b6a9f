"""Activations: functions of each element by itself."""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, pi, sqrt
from typing import ClassVar

import numpy as np

from vtac.models.layer import Array, Layer, Shape, shape_text


@dataclass(frozen=True, eq=False)
class Activation(Layer):
    """A layer whose value has the shape of its input."""

    def output_shape(self, *shapes: Shape) -> Shape:
        return shapes[0]


@dataclass(frozen=True, eq=False)
class Relu(Activation):
    """max(x, 0)."""

    kind: ClassVar[str] = "relu"

    def compute(self, *arrays: Array) -> Array:
        return np.maximum(arrays[0], np.float32(0))


@dataclass(frozen=True, eq=False)
class Clamp(Activation):
    """min(max(x, low), high); either may be infinite."""

    low: float = -np.inf
    high: float = np.inf

    kind: ClassVar[str] = "clamp"

    def check_parameters(self) -> None:
        if not self.low < self.high:
            raise self.refuse(f"it keeps what is between {self.low} and {self.high}", "a low end below the high end")

    def compute(self, *arrays: Array) -> Array:
        return np.clip(arrays[0], np.float32(self.low), np.float32(self.high))


@dataclass(frozen=True, eq=False)
class Relu6(Activation):
    """min(max(x, 0), 6)."""

    kind: ClassVar[str] = "relu6"

    def compute(self, *arrays: Array) -> Array:
        return np.clip(arrays[0], np.float32(0), np.float32(6))


@dataclass(frozen=True, eq=False)
class LeakyRelu(Activation):
    """x where it is positive, `slope` times x elsewhere."""

    slope: float = 0.01

    kind: ClassVar[str] = "leaky relu"

    def check_parameters(self) -> None:
        if not np.isfinite(self.slope):
            raise self.refuse(f"its slope is {self.slope}", "a finite number")

    def compute(self, *arrays: Array) -> Array:
        (data,) = arrays
        return np.maximum(data, 0) + np.float32(self.slope) * np.minimum(data, 0)


@dataclass(frozen=True, eq=False)
class ParametricRelu(Activation):
    """A leaky relu with a slope for each channel (dimension 1), or one for all."""

    slopes: Array

    kind: ClassVar[str] = "parametric relu"

    def check_parameters(self) -> None:
        self.require_array("slopes", self.slopes, 1)

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        if self.slopes.size > 1 and (len(shape) < 2 or shape[1] != self.slopes.size):
            raise self.refuse(f"its input is {shape_text(shape)}", f"{self.slopes.size} channels in dimension 1")
        return shape

    def compute(self, *arrays: Array) -> Array:
        (data,) = arrays
        slopes = self.slopes.reshape(-1, *[1] * max(0, data.ndim - 2))
        return np.maximum(data, 0) + slopes * np.minimum(data, 0)


@dataclass(frozen=True, eq=False)
class HardSigmoid(Activation):
    """min(max(slope * x + offset, 0), 1)."""

    slope: float = 1 / 6
    offset: float = 0.5

    kind: ClassVar[str] = "hard sigmoid"

    def check_parameters(self) -> None:
        if not np.isfinite([self.slope, self.offset]).all():
            raise self.refuse(f"its slope is {self.slope}, its offset {self.offset}", "finite numbers")

    def compute(self, *arrays: Array) -> Array:
        line = arrays[0] * np.float32(self.slope) + np.float32(self.offset)
        return np.clip(line, np.float32(0), np.float32(1))


@dataclass(frozen=True, eq=False)
class HardSwish(Activation):
    """x * min(max(x / 6 + 1 / 2, 0), 1)."""

    kind: ClassVar[str] = "hard swish"

    def compute(self, *arrays: Array) -> Array:
        (data,) = arrays
        gate: Array = np.clip(data * np.float32(1 / 6) + np.float32(0.5), np.float32(0), np.float32(1))
        return np.multiply(data, gate, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Sigmoid(Activation):
    """1 / (1 + exp(-x)), without overflow."""

    kind: ClassVar[str] = "sigmoid"

    def compute(self, *arrays: Array) -> Array:
        return np.tanh(arrays[0] * np.float32(0.5)) * np.float32(0.5) + np.float32(0.5)


@dataclass(frozen=True, eq=False)
class Tanh(Activation):
    """The hyperbolic tangent."""

    kind: ClassVar[str] = "tanh"

    def compute(self, *arrays: Array) -> Array:
        return np.tanh(arrays[0])


@dataclass(frozen=True, eq=False)
class Erf(Activation):
    """The error function, of which exporters make gelu."""

    kind: ClassVar[str] = "erf"

    def compute(self, *arrays: Array) -> Array:
        return np.vectorize(erf, otypes=[np.float32])(arrays[0])


@dataclass(frozen=True, eq=False)
class Gelu(Activation):
    """x times the share of a normal distribution below x, exact or by its approximation with tanh."""

    approximate: bool = False

    kind: ClassVar[str] = "gelu"

    def compute(self, *arrays: Array) -> Array:
        data = arrays[0].astype(np.float64)
        if self.approximate:
            share = np.tanh(sqrt(2 / pi) * (data + 0.044715 * data**3))
        else:
            share = np.vectorize(erf, otypes=[np.float64])(data / sqrt(2))
        return np.asarray(0.5 * data * (1 + share), np.float32)
