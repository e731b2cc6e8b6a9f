"""Buffers in memory, executed element by element or as views: memref, bufferization, accesses of affine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import cast

import numpy as np
from xdsl.dialects import affine, bufferization, memref
from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, DenseIntOrFPElementsAttr, ShapedType
from xdsl.ir import Attribute, Operation, SSAValue

from vtac.dialects import frontend_affine, frontend_bufferization
from vtac.evaluate.affine import evaluate_map
from vtac.evaluate.buffers import Buffer, shape_of_type
from vtac.evaluate.frame import Frame, Handler
from vtac.evaluate.functions import global_named
from vtac.evaluate.numbers import Array, dense
from vtac.evaluate.refusals import refused
from vtac.evaluate.strided import kept_dimensions, mixed, strided_places
from vtac.limits import MEMORY


def map_results(op: Operation, found: AffineMapAttr, operands: Sequence[SSAValue], frame: Frame) -> list[int]:
    """The results of a map of values, dimensions first."""
    numbers = frame.indices(operands, op)
    count = found.data.num_dims
    return [int(result) for result in evaluate_map(found.data, numbers[:count], numbers[count:])]


def extents_of(op: Operation, kind: Attribute, sizes: Sequence[SSAValue], frame: Frame) -> tuple[int, ...]:
    """The shape of a type whose open extents are values. Raises `EvaluationError` for a negative one, or too much."""
    shape = tuple(mixed(kind.get_shape() if isinstance(kind, ShapedType) else (), frame.indices(sizes, op)))
    if any(extent < 0 for extent in shape):
        raise refused(f"'{op.name}': {kind} gets the extents {list(shape)}, of which none may be negative", op)
    found = MEMORY.refusal(8 * int(np.prod(shape, dtype=object)))
    if found:
        raise refused(f"'{op.name}' takes {found}", op)
    return shape


def _inside(op: Operation, buffer: Buffer, place: Sequence[int]) -> tuple[int, ...]:
    for dim, (index, extent) in enumerate(zip(place, buffer.shape, strict=True)):
        if not 0 <= index < extent:
            raise refused(
                f"'{op.name}' reaches '{buffer.name}' at {list(place)}: dimension {dim} has an extent of {extent}", op
            )
    return tuple(place)


def _read(op: Operation, buffer: Buffer, place: Sequence[int]) -> Array:
    at = _inside(op, buffer, place)
    if buffer.written is not None and not buffer.written[at]:
        raise refused(f"'{op.name}' reads '{buffer.name}' at {list(at)}, which nothing has written", op)
    return np.array(buffer.data[at]).reshape(1)


def _write(op: Operation, buffer: Buffer, place: Sequence[int], value: Array, frame: Frame) -> None:
    at = _inside(op, buffer, place)
    frame.note_write(buffer, op)
    buffer.data[at] = value.item()
    if buffer.written is not None:
        buffer.written[at] = True


def _load(op: memref.LoadOp, frame: Frame) -> None:
    frame.scalars[op.res] = _read(op, frame.buffer(op.memref, op), frame.indices(op.indices, op))


def _store(op: memref.StoreOp, frame: Frame) -> None:
    value = cast(Array, frame.value(op.value, op))
    _write(op, frame.buffer(op.memref, op), frame.indices(op.indices, op), value, frame)


def _affine_load(op: affine.LoadOp, frame: Frame) -> None:
    frame.scalars[op.result] = _read(op, frame.buffer(op.memref, op), map_results(op, op.map, op.indices, frame))


def _affine_store(op: affine.StoreOp, frame: Frame) -> None:
    value = cast(Array, frame.value(op.value, op))
    _write(op, frame.buffer(op.memref, op), map_results(op, op.map, op.indices, frame), value, frame)


def _apply(op: affine.ApplyOp, frame: Frame) -> None:
    (found,) = map_results(op, op.map, op.mapOperands, frame)
    frame.bind_index(op.result, found)


def _extreme(op: affine.MinOp | frontend_affine.MaxOp, frame: Frame) -> None:
    found = map_results(op, op.map, op.arguments, frame)
    frame.bind_index(op.result, min(found) if isinstance(op, affine.MinOp) else max(found))


def _alloc(op: memref.AllocOp | memref.AllocaOp, frame: Frame) -> None:
    shape = extents_of(op, op.memref.type, op.dynamic_sizes, frame)
    frame.buffers[op.memref] = Buffer.unwritten(op.memref.name_hint or op.name, op.memref.type, shape)


def _dealloc(op: memref.DeallocOp, frame: Frame) -> None:
    frame.buffer(op.memref, op)
    frame.buffers.pop(op.memref)


def _copy(op: memref.CopyOp, frame: Frame) -> None:
    source, target = frame.buffer(op.source, op), frame.buffer(op.destination, op)
    if source.shape != target.shape:
        raise refused(f"'{op.name}' of {list(source.shape)} to {list(target.shape)}: equal shapes are required", op)
    frame.note_write(target, op)
    target.put((...,), source.data.copy(), None if source.written is None else source.written.copy())


def _cast(op: memref.CastOp, frame: Frame) -> None:
    source, kind = frame.buffer(op.source, op), op.dest.type
    if isinstance(kind, ShapedType):
        wanted = tuple(kind.get_shape())
        fits = len(wanted) == len(source.shape)
        if not fits or any(a not in (b, DYNAMIC_INDEX) for a, b in zip(wanted, source.shape, strict=True)):
            raise refused(f"'{op.name}' to {kind} of a buffer whose shape is {list(source.shape)}", op)
    frame.buffers[op.dest] = source


def _get_global(op: memref.GetGlobalOp, frame: Frame) -> None:
    name = op.name_.string_value()
    if name not in frame.shared.globals_:
        found = global_named(op, name)
        contents = found.properties.get("initial_value")
        if contents is None:
            raise refused(f"global '{name}' has no contents to read: give it an initial value", found)
        buffer = Buffer.unwritten(name, op.memref.type)
        if isinstance(contents, DenseIntOrFPElementsAttr):
            held = cast("DenseIntOrFPElementsAttr", contents)
            buffer = Buffer(name, dense(held, shape_of_type(op.memref.type)))
        buffer.is_constant = found.constant is not None
        frame.shared.globals_[name] = buffer
    frame.buffers[op.memref] = frame.shared.globals_[name]


def _subview(op: memref.SubviewOp, frame: Frame) -> None:
    source = frame.buffer(op.source, op)
    place = strided_places(op, source.shape, frame)
    kept = kept_dimensions(
        [len(range(*one.indices(extent))) for one, extent in zip(place, source.shape, strict=True)],
        op.result.type.get_shape(),
    )
    taken = tuple(one if dim in kept else one.start for dim, one in enumerate(place))
    name = op.result.name_hint or source.name
    frame.buffers[op.result] = source.view(name, lambda array: array[(*taken, ...)])


def _reshape(op: memref.CollapseShapeOp | memref.ExpandShapeOp, frame: Frame) -> None:
    source, kind = frame.buffer(op.src, op), op.result.type
    shape = tuple(kind.get_shape())
    if shape.count(DYNAMIC_INDEX) > 1:
        raise refused(f"'{op.name}' to {kind}: one open extent at most is executed", op)

    def change(array: Array) -> Array:
        changed = array.reshape(shape if DYNAMIC_INDEX not in shape else [max(extent, -1) for extent in shape])
        if changed.size and not np.shares_memory(changed, array):
            raise refused(f"'{op.name}' of {op.src.type}: its elements do not lie side by side", op)
        return changed

    frame.buffers[op.result] = source.view(op.result.name_hint or source.name, change)


def _reinterpret(op: memref.ReinterpretCastOp, frame: Frame) -> None:
    """A view of the elements as they lie in memory, which those of the source must do side by side."""
    source = frame.buffer(op.source, op)
    (offset,), sizes, strides = (
        mixed(numbers.get_values(), frame.indices(values, op))
        for numbers, values in (
            (op.static_offsets, op.offsets),
            (op.static_sizes, op.sizes),
            (op.static_strides, op.strides),
        )
    )
    reach = [(size - 1) * stride for size, stride in zip(sizes, strides, strict=True)]
    first, last = (offset + sum(pick(0, step) for step in reach) for pick in (min, max))
    if 0 not in sizes and not 0 <= first <= last < source.data.size:
        raise refused(f"'{op.name}' reaches {first} to {last} of the {source.data.size} elements of a buffer", op)

    def change(array: Array) -> Array:
        if not array.flags.c_contiguous:
            raise refused(f"'{op.name}' of {op.source.type}: elements that lie side by side are required", op)
        steps = [stride * array.itemsize for stride in strides]
        return np.lib.stride_tricks.as_strided(array.reshape(-1)[offset:], sizes, steps)

    frame.buffers[op.result] = source.view(op.result.name_hint or source.name, change)


def _dim(op: memref.DimOp, frame: Frame) -> None:
    shape, dim = frame.buffer(op.source, op).shape, frame.index(op.index, op)
    if not 0 <= dim < len(shape):
        raise refused(f"'{op.name}' of dimension {dim}: there are {len(shape)}", op)
    frame.bind_index(op.result, shape[dim])


def _rank(op: memref.RankOp, frame: Frame) -> None:
    frame.bind_index(op.rank, len(frame.buffer(op.source, op).shape))


def _alloc_tensor(op: bufferization.AllocTensorOp, frame: Frame) -> None:
    name = op.tensor.name_hint or op.name
    if op.copy is not None:
        frame.buffers[op.tensor] = frame.buffer(op.copy, op).copy(name)
        return
    shape = extents_of(op, op.tensor.type, op.dynamic_sizes, frame)
    frame.buffers[op.tensor] = Buffer.unwritten(name, op.tensor.type, shape)


def _duplicate(op: Operation, frame: Frame) -> None:
    """A tensor as a buffer, a buffer as a tensor, or a clone of one: contents of its own."""
    frame.buffers[op.results[0]] = frame.buffer(op.operands[0], op).copy(op.results[0].name_hint or op.name)


HANDLERS: Mapping[type[Operation], Handler] = MappingProxyType(
    cast(
        "dict[type[Operation], Handler]",
        {
            memref.LoadOp: _load,
            memref.StoreOp: _store,
            memref.AllocOp: _alloc,
            memref.AllocaOp: _alloc,
            memref.DeallocOp: _dealloc,
            memref.CopyOp: _copy,
            memref.CastOp: _cast,
            memref.GetGlobalOp: _get_global,
            memref.SubviewOp: _subview,
            memref.ReinterpretCastOp: _reinterpret,
            memref.CollapseShapeOp: _reshape,
            memref.ExpandShapeOp: _reshape,
            memref.DimOp: _dim,
            memref.RankOp: _rank,
            affine.LoadOp: _affine_load,
            affine.StoreOp: _affine_store,
            affine.ApplyOp: _apply,
            affine.MinOp: _extreme,
            frontend_affine.MaxOp: _extreme,
            bufferization.AllocTensorOp: _alloc_tensor,
            frontend_bufferization.ToTensorOp: _duplicate,
            frontend_bufferization.ToBufferOp: _duplicate,
            bufferization.CloneOp: _duplicate,
        },
    )
)
"""How each operation is executed."""
