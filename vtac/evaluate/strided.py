"""Slices whose offsets, sizes and strides are numbers or values, of tensors and of buffers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from xdsl.dialects import memref
from xdsl.dialects.builtin import DYNAMIC_INDEX

from vtac.dialects.frontend_tensor import ParallelInsertSliceOp
from vtac.evaluate.frame import Frame
from vtac.evaluate.refusals import refused

Strided: TypeAlias = ParallelInsertSliceOp | memref.SubviewOp


def mixed(numbers: Sequence[int], values: Sequence[int]) -> list[int]:
    """Numbers, and what stands for those that are left open."""
    left = iter(values)
    return [next(left) if number == DYNAMIC_INDEX else number for number in numbers]


def strided_places(op: Strided, extents: Sequence[int], frame: Frame) -> tuple[slice, ...]:
    """What a slice takes of an array with those extents. Raises `EvaluationError` for what lies outside of it."""
    offsets, sizes, strides = (
        mixed(numbers.get_values(), frame.indices(values, op))
        for numbers, values in (
            (op.static_offsets, op.offsets),
            (op.static_sizes, op.sizes),
            (op.static_strides, op.strides),
        )
    )
    places: list[slice] = []
    for dim, (first, size, stride, extent) in enumerate(zip(offsets, sizes, strides, extents, strict=True)):
        last = first + (size - 1) * stride
        if size < 0 or stride == 0 or (size and not (0 <= first < extent and 0 <= last < extent)):
            raise refused(
                f"{op.name}: dimension {dim} takes {size} elements from {first} in steps of {stride}; it has {extent}",
                op,
            )
        end = first + size * stride if size else first
        places.append(slice(first, None if end < 0 else end, stride))
    return tuple(places)


def kept_dimensions(sizes: Sequence[int], shape: Sequence[int]) -> set[int]:
    """The dimensions of a slice that its type keeps: it may leave out some of one element."""
    left, kept = list(shape), set[int]()
    for dim, size in enumerate(sizes):
        may_go = size == 1 and len(sizes) - dim > len(left)
        if left and (left[0] == size or not may_go):
            left.pop(0)
            kept.add(dim)
    return kept
