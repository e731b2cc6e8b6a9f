"""Normalisations: by statistics of training, by those of each row, and softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vtac.models.layer import Array, Layer, Shape, shape_text


@dataclass(frozen=True, eq=False)
class BatchNorm(Layer):
    """(x - mean) / sqrt(variance + epsilon) * scale + shift, with a number of each for every channel (dimension 1)."""

    scale: Array
    shift: Array
    mean: Array
    variance: Array
    epsilon: float = 1e-5

    kind: ClassVar[str] = "batch norm"

    def check_parameters(self) -> None:
        channels = self.scale.size
        for what in ("scale", "shift", "mean", "variance"):
            self.require_vector(what, getattr(self, what), channels, "channel")
        if not (np.isfinite(self.epsilon) and float(self.variance.min()) + self.epsilon > 0):
            raise self.refuse(
                f"its least variance is {self.variance.min():g}, its epsilon {self.epsilon:g}", "a sum above 0"
            )

    def factors(self) -> tuple[Array, Array]:
        """The same as x * factor + offset, for each channel; taken in float64."""
        factor = self.scale.astype(np.float64) / np.sqrt(self.variance.astype(np.float64) + self.epsilon)
        offset = self.shift - self.mean * factor
        return factor.astype(np.float32), offset.astype(np.float32)

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        if len(shape) < 2 or shape[1] != self.scale.size:
            raise self.refuse(f"its input is {shape_text(shape)}", f"{self.scale.size} channels in dimension 1")
        return shape

    def compute(self, *arrays: Array) -> Array:
        (data,) = arrays
        factor, offset = (numbers.reshape(-1, *[1] * (data.ndim - 2)) for numbers in self.factors())
        return data * factor + offset


@dataclass(frozen=True, eq=False)
class LayerNorm(Layer):
    """Mean 0 and variance 1 over the last dimensions, then a scale and a shift of those dimensions."""

    scale: Array
    shift: Array | None = None
    epsilon: float = 1e-5

    kind: ClassVar[str] = "layer norm"

    def check_parameters(self) -> None:
        self.require_array("scale", self.scale, self.scale.ndim)
        if self.scale.ndim < 1:
            raise self.refuse("its scale is a scalar", "the dimensions that are normalised")
        if self.shift is not None:
            self.require_array("shift", self.shift, self.scale.ndim)
            if self.shift.shape != self.scale.shape:
                raise self.refuse(
                    f"its shift is {shape_text(self.shift.shape)}, its scale {shape_text(self.scale.shape)}",
                    "equal shapes",
                )
        if not (np.isfinite(self.epsilon) and self.epsilon > 0):
            raise self.refuse(f"its epsilon is {self.epsilon:g}", "a number above 0")

    def keeps_apart(self, *shapes: Shape) -> bool:
        return self.scale.ndim < len(shapes[0])

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        if shape[-self.scale.ndim :] != self.scale.shape:
            raise self.refuse(f"its input is {shape_text(shape)}", f"last dimensions of {shape_text(self.scale.shape)}")
        return shape

    def compute(self, *arrays: Array) -> Array:
        data = arrays[0].astype(np.float64)
        axes = tuple(range(-self.scale.ndim, 0))
        centred = data - data.mean(axes, keepdims=True)
        normal = centred / np.sqrt((centred**2).mean(axes, keepdims=True) + self.epsilon)
        result = normal * self.scale
        return (result if self.shift is None else result + self.shift).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Softmax(Layer):
    """exp(x) over its sum along an axis."""

    axis: int = -1

    kind: ClassVar[str] = "softmax"

    def keeps_apart(self, *shapes: Shape) -> bool:
        return self.axis_of(self.axis, len(shapes[0])) != 0

    def output_shape(self, *shapes: Shape) -> Shape:
        self.axis_of(self.axis, len(shapes[0]))
        return shapes[0]

    def compute(self, *arrays: Array) -> Array:
        (data,) = arrays
        powers = np.exp(data - data.max(axis=self.axis, keepdims=True))
        return powers / powers.sum(axis=self.axis, keepdims=True)
