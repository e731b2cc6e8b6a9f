"""Elementwise layers of two values, which are broadcast to each other, or of one and constants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vtac.models.layer import Array, Layer, Shape, shape_text


@dataclass(frozen=True, eq=False)
class _Pairwise(Layer):
    operands: ClassVar[int | None] = 2

    def keeps_apart(self, *shapes: Shape) -> bool:
        return len(shapes[0]) == len(shapes[1]) and shapes[0][0] == shapes[1][0]

    def output_shape(self, *shapes: Shape) -> Shape:
        try:
            return np.broadcast_shapes(*shapes)
        except ValueError:
            found = " and ".join(map(shape_text, shapes))
            raise self.refuse(f"its inputs are {found}", "dimensions that are equal or 1") from None


@dataclass(frozen=True, eq=False)
class Add(_Pairwise):
    """The sum of two values."""

    kind: ClassVar[str] = "add"

    def compute(self, *arrays: Array) -> Array:
        return arrays[0] + arrays[1]


@dataclass(frozen=True, eq=False)
class Multiply(_Pairwise):
    """The product of two values, element by element."""

    kind: ClassVar[str] = "multiply"

    def compute(self, *arrays: Array) -> Array:
        return arrays[0] * arrays[1]


@dataclass(frozen=True, eq=False)
class Affine(Layer):
    """x * factor + offset, by constants that are broadcast to x."""

    factor: Array
    offset: Array

    kind: ClassVar[str] = "affine"

    def check_parameters(self) -> None:
        self.require_array("factor", self.factor, self.factor.ndim)
        self.require_array("offset", self.offset, self.offset.ndim)

    def keeps_apart(self, *shapes: Shape) -> bool:
        rank = len(shapes[0])
        return all(one.ndim < rank or (one.ndim == rank and one.shape[0] == 1) for one in (self.factor, self.offset))

    def output_shape(self, *shapes: Shape) -> Shape:
        found = (shapes[0], self.factor.shape, self.offset.shape)
        try:
            return np.broadcast_shapes(*found)
        except ValueError:
            x, factor, offset = map(shape_text, found)
            raise self.refuse(
                f"its input is {x}, its factor {factor}, its offset {offset}", "dimensions that are equal or 1"
            ) from None

    def compute(self, *arrays: Array) -> Array:
        return arrays[0] * self.factor + self.offset
