"""Poolings of images, NCHW, and upsampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vtac.models.layer import Array, Layer, Shape
from vtac.models.windows import Pair, Window

_IMAGES = "batch, channels, rows, columns"


@dataclass(frozen=True, eq=False)
class _Pooling(Layer):
    window: Window

    def check_parameters(self) -> None:
        self.window.check(self)
        pads, reach = self.window.pads, self.window.reach
        if max(pads[0], pads[2]) >= reach[0] or max(pads[1], pads[3]) >= reach[1]:
            raise self.refuse(f"padding {pads} around windows of {reach}", "less than a window on each side")

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        self.require_rank(shape, 4, _IMAGES)
        return (*shape[:2], *self.window.positions(self, shape[2:]))


@dataclass(frozen=True, eq=False)
class MaxPool(_Pooling):
    """The largest element of each window; padding never wins."""

    kind: ClassVar[str] = "max pooling"

    def compute(self, *arrays: Array) -> Array:
        positions = self.window.positions(self, arrays[0].shape[2:])
        padded = self.window.padded(arrays[0], positions, -np.inf)
        result = np.full((*padded.shape[:2], *positions), -np.inf, np.float32)
        for _, seen in self.window.taps(padded, positions):
            np.maximum(result, seen, out=result)
        return result


@dataclass(frozen=True, eq=False)
class AveragePool(_Pooling):
    """The mean of each window; `counts_padding` says whether zeros around the image count as elements.

    What a window covers beyond image and padding never counts.
    """

    counts_padding: bool = False

    kind: ClassVar[str] = "average pooling"

    def compute(self, *arrays: Array) -> Array:
        (data,) = arrays
        positions = self.window.positions(self, data.shape[2:])
        return self._sums(data, positions) / self.counts(data.shape)

    def counts(self, shape: Shape) -> Array:
        """How many elements count in each window of images of a shape, as (1, 1, down, across)."""
        return self._sums(self._counted(shape), self.window.positions(self, shape[2:]), inside=True)

    def _counted(self, shape: Shape) -> Array:
        """One for each element that counts."""
        top, left, bottom, right = self.window.pads if self.counts_padding else (0, 0, 0, 0)
        return np.ones((1, 1, shape[2] + top + bottom, shape[3] + left + right), np.float32)

    def _sums(self, data: Array, positions: Pair, *, inside: bool = False) -> Array:
        """Sums of windows; `inside` for data that has its padding already, where padding counts."""
        pads = (0, 0, 0, 0) if inside and self.counts_padding else self.window.pads
        window = Window(self.window.size, self.window.stride, pads, self.window.dilation)
        padded = window.padded(data, positions, 0.0)
        total = np.zeros((*padded.shape[:2], *positions), np.float32)
        for _, seen in window.taps(padded, positions):
            total += seen
        return total


@dataclass(frozen=True, eq=False)
class GlobalAveragePool(Layer):
    """The mean over rows and columns, as (N, C, 1, 1)."""

    kind: ClassVar[str] = "global average pooling"

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        self.require_rank(shape, 4, _IMAGES)
        return (*shape[:2], 1, 1)

    def compute(self, *arrays: Array) -> Array:
        return arrays[0].mean(axis=(2, 3), keepdims=True, dtype=np.float64).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Upsample(Layer):
    """Every element `factors` times, down and across: the nearest neighbour."""

    factors: Pair

    kind: ClassVar[str] = "upsampling"

    def check_parameters(self) -> None:
        self.require_positive("factors", self.factors)

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        self.require_rank(shape, 4, _IMAGES)
        return (*shape[:2], shape[2] * self.factors[0], shape[3] * self.factors[1])

    def compute(self, *arrays: Array) -> Array:
        return arrays[0].repeat(self.factors[0], axis=2).repeat(self.factors[1], axis=3)
