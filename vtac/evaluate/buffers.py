"""Buffers that know which of their elements hold a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from types import EllipsisType
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import MemRefType, ShapedType, TensorType
from xdsl.ir import Attribute, Operation, SSAValue

from vtac.analysis.nests.nest import buffer_name
from vtac.evaluate.affine import Index
from vtac.evaluate.numbers import Array, Integers, Mask, computed_dtype
from vtac.evaluate.refusals import refused

_POISON = 0xA5

Bytes: TypeAlias = NDArray[np.uint8]


@dataclass
class Buffer:
    """A named array. `written` marks the elements that hold a value; None when all do.

    Views of a buffer share its arrays. `origin` is the argument whose buffer it is, or is a view of.
    """

    name: str
    data: Array
    written: Mask | None = None
    origin: SSAValue | None = None
    is_constant: bool = False

    @staticmethod
    def unwritten(name: str, kind: Attribute, shape: Sequence[int] | None = None) -> Buffer:
        """A buffer of a shaped type that holds no value yet; `shape` where the type does not say it."""
        dtype, shape = computed_dtype(element_type(kind)), shape_of_type(kind) if shape is None else tuple(shape)
        data = np.frombuffer(bytearray([_POISON]) * (dtype.itemsize * prod(shape)), np.uint8)
        elements = np.zeros(shape, dtype) if dtype.kind == "b" else data.view(dtype).reshape(shape)
        return Buffer(name, elements, np.zeros(shape, np.bool_))

    @staticmethod
    def for_value(value: SSAValue) -> Buffer:
        """The unwritten buffer of an IR value."""
        return Buffer.unwritten(buffer_name(value), value.type)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    def copy(self, name: str) -> Buffer:
        return Buffer(name, self.data.copy(), None if self.written is None else self.written.copy())

    def view(self, name: str, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Buffer:
        """Other elements, or another shape, of the same buffer."""
        written = None if self.written is None else change(self.written)
        return Buffer(name, change(self.data), written, self.origin, self.is_constant)

    def put(self, place: tuple[int | slice | EllipsisType, ...], values: Array, written: Mask | None = None) -> None:
        """Write elements, of which `written` says where they hold a value; None for everywhere."""
        self.data[place] = values
        if self.written is not None:
            self.written[place] = True if written is None else written
        elif written is not None and not written.all():
            raise refused(f"'{self.name}': what is copied into it was not written everywhere")

    def contents(self, what: str, op: Operation) -> Array:
        """The data, once every element holds a value. Raises `EvaluationError` with the first that holds none."""
        if self.written is not None and not self.written.all():
            index = [int(i) for i in np.argwhere(~self.written)[0]]
            raise refused(f"{what} '{self.name}': nothing has written its element {index}", op)
        return self.data


def element_type(kind: Attribute) -> Attribute:
    """The element type of a memref or tensor. Raises `EvaluationError` for another type."""
    if not isinstance(kind, MemRefType | TensorType):
        raise refused(f"cannot hold {kind} in a buffer: a memref or a tensor is required")
    return cast("MemRefType | TensorType[Attribute]", kind).get_element_type()


def shape_of_type(kind: Attribute) -> tuple[int, ...]:
    """The static shape of a memref or tensor, in elements.

    Raises `EvaluationError` for another type, and for an extent that is not known.
    """
    shape = kind.get_shape() if isinstance(kind, ShapedType) else None
    if shape is None or any(extent < 0 for extent in shape):
        raise refused(f"cannot hold {kind} in a buffer: a memref or tensor of static shape is required")
    return tuple(shape)


def outside(indices: Sequence[Index], shape: Sequence[int]) -> Mask | None:
    """Where some index is not in its dimension; None when all are."""
    found: Mask | None = None
    for index, extent in zip(indices, shape, strict=True):
        if isinstance(index, int):
            if not 0 <= index < extent:
                return np.ones((1,) * _rank(indices), np.bool_)
        elif index.min() < 0 or index.max() >= extent:
            this = np.logical_or(index < 0, index >= extent)
            found = this if found is None else np.logical_or(found, this)
    return found


def flatten(indices: Sequence[Index], shape: Sequence[int], rank: int, *, clip: bool) -> Integers:
    """Row-major positions, an array of `rank` dimensions; `clip` moves indices into the shape first."""
    position: Index = 0
    for index, extent in zip(indices, shape, strict=True):
        inside = np.clip(index, 0, extent - 1) if clip else index
        position = position * extent + inside
    return np.asarray(position, np.int64).reshape(np.shape(position) or (1,) * rank)


def first_index(indices: Sequence[Index], bad: Mask) -> list[int]:
    """The indices at the first point where `bad` is set."""
    where = tuple(np.argwhere(bad)[0])
    return [index if isinstance(index, int) else int(np.broadcast_to(index, bad.shape)[where]) for index in indices]


def common(bad: Mask, active: Mask | None, indices: Sequence[Index]) -> Mask:
    """`bad` at active points, broadcast so that every index has a value at each point."""
    wanted = bad if active is None else np.logical_and(bad, active)
    shapes = [np.shape(index) for index in indices]
    return np.broadcast_to(wanted, np.broadcast_shapes(wanted.shape, *shapes))


def _rank(indices: Sequence[Index]) -> int:
    return max((np.ndim(index) for index in indices), default=1) or 1
