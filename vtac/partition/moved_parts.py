"""Parts of tensors that are transposed and reshaped, as parts of what they come from."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.dialects import tensor
from xdsl.dialects.builtin import DenseArrayBase, TensorType, i64
from xdsl.dialects.linalg.ops import TransposeOp
from xdsl.ir import Attribute, Operation, SSAValue

from vtac.analysis.operations.reshapes import Group, reshape_groups
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.analysis.types.tile_slices import Slice
from vtac.dialects.packing import ReshapeOp
from vtac.partition.tile_operations import Made


def cut(source: SSAValue, found: Slice) -> Operation:
    """A slice of a tensor."""
    return tensor.ExtractSliceOp.from_static_parameters(source, found.offsets, found.sizes, found.strides)


def transposed(value: SSAValue, order: list[int], made: Made) -> SSAValue:
    """A tensor with dimension `order[i]` as dimension i: a reshape where only dimensions of extent 1 change places."""
    shape = [shape_of(value)[dim] for dim in order]
    kind = TensorType(element_of(value), shape)
    long = [dim for dim in order if shape_of(value)[dim] > 1]
    if long == sorted(long):
        return made.put(ReshapeOp(operands=[value], result_types=[kind]), value.name_hint)
    empty = made.put(tensor.EmptyOp([], kind))
    return made.put(TransposeOp(value, empty, DenseArrayBase.from_list(i64, order), kind), value.name_hint)


def like(value: SSAValue, shape: Sequence[int]) -> TensorType[Attribute]:
    """The type of a tensor of the same elements and another shape."""
    return TensorType(element_of(value), list(shape))


def slice_of_source(part: Slice, source: tuple[int, ...], result: tuple[int, ...]) -> Slice | None:
    """The slice of a reshape's source that has the elements of one of its result; None where they are none."""
    offsets, sizes = [0] * len(source), [1] * len(source)
    for group in reshape_groups(source, result):
        if any(part.strides[dim] != 1 for dim in group.result):
            return None
        if not group.source:
            continue
        run = _run(part, group, result)
        if run is None or len(group.source) != 1:
            if run != (0, prod(result[dim] for dim in group.result)):
                return None
            for dim in group.source:
                sizes[dim] = source[dim]
            continue
        (dim,) = group.source
        offsets[dim], sizes[dim] = run
    return Slice(tuple(offsets), tuple(sizes), (1,) * len(source))


def _run(part: Slice, group: Group, result: tuple[int, ...]) -> tuple[int, int] | None:
    """The first element and the count of a group's slice in row-major order; None where there are gaps."""
    first, count = 0, 1
    for dim in group.result:
        if count > 1 and part.sizes[dim] != result[dim]:
            return None
        first = first * result[dim] + part.offsets[dim]
        count *= part.sizes[dim]
    return first, count
