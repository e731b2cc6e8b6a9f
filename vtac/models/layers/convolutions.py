"""Convolutions of images, NCHW: dense, grouped, by channel, dilated, transposed."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from vtac.models.layer import Array, Layer, Shape, shape_text
from vtac.models.windows import Pads, Pair, Window


@dataclass(frozen=True, eq=False)
class Convolution(Layer):
    """Weights are (features, channels of a group, rows, columns); as many groups as channels: one by one."""

    weights: Array
    bias: Array | None = None
    stride: Pair = (1, 1)
    pads: Pads = (0, 0, 0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    kind: ClassVar[str] = "convolution"

    @property
    def window(self) -> Window:
        return Window((self.weights.shape[2], self.weights.shape[3]), self.stride, self.pads, self.dilation)

    def check_parameters(self) -> None:
        self.require_array("weights", self.weights, 4)
        self.window.check(self)
        self.require_positive("number of groups", (self.groups,))
        features = self.weights.shape[0]
        if features % self.groups:
            raise self.refuse(f"{features} features in {self.groups} groups", "a multiple of the groups")
        if self.bias is not None:
            self.require_vector("bias", self.bias, features, "feature")

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        self.require_rank(shape, 4, "batch, channels, rows, columns")
        needed = self.weights.shape[1] * self.groups
        if shape[1] != needed:
            raise self.refuse(
                f"its input is {shape_text(shape)}, its weights {shape_text(self.weights.shape)} "
                f"in {self.groups} groups",
                f"an input of {needed} channels",
            )
        return (shape[0], self.weights.shape[0], *self.window.positions(self, shape[2:]))

    def compute(self, *arrays: Array) -> Array:
        """One matrix product per image."""
        (data,) = arrays
        _, _, *size = self.output_shape(data.shape)
        positions = (size[0], size[1])
        result = self.window.convolved(self.window.padded(data, positions, 0.0), self.weights, positions, self.groups)
        return result if self.bias is None else result + self.bias[:, None, None]

    def macs(self, *shapes: Shape) -> int:
        return prod(self.output_shape(*shapes)) * prod(self.weights.shape[1:])


@dataclass(frozen=True, eq=False)
class TransposedConvolution(Layer):
    """Each element of the input adds its multiple of the kernel to the output, `stride` apart; `pads` are cut off.

    Weights are (channels, features of a group, rows, columns). `extra` are rows and columns more at the end.
    """

    weights: Array
    bias: Array | None = None
    stride: Pair = (1, 1)
    pads: Pads = (0, 0, 0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1
    extra: Pair = (0, 0)

    kind: ClassVar[str] = "transposed convolution"

    @property
    def window(self) -> Window:
        return Window((self.weights.shape[2], self.weights.shape[3]), self.stride, self.pads, self.dilation)

    @property
    def features(self) -> int:
        return self.weights.shape[1] * self.groups

    def check_parameters(self) -> None:
        self.require_array("weights", self.weights, 4)
        self.window.check(self)
        self.require_positive("number of groups", (self.groups,))
        if self.weights.shape[0] % self.groups:
            raise self.refuse(f"{self.weights.shape[0]} channels in {self.groups} groups", "a multiple of the groups")
        if any(
            not 0 <= more < max(step, gap)
            for more, step, gap in zip(self.extra, self.stride, self.dilation, strict=True)
        ):
            raise self.refuse(f"{self.extra} more rows and columns", "fewer than the stride or the dilation")
        if self.bias is not None:
            self.require_vector("bias", self.bias, self.features, "feature")

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        self.require_rank(shape, 4, "batch, channels, rows, columns")
        if shape[1] != self.weights.shape[0]:
            raise self.refuse(
                f"its input is {shape_text(shape)}, its weights {shape_text(self.weights.shape)}",
                f"an input of {self.weights.shape[0]} channels",
            )
        size = [self._spread(shape, axis) - self.pads[axis] - self.pads[axis + 2] for axis in (0, 1)]
        if min(size) < 1:
            raise self.refuse(f"padding {self.pads} leaves an output of {shape_text(size)}", "1 or more each way")
        return (shape[0], self.features, *size)

    def compute(self, *arrays: Array) -> Array:
        """One matrix product per tap, added where the tap falls."""
        (data,) = arrays
        images, features, *size = self.output_shape(data.shape)
        positions = (data.shape[2], data.shape[3])
        per_group = self.weights.shape[0] // self.groups
        kernel = self.weights.reshape(self.groups, per_group, *self.weights.shape[1:])
        spread = (self._spread(data.shape, 0), self._spread(data.shape, 1))
        total = np.zeros((images, features, *spread), np.float32)
        columns = data.reshape(images, self.groups, per_group, -1)
        for (row, column), place in self.window.taps(total, positions):
            taken = kernel[..., row, column].swapaxes(1, 2) @ columns
            np.add(place, taken.reshape(place.shape), out=place)
        top, left = self.pads[:2]
        result = total[:, :, top : top + size[0], left : left + size[1]]
        return result.copy() if self.bias is None else result + self.bias[:, None, None]

    def as_convolution(self) -> tuple[Spread, Convolution]:
        """The same as a convolution, without strides, of elements that lie `stride` apart."""
        reach = self.window.reach
        around = [
            reach[axis % 2] - 1 - self.pads[axis] + (self.extra[axis - 2] if axis > 1 else 0) for axis in range(4)
        ]
        top, left, bottom, right = (max(0, pad) for pad in around)
        up, back, down, ahead = (max(0, -pad) for pad in around)
        channels, features, *taps = self.weights.shape
        parts = self.weights.reshape(self.groups, channels // self.groups, features, *taps).swapaxes(1, 2)
        turned = np.ascontiguousarray(parts[..., ::-1, ::-1]).reshape(self.features, channels // self.groups, *taps)
        spread = Spread(f"{self.name}.spread", self.inputs, self.stride, (up, back, down, ahead))
        pads = (top, left, bottom, right)
        return spread, Convolution(
            self.name, (spread.name,), turned, self.bias, (1, 1), pads, self.dilation, self.groups
        )

    def macs(self, *shapes: Shape) -> int:
        return prod(shapes[0]) * prod(self.weights.shape[1:])

    def _spread(self, shape: Shape, axis: int) -> int:
        """Rows or columns before padding is cut off."""
        return (shape[axis + 2] - 1) * self.stride[axis] + self.window.reach[axis] + self.extra[axis]


@dataclass(frozen=True, eq=False)
class Spread(Layer):
    """Zeros between rows and columns, which come to lie `steps` apart; `crop` are cut off: top, left, bottom, right."""

    steps: Pair
    crop: Pads = (0, 0, 0, 0)

    kind: ClassVar[str] = "spreading"

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        self.require_rank(shape, 4, "batch, channels, rows, columns")
        size = [(shape[axis + 2] - 1) * self.steps[axis] + 1 - self.crop[axis] - self.crop[axis + 2] for axis in (0, 1)]
        if min(size) < 1:
            raise self.refuse(f"cutting {self.crop} off leaves {shape_text(size)}", "1 or more each way")
        return (*shape[:2], *size)

    def compute(self, *arrays: Array) -> Array:
        (data,) = arrays
        whole = np.zeros(Spread(self.name, self.inputs, self.steps).output_shape(data.shape), data.dtype)
        whole[:, :, :: self.steps[0], :: self.steps[1]] = data
        top, left, bottom, right = self.crop
        return whole[:, :, top : whole.shape[2] - bottom, left : whole.shape[3] - right].copy()
