"""Operations with dimensions of extent 1 left out or added: the same numbers in another shape."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from xdsl.dialects import tensor
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, TensorType
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import FillOp, GenericOp
from xdsl.ir import Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap

from vtac.analysis.operations.reshapes import reshape_groups
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.dialects.packing import ReshapeOp
from vtac.partition.alu_operations import operand_loops, projection
from vtac.partition.tile_operations import Made


def reshaped(value: SSAValue, shape: Sequence[int], made: Made) -> SSAValue:
    """The same elements in another shape; the value itself when it has that."""
    if shape_of(value) == tuple(shape):
        return value
    kind = TensorType(element_of(value), list(shape))
    owner = value.owner
    if isinstance(owner, FillOp):
        empty = made.put(tensor.EmptyOp([], kind))
        return made.put(FillOp([owner.inputs[0]], [empty], [kind]))
    if isinstance(owner, tensor.EmptyOp):
        return made.put(tensor.EmptyOp([], kind))
    return made.put(ReshapeOp(operands=[value], result_types=[kind]), value.name_hint)


def without_dimensions(op: LinalgStructuredOperation, kept: Mapping[SSAValue, Collection[int]]) -> Made:
    """A generic for a structured operation whose operands have only the dimensions `kept`; then the old result.

    What is left out has the extent 1, as have the loops that nothing is read at any more.
    """
    made = Made()
    maps = [attribute.data for attribute in op.get_indexing_maps()]
    values, indices = list[SSAValue](), list[tuple[AffineExpr, ...]]()
    for value, found in zip(op.operands, maps, strict=True):
        dims = [dim for dim in range(len(shape_of(value))) if dim in kept.get(value, range(len(shape_of(value))))]
        values.append(reshaped(value, [shape_of(value)[dim] for dim in dims], made))
        indices.append(tuple(found.results[dim] for dim in dims))
    used = sorted({dim for results in indices for index in results for dim in index.used_dims()})
    loops: list[AffineExpr] = [AffineDimExpr(used.index(dim) if dim in used else 0) for dim in range(maps[0].num_dims)]
    new_maps = [
        AffineMapAttr(AffineMap(len(used), 0, tuple(index.replace_dims_and_symbols(loops, []) for index in results)))
        for results in indices
    ]
    kinds = list(op.get_iterator_types())
    count = len(op.outputs)
    body = Region()
    op.body.clone_into(body)
    iterators = ArrayAttr([kinds[dim] for dim in used])
    generic = GenericOp(values[:-count], values[-count:], body, ArrayAttr(new_maps), iterators, [values[-1].type])
    result = made.put(generic, op.res[0].name_hint)
    back = reshaped(result, shape_of(op.res[0]), made)
    back.name_hint = op.res[0].name_hint
    return made


def unit_partners(source: Sequence[int], result: Sequence[int]) -> dict[int, int] | None:
    """For each dimension of a reshape's result the one of its source; None where others than of extent 1 change."""
    partners: dict[int, int] = {}
    for group in reshape_groups(source, result):
        if len(group.source) > 1 or len(group.result) > 1:
            return None
        if group.source and group.result:
            partners[group.result[0]] = group.source[0]
    return partners


NewLoops: TypeAlias = "Sequence[int | None]"
"""The loops of a rewritten operation: each the old loop that it is, or None for one more, of extent 1."""


def with_loops(
    op: GenericOp, new: NewLoops, views: Mapping[int, tuple[SSAValue, tuple[int, ...]]] | None = None
) -> Made:
    """An elementwise operation over `new` loops, the old ones in their order; then the old result.

    Operands that have all loops get the added ones as dimensions, too. `views` has what to read, at new loops,
    in place of some operands.
    """
    made = Made()
    old = shape_of(op.res[0])
    shape = [1 if loop is None else old[loop] for loop in new]
    inputs, maps = list[SSAValue](), list[AffineMapAttr]()
    for position, (value, at) in enumerate(zip(op.inputs, operand_loops(op), strict=True)):
        if views is not None and position in views:
            source, indices = views[position]
        else:
            source, indices = _with_loops(value, at, new, made)
        inputs.append(source)
        maps.append(AffineMapAttr(projection(indices, len(shape))))
    maps.append(AffineMapAttr(AffineMap.identity(len(shape))))
    output = reshaped(op.outputs[0], shape, made)
    body = Region()
    op.body.clone_into(body)
    kinds = ArrayAttr([IteratorTypeAttr.parallel()] * len(shape))
    generic = GenericOp(inputs, [output], body, ArrayAttr(maps), kinds, [output.type])
    result = made.put(generic, op.res[0].name_hint)
    reshaped(result, old, made)
    return made


def _with_loops(value: SSAValue, at: tuple[int, ...], new: NewLoops, made: Made) -> tuple[SSAValue, tuple[int, ...]]:
    """An operand as a rewritten operation reads it, and the loops that are its indices."""
    kept = {loop: place for place, loop in enumerate(new) if loop is not None}
    indices = [kept[loop] for loop in at if loop in kept]
    sizes = [extent for extent, loop in zip(shape_of(value), at, strict=True) if loop in kept]
    if len(indices) == len(kept):
        more = [place for place, loop in enumerate(new) if loop is None]
        if indices == sorted(indices):
            whole = dict(zip(indices, sizes, strict=True))
            indices = list(range(len(new)))
            sizes = [whole.get(place, 1) for place in indices]
        else:
            indices, sizes = [*indices, *more], [*sizes, *[1] * len(more)]
    return reshaped(value, sizes, made), tuple(indices)
