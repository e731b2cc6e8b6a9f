"""Tensors that are made, sliced, padded, changed in one element, or looked at."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

import numpy as np
from xdsl.dialects import tensor
from xdsl.dialects.builtin import DYNAMIC_INDEX, ShapedType
from xdsl.dialects.memref import LoadOp
from xdsl.ir import Operation

from vtac.dialects.frontend_tensor import GenerateOp, RankOp
from vtac.evaluate.arith import evaluate_body, read_by
from vtac.evaluate.buffers import Buffer, element_type, shape_of_type
from vtac.evaluate.frame import Frame, Handler
from vtac.evaluate.memory import extents_of
from vtac.evaluate.numbers import Array, computed_dtype
from vtac.evaluate.refusals import refused
from vtac.evaluate.slices import inserted, padded, sliced


def _generate(op: GenerateOp, frame: Frame) -> None:
    """The body, once, on the indices of all elements."""
    shape = extents_of(op, op.result.type, op.dynamic_extents, frame)
    rank = max(1, len(shape))
    grids: list[Array] = [
        np.arange(extent, dtype=np.int64).reshape([extent if dim == at else 1 for at in range(rank)])
        for dim, extent in enumerate(shape)
    ]
    outer = {value: array.reshape((1,) * rank) for value, array in frame.scalars.items()}
    extracts = [inner for inner in op.body.block.ops if isinstance(inner, tensor.ExtractOp | LoadOp)]
    tensors = {one: frame.buffer(one, op).contents("operand", op) for one in map(read_by, extracts)}
    (found,) = evaluate_body(op.body.block, grids, outer, None, tensors)
    whole = np.broadcast_to(found, shape or (1,)).reshape(shape)
    frame.buffers[op.result] = Buffer(op.result.name_hint or op.name, np.array(whole))


def _rank(op: RankOp, frame: Frame) -> None:
    frame.bind_index(op.result, len(frame.buffer(op.tensor, op).shape))


def _dim(op: tensor.DimOp, frame: Frame) -> None:
    shape, dim = frame.buffer(op.source, op).shape, frame.index(op.index, op)
    if not 0 <= dim < len(shape):
        raise refused(f"'{op.name}' of dimension {dim}: there are {len(shape)}", op)
    frame.bind_index(op.result, shape[dim])


def _cast(op: tensor.CastOp, frame: Frame) -> None:
    source, kind = frame.buffer(op.source, op), op.dest.type
    wanted = kind.get_shape() if isinstance(kind, ShapedType) else source.shape
    fits = len(wanted) == len(source.shape)
    if not fits or any(a not in (b, DYNAMIC_INDEX) for a, b in zip(wanted, source.shape, strict=True)):
        raise refused(f"'{op.name}' to {kind} of a tensor whose shape is {list(source.shape)}", op)
    frame.buffers[op.dest] = source


def _empty(op: tensor.EmptyOp, frame: Frame) -> None:
    shape = extents_of(op, op.tensor.type, op.dynamic_sizes, frame)
    frame.buffers[op.tensor] = Buffer.unwritten(op.tensor.name_hint or op.name, op.tensor.type, shape)


def _pad(op: tensor.PadOp, frame: Frame) -> None:
    frame.buffers[op.result] = padded(op, frame.buffer(op.source, op), frame.scalars)


def _extract_slice(op: tensor.ExtractSliceOp, frame: Frame) -> None:
    frame.buffers[op.result] = sliced(op, frame.buffer(op.source, op), frame.scalars)


def _insert_slice(op: tensor.InsertSliceOp, frame: Frame) -> None:
    source, into = frame.buffer(op.source, op), frame.buffer(op.dest, op)
    frame.buffers[op.result] = inserted(op, source, into, frame.scalars)


def _insert(op: tensor.InsertOp, frame: Frame) -> None:
    result = frame.buffer(op.dest, op).copy(op.result.name_hint or op.name)
    place = tuple(frame.indices(op.indices, op))
    if not all(0 <= index < extent for index, extent in zip(place, result.shape, strict=True)):
        raise refused(f"'{op.name}' at {list(place)}, outside of the shape {list(result.shape)}", op)
    result.data[place] = cast(Array, frame.value(op.scalar, op)).item()
    if result.written is not None:
        result.written[place] = True
    frame.buffers[op.result] = result


def _from_elements(op: tensor.FromElementsOp, frame: Frame) -> None:
    numbers = [cast(Array, frame.value(value, op)).item() for value in op.elements]
    dtype, shape = computed_dtype(element_type(op.result.type)), shape_of_type(op.result.type)
    frame.buffers[op.result] = Buffer(op.result.name_hint or op.name, np.array(numbers, dtype).reshape(shape))


HANDLERS: Mapping[type[Operation], Handler] = MappingProxyType(
    cast(
        "dict[type[Operation], Handler]",
        {
            tensor.EmptyOp: _empty,
            tensor.PadOp: _pad,
            tensor.ExtractSliceOp: _extract_slice,
            tensor.InsertSliceOp: _insert_slice,
            GenerateOp: _generate,
            RankOp: _rank,
            tensor.DimOp: _dim,
            tensor.CastOp: _cast,
            tensor.InsertOp: _insert,
            tensor.FromElementsOp: _from_elements,
        },
    )
)
"""How each operation is executed."""
