"""Matrix products: by parameters, and of two computed values."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from vtac.models.layer import Array, Layer, Shape, shape_text


@dataclass(frozen=True, eq=False)
class Linear(Layer):
    """(..., K) times the transpose of weights (F, K), plus a bias."""

    weights: Array
    bias: Array | None = None

    kind: ClassVar[str] = "linear"

    def check_parameters(self) -> None:
        self.require_array("weights", self.weights, 2)
        if self.bias is not None:
            self.require_vector("bias", self.bias, self.weights.shape[0], "feature")

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        if len(shape) < 2 or shape[-1] != self.weights.shape[1]:
            raise self.refuse(
                f"its input is {shape_text(shape)}, its weights {shape_text(self.weights.shape)}",
                f"2 or more dimensions, the last of {self.weights.shape[1]}",
            )
        return (*shape[:-1], self.weights.shape[0])

    def compute(self, *arrays: Array) -> Array:
        product = arrays[0] @ self.weights.T
        return product if self.bias is None else product + self.bias

    def macs(self, *shapes: Shape) -> int:
        return prod(shapes[0]) * self.weights.shape[0]


@dataclass(frozen=True, eq=False)
class MatMul(Layer):
    """(..., M, K) times (..., K, N), both computed; leading dimensions are broadcast."""

    kind: ClassVar[str] = "matmul"
    operands: ClassVar[int | None] = 2

    def keeps_apart(self, *shapes: Shape) -> bool:
        return len(shapes[0]) == len(shapes[1]) > 2 and shapes[0][0] == shapes[1][0]

    def output_shape(self, *shapes: Shape) -> Shape:
        left, right = shapes
        found = f"its inputs are {shape_text(left)} and {shape_text(right)}"
        if min(len(left), len(right)) < 2 or left[-1] != right[-2]:
            raise self.refuse(found, "columns of the first that are as many as rows of the second")
        try:
            leading = np.broadcast_shapes(left[:-2], right[:-2])
        except ValueError:
            raise self.refuse(found, "leading dimensions that are equal or 1") from None
        return (*leading, left[-2], right[-1])

    def compute(self, *arrays: Array) -> Array:
        left, right = arrays
        return left @ right

    def macs(self, *shapes: Shape) -> int:
        return prod(self.output_shape(*shapes)) * shapes[0][-1]
