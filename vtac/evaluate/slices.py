"""Slices, insertions and padding of buffers: what moves elements and computes nothing, with what is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from xdsl.dialects import tensor
from xdsl.dialects.builtin import DYNAMIC_INDEX
from xdsl.ir import SSAValue

from vtac.evaluate.arith import evaluate_body
from vtac.evaluate.buffers import Buffer, shape_of_type
from vtac.evaluate.numbers import Array, Mask
from vtac.evaluate.refusals import refused

Slice = tensor.ExtractSliceOp | tensor.InsertSliceOp


def places(op: Slice, scalars: Mapping[SSAValue, Array] | None = None) -> tuple[slice, ...]:
    """What a slice takes of its source, or covers of its destination; `EvaluationError` where it does not fit.

    Offsets that are values are looked up among `scalars`.
    """
    offsets, sizes, strides = (
        tuple(values.get_values()) for values in (op.static_offsets, op.static_sizes, op.static_strides)
    )
    if scalars is not None and all(value in scalars for value in op.offsets):
        given = iter(int(scalars[value].item()) for value in op.offsets)
        offsets = tuple(next(given) if offset == DYNAMIC_INDEX else offset for offset in offsets)
    elif op.offsets:
        raise refused(f"{op.name}: constant offsets, sizes and strides are required", op)
    if op.sizes or op.strides:
        raise refused(f"{op.name}: constant offsets, sizes and strides are required", op)
    whole, part = (op.source, op.result) if isinstance(op, tensor.ExtractSliceOp) else (op.dest, op.source)
    if _without_units(sizes) != _without_units(shape_of_type(part.type)):
        raise refused(f"{op.name}: sizes {list(sizes)} do not give {part.type}", op)
    for dim, (offset, size, stride, extent) in enumerate(
        zip(offsets, sizes, strides, shape_of_type(whole.type), strict=True)
    ):
        if offset < 0 or size < 1 or stride < 1 or offset + (size - 1) * stride >= extent:
            raise refused(
                f"{op.name}: dimension {dim} takes {size} elements from {offset} in steps of {stride}; it has {extent}",
                op,
            )
    return tuple(
        slice(offset, offset + (size - 1) * stride + 1, stride)
        for offset, size, stride in zip(offsets, sizes, strides, strict=True)
    )


def sliced(op: tensor.ExtractSliceOp, source: Buffer, scalars: Mapping[SSAValue, Array] | None = None) -> Buffer:
    """The elements that a slice takes, without the dimensions that it drops."""
    taken, shape = places(op, scalars), shape_of_type(op.result.type)
    written = None if source.written is None else source.written[taken].reshape(shape)
    return Buffer(op.result.name_hint or source.name, source.data[taken].reshape(shape), written)


def inserted(
    op: tensor.InsertSliceOp, source: Buffer, into: Buffer, scalars: Mapping[SSAValue, Array] | None = None
) -> Buffer:
    """A copy of the destination with the source in place."""
    covered = places(op, scalars)
    result = into.copy(op.result.name_hint or into.name)
    shape = result.data[covered].shape
    result.data[covered] = source.data.reshape(shape)
    if result.written is not None:
        result.written[covered] = True if source.written is None else source.written.reshape(shape)
    elif source.written is not None:
        result.written = np.ones(result.shape, np.bool_)
        result.written[covered] = source.written.reshape(shape)
    return result


def pad_widths(op: tensor.PadOp, scalars: Mapping[SSAValue, Array] | None = None) -> list[tuple[int, int]]:
    """Padding before and after each dimension, sizes that are values looked up among `scalars`.

    Raises `EvaluationError` where a size is negative or not known, or the value no constant.
    """
    known = scalars or {}
    sides: list[list[int]] = []
    for numbers, values in ((op.static_low.get_values(), op.low), (op.static_high.get_values(), op.high)):
        given = iter([int(known[value].item()) if value in known else -1 for value in values])
        sides.append([next(given) if number == DYNAMIC_INDEX else number for number in numbers])
    if any(size < 0 for side in sides for size in side):
        raise refused("tensor.pad: pad sizes must be constants and not negative", op)
    if any(argument.uses for argument in op.region.block.args):
        raise refused("tensor.pad: the pad value must not depend on the position", op)
    return list(zip(*sides, strict=True))


def padded(op: tensor.PadOp, source: Buffer, scalars: dict[SSAValue, Array]) -> Buffer:
    """The source with its padding around it."""
    widths = pad_widths(op, scalars)
    body = op.region.block
    value = evaluate_body(body, [np.arange(1, dtype=np.int64) for _ in body.args], scalars, None)[0]
    data = np.pad(source.data, widths, constant_values=value[0]) if widths else source.data.copy()
    written: Mask | None = None
    if source.written is not None:
        written = np.pad(source.written, widths, constant_values=True) if widths else source.written.copy()
    return Buffer(op.result.name_hint or source.name, data, written)


def _without_units(sizes: Sequence[int]) -> list[int]:
    return [size for size in sizes if size != 1]
