"""Layers that move elements and compute nothing: reshapes, transposes, slices, concatenations."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from vtac.models.layer import Array, Layer, Shape, shape_text


@dataclass(frozen=True, eq=False)
class Reshape(Layer):
    """The same elements in another shape; one extent may be -1, for what is left."""

    shape: Shape

    kind: ClassVar[str] = "reshape"

    def check_parameters(self) -> None:
        if sum(extent == -1 for extent in self.shape) > 1 or any(extent < -1 or extent == 0 for extent in self.shape):
            raise self.refuse(f"its shape is {self.shape}", "extents of 1 or more, and at most one -1")

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        given = prod(extent for extent in self.shape if extent != -1)
        rest, left = divmod(prod(shape), given)
        if left or (rest != 1 and -1 not in self.shape):
            raise self.refuse(f"{shape_text(shape)} as {self.shape}", "the same number of elements")
        return tuple(rest if extent == -1 else extent for extent in self.shape)

    def keeps_apart(self, *shapes: Shape) -> bool:
        return self.shape[0] == -1

    def compute(self, *arrays: Array) -> Array:
        return arrays[0].reshape(self.output_shape(arrays[0].shape))


@dataclass(frozen=True, eq=False)
class Flatten(Layer):
    """Dimensions before `axis` as one, those from it on as another."""

    axis: int = 1

    kind: ClassVar[str] = "flatten"

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        axis = len(shape) if self.axis == len(shape) else self.axis_of(self.axis, len(shape))
        return prod(shape[:axis]), prod(shape[axis:])

    def compute(self, *arrays: Array) -> Array:
        return arrays[0].reshape(self.output_shape(arrays[0].shape))


@dataclass(frozen=True, eq=False)
class Transpose(Layer):
    """Dimension i of the value is dimension `order[i]` of the input."""

    order: tuple[int, ...]

    kind: ClassVar[str] = "transpose"

    def keeps_apart(self, *shapes: Shape) -> bool:
        return self.order[:1] == (0,)

    def check_parameters(self) -> None:
        if sorted(self.order) != list(range(len(self.order))):
            raise self.refuse(f"its order is {self.order}", "each dimension once")

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        if len(shape) != len(self.order):
            raise self.refuse(f"its input is {shape_text(shape)}, its order {self.order}", "as many dimensions")
        return tuple(shape[dimension] for dimension in self.order)

    def compute(self, *arrays: Array) -> Array:
        return np.ascontiguousarray(arrays[0].transpose(self.order))


@dataclass(frozen=True, eq=False)
class Slice(Layer):
    """Elements `start`, `start + step`, ... before `stop` along an axis."""

    axis: int
    start: int
    stop: int
    step: int = 1

    kind: ClassVar[str] = "slice"

    def keeps_apart(self, *shapes: Shape) -> bool:
        return self.axis_of(self.axis, len(shapes[0])) != 0

    def check_parameters(self) -> None:
        if not (0 <= self.start < self.stop and self.step >= 1):
            raise self.refuse(
                f"it takes {self.start} to {self.stop} in steps of {self.step}", "0 <= start < stop and a step above 0"
            )

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        axis = self.axis_of(self.axis, len(shape))
        if self.stop > shape[axis]:
            raise self.refuse(f"it takes {self.start} to {self.stop} of {shape[axis]}", "a range inside of its input")
        count = len(range(self.start, self.stop, self.step))
        return (*shape[:axis], count, *shape[axis + 1 :])

    def compute(self, *arrays: Array) -> Array:
        taken = [slice(None)] * arrays[0].ndim
        taken[self.axis] = slice(self.start, self.stop, self.step)
        return arrays[0][tuple(taken)].copy()


@dataclass(frozen=True, eq=False)
class Concat(Layer):
    """Values one after the other along an axis."""

    axis: int = 1

    kind: ClassVar[str] = "concat"
    operands: ClassVar[int | None] = None

    def keeps_apart(self, *shapes: Shape) -> bool:
        return self.axis_of(self.axis, len(shapes[0])) != 0

    def output_shape(self, *shapes: Shape) -> Shape:
        axis = self.axis_of(self.axis, len(shapes[0]))
        if len({(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}) > 1 or len(set(map(len, shapes))) > 1:
            raise self.refuse(
                f"its inputs are {', '.join(map(shape_text, shapes))}", f"equal shapes but for dimension {axis}"
            )
        return (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])

    def compute(self, *arrays: Array) -> Array:
        return np.concatenate(arrays, axis=self.axis)


@dataclass(frozen=True, eq=False)
class Pad(Layer):
    """`value` around the elements: as many `before` and `after` each dimension."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    value: float = 0.0

    kind: ClassVar[str] = "padding"

    def check_parameters(self) -> None:
        if len(self.before) != len(self.after) or min((*self.before, *self.after), default=0) < 0:
            raise self.refuse(f"it adds {self.before} before and {self.after} after", "0 or more for each dimension")
        if not np.isfinite(self.value):
            raise self.refuse(f"it adds {self.value}", "a finite number")

    def keeps_apart(self, *shapes: Shape) -> bool:
        return not (self.before[0] or self.after[0])

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        self.require_rank(shape, len(self.before), "as many as it pads")
        return tuple(map(sum, zip(shape, self.before, self.after, strict=True)))

    def compute(self, *arrays: Array) -> Array:
        around = list(zip(self.before, self.after, strict=True))
        return np.pad(arrays[0], around, constant_values=np.asarray(self.value, arrays[0].dtype))
