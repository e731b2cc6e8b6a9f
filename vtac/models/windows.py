"""Windows that convolutions and poolings slide over images: sizes, strides, padding, and the elements at one tap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from vtac.models.layer import Layer, Shape, shape_text

Pair: TypeAlias = tuple[int, int]
Pads: TypeAlias = tuple[int, int, int, int]
"""Top, left, bottom, right."""
Real = TypeVar("Real", bound=np.floating[Any])


@dataclass(frozen=True)
class Window:
    """A window of `size` taps, `dilation` apart, moved by `stride`, over an image with `pads` around it.

    `ceil` lets a last window begin inside of image and padding although it ends outside.
    """

    size: Pair
    stride: Pair = (1, 1)
    pads: Pads = (0, 0, 0, 0)
    dilation: Pair = (1, 1)
    ceil: bool = False

    @property
    def reach(self) -> Pair:
        """Rows and columns from its first tap to its last."""
        rows, columns = (gap * (taps - 1) + 1 for gap, taps in zip(self.dilation, self.size, strict=True))
        return rows, columns

    def check(self, layer: Layer) -> None:
        """Refuse, in the name of a layer, sizes below 1 and padding below 0."""
        for what, numbers in (("kernel", self.size), ("stride", self.stride), ("dilation", self.dilation)):
            layer.require_positive(what, numbers)
        if min(self.pads) < 0:
            raise layer.refuse(f"its padding is {self.pads}", "0 or more on each side")

    def positions(self, layer: Layer, image: Shape) -> Pair:
        """How many windows fit, down and across. Raises `ModelError`, in the words of `layer`, where not one fits."""
        found: list[int] = []
        for axis in (0, 1):
            padded = image[axis] + self.pads[axis] + self.pads[axis + 2]
            left = padded - self.reach[axis]
            if left < 0:
                raise layer.refuse(
                    f"its input is {shape_text(image)} with padding {self.pads}",
                    f"at least the {shape_text(self.reach)} that its window covers",
                )
            count = left // self.stride[axis] + 1
            if self.ceil and left % self.stride[axis] and count * self.stride[axis] < image[axis] + self.pads[axis]:
                count += 1
            found.append(count)
        return found[0], found[1]

    def padded(self, data: NDArray[Real], positions: Pair, value: float) -> NDArray[Real]:
        """NCHW data with `value` around it, as far as windows reach."""
        top, left, bottom, right = self.reaching(positions, data.shape)
        return np.pad(data, [(0, 0), (0, 0), (top, bottom), (left, right)], constant_values=value)

    def reaching(self, positions: Pair, image: Shape) -> Pads:
        """Padding around NCHW data, as far as windows reach."""
        after: list[int] = []
        for axis in (0, 1):
            needed = (positions[axis] - 1) * self.stride[axis] + self.reach[axis]
            after.append(max(self.pads[axis + 2], needed - image[axis + 2] - self.pads[axis]))
        return self.pads[0], self.pads[1], after[0], after[1]

    def taps(self, padded: NDArray[Real], positions: Pair) -> Iterator[tuple[Pair, NDArray[Real]]]:
        """Each tap, with what all windows see there: (N, C, down, across), a view."""
        for row, column in product(range(self.size[0]), range(self.size[1])):
            top, left = row * self.dilation[0], column * self.dilation[1]
            rows = slice(top, top + (positions[0] - 1) * self.stride[0] + 1, self.stride[0])
            columns = slice(left, left + (positions[1] - 1) * self.stride[1] + 1, self.stride[1])
            yield (row, column), padded[:, :, rows, columns]

    def columns(self, padded: NDArray[Real], positions: Pair) -> NDArray[Real]:
        """What each window sees, as (N, C * taps, windows): the order of weights (F, C, rows, columns)."""
        images, channels = padded.shape[:2]
        if self.size == (1, 1):
            return next(self.taps(padded, positions))[1].reshape(images, channels, -1)
        found = np.empty((images, channels, prod(self.size), *positions), padded.dtype)
        for number, (_, seen) in enumerate(self.taps(padded, positions)):
            found[:, :, number] = seen
        return found.reshape(images, channels * prod(self.size), -1)

    def convolved(
        self, padded: NDArray[Real], weights: NDArray[Real], positions: Pair, groups: int = 1
    ) -> NDArray[Real]:
        """The sums of a convolution (N, F, down, across), image by image, so that memory holds the windows of one."""
        features, per_group = weights.shape[:2]
        result = np.empty((padded.shape[0], features, *positions), padded.dtype)
        if per_group == 1 and features == groups:
            result[...] = 0
            for (row, column), seen in self.taps(padded, positions):
                result += weights[:, 0, row, column, None, None] * seen
            return result
        rows = weights.reshape(groups, features // groups, -1)
        for image, sums in zip(padded, result.reshape(padded.shape[0], groups, features // groups, -1), strict=True):
            seen = self.columns(image[None], positions).reshape(groups, rows.shape[2], -1)
            np.matmul(rows, seen, out=sums)
        return result
