"""Elementwise layers of two values, which are broadcast to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vtac.models.layer import Array, Layer, Shape, shape_text


@dataclass(frozen=True, eq=False)
class _Pairwise(Layer):
    operands: ClassVar[int | None] = 2

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
